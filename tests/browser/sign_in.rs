//! Signing in and out.

use crate::browser::{Browser, Screen};
use crate::gestures::ADMINISTRATOR;
use crate::world::World;

#[test]
fn whoever_has_the_token_sees_the_lights_and_after_signing_out_nothing() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    for screen in Screen::ALL {
        let browser = Browser::start("sign-in", screen);
        browser.expect_complaints_of("/api/v1/session - Failed to load resource");
        browser.open(&format!("http://{}/", world.management()));
        browser.type_into("#token", "not-the-token-0123456789");
        browser.press("Open");
        browser.until_seen(".refusal", "token");
        browser.type_into("#token", ADMINISTRATOR);
        browser.press("Open");
        browser.until_seen("main", "Connection to the master PBX");
        browser.until_seen("#chips", "Master PBX: ok");
        browser.press("Sign out");
        browser.until_seen("h2", "Sign in");
        assert!(!browser.whole_text().contains("Master PBX"));
        browser.open(&format!("http://{}/#/users", world.management()));
        browser.until_seen("h2", "Sign in");
    }
}
