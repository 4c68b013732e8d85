//! Every reason for which Entra refuses a sign-in has its light, and none locks an account.

use std::time::Duration;

use m365_simulator::microsoft::{Aadsts, Entry, ErrorBody, Family, Fault, Refusal, RetryAfter, Times};
use serde_json::Value;

use crate::world::World;

const ACCOUNT: &str = "presence1@contoso.example";

/// Every code of the reference's table (1.5) with the light that it turns on.
#[rustfmt::skip]
const LIGHTS: &[(&str, &[u32])] = &[
    ("wrong_password",        &[50126, 50034, 50056]),
    ("account_locked",        &[50053]),
    ("password_expired",      &[50055, 50144]),
    ("account_disabled",      &[50057]),
    ("unknown_tenant",        &[50059, 50128, 50194, 50049, 90002, 9_001_023]),
    ("mfa_required",          &[50072, 50074, 50076, 50078, 50079, 50158]),
    ("conditional_access",    &[50131, 53000, 53001, 53002, 53003]),
    ("sign_in_required",      &[50133, 50173, 70000, 70008, 700_082, 700_081]),
    ("consent_required",      &[65001]),
    ("unknown_app",           &[700_016, 7_000_112]),
    ("wrong_client_secret",   &[7_000_215, 7_000_218]),
    ("client_secret_expired", &[7_000_222]),
    ("wrong_certificate",     &[700_027, 50012, 50013, 500_133]),
    ("refused",               &[50105, 70011, 1_002_012, 500_011, 50001, 900_144, 9_002_313]),
    ("throttled",             &[50196, 90033, 90055]),
];

/// Codes of the device code grant, which are steps and no refusals.
const STEPS: [u32; 4] = [70016, 70017, 70018, 70019];

fn light(world: &World) -> Value {
    world.status()["lights"]["authentication"].clone()
}

/// Lets the account's sign-ins be refused so, and tries at once.
fn refuse(world: &World, refusal: Refusal) {
    assert!(
        world
            .cloud()
            .change_account(ACCOUNT, |account| account.condition = Some(refusal))
    );
    assert_eq!(world.post("/api/v1/actors/token-refresh/restart").status, 202);
}

fn until_light(world: &World, code: &str, told: &str) {
    world.wait_until(&format!("the light {code} with {told}"), || {
        let light = light(world);
        light["code"] == code
            && light["detail"]
                .as_str()
                .is_some_and(|detail| detail.contains(told))
    });
    let light = light(world);
    assert_eq!(light["state"], "red");
    assert!(light["detail"].as_str().unwrap().contains(ACCOUNT), "{light}");
    assert!(world.get("/readyz").text().contains(code));
}

#[test]
fn every_code_of_entra_turns_on_its_light_and_names_the_account() {
    let known: Vec<u32> = LIGHTS
        .iter()
        .flat_map(|(_, codes)| *codes)
        .chain(&STEPS)
        .copied()
        .collect();
    for code in Aadsts::table() {
        assert!(known.contains(&code.0), "{} has no light here", code.0);
    }
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    for (light, codes) in LIGHTS {
        for code in *codes {
            refuse(&world, Aadsts(*code).into());
            let told = if *light == "throttled" {
                "patience".to_owned()
            } else {
                format!("AADSTS{code}")
            };
            until_light(&world, light, &told);
        }
    }
    world
        .cloud()
        .change_account(ACCOUNT, |account| account.condition = None);
    world.post("/api/v1/actors/token-refresh/restart");
    world.until_synchronised(1);
}

#[test]
fn codes_that_nobody_knows_are_read_by_their_error() {
    let world = World::of(&["anna"]).start();
    for (error, light) in [
        ("interaction_required", "mfa_required"),
        ("consent_required", "consent_required"),
        ("invalid_client", "wrong_client_secret"),
        ("unauthorized_client", "unknown_app"),
        ("access_denied", "conditional_access"),
        ("login_required", "sign_in_required"),
        ("invalid_grant", "refused"),
        ("invalid_request", "refused"),
        ("something_new", "refused"),
    ] {
        refuse(&world, Refusal::from(Aadsts(123_456_789)).with_error(error));
        until_light(&world, light, &format!("AADSTS123456789, {error}"));
    }
}

/// Bodies that are no answer of Entra's, or hardly one.
const BODIES: [(u16, ErrorBody); 14] = [
    (500, ErrorBody::Html),
    (503, ErrorBody::Empty),
    (502, ErrorBody::Text("{\"error\":\"server_")),
    (400, ErrorBody::Html),
    (400, ErrorBody::Empty),
    (
        400,
        ErrorBody::Text("{\"error\":\"invalid_grant\",\"error_codes\":[50126"),
    ),
    (400, ErrorBody::Text("{\"error\":7,\"error_codes\":\"50126\"}")),
    (
        400,
        ErrorBody::Text("{\"error\":\"invalid_request\",\"error_codes\":[\"900144\",null,-1,1e99,{}]}"),
    ),
    (401, ErrorBody::Text("[]")),
    (401, ErrorBody::Text("{\"error\":{\"code\":\"x\"}}")),
    (200, ErrorBody::Html),
    (200, ErrorBody::Empty),
    (
        200,
        ErrorBody::Text("{\"token_type\":\"Bearer\",\"expires_in\":3599}"),
    ),
    (200, ErrorBody::Text("{\"access_token\":{},\"expires_in\":[]}")),
];

