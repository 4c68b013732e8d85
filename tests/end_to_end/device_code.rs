//! Communication users who sign in with a code that a person enters in a browser.

use std::time::Duration;

use m365_simulator::microsoft::{Aadsts, Family, Fault, Times};
use serde_json::Value;

use crate::world::{Plan, World};

const FIRST: &str = "presence1@contoso.example";
const SECOND: &str = "presence2@contoso.example";

/// A world whose communication users sign in with codes that are polled every second.
fn with_codes(people: &[&str], accounts: usize) -> Plan {
    let users = (1..=accounts).map(|number| {
        format!(
            "[[microsoft.communication_users]]\nusername = 'presence{number}@contoso.example'\nsign_in = 'device-code'\n"
        )
    });
    World::of(people)
        .accounts(accounts)
        .settings(&users.collect::<String>())
        .cloud(|cloud| cloud.adjust(|knobs| knobs.device_code_interval = Duration::from_secs(1)))
}

fn light(world: &World) -> Value {
    world.status()["lights"]["authentication"].clone()
}

fn detail(world: &World) -> String {
    light(world)["detail"].as_str().unwrap_or_default().to_owned()
}

/// Waits until the light asks for a sign-in with a code other than these, and returns the code.
fn next_code(world: &World, known: &[String]) -> String {
    let pending = || {
        let codes = world.cloud().pending_sign_ins();
        let shown = detail(world);
        let mut new = codes.into_iter().map(|pending| pending.user_code);
        new.find(|code| shown.contains(code) && !known.contains(code))
    };
    world.wait_until("another device code in the light", || pending().is_some());
    assert_eq!(light(world)["code"], "sign_in_required");
    pending().unwrap()
}

fn signed_in(world: &World, account: &str) {
    let code = next_code(world, &[]);
    assert!(world.cloud().approve_sign_in(&code, account));
    world.until_synchronised(1);
}

fn codes_asked_for(world: &World) -> u64 {
    world.cloud().count(Family::DeviceCode).requests
}

#[test]
fn a_code_stands_in_the_light_and_in_the_log_and_lets_a_person_sign_in() {
    let world = with_codes(&["anna"], 1).start();
    let code = next_code(&world, &[]);
    let shown = detail(&world);
    assert!(
        shown.contains("https://microsoft.com/devicelogin") && shown.contains(FIRST),
        "{shown}"
    );
    assert!(world.get("/readyz").text().contains("sign_in_required"));
    let log = world.log();
    let line = log
        .lines()
        .find(|line| line.contains(&code))
        .expect("the code in the log");
    assert!(
        line.contains("microsoft.communication_users.0") && line.contains("devicelogin"),
        "{line}"
    );
    assert!(world.cloud().approve_sign_in(&code, FIRST));
    world.until_synchronised(1);
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_shown_at_pbx("anna", "meeting");
}

#[test]
fn a_person_signs_in_once_whatever_happens_to_the_process() {
    let world = with_codes(&["anna"], 1)
        .settings("timers = { presence_subscription = '2s' }")
        .cloud(|cloud| cloud.adjust(|knobs| knobs.token_life = Some(Duration::from_secs(5))))
        .start();
    signed_in(&world, FIRST);
    for _kill in 0..3 {
        world.stay_quiet(Duration::from_millis(1_500));
        world.kill();
        world.start_again();
        world.until_synchronised(1);
    }
    assert!(world.terminate());
    let stored = ["connector.db", "connector.db-wal"].map(|name| {
        let folder = world.configuration_file().parent().unwrap().to_owned();
        String::from_utf8_lossy(&std::fs::read(folder.join(name)).unwrap_or_default()).into_owned()
    });
    assert!(
        !stored.join("").contains("0.A"),
        "a refresh token stands in the database as it is"
    );
    world.start_again();
    world.until_synchronised(1);
    assert_eq!(codes_asked_for(&world), 1);
    let refreshed = |entry: &m365_simulator::microsoft::Entry| entry.detail["grant"] == "refresh_token";
    assert!(world.cloud().journal().select(refreshed).len() >= 4);
}

#[test]
fn two_persons_see_their_codes_at_the_same_time() {
    let world = with_codes(&["anna"], 2).start();
    world.wait_until("two codes in the light", || {
        let (shown, pending) = (detail(&world), world.cloud().pending_sign_ins());
        pending.len() == 2 && pending.iter().all(|code| shown.contains(&code.user_code))
    });
    let shown = detail(&world);
    assert!(shown.contains(FIRST) && shown.contains(SECOND), "{shown}");
    let code_of = |account: &str| {
        let shown = detail(&world);
        let rest = &shown[shown.find(account).unwrap()..];
        rest.split("the code ")
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap()
            .to_owned()
    };
    assert!(world.cloud().approve_sign_in(&code_of(SECOND), SECOND));
    world.wait_until("one code left", || !detail(&world).contains(SECOND));
    assert!(detail(&world).contains(FIRST));
    assert!(world.cloud().approve_sign_in(&code_of(FIRST), FIRST));
    world.until_synchronised(1);
}

#[test]
fn a_code_that_runs_out_or_is_declined_is_followed_by_another() {
    let world = with_codes(&["anna"], 1)
        .cloud(|cloud| cloud.adjust(|knobs| knobs.device_code_life = Duration::from_secs(4)))
        .start();
    let first = next_code(&world, &[]);
    let second = next_code(&world, std::slice::from_ref(&first));
    world
        .cloud()
        .adjust(|knobs| knobs.device_code_life = Duration::from_secs(900));
    let third = next_code(&world, &[first.clone(), second.clone()]);
    assert!(world.cloud().decline_sign_in(&third));
    let fourth = next_code(&world, &[first, second, third]);
    assert!(detail(&world).contains("declined"), "{}", detail(&world));
    assert!(world.cloud().approve_sign_in(&fourth, FIRST));
    world.until_synchronised(1);
}

