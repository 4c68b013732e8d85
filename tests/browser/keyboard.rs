//! Everything is done by keyboard alone, and the focus is never lost.

use thirtyfour::Key;

use crate::browser::{Browser, Screen};
use crate::gestures::ADMINISTRATOR;
use crate::world::World;

/// More than there is to step over in any view.
const STEPS: usize = 60;

/// The words of what has the focus.
fn focused(browser: &Browser) -> String {
    let name = "const it = document.activeElement; return it.getAttribute('aria-label') ?? it.id + ' ' + it.textContent.slice(0, 80)";
    browser
        .evaluate(name, Vec::new())
        .as_str()
        .unwrap()
        .trim()
        .to_owned()
}

fn step_to(browser: &Browser, name: &str) {
    let met: Vec<String> = (0..STEPS)
        .map(|_| {
            browser.key(Key::Tab);
            focused(browser)
        })
        .take_while(|found| found != name)
        .collect();
    assert!(met.len() < STEPS, "{name} is not reached by Tab: {met:?}");
    let seen = "getComputedStyle(document.activeElement).outlineStyle !== 'none'";
    assert!(browser.holds(seen), "the focus is not seen at {name}");
}

#[test]
fn whoever_has_a_keyboard_alone_signs_in_finds_a_user_and_restarts_an_actor() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    let browser = Browser::start("keyboard", Screen::Desktop);
    browser.open(&format!("http://{}/", world.management()));
    browser.until("the focus in the field", || {
        focused(&browser).starts_with("token")
    });
    for letter in ADMINISTRATOR.chars() {
        browser.write(letter);
    }
    browser.key(Key::Enter);
    browser.until_seen("h2", "Overview");
    browser.until("the focus at the content", || {
        focused(&browser).starts_with("main")
    });

    browser.open(&format!("http://{}/#/users", world.management()));
    browser.until_seen("main", "Anna Example");
    step_to(&browser, "Anna Example");
    for state in ["Busy", "Available", "Busy"] {
        world.in_teams("anna", state, state);
        browser.until_seen("tr[data-key='anna']", state);
        assert_eq!(focused(&browser), "Anna Example", "the row was painted anew");
    }
    browser.key(Key::Enter);
    browser.until_seen("h2", "Anna Example");

    browser.open(&format!("http://{}/#/actors", world.management()));
    browser.until_seen(".tree", "license-check");
    step_to(&browser, "Restart license-check");
    browser.key(Key::Enter);
    browser.until_seen("main [role='status']", "license-check");
    browser.until("the next run", || browser.text(".tree").contains("1 ordered"));
    assert_eq!(focused(&browser), "Restart license-check");
}

#[test]
fn the_skip_link_leads_past_the_bar_of_views() {
    let world = World::of(&["anna"]).start();
    let browser = Browser::start("skip", Screen::Desktop);
    browser.sign_in(&world, ADMINISTRATOR);
    browser.open(&format!("http://{}/", world.management()));
    browser.until_seen("h2", "Overview");
    browser.key(Key::Tab);
    assert!(focused(&browser).contains("Skip to the content"));
    browser.key(Key::Enter);
    browser.until("the focus at the content", || {
        focused(&browser).starts_with("main")
    });
    browser.until_seen("h2", "Overview");
}