#[test]
fn whatever_stands_in_an_answer_the_light_says_a_sentence_and_the_next_good_answer_mends_it() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    for (status, body) in BODIES {
        let fault = Fault::Failed {
            status,
            body,
            retry_after: RetryAfter::Silent,
        };
        world.cloud().inject(Some(Family::Token), fault, Times::Always);
        world.post("/api/v1/actors/token-refresh/restart");
        world.wait_until(&format!("a red light for {status} {body:?}"), || {
            let light = light(&world);
            let detail = light["detail"].as_str().unwrap_or_default();
            (light["code"] == "unreachable" || light["code"] == "refused") && detail.len() > 40
        });
        world.cloud().clear_faults(None);
        world.post("/api/v1/actors/token-refresh/restart");
        world.until_light("authentication", "ok");
    }
}

fn passwords(world: &World) -> usize {
    let by_password = |entry: &Entry| entry.is_request(Family::Token) && entry.detail["grant"] == "password";
    world.cloud().journal().select(by_password).len()
}

#[test]
fn no_crash_loop_locks_an_account() {
    let world = World::of(&["anna"])
        .prepare(|world| world.cloud().change_password(ACCOUNT, "another"))
        .start();
    for _crash in 0..12 {
        world.until_light("authentication", "wrong_password");
        world.kill();
        world.start_again();
    }
    world.until_light("authentication", "wrong_password");
    assert_eq!(passwords(&world), 2, "two attempts an hour");
    let detail = light(&world)["detail"].to_string();
    assert!(
        detail.contains(ACCOUNT) && detail.contains("AADSTS50126"),
        "{detail}"
    );
    world.kill();
    world.edit("password = ", "password = \"another\"\n# ");
    world.start_again();
    world.until_synchronised(1);
    assert_eq!(passwords(&world), 3, "a corrected password is tried at once");
}

#[test]
fn an_account_that_was_put_right_is_found_at_the_next_start() {
    let world = World::of(&["anna"])
        .prepare(|world| world.cloud().change_password(ACCOUNT, "another"))
        .start();
    world.until_light("authentication", "wrong_password");
    world
        .cloud()
        .change_password(ACCOUNT, crate::world::ACCOUNT_PASSWORD);
    assert!(world.terminate());
    world.start_again();
    world.until_synchronised(1);
}

#[test]
fn whoever_asks_for_a_token_does_not_repeat_a_wrong_password() {
    let world = World::of(&["anna"])
        .settings("timers = { presence_subscription = '1s', user_subscription = '1s', sweep = '1s' }")
        .prepare(|world| world.cloud().change_password(ACCOUNT, "another"))
        .start();
    world.until_light("authentication", "wrong_password");
    for _ask in 0..20 {
        world.post("/api/v1/subscriptions/renew");
    }
    world.stay_quiet(Duration::from_secs(5));
    assert_eq!(passwords(&world), 1);
    // what needs only the app goes on
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_shown_at_pbx("anna", "meeting");
}

#[test]
fn a_wrong_client_secret_is_no_wrong_password() {
    let world = World::of(&["anna"])
        .prepare(|world| {
            world
                .cloud()
                .change_app(world.app().client_id, |app| app.secrets.clear());
        })
        .start();
    world.until_light("authentication", "wrong_client_secret");
    for _order in 0..12 {
        world.post("/api/v1/actors/token-refresh/restart");
        world.stay_quiet(Duration::from_millis(300));
    }
    let secret = world.app().secrets[0].clone();
    world
        .cloud()
        .change_app(world.app().client_id, |app| app.secrets.push(secret.clone()));
    world.post("/api/v1/actors/token-refresh/restart");
    world.until_synchronised(1);
}

#[test]
fn a_challenge_of_graph_is_answered_with_a_token_that_proves_it() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let mark = world.cloud_mark();
    world.cloud().revoke(world.app().service_principal);
    world.choose_at_pbx("anna", "dnd");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    let tokens = world
        .cloud()
        .journal()
        .select_since(mark, |entry| entry.is_request(Family::Token));
    let claims: Vec<_> = tokens
        .iter()
        .map(|entry| entry.detail["claims"].clone())
        .collect();
    assert_eq!(claims, [r#"{"access_token":{"nbf":{"essential":true}}}"#]);
}
