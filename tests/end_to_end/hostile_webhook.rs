//! What anybody on the internet may send to the notification address.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use m365_simulator::microsoft::{Forgery, Kind, Pair};
use uuid::Uuid;

use crate::world::{World, ask};

const NOTIFICATIONS: &str = "/graph/notifications";
const LIFECYCLE: &str = "/graph/lifecycle";

fn synchronised() -> World {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    world
}

/// How many notifications were thrown away for a reason.
fn discarded(world: &World, reason: &str) -> u64 {
    world.overview()["webhook_intake"]["discarded"][reason]
        .as_u64()
        .unwrap_or_default()
}

fn presence_subscription(world: &World) -> Uuid {
    let live = world.cloud().subscriptions();
    live.iter()
        .find(|subscription| subscription.resource.contains("presences"))
        .unwrap()
        .id
}

/// A forged notification is accepted, counted by its reason and shows nothing; a genuine one still does.
fn is_accepted_without_effect(forgery: Forgery, reason: &str) {
    let world = synchronised();
    let (journal, mark, frames) = (world.cloud().journal(), world.cloud_mark(), world.pbx_mark());
    let before = discarded(&world, reason);
    let dnd = Pair::new("DoNotDisturb", "DoNotDisturb");
    world.cloud().send_presence(
        presence_subscription(&world),
        world.teams_id("anna"),
        dnd,
        Some(forgery),
    );
    world.wait_until(&format!("a notification discarded as {reason}"), || {
        discarded(&world, reason) > before
    });
    let answers: Vec<_> = journal.select_since(mark, |entry| entry.kind == Kind::Delivery);
    assert!(
        answers.iter().all(|entry| entry.status == Some(202)),
        "{answers:?}"
    );
    assert_eq!(world.entry_writes("anna", frames), Vec::<String>::new());

    world.in_teams("anna", "Busy", "Busy");
    world.until_shown_at_pbx("anna", "busy");
    assert_eq!(world.entry_writes("anna", frames), ["busy"]);
}

#[test]
fn a_forged_client_state_has_no_effect() {
    is_accepted_without_effect(Forgery::WrongClientState, "unknown_client_state");
}

#[test]
fn a_token_with_a_forged_signature_has_no_effect() {
    is_accepted_without_effect(Forgery::BadTokenSignature, "bad_token");
}

#[test]
fn a_token_of_another_publisher_has_no_effect() {
    is_accepted_without_effect(Forgery::WrongPublisher, "bad_token");
}

#[test]
fn a_token_for_another_application_has_no_effect() {
    is_accepted_without_effect(Forgery::WrongAudience, "bad_token");
}

#[test]
fn a_token_of_another_tenant_has_no_effect() {
    is_accepted_without_effect(Forgery::WrongTenant, "bad_token");
}

#[test]
fn a_token_that_has_ended_has_no_effect() {
    is_accepted_without_effect(Forgery::ExpiredToken, "bad_token");
}

#[test]
fn encrypted_content_without_a_token_has_no_effect() {
    is_accepted_without_effect(Forgery::NoTokens, "missing_token");
}

#[test]
fn content_for_an_unknown_certificate_has_no_effect() {
    is_accepted_without_effect(Forgery::UnknownCertificate, "unknown_certificate");
}

#[test]
fn tampered_content_has_no_effect() {
    is_accepted_without_effect(Forgery::TamperedData, "bad_ciphertext");
}

#[test]
fn a_tampered_signature_has_no_effect() {
    is_accepted_without_effect(Forgery::TamperedSignature, "bad_ciphertext");
}

#[test]
fn garbage_is_accepted_counted_and_has_no_effect() {
    let world = synchronised();
    let bodies: [&[u8]; 9] = [
        b"garbage",
        b"\x00\xff\xfe",
        b"{",
        b"[]",
        b"null",
        b"{\"value\":7}",
        b"{\"value\":[7,null,\"x\"]}",
        b"{\"value\":[{\"clientState\":7,\"resourceData\":\"x\"}]}",
        &[b'['; 100_000],
    ];
    let accepted = |path| {
        for body in bodies {
            let answer = world.ask_public("POST", path, &[("Content-Type", "application/json")], body);
            assert_eq!(answer.unwrap().status, 202);
        }
    };
    accepted(NOTIFICATIONS);
    accepted(LIFECYCLE);
    world.wait_until("the garbage to be counted", || {
        discarded(&world, "malformed") >= 12
    });
    world.in_teams("anna", "Busy", "Busy");
    world.until_shown_at_pbx("anna", "busy");
}