#[test]
fn polls_become_slower_when_entra_says_so() {
    let world = with_codes(&["anna"], 1)
        .cloud(|cloud| {
            cloud.adjust(|knobs| {
                knobs.slow_down = true;
                knobs.device_code_interval = Duration::from_secs(3);
            });
        })
        .start();
    let code = next_code(&world, &[]);
    // from now on each poll at the old pace is too early
    world
        .cloud()
        .adjust(|knobs| knobs.device_code_interval = Duration::from_secs(6));
    let told = |entry: &m365_simulator::microsoft::Entry| entry.detail["code"] == 70016;
    world.wait_until("three polls", || world.cloud().journal().select(told).len() >= 3);
    assert!(world.cloud().approve_sign_in(&code, FIRST));
    world.until_synchronised(1);
}

#[test]
fn a_revoked_sign_in_asks_for_another_and_says_why() {
    let world = with_codes(&["anna"], 1)
        .settings("timers = { presence_subscription = '2s' }")
        .cloud(|cloud| cloud.adjust(|knobs| knobs.token_life = Some(Duration::from_secs(4))))
        .start();
    signed_in(&world, FIRST);
    let subscriptions = world.cloud().subscriptions();
    let creator = subscriptions
        .iter()
        .find(|found| found.is_presence())
        .unwrap()
        .creator;
    world.cloud().revoke(creator);
    let code = next_code(&world, &[]);
    let shown = detail(&world);
    assert!(
        shown.contains("revoked") && shown.contains("AADSTS50173") && shown.contains(FIRST),
        "{shown}"
    );
    assert!(world.cloud().approve_sign_in(&code, FIRST));
    world.until_synchronised(1);
}

#[test]
fn a_sign_in_that_has_expired_by_inactivity_says_so_at_the_next_start() {
    let world = with_codes(&["anna"], 1)
        .cloud(|cloud| cloud.adjust(|knobs| knobs.refresh_life = Duration::from_secs(1)))
        .start();
    signed_in(&world, FIRST);
    world.kill();
    world.stay_quiet(Duration::from_secs(2));
    world.start_again();
    next_code(&world, &[]);
    let shown = detail(&world);
    assert!(
        shown.contains("inactivity") && shown.contains("AADSTS700082"),
        "{shown}"
    );
}

#[test]
fn every_way_in_which_a_stored_sign_in_ends_is_told() {
    let world = with_codes(&["anna"], 1).start();
    signed_in(&world, FIRST);
    let mut known = Vec::new();
    for code in [50173, 50133, 70000, 70008, 700_082, 700_081] {
        let refused = m365_simulator::microsoft::Refusal::from(Aadsts(code))
            .with_claims(r#"{"access_token":{"acrs":{}}}"#);
        assert!(
            world
                .cloud()
                .change_account(FIRST, |account| account.condition = Some(refused))
        );
        assert_eq!(world.post("/api/v1/actors/token-refresh/restart").status, 202);
        let user_code = next_code(&world, &known);
        let shown = detail(&world);
        assert!(shown.contains(&format!("AADSTS{code}")), "{shown}");
        world
            .cloud()
            .change_account(FIRST, |account| account.condition = None);
        assert!(world.cloud().approve_sign_in(&user_code, FIRST));
        world.until_synchronised(1);
        known.push(user_code);
    }
    let asked = world
        .cloud()
        .journal()
        .select(|entry| entry.is_request(Family::DeviceCode));
    assert_eq!(
        asked.last().unwrap().detail["claims"],
        r#"{"access_token":{"acrs":{}}}"#
    );
}

#[test]
fn no_sign_in_is_lost_while_entra_is_away() {
    let world = with_codes(&["anna"], 1)
        .settings("timers = { presence_subscription = '2s' }")
        .cloud(|cloud| cloud.adjust(|knobs| knobs.token_life = Some(Duration::from_secs(3))))
        .start();
    signed_in(&world, FIRST);
    for fault in [Fault::Closed, Fault::Truncated, Fault::AnswerLost] {
        world.cloud().inject(Some(Family::Token), fault, Times::Always);
        world.until_light("authentication", "unreachable");
        world.kill();
        world.start_again();
        world.until_light("authentication", "unreachable");
        world.cloud().clear_faults(None);
        world.until_synchronised(1);
    }
    assert_eq!(codes_asked_for(&world), 1);
}

#[test]
fn whoever_enters_the_code_in_place_of_the_communication_user_is_told() {
    let world = with_codes(&["anna"], 1)
        .cloud(|cloud| {
            let tenant = cloud.tenant_of(FIRST).unwrap();
            cloud.add_account(m365_simulator::microsoft::Account::new(
                tenant,
                "admin@contoso.example",
                "x",
            ));
        })
        .start();
    let code = next_code(&world, &[]);
    assert!(world.cloud().approve_sign_in(&code, "admin@contoso.example"));
    world.until_light("authentication", "ok");
    world.wait_until("the warning", || {
        let warnings = world.status()["warnings"].to_string();
        warnings.contains("signed_in_as_another") && warnings.contains("admin@contoso.example")
    });
}
