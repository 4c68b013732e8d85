//! Who is not synchronised is found, with the reason and what to do.

use crate::browser::{Browser, Screen};
use crate::gestures::ADMINISTRATOR;
use crate::world::World;

#[test]
fn who_is_not_synchronised_is_found_and_it_is_told_why() {
    let world = World::of(&["anna", "bert"])
        .prepare(|world| {
            world.add_to_pbx("carl", "pbx-main");
            world.add_to_teams("carl");
        })
        .start();
    world.until_synchronised(2);
    for screen in Screen::ALL {
        let browser = Browser::start("not-synchronised", screen);
        browser.sign_in(&world, ADMINISTRATOR);
        browser.until_seen(".funnel", "Synchronised");
        browser.go_to("Users");
        browser.until_seen("main", "Anna Example");
        browser.choose("select[name='synchronised']", "false");
        browser.until("Carl without the synchronised", || {
            let told = browser.text("main");
            told.contains("Carl Example") && !told.contains("Anna Example")
        });
        browser.choose("select[name='reason']", "no_license");
        browser.type_into("input[name='search']", "carl");
        browser.until("Carl alone", || {
            browser.holds("document.querySelectorAll('tbody tr').length === 1")
        });
        browser.until_seen("tr[data-key='carl']", "no license");
        browser.until_seen("tr[data-key='carl']", "App(innovaphone-microsoft365)");
        browser.follow("Carl Example");
        browser.until_seen("main .card", "App(innovaphone-microsoft365)");
    }
}
