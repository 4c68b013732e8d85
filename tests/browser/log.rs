//! The log, live, and its levels.

use crate::browser::{Browser, Screen};
use crate::gestures::ADMINISTRATOR;
use crate::world::World;

#[test]
fn a_log_level_is_changed_and_the_records_come_while_one_watches() {
    let world = World::of(&["anna"]).settings("[log]\nlevel = \"info\"").start();
    world.until_synchronised(1);
    for (screen, state) in Screen::ALL.into_iter().zip(["busy", "away"]) {
        let browser = Browser::start("log", screen);
        browser.sign_in(&world, ADMINISTRATOR);
        browser.go_to("Log");
        browser.unfold("Trace flags");
        browser.choose("select[aria-label='Level of App WebSocket']", "debug");
        browser.until_seen("details", "until ");
        browser.choose("select[name='level']", "debug");
        world.choose_at_pbx("anna", state);
        browser.until_seen(".log", "a message went from the pbx");
        browser.choose("select[aria-label='Level of App WebSocket']", "info");
        browser.type_into("input[name='text']", "has signed in");
        browser.until("the records that fit alone", || {
            let told = browser.text(".log");
            told.contains("somebody has signed in") && !told.contains("a message went")
        });
    }
}
