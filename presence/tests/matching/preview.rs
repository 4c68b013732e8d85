//! What another rule would gain and lose.

use m365_presence::matching::{Counts, Directory, MicrosoftField, PbxField, Reason, Turn};

use crate::samples::{World, pbx, rule, teams};

const LICENSE: &str = "App(innovaphone-microsoft365)";

/// Adele matches by her name and Bert by his mail's nickname; two people share a nickname.
fn directory() -> Directory {
    let user = |id: &str, name: &str, nickname: &str| {
        let mut user = teams(id, name);
        user.mail_nickname = Some(nickname.to_owned());
        user
    };
    let there = vec![
        user("t1", "Adele Vance", "adele"),
        user("t2", "Bert Brecht (Berlin)", "bert"),
        user("t3", "Carl One", "carl"),
        user("t4", "Carl Two", "carl"),
    ];
    let here = vec![
        pbx("avance", "Adele Vance"),
        pbx("bert", "Bert Brecht"),
        pbx("carl", "Carl One"),
    ];
    World::new(there, here).build()
}

fn names(turns: &[Turn]) -> Vec<&str> {
    turns.iter().filter_map(|turn| turn.h323.as_deref()).collect()
}

#[test]
fn gains_losses_and_ambiguities_are_told_before_anything_changes() {
    let now = directory();
    let then = now.under(&rule(PbxField::H323, MicrosoftField::MailNickname, false));
    let preview = now.preview(&then, LICENSE);
    assert_eq!(names(&preview.gains), ["bert"]);
    assert_eq!(names(&preview.losses), ["avance", "carl"]);
    assert_eq!(names(&preview.ambiguities), ["carl"]);
    assert_eq!(preview.unchanged, 0);
    let counts = |matched| Counts {
        teams: 4,
        pbx: 3,
        matched,
    };
    assert_eq!((preview.now, preview.then), (counts(2), counts(1)));
    assert_eq!(preview.losses[1].reason, Some(Reason::Ambiguous));
    assert!(preview.losses[1].explanation.contains("make the values unique"));
}

#[test]
fn the_present_rule_gains_and_loses_nothing() {
    let now = directory();
    let preview = now.preview(&now.under(now.rule()), LICENSE);
    assert!(preview.gains.is_empty() && preview.losses.is_empty());
    assert_eq!(preview.unchanged, 2);
    assert_eq!(now.under(now.rule()), now);
}
