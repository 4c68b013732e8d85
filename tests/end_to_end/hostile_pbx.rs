//! What may come over the PBX's websocket, before and after a login.

use std::mem;

use m365_simulator::pbx::Cut;

use crate::hostile_socket::{BINARY, CONTINUATION, Socket, TEXT};
use crate::world::World;

const SLAVE: &str = "pbx-branch";

/// Websockets that are more than may wait without a login.
const CROWD: usize = 1_000;

fn refused_logins(world: &World, reason: &str) -> u64 {
    world.status()["refused_logins"][reason]
        .as_u64()
        .unwrap_or_default()
}

/// Presence still flows from Teams to the PBX.
fn still_works(world: &World) {
    world.in_teams("anna", "Busy", "Busy");
    world.until_shown_at_pbx("anna", "busy");
    world.in_teams("anna", "Away", "Away");
    world.until_shown_at_pbx("anna", "away");
}

fn synchronised() -> World {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    world
}

#[test]
fn a_wrong_password_is_told_by_the_light_and_ends_with_the_right_one() {
    let world = World::of(&["anna"])
        .pbxs(|options| options.password.push('!'))
        .start();
    world.until_light("master_pbx", "wrong_app_password");
    assert!(refused_logins(&world, "wrong_password") > 0);
    world.master().configure(|options| {
        options.password.pop();
    });
    world.until_synchronised(1);
}

#[test]
fn a_password_that_changes_keeps_the_pbx_out() {
    let world = synchronised();
    let mut right = String::new();
    world.master().configure(|options| {
        right = mem::replace(&mut options.password, "another".to_owned());
    });
    world.master().cut(Cut::Close);
    world.until_light("master_pbx", "wrong_app_password");
    world.master().configure(|options| options.password = right);
    world.until_synchronised(1);
}

#[test]
fn an_app_url_with_another_app_is_refused_and_counted() {
    let world = World::of(&["anna"])
        .pbxs(|options| options.app_url = options.app_url.replace("innovaphone-microsoft365", "users"))
        .start();
    world.wait_until("the refusal", || refused_logins(&world, "unknown_app") > 0);
    assert_eq!(world.status()["lights"]["master_pbx"]["state"], "red");
}

#[test]
fn a_master_of_another_name_is_told_by_the_light() {
    let world = World::of(&["anna"])
        .settings("pbx.master = \"headquarters\"")
        .start();
    world.until_light("master_pbx", "wrong_master_name");
    let detail = world.status()["lights"]["master_pbx"]["detail"].to_string();
    assert!(
        detail.contains("pbx-main") && detail.contains("headquarters"),
        "{detail}"
    );
}

#[test]
fn a_missing_checkmark_is_told_by_the_light() {
    let world = World::of(&["anna"])
        .pbxs(|options| options.apis.retain(|api| api != "PbxAdminApi"))
        .start();
    world.until_light("master_pbx", "missing_api_right");
}

#[test]
fn a_master_that_is_cut_off_is_not_connected_even_while_a_slave_is() {
    let world = World::of(&["anna"]).slave(SLAVE, &["bert"]).start();
    world.until_synchronised(2);
    world.master().rest();
    world.until_light("master_pbx", "not_connected");
    world.wait_until("readiness to lack the master", || {
        let ready = world.get("/readyz");
        ready.status == 503 && ready.json()["missing"] == serde_json::json!(["not_connected"])
    });
    world.master().resume();
    world.until_synchronised(2);
}

#[test]
fn a_crowd_without_a_login_does_not_keep_a_pbx_out() {
    let world = synchronised();
    let mut crowd: Vec<_> = (0..CROWD)
        .map(|_| Socket::open(world.public()).unwrap())
        .collect();
    assert!(crowd[0].is_closed(), "the oldest made room");
    let logins = world.master().logins();
    world.master().cut(Cut::Abort);
    world.wait_until("the pbx to be back", || world.master().logins() > logins);
    world.until_synchronised(1);
    crowd[CROWD - 1].text("{\"mt\":\"KeepAlive\"}");
    assert!(crowd[CROWD - 1].hears("KeepAliveResult"), "the newest stayed");
}

#[test]
fn who_says_nothing_is_closed_in_the_end() {
    let world = World::of(&[]).start();
    let mut silent = Socket::open(world.public()).unwrap();
    assert!(silent.is_closed());
}

