//! The supervision tree: an actor is restarted and seen to come back.

use crate::browser::{Browser, Screen};
use crate::gestures::ADMINISTRATOR;
use crate::world::World;

const SWEEP: &str = "[...document.querySelectorAll('.node')].find(node => node.querySelector('strong').textContent === 'presence-sweep')";

#[test]
fn an_actor_is_restarted_and_seen_to_come_back() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    for (run, screen) in [2, 3].into_iter().zip(Screen::ALL) {
        let browser = Browser::start("actors", screen);
        browser.sign_in(&world, ADMINISTRATOR);
        browser.go_to("Actors");
        browser.until_seen(".tree", "presence-sweep");
        browser.press("Restart presence-sweep");
        browser.until_seen("main [role='status']", "presence-sweep");
        browser.until("the next run", || {
            browser.holds(&format!("{SWEEP}.innerText.includes('run {run}')"))
        });
        browser.until("that it runs", || {
            browser.holds(&format!(
                "{SWEEP}.querySelector('.chip').innerText === 'running' && {SWEEP}.innerText.includes('{} ordered')",
                run - 1
            ))
        });
        assert!(
            browser.holds("document.activeElement.getAttribute('aria-label') === 'Restart presence-sweep'")
        );
    }
}
