//! Microsoft does not answer, or answers nonsense: nobody is harmed, and everything is made good afterwards.

use std::time::{Duration, Instant};

use m365_simulator::microsoft::{ErrorBody, Family, Fault, RetryAfter, Times};

use crate::world::World;

/// Probes follow each other by 5 s at most, and 5 s after the first answered one both sides agree (DESIGN 12); the rest
/// is for a busy machine.
const RECOVERY: Duration = Duration::from_secs(30);

/// Long enough for several attempts.
const OUTAGE: Duration = Duration::from_secs(3);

/// An error that breaks off.
const HALF: &str = r#"{"error":{"code":"ServiceUnavail"#;

/// JSON in which nothing has the type that it should have.
const ODD: &str = r#"{"error":[{"code":7}],"error_codes":"none","value":{}}"#;

fn synchronised() -> World {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    world
}

/// While a fault strikes every request, changes on both sides wait; when it ends, both arrive.
fn is_made_good_after(family: Option<Family>, fault: Fault) {
    let world = synchronised();
    world.cloud().inject(family, fault, Times::Always);
    world.choose_at_pbx("bert", "dnd");
    world.in_teams("anna", "Busy", "Busy");
    world.stay_quiet(OUTAGE);
    assert_eq!(world.get("/livez").status, 200);
    world.cloud().clear_faults(None);
    let ended = Instant::now();
    world.until_seen_in_teams("bert", "DoNotDisturb", "DoNotDisturb");
    world.until_shown_at_pbx("anna", "busy");
    world.until_synchronised(2);
    assert!(ended.elapsed() < RECOVERY, "it took {:?}", ended.elapsed());
}

fn failed(status: u16, body: ErrorBody, retry_after: RetryAfter) -> Fault {
    Fault::Failed {
        status,
        body,
        retry_after,
    }
}

#[test]
fn web_pages_instead_of_answers_are_made_good() {
    is_made_good_after(None, failed(502, ErrorBody::Html, RetryAfter::Silent));
}

#[test]
fn web_pages_with_status_200_are_made_good() {
    is_made_good_after(None, failed(200, ErrorBody::Html, RetryAfter::Silent));
}

#[test]
fn empty_errors_are_made_good() {
    is_made_good_after(None, failed(500, ErrorBody::Empty, RetryAfter::Silent));
}

#[test]
fn errors_that_break_off_are_made_good() {
    is_made_good_after(None, failed(500, ErrorBody::Text(HALF), RetryAfter::Silent));
}

#[test]
fn errors_of_odd_shapes_are_made_good() {
    is_made_good_after(None, failed(502, ErrorBody::Text(ODD), RetryAfter::Silent));
}

#[test]
fn reads_of_odd_shapes_are_made_good() {
    is_made_good_after(
        Some(Family::PresenceRead),
        failed(200, ErrorBody::Text(ODD), RetryAfter::Silent),
    );
}

#[test]
fn an_unavailable_service_is_made_good() {
    is_made_good_after(None, failed(503, ErrorBody::Json, RetryAfter::Seconds(1)));
}

#[test]
fn closed_connections_are_made_good() {
    is_made_good_after(None, Fault::Closed);
}

#[test]
fn lost_answers_are_made_good() {
    is_made_good_after(None, Fault::AnswerLost);
}

#[test]
fn truncated_answers_are_made_good() {
    is_made_good_after(None, Fault::Truncated);
}

#[test]
fn throttling_in_seconds_is_made_good() {
    is_made_good_after(None, Fault::Throttled(RetryAfter::Seconds(2)));
}

#[test]
fn throttling_until_a_date_is_made_good() {
    is_made_good_after(None, Fault::Throttled(RetryAfter::Date(2)));
}

#[test]
fn throttling_without_a_time_is_made_good() {
    is_made_good_after(None, Fault::Throttled(RetryAfter::Silent));
}

#[test]
fn slow_answers_are_waited_for() {
    is_made_good_after(None, Fault::Slow(Duration::from_secs(2)));
}

#[test]
fn presence_that_cannot_be_written_is_written_later() {
    is_made_good_after(
        Some(Family::PresenceWrite),
        failed(504, ErrorBody::Empty, RetryAfter::Silent),
    );
}

#[test]
fn batches_that_are_refused_are_sent_again() {
    is_made_good_after(
        Some(Family::Batch),
        failed(503, ErrorBody::Html, RetryAfter::Silent),
    );
}

