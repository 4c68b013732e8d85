//! The connector is started again while somebody watches.

use crate::browser::{Browser, Screen};
use crate::gestures::ADMINISTRATOR;
use crate::world::World;

#[test]
fn after_a_restart_the_page_asks_for_the_token_and_goes_on_where_one_was() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    for screen in Screen::ALL {
        let browser = Browser::start("restart", screen);
        // nobody answers for a while, and then nobody knows the session any more
        browser.expect_complaints_of("net::ERR_");
        browser.expect_complaints_of("status of 401");
        browser.sign_in(&world, ADMINISTRATOR);
        browser.go_to("Actors");
        world.kill();
        browser.until_seen("#about", "the connector does not answer");
        world.start_again();
        world.until_synchronised(1);
        browser.until_seen("main", "This session has ended");
        browser.type_into("#token", ADMINISTRATOR);
        browser.press("Open");
        browser.until_seen(".tree", "presence-sync");
        browser.until_seen("#chips", "Master PBX: ok");
        world.in_teams("anna", "Busy", "Busy");
        browser.go_to("Users");
        browser.until_seen("tr[data-key='anna']", "Busy");
        world.in_teams("anna", "Available", "Available");
        browser.until_seen("tr[data-key='anna']", "Available");
    }
}
