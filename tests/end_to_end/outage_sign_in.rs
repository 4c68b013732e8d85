//! Entra refuses a sign-in: the light names the cause and nothing hammers.

use std::time::Duration;

use m365_simulator::microsoft::{Aadsts, Family};

use crate::world::World;

const ACCOUNT: &str = "presence1@contoso.example";

/// Long enough for an impatient program to try again many times.
const A_WHILE: Duration = Duration::from_secs(4);

/// Long enough for what is under way to end.
const A_MOMENT: Duration = Duration::from_secs(1);

fn token_requests(world: &World) -> u64 {
    world.cloud().count(Family::Token).requests
}

/// A world whose every first sign-in is refused with a code; so many refusals are at hand.
fn refused_with(code: Aadsts, refusals: u64) -> World {
    World::of(&["anna"])
        .cloud(move |cloud| {
            for _request in 0..refusals {
                cloud.refuse_next_token(code);
            }
        })
        .start()
}

/// The light shows the code and its number, and nothing asks again by itself.
fn stays_refused(world: &World, code: Aadsts, light: &str) {
    world.until_light("authentication", light);
    let detail = world.status()["lights"]["authentication"]["detail"].to_string();
    assert!(detail.contains(&format!("AADSTS{}", code.0)), "{detail}");
    world.wait_until("both refusals", || token_requests(world) >= 2);
    world.stay_quiet(A_MOMENT);
    let requests = token_requests(world);
    world.stay_quiet(A_WHILE);
    assert_eq!(token_requests(world), requests, "a refused sign-in is held");
    assert!(world.get("/readyz").text().contains(light));
}

/// After a refusal only an order tries again, and at once.
fn is_held_with(code: Aadsts, light: &str) {
    let world = refused_with(code, 2);
    stays_refused(&world, code, light);
    assert_eq!(token_requests(&world), 2, "one attempt for each credential");
    assert_eq!(world.post("/api/v1/actors/token-refresh/restart").status, 202);
    world.until_synchronised(1);
}

#[test]
fn a_wrong_password_is_held() {
    is_held_with(Aadsts::WRONG_PASSWORD, "wrong_password");
}

#[test]
fn a_demanded_second_factor_is_held() {
    is_held_with(Aadsts::MFA_REQUIRED, "mfa_required");
}

#[test]
fn a_locked_account_is_held() {
    is_held_with(Aadsts::LOCKED, "account_locked");
}

#[test]
fn a_disabled_account_is_held() {
    is_held_with(Aadsts::DISABLED, "account_disabled");
}

#[test]
fn an_expired_password_is_held() {
    is_held_with(Aadsts::PASSWORD_EXPIRED, "password_expired");
}

#[test]
fn a_missing_consent_is_held() {
    is_held_with(Aadsts::CONSENT_MISSING, "consent_required");
}

#[test]
fn a_wrong_client_secret_is_held() {
    is_held_with(Aadsts::WRONG_SECRET, "wrong_client_secret");
}

#[test]
fn an_expired_client_secret_is_held() {
    is_held_with(Aadsts::SECRET_EXPIRED, "client_secret_expired");
}

/// An assertion may be refused for its time alone, so a sign-in may make a second one with the clock just learned.
#[test]
fn a_wrong_certificate_is_held() {
    let world = refused_with(Aadsts::UNKNOWN_CERTIFICATE, 4);
    stays_refused(&world, Aadsts::UNKNOWN_CERTIFICATE, "wrong_certificate");
    assert!(token_requests(&world) <= 4);
}

#[test]
fn an_unknown_tenant_is_held() {
    is_held_with(Aadsts::UNKNOWN_TENANT, "unknown_tenant");
}

#[test]
fn an_unknown_app_is_held() {
    is_held_with(Aadsts::UNKNOWN_APP, "unknown_app");
}

#[test]
fn a_conditional_access_policy_is_held() {
    is_held_with(Aadsts::CONDITIONAL_ACCESS, "conditional_access");
}

#[test]
fn a_busy_service_is_asked_again_after_the_time_it_names() {
    let world = refused_with(Aadsts::BUSY, 2);
    world.until_light("authentication", "throttled");
    world.stay_quiet(A_WHILE);
    // the first answer holds the second credential back too, if that has not asked yet
    let requests = token_requests(&world);
    assert!(
        requests <= 2,
        "{requests} requests in the ten seconds that it asked for"
    );
    world.until_synchronised(1);
}

#[test]
fn a_password_that_is_wrong_for_one_account_names_that_account() {
    let world = World::of(&["anna"])
        .prepare(|world| world.cloud().change_password(ACCOUNT, "another"))
        .start();
    world.until_light("authentication", "wrong_password");
    let detail = world.status()["lights"]["authentication"]["detail"].to_string();
    assert!(detail.contains(ACCOUNT), "{detail}");
}
