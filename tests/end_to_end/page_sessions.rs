//! The page's sign-in: a token becomes a session that only the page itself can use.

use serde_json::json;

use crate::world::{Answer, World, ask};

const ADMINISTRATOR: &str = "administrator-0123456789";
const VIEWER: &str = "viewer-0123456789";
const SESSION: &str = "/api/v1/session";
const RENEW: &str = "/api/v1/subscriptions/renew";

fn sign_in(world: &World, token: &str) -> Answer {
    let body = json!({"token": token}).to_string();
    let headers = [("Content-Type", "application/json")];
    ask(world.management(), "POST", SESSION, &headers, body.as_bytes()).unwrap()
}

/// The cookie as a browser sends it back, and the token against forged requests.
fn session(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    let cookie = answer.header("set-cookie").unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let csrf = answer.json()["csrf"].as_str().unwrap().to_owned();
    (cookie, csrf)
}

/// Signs an administrator in, and answers the cookie.
pub fn signed_in(world: &World) -> String {
    session(&sign_in(world, ADMINISTRATOR)).0
}

#[test]
fn a_session_reads_and_changes_what_its_role_allows() {
    let world = World::of(&["anna"]).start();
    let answer = sign_in(&world, ADMINISTRATOR);
    let attributes = answer.header("set-cookie").unwrap();
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(attributes.contains(attribute), "{attributes}");
    }
    let (cookie, csrf) = session(&answer);
    let with = |headers: &[(&str, &str)], method, path| world.ask_with(method, path, headers).status;
    assert_eq!(with(&[("Cookie", &cookie)], "GET", "/api/v1/status"), 200);
    assert_eq!(
        with(&[("Cookie", &cookie), ("X-CSRF-Token", &csrf)], "POST", RENEW),
        202
    );
    let told = world.ask_with("GET", SESSION, &[("Cookie", &cookie)]).json();
    assert_eq!(told, json!({"role": "administrator", "csrf": csrf}));

    let (cookie, csrf) = session(&sign_in(&world, VIEWER));
    assert_eq!(with(&[("Cookie", &cookie)], "GET", "/api/v1/users"), 200);
    assert_eq!(
        with(&[("Cookie", &cookie), ("X-CSRF-Token", &csrf)], "POST", RENEW),
        403
    );
}

#[test]
fn a_foreign_page_changes_nothing_with_the_cookie_alone() {
    let world = World::of(&["anna"]).start();
    let (cookie, _) = session(&sign_in(&world, ADMINISTRATOR));
    let (_, foreign) = session(&sign_in(&world, ADMINISTRATOR));
    for headers in [
        &[("Cookie", cookie.as_str())][..],
        &[("Cookie", &cookie), ("X-CSRF-Token", &foreign)],
        &[("Cookie", &cookie), ("X-CSRF-Token", "")],
    ] {
        let answer = world.ask_with("POST", RENEW, headers);
        assert_eq!((answer.status, &answer.json()["code"]), (403, &json!("forged")));
    }
}

#[test]
fn a_session_that_was_ended_is_worth_nothing() {
    let world = World::of(&[]).start();
    let (cookie, _) = session(&sign_in(&world, VIEWER));
    let headers = [("Cookie", cookie.as_str())];
    assert_eq!(world.ask_with("DELETE", SESSION, &headers).status, 204);
    assert_eq!(world.ask_with("GET", "/api/v1/status", &headers).status, 401);
    assert_eq!(world.ask_with("GET", SESSION, &headers).status, 401);
}

#[test]
fn wrong_tokens_are_soon_answered_with_patience() {
    let world = World::of(&[]).start();
    let statuses: Vec<u16> = (0..12)
        .map(|_| sign_in(&world, "wrong-token-0123456789").status)
        .collect();
    assert_eq!(statuses[..9], [401; 9]);
    assert_eq!(statuses[11], 429);
    let refused = sign_in(&world, ADMINISTRATOR);
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() > 0);
    // whoever holds the token is not locked out of the api
    assert_eq!(world.get("/api/v1/status").status, 200);
}
