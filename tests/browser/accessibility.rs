//! Every view, judged by axe-core: light and dark, on a desktop and on a phone.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::browser::{Browser, Screen};
use crate::gestures::ADMINISTRATOR;
use crate::world::World;

/// Every view of the page, and a text that stands there when it has read all.
const VIEWS: [(&str, &str); 9] = [
    ("", "Lately changed"),
    ("users", "Carl Example"),
    ("users/anna", "Timeline"),
    ("subscriptions", "presence1@contoso.example"),
    ("pbxs", "pbx-branch"),
    ("actors", "presence-sweep"),
    ("log", "licensed=2"),
    ("settings", "[timers]"),
    ("diagnosis", "checks"),
];

/// What axe-core judges by: WCAG 2.2 AA, and its own best practices.
const RULES: [&str; 6] = [
    "wcag2a",
    "wcag2aa",
    "wcag21a",
    "wcag21aa",
    "wcag22aa",
    "best-practice",
];

fn axe() -> String {
    let file = std::env::var("AXE").map(PathBuf::from);
    let file = file.expect("AXE names the file axe.min.js; `.ci/browser` fetches it");
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// What axe-core finds wrong, in lines that say where.
fn found(browser: &Browser, axe: &str) -> Vec<String> {
    if !browser.holds("window.axe") {
        browser.evaluate(axe, Vec::new());
    }
    let run = "const [rules, done] = arguments; axe.run(document, { runOnly: rules, resultTypes: ['violations'] }).then(done, error => done({ violations: [{ id: String(error), nodes: [] }] }));";
    let told = browser.evaluate_later(run, vec![json!(RULES)]);
    let violations = told["violations"].as_array().unwrap();
    let line = |violation: &Value| {
        let places: Vec<String> = violation["nodes"]
            .as_array()
            .unwrap()
            .iter()
            .take(4)
            .map(|node| format!("{} {}", node["target"], node["failureSummary"]))
            .collect();
        format!("{}: {}", violation["id"], places.join(" | "))
    };
    violations.iter().map(line).collect()
}

/// Judges what is shown, folded and unfolded.
fn judge(browser: &Browser, axe: &str, name: &str, wrong: &mut Vec<String>) {
    for scheme in ["light", "dark"] {
        browser.prefer_dark(scheme == "dark");
        browser.picture(&format!("{name}-{scheme}"));
        wrong.extend(
            found(browser, axe)
                .into_iter()
                .map(|line| format!("{name}, {scheme}: {line}")),
        );
    }
    if !browser.holds("document.documentElement.scrollWidth <= innerWidth") {
        wrong.push(format!("{name} is wider than the screen"));
    }
}

fn world() -> World {
    let world = World::of(&["anna", "bert"])
        .slave("pbx-branch", &[])
        .settings("[sync]\npaused_users = [\"bert\"]")
        .prepare(|world| {
            world.add_to_pbx("carl", "pbx-main");
            world.add_to_teams("carl");
        })
        .start();
    world.until_synchronised(2);
    for (availability, activity) in [
        ("Busy", "InAMeeting"),
        ("Available", "Available"),
        ("Away", "Away"),
    ] {
        world.in_teams("anna", availability, activity);
        world.until_user("anna", "seen", |anna| {
            anna["teams_presence"].to_string().contains(activity)
        });
    }
    world
}

#[test]
fn every_view_is_accessible_in_light_and_dark_on_any_screen() {
    let (world, axe) = (world(), axe());
    let mut wrong = Vec::new();
    for screen in Screen::ALL {
        let browser = Browser::start("axe", screen);
        let at = |path: &str| format!("http://{}/{path}", world.management());
        browser.open(&at(""));
        browser.until_seen("h2", "Sign in");
        judge(&browser, &axe, &format!("{screen:?} sign-in"), &mut wrong);
        browser.sign_in(&world, ADMINISTRATOR);
        for (view, text) in VIEWS {
            browser.open(&at(&format!("#/{view}")));
            browser.until_seen("main", text);
            let name = if view.is_empty() { "overview" } else { view }.replace('/', "-");
            judge(&browser, &axe, &format!("{screen:?} {name}"), &mut wrong);
            let unfold = "const folded = [...document.querySelectorAll('main details:not([open])')]; folded.forEach(details => { details.open = true; }); return folded.length";
            if browser.evaluate(unfold, Vec::new()) != json!(0) {
                judge(&browser, &axe, &format!("{screen:?} {name} unfolded"), &mut wrong);
            }
        }
        browser.open(&at("api/docs#users"));
        browser.until_seen("main", "/api/v1/users");
        let unfold = "[...document.querySelectorAll('.operation')].slice(0, 4).forEach(operation => { operation.open = true; })";
        browser.evaluate(unfold, Vec::new());
        browser.until_seen("main .operation[open]", "Answers");
        judge(&browser, &axe, &format!("{screen:?} docs"), &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