#[test]
fn garbage_before_the_login_ends_that_connection_only() {
    let world = synchronised();
    for garbage in ["garbage", "[1]", "null", "\"\"", "{", "{\"mt\":\"AppLogin\"}"] {
        let mut socket = Socket::open(world.public()).unwrap();
        socket.text(garbage);
        assert!(socket.hears("\"ok\":false"), "{garbage}");
        assert!(socket.is_closed(), "{garbage}");
    }
    assert_eq!(refused_logins(&world, "malformed"), 6);
    still_works(&world);
}

#[test]
fn broken_frames_before_the_login_end_that_connection_only() {
    let world = synchronised();
    let open = || Socket::open(world.public()).unwrap();
    let mut unheralded = open();
    unheralded.send(CONTINUATION, true, b"{}");
    assert!(unheralded.is_closed());
    let mut no_frame = open();
    no_frame.raw(&[0xff; 64]);
    assert!(no_frame.is_closed());
    let mut huge = open();
    huge.send(TEXT, true, &[b' '; 2_000_000]);
    assert!(huge.is_closed());
    let mut no_text = open();
    no_text.send(TEXT, true, &[0xff, 0xfe]);
    assert!(no_text.is_closed());
    still_works(&world);
}

#[test]
fn messages_in_pieces_and_of_sixty_kilobytes_are_understood() {
    let world = World::of(&[]).start();
    let mut socket = Socket::open(world.public()).unwrap();
    socket.send(BINARY, true, b"\x00\x01");
    socket.text(&format!(
        "{{\"mt\":\"Unheard\",\"filler\":\"{}\"}}",
        "x".repeat(60_000)
    ));
    socket.send(TEXT, false, b"{\"mt\":\"AppCh");
    socket.send(CONTINUATION, false, b"alle");
    socket.send(CONTINUATION, true, b"nge\"}");
    assert!(socket.hears("AppChallengeResult"));
}

#[test]
fn keep_alive_and_build_checks_are_answered_before_the_login() {
    let world = World::of(&[]).start();
    let mut socket = Socket::open(world.public()).unwrap();
    socket.text("{\"mt\":\"KeepAlive\"}");
    assert!(socket.hears("KeepAliveResult"));
    socket.text("{\"mt\":\"CheckBuild\",\"url\":\"https://ap.example.com/x/0815/page.htm\"}");
    assert!(socket.hears("CheckBuildResult"));
}

#[test]
fn garbage_after_the_login_is_passed_over() {
    let world = synchronised();
    let logins = world.master().logins();
    for garbage in [
        "garbage",
        "{}",
        "[]",
        "null",
        "{\"mt\":\"PresenceUpdate\",\"api\":\"PbxApi\",\"src\":5,\"presence\":7}",
        "{\"mt\":\"UserInfo\",\"api\":\"RCC\",\"channel\":\"many\"}",
        "{\"mt\":\"ReplicateUpdate\",\"api\":\"PbxTableUsers\",\"columns\":[]}",
        "{\"mt\":\"CheckAppLicResult\",\"api\":\"PbxAdminApi\",\"ok\":\"perhaps\"}",
        "{\"mt\":\"AppChallenge\"}",
    ] {
        world.master().send_text(garbage);
    }
    world.master().send_large(60_000);
    still_works(&world);
    assert_eq!(world.master().logins(), logins, "the connection stayed");
}

#[test]
fn a_message_that_is_too_large_costs_that_connection_only() {
    let world = synchronised();
    let logins = world.master().logins();
    world.master().send_large(2_000_000);
    world.wait_until("the pbx to log in anew", || world.master().logins() > logins);
    still_works(&world);
}

#[test]
fn a_flood_from_one_pbx_leaves_the_others_alone() {
    let world = World::of(&["anna"]).slave(SLAVE, &["bert"]).start();
    world.until_synchronised(2);
    let before = world.resident_memory();
    world.pbx(SLAVE).flood(100_000);
    still_works(&world);
    let grown = world.resident_memory().saturating_sub(before);
    assert!(grown < 64 * 1024, "the flood cost {grown} KiB");
}

#[test]
fn a_pbx_that_dials_anew_without_a_farewell_is_served_at_once() {
    let world = synchronised();
    let logins = world.master().logins();
    world.master().cut(Cut::Forsake);
    world.wait_until("the new login", || world.master().logins() > logins);
    still_works(&world);
}
