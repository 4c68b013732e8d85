//! Microsoft refuses the presence subscription: the light names the cause, and presence flows all the same.

use crate::world::{LICENSE, Plan, World};

/// Nobody listens there: the port of the discard service, below all that tests take.
const NOWHERE: &str = "http://127.0.0.1:9";

/// With a short sweep, so that what is read in bulk is seen soon.
fn plan() -> Plan {
    World::of(&["anna"]).settings("timers.sweep = \"1s\"")
}

/// The sweep carries presence while there is no subscription, and the instance is ready.
fn is_bridged(world: &World) {
    world.in_teams("anna", "Busy", "Busy");
    world.until_shown_at_pbx("anna", "busy");
    world.wait_until("readiness", || world.get("/readyz").status == 200);
    assert_eq!(world.status()["lights"]["presence_subscription"]["state"], "red");
}

#[test]
fn an_address_that_leads_nowhere_is_told_and_bridged() {
    let world = plan().settings(&format!("public.url = \"{NOWHERE}\"")).start();
    world.until_light("presence_subscription", "notification_url_unreachable");
    is_bridged(&world);
}

#[test]
fn an_address_that_leads_to_another_server_is_told_and_bridged() {
    let world = plan()
        .prepare(|world| {
            let file = world.configuration_file();
            let text = std::fs::read_to_string(&file).unwrap();
            let settings: toml::Table = text.parse().unwrap();
            let theirs = settings["microsoft"]["login_url"].as_str().unwrap();
            let ours = format!("http://{}", world.public());
            std::fs::write(&file, text.replace(&ours, theirs.trim_end_matches('/'))).unwrap();
        })
        .start();
    world.until_light("presence_subscription", "notification_url_rejected");
    is_bridged(&world);
}

#[test]
fn a_missing_permission_is_told() {
    let world = plan()
        .prepare(|world| {
            let app = world.app().client_id;
            world.cloud().change_app(app, |app| {
                app.delegated.retain(|name| name != "Presence.Read.All")
            });
        })
        .start();
    world.wait_until("a light that names the missing consent", || {
        let lights = &world.status()["lights"];
        lights["presence_subscription"]["code"] == "forbidden"
            || lights["authentication"]["code"] == "consent_required"
    });
}

/// Takes an application permission away before the start.
fn without(permission: &'static str) -> World {
    plan()
        .prepare(move |world| {
            let app = world.app().client_id;
            let taken = world
                .cloud()
                .change_app(app, |app| app.application.retain(|name| name != permission));
            assert!(taken);
        })
        .start()
}

/// The light is red for the missing consent and names the permission as the portal does.
fn is_named(world: &World, permission: &str) {
    world.until_light("authentication", "consent_required");
    let detail = world.status()["lights"]["authentication"]["detail"].to_string();
    assert!(detail.contains(permission), "{detail}");
}

#[test]
fn an_app_that_may_not_read_the_users_is_told_which_permission_it_needs() {
    is_named(&without("User.Read.All"), "User.Read.All");
}

#[test]
fn an_app_that_may_not_write_presence_is_told_which_permission_it_needs() {
    let world = without("Presence.ReadWrite.All");
    world.until_synchronised(1);
    world.choose_at_pbx("anna", "dnd");
    is_named(&world, "Presence.ReadWrite.All");
}

#[test]
fn nobody_with_a_license_is_told() {
    let world = plan()
        .prepare(|world| {
            world.master().withdraw("anna", LICENSE);
        })
        .start();
    world.until_light("presence_subscription", "no_licensed_users");
    assert_eq!(world.user("anna")["reason"], "no_license");
}
