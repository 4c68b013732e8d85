//! Who may be matched at all, and whom an override binds.

use m365_presence::matching::Reason;

use crate::samples::{
    World, explained, ineligible, pair, pairs, pbx, reason_at_the_pbx, reason_in_teams, teams,
};

#[test]
fn a_counterpart_who_cannot_be_synchronised_lends_its_reason() {
    for (user, reason) in ineligible() {
        let directory = World::new(vec![user], vec![pbx("max", "Max")]).build();
        assert_eq!(pairs(&directory), []);
        assert_eq!(reason_at_the_pbx(&directory, "max"), Some(reason));
        assert_eq!(reason_in_teams(&directory, "t1"), Some(reason));
        assert!(explained(&directory, "max").contains("Max"));
        assert_eq!(directory.counts().teams, 0);
    }
}

#[test]
fn who_is_no_candidate_makes_nobody_ambiguous() {
    for (user, reason) in ineligible() {
        let directory = World::new(vec![user, teams("t2", "Max")], vec![pbx("max", "Max")]).build();
        assert_eq!(pairs(&directory), [pair("max", "t2")]);
        assert_eq!(reason_in_teams(&directory, "t1"), Some(reason));
    }
}

#[test]
fn an_excluded_user_neither_matches_nor_makes_others_ambiguous() {
    let both = vec![pbx("max", "Max"), pbx("spare", "Max")];
    let directory = World::new(vec![teams("t1", "Max")], both)
        .exclude("SPARE")
        .build();
    assert_eq!(pairs(&directory), [pair("max", "t1")]);
    assert_eq!(reason_at_the_pbx(&directory, "spare"), Some(Reason::Excluded));

    let directory = World::new(vec![teams("t1", "Max")], vec![pbx("max", "Max")])
        .exclude("max")
        .build();
    assert_eq!(reason_at_the_pbx(&directory, "max"), Some(Reason::Excluded));
    assert_eq!(reason_in_teams(&directory, "t1"), Some(Reason::Excluded));
}

#[test]
fn an_override_binds_by_object_id_or_by_sign_in_name() {
    let mut user = teams("AAAA-1", "Somebody Else");
    user.user_principal_name = Some("Max@contoso.com".into());
    for wanted in ["aaaa-1", "max@CONTOSO.com", " AAAA-1 "] {
        let world = World::new(vec![user.clone()], vec![pbx("max", "Max")]).bind("MAX", wanted);
        assert_eq!(pairs(&world.build()), [pair("max", "aaaa-1")], "{wanted}");
    }
}

#[test]
fn an_override_resolves_an_ambiguity() {
    let world = World::new(
        vec![teams("t1", "Max"), teams("t2", "Max")],
        vec![pbx("a", "Max"), pbx("b", "Max")],
    );
    let directory = world.bind("a", "t2").build();
    assert_eq!(pairs(&directory), [pair("a", "t2"), pair("b", "t1")]);
}

#[test]
fn who_loses_the_counterpart_to_an_override_is_ambiguous() {
    let directory = World::new(
        vec![teams("t1", "Max")],
        vec![pbx("a", "Moritz"), pbx("b", "Max")],
    )
    .bind("a", "t1")
    .build();
    assert_eq!(pairs(&directory), [pair("a", "t1")]);
    assert_eq!(reason_at_the_pbx(&directory, "b"), Some(Reason::Ambiguous));

    let directory = World::new(
        vec![teams("t1", "Max"), teams("t2", "Moritz")],
        vec![pbx("a", "Max")],
    )
    .bind("a", "t2")
    .build();
    assert_eq!(pairs(&directory), [pair("a", "t2")]);
    assert_eq!(reason_in_teams(&directory, "t1"), Some(Reason::Ambiguous));
}

#[test]
fn two_overrides_to_one_account_are_ambiguous() {
    let world = World::new(
        vec![teams("t1", "Max")],
        vec![pbx("a", "Max"), pbx("b", "Moritz")],
    );
    let directory = world.bind("a", "t1").bind("b", "t1").build();
    assert_eq!(pairs(&directory), []);
    assert_eq!(reason_at_the_pbx(&directory, "a"), Some(Reason::Ambiguous));
    assert_eq!(reason_at_the_pbx(&directory, "b"), Some(Reason::Ambiguous));
    assert_eq!(reason_in_teams(&directory, "t1"), Some(Reason::Ambiguous));
}

#[test]
fn an_override_to_nobody_is_named_and_not_replaced_by_the_rule() {
    let directory = World::new(vec![teams("t1", "Max")], vec![pbx("a", "Max")])
        .bind("a", "gone@x")
        .build();
    assert_eq!(reason_at_the_pbx(&directory, "a"), Some(Reason::NoMatch));
    assert!(explained(&directory, "a").contains("gone@x"));
}

#[test]
fn an_override_to_an_account_that_cannot_be_synchronised_tells_its_reason() {
    for (user, reason) in ineligible() {
        let directory = World::new(vec![user], vec![pbx("a", "Zoe")])
            .bind("a", "t1")
            .build();
        assert_eq!(reason_at_the_pbx(&directory, "a"), Some(reason));
    }
}
