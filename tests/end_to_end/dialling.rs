//! PBXs that the connector dials, because they may not dial it.

use m365_simulator::pbx::Cut;
use serde_json::Value;

use crate::world::{MASTER, World, call_at};

const SLAVE: &str = "pbx-south";

/// The first way to a PBX, as `GET /api/v1/sessions` shows it.
fn dial(world: &World) -> Value {
    let sessions = world.get("/api/v1/sessions").json();
    let dials = sessions["items"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|session| session["dials"].as_array().unwrap());
    dials.clone().next().cloned().unwrap_or_default()
}

fn detail(world: &World) -> String {
    world.status()["lights"]["master_pbx"]["detail"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn presence_and_calls_flow_both_ways() {
    let world = World::of(&["anna", "bert"]).dialled(MASTER).start();
    world.until_synchronised(2);
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_shown_at_pbx("anna", "meeting");
    world.choose_at_pbx("bert", "dnd");
    world.until_seen_in_teams("bert", "DoNotDisturb", "DoNotDisturb");
    world.choose_at_pbx("bert", "");
    world.until_seen_in_teams("bert", "Available", "Available");
    let call = world.call("bert");
    world.until_seen_in_teams("bert", "Busy", "InACall");
    world.master().end(call);
    world.until_seen_in_teams("bert", "Available", "Available");
    assert_eq!(world.master().logins(), 0, "the pbx did not dial");
    let session = &world.get("/api/v1/sessions").json()["items"][0];
    assert_eq!(
        (&session["pbx"], &session["role"]),
        (&MASTER.into(), &"master".into())
    );
    assert_eq!(session["connections"][0]["dialled_by"], "connector");
    assert_eq!(dial(&world)["state"], "up");
}

#[test]
fn a_slave_that_is_dialled_stands_beside_a_master_that_dials() {
    let world = World::of(&["anna"])
        .slave(SLAVE, &["sarah"])
        .dialled(SLAVE)
        .start();
    world.until_synchronised(2);
    let call = call_at(world.pbx(SLAVE), "sarah");
    world.until_seen_in_teams("sarah", "Busy", "InACall");
    world.pbx(SLAVE).end(call);
    world.until_seen_in_teams("sarah", "Available", "Available");
    assert_eq!((world.master().logins(), world.pbx(SLAVE).admissions()), (1, 1));
}

#[test]
fn a_pbx_that_is_away_is_named_with_its_cause_and_comes_back() {
    let world = World::of(&["anna"]).dialled(MASTER).start();
    world.until_synchronised(1);
    world.endpoint(MASTER).shut();
    world.until_light("master_pbx", "unreachable");
    assert!(
        detail(&world).contains(world.endpoint(MASTER).address()),
        "{}",
        detail(&world)
    );
    assert!(dial(&world)["next_attempt_at"].is_string());
    world.in_teams("anna", "Busy", "Busy");
    world.endpoint(MASTER).open();
    world.until_synchronised(1);
    world.until_shown_at_pbx("anna", "busy");
}

#[test]
fn a_connection_that_is_cut_is_dialled_again() {
    for cut in [Cut::Close, Cut::Abort] {
        let world = World::of(&["anna"]).dialled(MASTER).start();
        world.until_synchronised(1);
        world.master().cut(cut);
        world.wait_until("the next login", || world.master().admissions() > 1);
        world.until_synchronised(1);
        world.in_teams("anna", "Busy", "Busy");
        world.until_shown_at_pbx("anna", "busy");
    }
}

#[test]
fn a_refused_login_is_held_named_and_tried_at_once_by_order() {
    let world = World::of(&["anna"])
        .dialled(MASTER)
        .dials(|dial| {
            dial.insert("password".to_owned(), "another".into());
        })
        .start();
    world.until_light("master_pbx", "wrong_app_password");
    let text = detail(&world);
    assert!(text.contains("m365") && text.contains("pbx-dialler-0"), "{text}");
    assert_eq!(dial(&world)["state"], "held");
    world.stay_quiet(std::time::Duration::from_secs(4));
    assert_eq!(world.master().rejections(), 1, "the pbx is not hammered");
    world
        .master()
        .configure(|options| options.password = "another".to_owned());
    assert_eq!(world.post("/api/v1/actors/pbx-dialler-0/restart").status, 202);
    world.until_synchronised(1);
}

#[test]
fn another_certificate_than_the_pinned_one_is_refused_and_shown() {
    let world = World::of(&["anna"]).dialled(MASTER).start();
    world.until_synchronised(1);
    world.endpoint(MASTER).renew_certificate();
    world.until_light("master_pbx", "untrusted_certificate");
    let fingerprint = world.endpoint(MASTER).fingerprint();
    assert!(detail(&world).contains(&fingerprint), "{}", detail(&world));
    assert_eq!(
        world.master().rejections(),
        0,
        "no password is proven to a stranger"
    );
}

#[test]
fn a_certificate_that_the_pbx_made_itself_needs_a_pin() {
    let world = World::of(&["anna"])
        .dialled(MASTER)
        .dials(|dial| {
            dial.remove("certificate");
        })
        .start();
    world.until_light("master_pbx", "untrusted_certificate");
    let fingerprint = world.endpoint(MASTER).fingerprint();
    assert!(detail(&world).contains(&fingerprint), "{}", detail(&world));
}

#[test]
fn a_certificate_can_be_pinned_by_its_file() {
    let world = World::of(&["anna"]).dialled(MASTER).build();
    let file = world.configuration_file().with_file_name("pbx.pem");
    std::fs::write(&file, world.endpoint(MASTER).pem()).unwrap();
    let address = world.endpoint(MASTER).address();
    let url = format!("wss://{address}/PBX0/APPS/websocket");
    let file = file.display();
    world.reconfigure(&format!(
        "[[pbx.dial]]\nurl = \"{url}\"\nobject = \"m365\"\ncertificate = \"{file}\""
    ));
    world.start_again();
    world.until_synchronised(1);
}

#[test]
fn a_pbx_whose_name_must_be_given_is_told_by_the_light() {
    let world = World::of(&["anna"])
        .dialled(MASTER)
        .pbxs(|options| options.apis.retain(|api| api != "PbxAdminApi"))
        .start();
    world.until_light("master_pbx", "unknown_pbx_name");
}

#[test]
fn checkmarks_that_are_missing_are_found_by_asking() {
    let world = World::of(&["anna"])
        .dialled(MASTER)
        .dials(|dial| {
            dial.insert("pbx".to_owned(), MASTER.into());
        })
        .pbxs(|options| options.apis.retain(|api| api != "PbxTableUsers"))
        .start();
    world.until_light("master_pbx", "missing_api_right");
    assert!(detail(&world).contains("TableUsers"), "{}", detail(&world));
    world
        .master()
        .configure(|options| options.apis.push("PbxTableUsers".to_owned()));
    world.wait_for(crate::world::LONG_PATIENCE, "the checkmark to be found", || {
        world.status()["lights"]["master_pbx"]["code"] == "ok"
    });
    world.until_synchronised(1);
}

#[test]
fn a_pbx_that_goes_silent_is_dropped_and_dialled_again() {
    let world = World::of(&["anna"]).dialled(MASTER).start();
    world.until_synchronised(1);
    world.master().cut(Cut::Silence);
    world.wait_for(crate::world::LONG_PATIENCE, "the next login", || {
        world.master().admissions() > 1
    });
    world.until_synchronised(1);
}

#[test]
fn a_slave_that_cannot_be_reached_is_warned_of_while_the_master_is_well() {
    let world = World::of(&["anna"])
        .slave(SLAVE, &["sarah"])
        .dialled(SLAVE)
        .start();
    world.until_synchronised(2);
    world.endpoint(SLAVE).renew_certificate();
    let warned = |code: &str| {
        let status = world.status();
        let warnings = status["warnings"].as_array().unwrap().clone();
        warnings.iter().any(|warning| warning["code"] == code)
    };
    world.wait_until("both warnings", || {
        warned("dialled_pbx_not_reached") && warned("slave_pbx_away")
    });
    assert_eq!(world.status()["lights"]["master_pbx"]["code"], "ok");
}

#[test]
fn a_slave_without_a_checkmark_is_warned_of() {
    let world = World::of(&["anna"]).slave(SLAVE, &["sarah"]).build();
    world
        .pbx(SLAVE)
        .configure(|options| options.apis.retain(|api| api != "PbxApi"));
    world.start_again();
    world.wait_until("the warning", || {
        let status = world.status();
        let warnings = status["warnings"].as_array().unwrap().clone();
        warnings.iter().any(|warning| {
            warning["code"] == "slave_pbx_missing_api_right"
                && warning["detail"].to_string().contains("PbxApi")
        })
    });
}
