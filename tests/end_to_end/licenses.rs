//! Only who holds the license is synchronised, and licenses come and go while the connector runs.

use crate::world::{LICENSE, World};

/// Licenses are checked before every renewal.
const OFTEN: &str = "timers.presence_subscription = '2s'";

#[test]
fn a_withdrawn_license_cleans_both_sides_and_a_granted_one_brings_them_back() {
    let world = World::of(&["anna", "bert", "carl"]).settings(OFTEN).start();
    world.until_synchronised(3);
    world.choose_at_pbx("anna", "dnd");
    world.in_teams("bert", "Busy", "InAMeeting");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    world.until_shown_at_pbx("bert", "meeting");
    for user in ["anna", "bert"] {
        world.master().withdraw(user, LICENSE);
    }
    world.until_seen_in_teams("anna", "Available", "Available");
    world.until_shown_at_pbx("bert", "");
    for user in ["anna", "bert"] {
        world.until_user(user, "without a license", |item| {
            item["licensed"] == false && item["reason"] == "no_license"
        });
    }
    world.until_synchronised(1);
    for user in ["anna", "bert"] {
        world.master().assign(user, LICENSE);
    }
    world.until_synchronised(3);
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    world.until_shown_at_pbx("bert", "meeting");
}

#[test]
fn nobody_with_a_license_is_said_by_the_light() {
    let world = World::of(&["anna"])
        .settings(OFTEN)
        .prepare(|world| world.master().withdraw("anna", LICENSE))
        .start();
    world.until_light("presence_subscription", "no_licensed_users");
    assert!(
        world
            .cloud()
            .subscriptions()
            .iter()
            .all(|subscription| !subscription.is_presence())
    );
    world.master().assign("anna", LICENSE);
    world.until_synchronised(1);
}

/// Hints alone must do: the next renewal is far away.
const SELDOM: &str = "timers.presence_subscription = '60m'";

#[test]
fn a_reported_change_of_the_user_is_enough_to_let_a_license_count() {
    let world = World::of(&["anna", "bert"])
        .settings(SELDOM)
        .prepare(|world| world.master().withdraw("bert", LICENSE))
        .start();
    world.until_synchronised(1);
    world.choose_at_pbx("anna", "dnd");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    world.in_teams("bert", "Busy", "InAMeeting");
    // what changed is no column of ours: the row comes again as it was
    world.master().assign("bert", LICENSE);
    world.master().update_user("bert", |_| ());
    world.until_shown_at_pbx("bert", "meeting");
    world.master().withdraw("anna", LICENSE);
    world.master().update_user("anna", |_| ());
    world.until_seen_in_teams("anna", "Available", "Available");
    world.until_user("anna", "without a license", |item| item["reason"] == "no_license");
}

#[test]
fn a_user_whom_the_pbx_cannot_check_is_out_and_comes_back() {
    let world = World::of(&["anna", "bert"]).settings(OFTEN).start();
    world.until_synchronised(2);
    let fail = |users: &[&str]| {
        let users = users.iter().map(|user| (*user).to_owned()).collect();
        world.master().inject(|faults| faults.license_errors = users);
    };
    fail(&["bert"]);
    world.until_user("bert", "without a license", |item| item["reason"] == "no_license");
    assert_eq!(world.user("anna")["licensed"], true);
    fail(&[]);
    world.until_synchronised(2);
}

#[test]
fn errors_for_everybody_throw_nobody_out() {
    let world = World::of(&["anna", "bert"]).settings(OFTEN).start();
    world.until_synchronised(2);
    let everybody = ["anna", "bert"].map(str::to_owned).into();
    world.master().inject(|faults| faults.license_errors = everybody);
    world.wait_until("the fault is told", || {
        world.status()["licenses"]["fault"] == "license database is locked"
    });
    world.stay_quiet(std::time::Duration::from_secs(3));
    assert_eq!(world.status()["users"]["synchronised"], 2);
}

#[test]
fn in_test_mode_everybody_is_licensed() {
    let world = World::of(&["anna"])
        .pbxs(|options| {
            options.test_mode = true;
            options.service_licenses = Some(3);
        })
        .prepare(|world| world.master().withdraw("anna", LICENSE))
        .start();
    world.until_synchronised(1);
    let licenses = world.status()["licenses"].clone();
    assert_eq!(licenses["test_mode"], true, "{licenses}");
    assert_eq!(licenses["service"], 3, "{licenses}");
    assert!(licenses["installed"].is_null(), "{licenses}");
}

#[test]
fn the_pbxs_own_counts_stand_beside_the_licensed_users_and_their_places() {
    let world = World::of(&["anna", "bert"])
        .pbxs(|options| options.installed_licenses = Some(1))
        .start();
    world.until_synchronised(2);
    world.wait_until("the counts", || world.status()["licenses"]["installed"] == 1);
    let licenses = world.status()["licenses"].clone();
    assert_eq!(licenses["held"], 2, "{licenses}");
    assert_eq!(licenses["assigned"], 2, "{licenses}");
    assert_eq!(licenses["places"], 650, "{licenses}");
    let warnings = world.status()["warnings"].clone();
    assert_eq!(warnings[0]["code"], "too_few_licenses", "{warnings}");
}

#[test]
fn without_the_right_to_check_licenses_the_light_names_the_checkmark() {
    let world = World::of(&["anna"])
        .pbxs(|options| options.apis.retain(|api| api != "PbxAdminApi"))
        .start();
    world.until_light("master_pbx", "missing_api_right");
    let detail = world.status()["lights"]["master_pbx"]["detail"].clone();
    assert!(detail.as_str().unwrap().contains("Admin"), "{detail}");
    world.until_user("anna", "known, and without a license", |anna| {
        anna["licensed"] == false
    });
}

#[test]
fn the_license_of_a_longer_name_does_not_count() {
    let world = World::of(&["anna", "bert"])
        .prepare(|world| {
            world.master().withdraw("bert", LICENSE);
            world.master().assign("bert", "App(innovaphone-calendar)");
        })
        .start();
    world.until_synchronised(1);
    assert_eq!(world.user("bert")["reason"], "no_license");
}
