//! One user is paused at his view, and goes on.

use serde_json::{Value, json};

use crate::browser::{Browser, Screen};
use crate::gestures::ADMINISTRATOR;
use crate::world::World;

fn paused(world: &World) -> Value {
    let settings = world.get("/api/v1/settings?limit=1000").json();
    let items = settings["items"].as_array().unwrap();
    let found = items.iter().find(|item| item["key"] == "sync.paused_users");
    found.unwrap()["value"].clone()
}

#[test]
fn a_user_is_paused_and_nobody_else_and_goes_on_with_what_came_last() {
    let world = World::of(&["anna", "bert"])
        .settings("[sync]\npaused_users = [\"bert\"]")
        .start();
    world.until_synchronised(2);
    for screen in Screen::ALL {
        let browser = Browser::start("pause", screen);
        browser.sign_in(&world, ADMINISTRATOR);
        browser.go_to("Users");
        browser.follow("Anna Example");
        browser.press("Pause this user");
        browser.until_seen("main", "Paused: the newest state waits");
        assert_eq!(paused(&world), json!(["bert", "anna"]));
        world.choose_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
        browser.until_seen("dl.facts", "Held back (paused), pbx");
        assert_eq!(world.shown_at_pbx("anna"), "");
        browser.press("Go on with this user");
        world.until_shown_at_pbx("anna", "dnd");
        browser.until("nothing is held back", || {
            !browser.text("dl.facts").contains("Held back")
        });
        assert_eq!(paused(&world), json!(["bert"]));
        world.choose_in_teams("anna", "Available", "Available");
        world.until_shown_at_pbx("anna", "");
    }
}
