//! This machine's clock is wrong, or one answer's date is: everything works by Microsoft's clock all the same.

use std::time::Duration;

use chrono::TimeDelta;
use m365_simulator::microsoft::{Fault, Times};
use rcgen::{CertificateParams, KeyPair};

use crate::world::{CLIENT_SECRET, World};

/// Tokens, leases and subscriptions come to their ends often, and every assertion is dated anew.
const BRISK: &str =
    "timers.on_the_phone = '2s'\ntimers.presence_subscription = '3s'\ntimers.user_subscription = '3s'";

fn offset(world: &World) -> f64 {
    world.status()["clock_offset_seconds"].as_f64().unwrap()
}

/// What is warned of the clock.
fn warned(world: &World) -> Option<String> {
    let status = world.status();
    let warnings = status["warnings"].as_array().cloned().unwrap_or_default();
    let of_clock = warnings.iter().find(|warning| warning["code"] == "clock_off");
    of_clock.map(|warning| warning["detail"].as_str().unwrap().to_owned())
}

/// Lets the app prove itself by a certificate, whose assertions are dated.
fn by_certificate(world: &World) {
    let pair = KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let mut parameters = CertificateParams::new(["app".to_owned()]).unwrap();
    let now = std::time::SystemTime::now();
    parameters.not_before = (now - Duration::from_secs(86_400)).into();
    parameters.not_after = (now + Duration::from_secs(400 * 86_400)).into();
    let made = parameters.self_signed(&pair).unwrap();
    let folder = world.configuration_file().parent().unwrap().to_owned();
    let (certificate, key) = (folder.join("app.crt"), folder.join("app.key"));
    std::fs::write(&certificate, made.pem()).unwrap();
    std::fs::write(&key, pair.serialize_pem()).unwrap();
    world.cloud().change_app(world.app().client_id, |known| {
        known.secrets.clear();
        known.certificates.push(made.der().to_vec());
    });
    world.edit(
        &format!("client_secret = {CLIENT_SECRET:?}"),
        &format!("client_certificate = {certificate:?}\nclient_private_key = {key:?}"),
    );
}

fn works_with_a_clock_that_is_wrong_by(minutes: i64) {
    let world = World::of(&["anna", "bert"])
        .settings(BRISK)
        .cloud(move |cloud| {
            // the cloud is right, so it is this machine that is wrong by the opposite
            cloud.set_clock_offset(TimeDelta::minutes(minutes));
            cloud.adjust(|knobs| knobs.token_life = Some(Duration::from_secs(8)));
        })
        .build();
    by_certificate(&world);
    world.start_again();
    world.until_synchronised(2);
    let wrong = (minutes * 60) as f64;
    assert!((offset(&world) - wrong).abs() < 5.0, "{}", offset(&world));
    let detail = warned(&world).unwrap();
    assert!(
        detail.contains(" min ") && detail.contains("microsoft's"),
        "{detail}"
    );
    // notifications are believed, leases are renewed and end, subscriptions and tokens are renewed
    let mark = world.cloud_mark();
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_shown_at_pbx("anna", "meeting");
    let call = world.call("bert");
    world.until_seen_in_teams("bert", "Busy", "InACall");
    world.wait_until("four leases", || world.teams_writes("bert", mark).len() >= 4);
    let renewed = |world: &World| {
        let items = world.get("/api/v1/subscriptions").json()["items"].clone();
        let items = items.as_array().cloned().unwrap_or_default();
        items.len() == 2 && items.iter().all(|item| item["renewed"].as_u64() >= Some(2))
    };
    world.wait_until("renewed subscriptions", || renewed(&world));
    world.stay_quiet(Duration::from_secs(8));
    world.master().end(call);
    world.until_seen_in_teams("bert", "Available", "Available");
    world.until_synchronised(2);
    let rich = world.overview()["webhook_intake"]["discarded"].to_string();
    assert!(
        !rich.contains("token"),
        "every proof of a notification is believed: {rich}"
    );
    let log = world.log();
    let lines = log
        .lines()
        .filter(|line| line.contains("this machine's clock is"));
    assert_eq!(lines.count(), 1, "the log tells it once");
}

#[test]
fn a_clock_that_is_ten_minutes_slow_harms_nobody() {
    works_with_a_clock_that_is_wrong_by(10);
}

#[test]
fn a_clock_that_is_ten_minutes_fast_harms_nobody() {
    works_with_a_clock_that_is_wrong_by(-10);
}

#[test]
fn one_answer_with_a_wrong_date_changes_nothing() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let wrong = Fault::WrongDate(TimeDelta::days(400));
    world.cloud().inject(None, wrong, Times::Next(1));
    world.in_teams("anna", "Busy", "Busy");
    world.choose_at_pbx("anna", "dnd");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    assert!(offset(&world).abs() < 5.0, "{}", offset(&world));
    assert_eq!(warned(&world), None);
    world.until_synchronised(1);
}

#[test]
fn a_first_answer_with_a_wrong_date_is_soon_outvoted() {
    let world = World::of(&["anna"])
        .cloud(|cloud| {
            let wrong = Fault::WrongDate(TimeDelta::hours(-30));
            cloud.inject(None, wrong, Times::Next(1));
        })
        .start();
    world.until_synchronised(1);
    world.wait_until("the right time", || offset(&world).abs() < 5.0);
    world.in_teams("anna", "Busy", "Busy");
    world.until_shown_at_pbx("anna", "busy");
}