#[test]
fn a_failed_write_is_not_repeated_more_often_than_documented() {
    let world = synchronised();
    let mark = world.cloud_mark();
    world.cloud().inject(
        Some(Family::PresenceWrite),
        Fault::Throttled(RetryAfter::Seconds(3)),
        Times::Next(1),
    );
    world.choose_at_pbx("bert", "dnd");
    world.until_seen_in_teams("bert", "DoNotDisturb", "DoNotDisturb");
    let journal = world.cloud().journal();
    let writes = journal.select_since(mark, |entry| entry.is_request(Family::PresenceWrite));
    let [first, second] = &writes[..] else {
        panic!("one refused and one accepted write, not {writes:?}");
    };
    let waited = second.at - first.at;
    assert!(waited.num_milliseconds() >= 2_900, "waited only {waited}");
}

#[test]
fn a_start_without_microsoft_waits_and_says_so() {
    let outage = failed(503, ErrorBody::Html, RetryAfter::Silent);
    let world = World::of(&["anna"])
        .cloud(move |cloud| cloud.inject(None, outage, Times::Always))
        .start();
    world.until_light("authentication", "unreachable");
    world.until_light("master_pbx", "ok");
    let ready = world.get("/readyz");
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains("unreachable"), "{}", ready.text());
    world.cloud().clear_faults(None);
    world.until_synchronised(1);
}

#[test]
fn a_start_with_every_family_failing_once_succeeds() {
    let world = World::of(&["anna"])
        .cloud(|cloud| {
            for family in [
                Family::Token,
                Family::Discovery,
                Family::Users,
                Family::PresenceRead,
                Family::PresenceWrite,
                Family::SubscriptionWrite,
                Family::SubscriptionRead,
                Family::SubscriptionList,
            ] {
                let once = failed(500, ErrorBody::Html, RetryAfter::Silent);
                cloud.inject(Some(family), once, Times::Next(1));
            }
        })
        .start();
    world.until_synchronised(1);
    world.in_teams("anna", "Busy", "Busy");
    world.until_shown_at_pbx("anna", "busy");
}

#[test]
fn probes_of_a_young_outage_are_close_and_not_hasty() {
    let outage = failed(500, ErrorBody::Empty, RetryAfter::Silent);
    let world = World::of(&["anna"])
        .cloud(move |cloud| cloud.inject(Some(Family::Token), outage, Times::Always))
        .start();
    world.until_light("authentication", "unreachable");
    world.stay_quiet(Duration::from_secs(15));
    let journal = world.cloud().journal();
    let mut probes = journal.select(|entry| entry.is_request(Family::Token));
    probes.sort_by_key(|probe| (probe.detail["grant_type"].to_string(), probe.at));
    let count = probes.len();
    assert!((6..=30).contains(&count), "{count} probes of two credentials");
}

#[test]
fn a_notification_counts_even_while_its_proof_cannot_be_checked() {
    let world = World::of(&["anna"])
        .cloud(|cloud| {
            let gone = failed(503, ErrorBody::Empty, RetryAfter::Silent);
            cloud.inject(Some(Family::Discovery), gone, Times::Always);
        })
        .start();
    world.until_synchronised(1);
    world.in_teams("anna", "Busy", "Busy");
    world.until_shown_at_pbx("anna", "busy");
}

#[test]
fn presence_is_read_in_bulk_while_nothing_can_be_subscribed() {
    let world = World::of(&["anna"])
        .settings("timers.sweep = \"1s\"")
        .cloud(|cloud| {
            let gone = failed(503, ErrorBody::Html, RetryAfter::Silent);
            cloud.inject(Some(Family::SubscriptionWrite), gone, Times::Always);
        })
        .start();
    world.until_light("presence_subscription", "unreachable");
    world.in_teams("anna", "Busy", "Busy");
    world.until_shown_at_pbx("anna", "busy");
    // everybody is served, only later
    assert_eq!(world.get("/readyz").status, 200);
    world.cloud().clear_faults(None);
    world.until_synchronised(1);
}

#[test]
fn users_that_cannot_be_listed_are_kept_as_they_were() {
    let world = synchronised();
    let gone = failed(500, ErrorBody::Html, RetryAfter::Silent);
    world.cloud().inject(Some(Family::Users), gone, Times::Always);
    assert_eq!(world.post("/api/v1/subscriptions/renew").status, 202);
    world.in_teams("anna", "Busy", "Busy");
    world.until_shown_at_pbx("anna", "busy");
    world.stay_quiet(OUTAGE);
    assert_eq!(world.status()["users"]["synchronised"], 2);
}
