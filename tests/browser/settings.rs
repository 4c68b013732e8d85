//! Another matching rule is tried before it holds.

use crate::browser::{Browser, Screen};
use crate::gestures::ADMINISTRATOR;
use crate::world::World;

#[test]
fn another_matching_rule_is_previewed_and_then_applied() {
    for screen in Screen::ALL {
        // two people whose names at the pbx are those of their addresses
        let world = World::of(&["anna", "bert"]).start();
        world.until_synchronised(2);
        let browser = Browser::start("settings", screen);
        browser.sign_in(&world, ADMINISTRATOR);
        browser.go_to("Settings");
        browser.until_seen("main", "[matching]");
        browser.choose("#rule-pbx", "h323");
        browser.choose("#rule-microsoft", "mailNickname");
        browser.press("Try");
        browser.until_seen("#preview", "2 pairs now");
        let told = browser.text("#preview");
        assert!(told.contains("2 by this rule"), "{told}");
        assert!(told.contains("0 losses"), "{told}");
        assert_eq!(world.get("/api/v1/matching/preview").json()["now"]["matched"], 2);
        browser.choose("#rule-pbx", "cn");
        browser.press("Try");
        browser.until_seen("#preview", "0 by this rule");
        browser.unfold("2 losses");
        browser.until_seen("#preview details[open]", "anna");
        world.until_synchronised(2);
        browser.choose("#rule-pbx", "h323");
        browser.press("Try");
        browser.until_seen("#preview", "2 by this rule");
        browser.press("Apply this rule");
        browser.until_seen("#preview", "In force");
        world.until_user("anna", "matched by the new rule", |anna| {
            anna["synchronised"] == true && anna["explanation"].is_string()
        });
        browser.unfold("Audit: who has changed what");
        browser.until_seen("main", "matching.microsoft");
        browser.unfold("[matching]");
        browser.until("the rule as stored", || {
            browser.holds(
                "document.querySelector(\"input[aria-label='matching.microsoft']\").value === 'mailNickname'",
            )
        });
    }
}
