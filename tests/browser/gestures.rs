//! What a person does at the page, and sees there.
//!
//! The page paints itself anew at any moment, so every gesture looks for its target afresh until it succeeds.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirtyfour::error::WebDriverResult;
use thirtyfour::{By, Key, WebElement};

use crate::browser::Browser;
use crate::world::World;

pub const ADMINISTRATOR: &str = "administrator-0123456789";

/// Far more than anything at the page takes.
const PATIENCE: Duration = Duration::from_secs(60);

const LOOK: Duration = Duration::from_millis(50);

impl Browser {
    /// Opens a world's page and signs in with a token.
    pub fn sign_in(&self, world: &World, token: &str) {
        self.open(&format!("http://{}/", world.management()));
        self.type_into("#token", token);
        self.press("Open");
        self.until_seen("h2", "Overview");
    }

    /// Goes to a view by the bar of views.
    pub fn go_to(&self, view: &str) {
        self.click(&By::XPath(format!("//nav/a[normalize-space()='{view}']")));
        self.until("the view in the bar", || self.text("nav a[aria-current]") == view);
    }

    /// Presses the button with this name.
    pub fn press(&self, name: &str) {
        self.click(&By::XPath(format!(
            "//button[@aria-label='{name}' or (not(@aria-label) and normalize-space()='{name}')]"
        )));
    }

    /// Opens what is folded below a summary.
    pub fn unfold(&self, summary: &str) {
        self.click(&By::XPath(format!(
            "//summary[contains(normalize-space(), '{summary}')]"
        )));
    }

    /// Follows the link with this text.
    pub fn follow(&self, text: &str) {
        self.click(&By::XPath(format!("//main//a[normalize-space()='{text}']")));
    }

    /// Replaces what stands in a field.
    pub fn type_into(&self, selector: &str, text: &str) {
        self.with(&By::Css(selector), async |field: WebElement| {
            field.clear().await?;
            field.send_keys(text).await
        });
    }

    /// Chooses from a list by value.
    pub fn choose(&self, selector: &str, value: &str) {
        let option = format!("{selector} option[value='{value}']");
        self.click(&By::Css(option.as_str()));
    }

    /// Presses a key where the focus is.
    pub fn key(&self, key: Key) {
        let chain = self.session().action_chain().send_keys(key);
        self.run(chain.perform()).unwrap();
    }

    /// Writes a letter where the focus is.
    pub fn write(&self, letter: char) {
        let chain = self.session().action_chain().send_keys(letter.to_string());
        self.run(chain.perform()).unwrap();
    }

    /// The text of what a selector finds first; empty when there is nothing.
    pub fn text(&self, selector: &str) -> String {
        let found = "const found = document.querySelector(arguments[0]); return found?.innerText ?? found?.textContent ?? ''";
        let text = self.evaluate(found, vec![json!(selector)]);
        text.as_str().unwrap_or_default().trim().to_owned()
    }

    /// All that is to be read.
    pub fn whole_text(&self) -> String {
        self.text("body")
    }

    /// Whether a condition in the page's own language holds.
    pub fn holds(&self, condition: &str) -> bool {
        self.evaluate(&format!("return Boolean({condition})"), Vec::new()) == Value::Bool(true)
    }

    /// Waits until what a selector finds first contains a text.
    pub fn until_seen(&self, selector: &str, text: &str) {
        self.until(&format!("'{text}' in {selector}"), || {
            self.text(selector).contains(text)
        });
    }

    /// Waits until a condition holds.
    pub fn until(&self, what: &str, condition: impl Fn() -> bool) {
        let begun = Instant::now();
        while !condition() {
            assert!(begun.elapsed() < PATIENCE, "waited in vain for {what}");
            std::thread::sleep(LOOK);
        }
    }

    fn click(&self, target: &By) {
        self.with(target, async |element: WebElement| element.click().await);
    }

    fn with<F>(&self, target: &By, gesture: impl Fn(WebElement) -> F)
    where
        F: Future<Output = WebDriverResult<()>>,
    {
        let begun = Instant::now();
        loop {
            let tried = self.run(async {
                let element = self.session().find(target.clone()).await?;
                gesture(element).await
            });
            let Err(error) = tried else { return };
            assert!(begun.elapsed() < PATIENCE, "{target:?}: {error}");
            std::thread::sleep(LOOK);
        }
    }
}
