//! What changes on either side is seen at once, without a hand on the page.

use crate::browser::{Browser, Screen};
use crate::gestures::ADMINISTRATOR;
use crate::world::World;

#[test]
fn a_presence_change_arrives_while_one_watches() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    for screen in Screen::ALL {
        let browser = Browser::start("changes", screen);
        browser.sign_in(&world, ADMINISTRATOR);
        browser.go_to("Users");
        let anna = "tr[data-key='anna']";
        browser.until_seen(anna, "synchronised");
        world.in_teams("anna", "Busy", "InAMeeting");
        browser.until_seen(anna, "InAMeeting");
        browser.until_seen(&format!("{anna} td:nth-child(4)"), "meeting");
        browser.follow("Anna Example");
        browser.until_seen("h2", "Anna Example");
        browser.until_seen(".timeline", "meeting");
        world.in_teams("anna", "Available", "Available");
        browser.until_seen("dl.facts", "Available");
        browser.go_to("Overview");
        world.in_teams("bert", "DoNotDisturb", "DoNotDisturb");
        browser.until("Bert among those who lately changed", || {
            browser.text("main").contains("DoNotDisturb")
        });
        world.in_teams("bert", "Available", "Available");
    }
}
