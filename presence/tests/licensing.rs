//! What the answers of a round of license checks mean.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use m365_presence::identity::PbxGuid;
use m365_presence::licensing::{Finding, ListedLicense, Round, Stock, covers};
use m365_presence::ports::LicenseAnswer;

const LICENSE: &str = "App(innovaphone-microsoft365)";

fn user(name: &str) -> PbxGuid {
    PbxGuid::new(name)
}

fn round(names: &[&str]) -> Round {
    Round::of(names.iter().map(|name| user(name)))
}

fn fail(round: &mut Round, name: &str) {
    round.failed(user(name), "database locked".to_owned());
}

fn answers(finding: &Finding) -> Vec<(String, bool)> {
    let pair = |answer: &LicenseAnswer| (answer.user.as_str().to_owned(), answer.held);
    let mut answers: Vec<_> = finding.answers.iter().map(pair).collect();
    answers.sort_unstable();
    answers
}

fn told(answers: &[(&str, bool)]) -> Vec<(String, bool)> {
    answers
        .iter()
        .map(|(name, held)| ((*name).to_owned(), *held))
        .collect()
}

#[test]
fn a_round_is_whole_when_everybody_is_answered() {
    let mut round = round(&["anna", "bert"]);
    round.answered(user("anna"), true);
    assert!(!round.is_over());
    round.answered(user("bert"), false);
    assert!(round.is_over());
    let finding = round.end();
    assert_eq!(answers(&finding), told(&[("anna", true), ("bert", false)]));
    assert!(finding.whole && finding.fault.is_none());
}

#[test]
fn who_is_not_answered_is_not_told() {
    let mut round = round(&["anna", "bert"]);
    round.answered(user("anna"), true);
    let finding = round.end();
    assert_eq!(answers(&finding), told(&[("anna", true)]));
    assert!(!finding.whole);
}

#[test]
fn a_passing_error_is_asked_again_and_changes_nothing() {
    let mut round = round(&["anna", "bert"]);
    fail(&mut round, "anna");
    round.answered(user("bert"), true);
    assert!(round.doubts() && !round.is_over());
    assert_eq!(round.ask_again(), [user("anna")]);
    assert!(!round.doubts());
    round.answered(user("anna"), true);
    let finding = round.end();
    assert_eq!(answers(&finding), told(&[("anna", true), ("bert", true)]));
    assert!(finding.whole && finding.faulty.is_empty());
}

#[test]
fn an_error_that_stands_while_others_are_answered_is_believed() {
    let mut round = round(&["anna", "bert"]);
    round.answered(user("bert"), true);
    fail(&mut round, "anna");
    round.ask_again();
    fail(&mut round, "anna");
    assert!(round.is_over());
    let finding = round.end();
    assert_eq!(answers(&finding), told(&[("anna", false), ("bert", true)]));
    assert!(finding.whole);
    assert_eq!(finding.faulty, [user("anna")]);
    assert_eq!(finding.fault.as_deref(), Some("database locked"));
}

#[test]
fn errors_for_everybody_are_about_the_pbx_and_throw_nobody_out() {
    let mut round = round(&["anna", "bert"]);
    for _ in 0..2 {
        fail(&mut round, "anna");
        fail(&mut round, "bert");
        round.ask_again();
    }
    assert!(round.is_over());
    let finding = round.end();
    assert_eq!(answers(&finding), told(&[]));
    assert!(!finding.whole);
    assert_eq!(finding.faulty, [user("anna"), user("bert")]);
}

#[test]
fn an_error_counts_once_until_the_user_is_asked_again() {
    let mut round = round(&["anna", "bert"]);
    round.answered(user("bert"), true);
    fail(&mut round, "anna");
    fail(&mut round, "anna");
    assert!(!round.is_over(), "a repeated message is no second answer");
    round.answered(user("anna"), true);
    assert!(!round.doubts(), "the proper answer came late, but it came");
    fail(&mut round, "anna");
    fail(&mut round, "stranger");
    assert_eq!(answers(&round.end()), told(&[("anna", true), ("bert", true)]));
}

#[test]
fn an_empty_round_is_whole() {
    let round = round(&[]);
    assert!(round.is_over());
    assert!(round.end().whole);
}

#[test]
fn a_license_covers_names_that_begin_with_its_own() {
    for (listed, covered) in [
        (LICENSE, true),
        ("app(Innovaphone-Microsoft365)", true),
        ("App(innovaphone)", true),
        ("PBX-App(innovaphone-microsoft365)13", true),
        ("App(innovaphone-microsoft365)13", true),
        ("App(innovaphone-microsoft365admin)", false),
        ("App(innovaphone-calendar)", false),
        ("Service(innovaphone-microsoft365)", false),
        ("App()", false),
        ("App(innovaphone-microsoft365", false),
        ("Port", false),
        ("", false),
    ] {
        assert_eq!(covers(listed, LICENSE), covered, "{listed}");
    }
}

#[test]
fn the_stock_adds_up_what_covers_the_license() {
    let line = |name: &str, count, used| ListedLicense {
        name: name.to_owned(),
        count,
        used,
    };
    let listed = [
        line("Port", 100, 80),
        line(LICENSE, 50, 20),
        line("App(innovaphone)", 5, 5),
    ];
    let stock = Stock::of(LICENSE, &listed);
    assert_eq!((stock.installed, stock.used), (55, 25));
    assert_eq!(Stock::of(LICENSE, &[]), Stock::default());
}