#[test]
fn the_validation_token_comes_back_decoded_on_both_addresses() {
    let world = World::of(&[]).start();
    for path in [NOTIFICATIONS, LIFECYCLE] {
        for (query, text) in [
            (
                "validationToken=Validation%3a+Testing+client",
                "Validation: Testing client",
            ),
            ("validationToken=1%2B1+%26+%3Cb%3E", "1+1 & <b>"),
            ("validationToken=Gr%C3%BC%C3%9Fe", "Grüße"),
            ("a=1&validationToken=x&b=2", "x"),
            ("validationToken=first&validationToken=second", "first"),
        ] {
            let headers = [("Content-Type", "text/plain; charset=utf-8")];
            let answer = world.ask_public("POST", &format!("{path}?{query}"), &headers, b"");
            let answer = answer.unwrap();
            assert_eq!(answer.status, 200, "{query}");
            assert_eq!(answer.text(), text, "{query}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
            assert!(answer.header("content-type").unwrap().starts_with("text/plain"));
        }
    }
}

#[test]
fn a_body_above_one_mebibyte_is_refused() {
    let world = World::of(&[]).start();
    let body = vec![b' '; 1024 * 1024 + 1];
    let answer = world.ask_public("POST", NOTIFICATIONS, &[], &body);
    assert_eq!(answer.unwrap().status, 413);
    let answer = world.ask_public("POST", NOTIFICATIONS, &[], &body[1..]);
    assert_eq!(answer.unwrap().status, 202);
}

#[test]
fn a_body_that_never_comes_is_not_waited_for() {
    let world = World::of(&[]).start();
    let mut stream = TcpStream::connect(world.public()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(
        stream,
        "POST {NOTIFICATIONS} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

#[test]
fn a_browser_is_told_that_it_has_come_to_the_right_place() {
    let world = World::of(&[]).start();
    for method in ["GET", "PUT", "DELETE"] {
        let answer = world.ask_public(method, NOTIFICATIONS, &[], b"").unwrap();
        assert_eq!(answer.status, 405);
        assert_eq!(answer.header("allow"), Some("POST"));
        assert!(answer.text().contains("m365-connector"), "{}", answer.text());
    }
}

#[test]
fn every_other_address_is_empty() {
    let world = World::of(&[]).start();
    for path in [
        "/",
        "/graph",
        "/graph/notifications/",
        "//graph/notifications",
        "/Graph/Notifications",
        "/pbx",
        "/pbx/0a1b",
        "/pbx/not-hexadecimal",
        "/livez",
        "/readyz",
        "/metrics",
        "/api/v1/status",
        "/page/app.js",
    ] {
        let answer = world.ask_public("GET", path, &[], b"").unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (404, ""), "{path}");
        assert_eq!(answer.header("server"), None);
    }
    for path in ["/pbx", "/pbx/0a1b"] {
        let answer = world.ask_public("POST", path, &[], b"{}").unwrap();
        assert_eq!((answer.status, answer.text().as_str()), (404, ""), "{path}");
    }
}

#[test]
fn a_flood_of_notifications_is_answered_and_stays_bounded() {
    let world = synchronised();
    let before = world.resident_memory();
    let body = format!("{{\"value\":[{{\"clientState\":\"{}\"}}]}}", "x".repeat(60_000));
    let host = world.public().to_owned();
    let senders: Vec<_> = (0..4)
        .map(|_| {
            let (host, body) = (host.clone(), body.clone());
            std::thread::spawn(move || {
                for _ in 0..500 {
                    let answer = ask(&host, "POST", NOTIFICATIONS, &[], body.as_bytes()).unwrap();
                    assert!([202, 503].contains(&answer.status), "{}", answer.status);
                }
            })
        })
        .collect();
    for sender in senders {
        sender.join().unwrap();
    }
    world.in_teams("anna", "Busy", "Busy");
    world.until_shown_at_pbx("anna", "busy");
    let grown = world.resident_memory().saturating_sub(before);
    assert!(grown < 128 * 1024, "the flood cost {grown} KiB");
}
