//! PBXs that speak as the reference allows, and not as one would expect, or break off in the middle.

use std::time::Duration;

use m365_simulator::pbx::{Cut, Distortion, Faults};

use crate::hostile_socket::Socket;
use crate::world::World;

/// What the PBX sends from the start to the first presence: challenge, login, introduction, a table of two rows and its
/// end, line states, licenses and subscriptions.
const OPENING: u64 = 14;

/// Presence, calls and the user table flow.
fn works(world: &World) {
    world.until_synchronised(2);
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_shown_at_pbx("anna", "meeting");
    world.in_teams("anna", "Available", "Available");
    world.until_shown_at_pbx("anna", "");
    world.choose_at_pbx("bert", "dnd");
    world.until_seen_in_teams("bert", "DoNotDisturb", "DoNotDisturb");
    world.choose_at_pbx("bert", "");
    world.until_seen_in_teams("bert", "Available", "Available");
    let call = world.call("bert");
    world.until_seen_in_teams("bert", "Busy", "InACall");
    world.master().end(call);
    world.until_seen_in_teams("bert", "Available", "Available");
}

fn with(faults: impl Fn(&mut Faults) + 'static) -> World {
    World::of(&["anna", "bert"])
        .prepare(move |world| world.master().inject(faults))
        .start()
}

#[test]
fn messages_in_fragments_are_joined() {
    works(&with(|faults| faults.fragment_above = Some(64)));
}

#[test]
fn numbers_that_come_as_text_and_unknown_messages_between_all_others_do_no_harm() {
    works(&with(|faults| {
        faults.numbers_as_text = true;
        faults.unknown_messages = true;
    }));
}

#[test]
fn members_that_are_left_out_or_of_another_type_do_no_harm() {
    let distorted = |mt: &str, member: &str, value: Option<serde_json::Value>| Distortion {
        mt: mt.to_owned(),
        member: member.to_owned(),
        value,
    };
    works(&with(move |faults| {
        faults.distortions = vec![
            distorted("PresenceState", "sip", None),
            distorted("PresenceState", "up", Some("true".into())),
            distorted("ReplicateStartResult", "columns", None),
            distorted("ReplicateNextResult", "usn", Some("many".into())),
            distorted("UserInfo", "cn", None),
            distorted("UserInfo", "regs", Some(5.into())),
            distorted("SetPresenceResult", "error", Some(0.into())),
            distorted("SubscribePresenceResult", "api", None),
            distorted("InitializeResult", "api", Some(true.into())),
            distorted("CheckAppLicResult", "ok", Some("true".into())),
            distorted("PbxInfo", "version", Some(13.into())),
        ];
    }));
}

#[test]
fn a_table_that_changes_while_it_is_told_is_whole_in_the_end() {
    let world = with(|faults| {
        faults.interleaved_updates = true;
        faults.doubled_updates = true;
        faults.bare_deletes = true;
    });
    works(&world);
    world.master().remove_user("anna");
    world.wait_until("anna to be gone", || world.user("anna").is_null());
    world.add_to_pbx("anna", "pbx-main");
    world.master().assign("anna", crate::world::LICENSE);
    works(&world);
}

#[test]
fn a_login_with_odd_names_in_it_is_accepted() {
    let world = World::of(&["anna", "bert"])
        .pbxs(|options| {
            options.object_dn = "Anbindung \u{fc}ber / \"Teams\" \\ \u{1f4de}".to_owned();
            options.domain = "b\u{fc}ro.example".to_owned();
            options.other_apps = vec!["users".to_owned(), "ger\u{e4}te".to_owned()];
            options.service_licenses = Some(3);
            options.app_info_first = true;
            options.check_build =
                Some("https://connector.example.com/pbx/innovaphone-microsoft365.htm".to_owned());
            options.keep_alive = Some(Duration::from_secs(1));
        })
        .prepare(|world| world.master().inject(|faults| faults.capital_digest = true))
        .start();
    works(&world);
}

#[test]
fn a_connection_that_breaks_at_any_message_of_the_opening_is_begun_anew() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    for message in 1..=OPENING {
        let connections = world.master().connections();
        world
            .master()
            .inject(|faults| faults.close_at_message = Some(message));
        world.master().cut(Cut::Abort);
        world.wait_until(&format!("a connection that breaks at message {message}"), || {
            world.master().connections() > connections + 1
        });
        world.master().inject(|faults| faults.close_at_message = None);
        world.until_synchronised(2);
    }
    works(&world);
}

#[test]
fn a_replication_that_breaks_at_any_row_is_begun_anew() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    for row in 1..=2 {
        let connections = world.master().connections();
        world.master().inject(|faults| faults.close_at_row = Some(row));
        world.master().cut(Cut::Abort);
        world.wait_until(&format!("a connection that breaks at row {row}"), || {
            world.master().connections() > connections + 1
        });
        assert_eq!(world.status()["users"]["pbx"], 2, "half a table is no table");
        world.master().inject(|faults| faults.close_at_row = None);
        world.until_synchronised(2);
    }
    works(&world);
}

#[test]
fn a_refused_user_table_is_told_by_the_light_and_read_as_soon_as_it_may_be() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    world
        .master()
        .inject(|faults| faults.replication_error = Some("too many replications".to_owned()));
    world.master().cut(Cut::Close);
    world.until_light("master_pbx", "replication_failed");
    let detail = world.status()["lights"]["master_pbx"]["detail"].to_string();
    assert!(detail.contains("too many replications"), "{detail}");
    world.in_teams("anna", "Busy", "Busy");
    world.until_shown_at_pbx("anna", "busy");
    world.master().inject(|faults| faults.replication_error = None);
    world.wait_for(crate::world::LONG_PATIENCE, "the user table", || {
        world.status()["lights"]["master_pbx"]["code"] == "ok"
    });
    world.until_synchronised(1);
}

#[test]
fn wrong_passwords_by_the_dozen_do_not_delay_the_right_one() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let mut strangers: Vec<Socket> = (0..50).map(|_| Socket::open(world.public()).unwrap()).collect();
    for stranger in &mut strangers {
        stranger.text("{\"mt\":\"AppChallenge\"}");
        stranger.text("{\"mt\":\"AppLogin\",\"app\":\"innovaphone-microsoft365\",\"digest\":\"00\"}");
    }
    let logins = world.master().logins();
    world.master().cut(Cut::Abort);
    world.wait_until("the pbx to be back", || world.master().logins() > logins);
    for stranger in &mut strangers {
        assert!(stranger.hears("\"error\":\"wrong password\""));
        assert!(stranger.is_closed());
    }
    assert_eq!(world.status()["refused_logins"]["wrong_password"], 50);
    world.until_synchronised(1);
}
