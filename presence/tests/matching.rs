//! Who is who, and why somebody is nobody.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use m365_presence::identity::{PbxGuid, PbxName, TeamsId};
use m365_presence::matching::{
    Difference, Directory, Match, MatchRule, MicrosoftField, PbxField, Position, Reason,
};
use m365_presence::pbx::PbxUser;
use m365_presence::teams::TeamsUser;
use proptest::prelude::*;

const LICENSE: &str = "App(innovaphone-microsoft365)";

fn teams(id: &str, display_name: &str) -> TeamsUser {
    TeamsUser {
        id: TeamsId::new(id),
        display_name: Some(display_name.to_owned()),
        mail: None,
        mail_nickname: None,
        on_premises_distinguished_name: None,
        on_premises_sam_account_name: None,
        on_premises_user_principal_name: None,
        user_principal_name: None,
        account_enabled: true,
        guest: false,
        teams_plan: true,
    }
}

fn pbx(h323: &str, cn: &str) -> PbxUser {
    PbxUser {
        guid: PbxGuid::new(format!("guid-{h323}")),
        h323: h323.into(),
        cn: cn.into(),
        home: PbxName::new("pbx"),
    }
}

fn rule(pbx: PbxField, microsoft: MicrosoftField, strip_domain: bool) -> MatchRule {
    MatchRule {
        pbx,
        microsoft,
        strip_domain,
    }
}

#[derive(Default)]
struct World {
    teams: Vec<TeamsUser>,
    pbx: Vec<PbxUser>,
    rule: MatchRule,
    overrides: BTreeMap<String, String>,
    excluded: BTreeSet<String>,
}

impl World {
    fn new(teams: Vec<TeamsUser>, pbx: Vec<PbxUser>) -> Self {
        Self {
            teams,
            pbx,
            ..Self::default()
        }
    }

    fn by(mut self, rule: MatchRule) -> Self {
        self.rule = rule;
        self
    }

    fn bind(mut self, h323: &str, teams: &str) -> Self {
        self.overrides.insert(h323.to_owned(), teams.to_owned());
        self
    }

    fn exclude(mut self, h323: &str) -> Self {
        self.excluded.insert(h323.to_owned());
        self
    }

    fn build(&self) -> Directory {
        Directory::build(
            &self.teams,
            &self.pbx,
            &self.rule,
            &self.overrides,
            &self.excluded,
        )
    }
}

fn reason_at_the_pbx(directory: &Directory, h323: &str) -> Option<Reason> {
    directory.by_h323(h323).unwrap().verdict.reason()
}

fn reason_in_teams(directory: &Directory, id: &str) -> Option<Reason> {
    directory.by_teams_id(&TeamsId::new(id)).unwrap().verdict.reason()
}

fn pairs(directory: &Directory) -> Vec<(String, String)> {
    directory
        .pairs()
        .map(|(pbx, teams)| (pbx.h323.clone(), teams.id.to_string()))
        .collect()
}

fn explained(directory: &Directory, h323: &str) -> String {
    let entry = directory.by_h323(h323).unwrap();
    directory.explanation(entry, entry.verdict.reason().unwrap(), LICENSE)
}

fn pair(h323: &str, id: &str) -> (String, String) {
    (h323.to_owned(), id.to_owned())
}

// ---------------------------------------------------------------------------------------------- the rule

#[test]
fn long_name_and_display_name_are_compared_unless_configured_otherwise() {
    let directory = World::new(
        vec![teams("t1", "Adele Vance")],
        vec![pbx("avance", "Adele Vance")],
    )
    .build();
    assert_eq!(pairs(&directory), [pair("avance", "t1")]);
    let entry = directory.by_h323("AVANCE").unwrap();
    let (guid, id) = (PbxGuid::new("guid-avance"), TeamsId::new("t1"));
    assert_eq!(
        entry.verdict,
        Match::Matched {
            teams: id.clone(),
            pbx: guid.clone()
        }
    );
    assert_eq!(directory.by_guid(&guid), Some(entry));
    assert_eq!(directory.by_teams_id(&id), Some(entry));
    assert_eq!(directory.entries().len(), 1);
}

#[test]
fn case_and_surrounding_blanks_do_not_matter_in_any_script() {
    for (long_name, display_name) in [
        ("ÄRZTE Zentrum ", "ärzte zentrum"),
        (" Жанна", "ЖАННА"),
        ("adele vance", "Adele Vance\t"),
    ] {
        let directory = World::new(vec![teams("t1", display_name)], vec![pbx("a", long_name)]).build();
        assert_eq!(pairs(&directory).len(), 1, "{long_name}");
    }
}

#[test]
fn every_field_of_microsoft_can_be_chosen() {
    let mut user = teams("t1", "display");
    user.mail = Some("mail@x.com".into());
    user.mail_nickname = Some("nick".into());
    user.on_premises_distinguished_name = Some("CN=dn,DC=x".into());
    user.on_premises_sam_account_name = Some("sam".into());
    user.on_premises_user_principal_name = Some("onprem@x.local".into());
    user.user_principal_name = Some("upn@x.com".into());
    let values = [
        ("displayName", "display"),
        ("mail", "mail@x.com"),
        ("mailNickname", "nick"),
        ("onPremisesDistinguishedName", "CN=dn,DC=x"),
        ("onPremisesSamAccountName", "sam"),
        ("onPremisesUserPrincipalName", "onprem@x.local"),
        ("userPrincipalName", "upn@x.com"),
    ];
    assert_eq!(MicrosoftField::ALL.len(), values.len());
    for (name, value) in values {
        let field: MicrosoftField = name.parse().unwrap();
        assert_eq!(field.to_string(), name);
        for (pbx_field, at_pbx) in [
            (PbxField::Cn, pbx("other", value)),
            (PbxField::H323, pbx(value, "other")),
        ] {
            let world = World::new(vec![user.clone()], vec![at_pbx]).by(rule(pbx_field, field, false));
            assert_eq!(pairs(&world.build()).len(), 1, "{pbx_field} = {name}");
        }
    }
}

#[test]
fn rules_are_configured_by_the_names_of_the_fields() {
    let text = r#"{"pbx":"h323","microsoft":"onPremisesSamAccountName","strip_domain":true}"#;
    let rule: MatchRule = serde_json::from_str(text).unwrap();
    assert_eq!(
        rule,
        self::rule(PbxField::H323, MicrosoftField::OnPremisesSamAccountName, true)
    );
    assert_eq!(serde_json::to_string(&rule).unwrap(), text);
    let error = "samAccountName".parse::<MicrosoftField>().unwrap_err();
    assert!(error.to_string().contains("onPremisesSamAccountName"), "{error}");
    assert!("e164".parse::<PbxField>().is_err());
}

#[test]
fn the_domain_is_removed_from_the_microsoft_value_only() {
    let mut user = teams("t1", "x");
    user.mail = Some("user@domain.tld".into());
    let by = |strip| rule(PbxField::H323, MicrosoftField::Mail, strip);
    let of = |h323: &str, strip| {
        World::new(vec![user.clone()], vec![pbx(h323, "")])
            .by(by(strip))
            .build()
    };
    assert_eq!(pairs(&of("user", true)), [pair("user", "t1")]);
    assert_eq!(pairs(&of("user", false)), []);
    assert_eq!(
        pairs(&of("user@domain.tld", false)),
        [pair("user@domain.tld", "t1")]
    );
    assert_eq!(pairs(&of("user@domain.tld", true)), []);
}

#[test]
fn an_empty_value_matches_nobody() {
    let mut nameless = teams("t1", "");
    nameless.display_name = None;
    let directory = World::new(
        vec![nameless, teams("t2", "  ")],
        vec![pbx("a", ""), pbx("b", " ")],
    )
    .build();
    assert_eq!(pairs(&directory), []);
    assert_eq!(reason_at_the_pbx(&directory, "a"), Some(Reason::NoMatch));
    assert!(explained(&directory, "a").contains("Long Name (cn)"));

    let mut only_domain = teams("t3", "x");
    only_domain.mail = Some("@domain.tld".into());
    let world = World::new(vec![only_domain], vec![pbx("a", "")]);
    let directory = world.by(rule(PbxField::Cn, MicrosoftField::Mail, true)).build();
    assert_eq!(pairs(&directory), []);
}

// ---------------------------------------------------------------------------------------------- duplicates

#[test]
fn duplicates_on_either_side_are_ambiguous_and_never_chosen() {
    let sides = [
        (vec!["t1", "t2"], vec!["a"]),
        (vec!["t1"], vec!["a", "b"]),
        (vec!["t1", "t2"], vec!["a", "b"]),
    ];
    for (ids, names) in sides {
        let world = World::new(
            ids.iter().map(|id| teams(id, "Max")).collect(),
            names.iter().map(|name| pbx(name, "max")).collect(),
        );
        let directory = world.build();
        assert_eq!(pairs(&directory), []);
        for id in &ids {
            assert_eq!(reason_in_teams(&directory, id), Some(Reason::Ambiguous));
        }
        for name in &names {
            assert_eq!(reason_at_the_pbx(&directory, name), Some(Reason::Ambiguous));
            let sentence = explained(&directory, name);
            for rival in &names {
                assert!(sentence.contains(rival), "{sentence}");
            }
        }
    }
}

#[test]
fn duplicates_without_a_counterpart_are_no_match() {
    let directory = World::new(
        vec![teams("t1", "Max"), teams("t2", "Max")],
        vec![pbx("a", "Zoe")],
    )
    .build();
    assert_eq!(reason_in_teams(&directory, "t1"), Some(Reason::NoMatch));
    assert_eq!(reason_at_the_pbx(&directory, "a"), Some(Reason::NoMatch));
}

#[test]
fn one_user_listed_twice_is_no_duplicate() {
    let newer = teams("T1", "Max");
    let directory = World::new(
        vec![teams("t1", "Maximilian"), newer],
        vec![pbx("max", "Max"), pbx("max", "Max")],
    )
    .build();
    assert_eq!(pairs(&directory), [pair("max", "t1")]);
    assert_eq!(directory.counts().pbx, 1);
}

#[test]
fn two_pbx_users_of_the_same_name_are_both_listed() {
    let mut twin = pbx("max", "Max B");
    twin.guid = PbxGuid::new("guid-0");
    let directory = World::new(vec![teams("t1", "Max A")], vec![pbx("max", "Max A"), twin]).build();
    assert_eq!(directory.entries().len(), 2);
    // the matched one answers to the name
    assert_eq!(reason_at_the_pbx(&directory, "max"), None);
    assert!(directory.by_guid(&PbxGuid::new("guid-0")).is_some());
}

// ---------------------------------------------------------------------------------------------- who is no candidate

fn ineligible() -> [(TeamsUser, Reason); 3] {
    let (mut disabled, mut guest, mut unlicensed) =
        (teams("t1", "Max"), teams("t1", "Max"), teams("t1", "Max"));
    disabled.account_enabled = false;
    guest.guest = true;
    unlicensed.teams_plan = false;
    [
        (disabled, Reason::AccountDisabled),
        (guest, Reason::Guest),
        (unlicensed, Reason::NoTeamsLicense),
    ]
}

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

// ---------------------------------------------------------------------------------------------- overrides

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

// ---------------------------------------------------------------------------------------------- near misses

fn near_miss(world: &World, h323: &str) -> Option<(Difference, MicrosoftField)> {
    let directory = world.build();
    let Match::NearMiss(suggestion) = &directory.by_h323(h323).unwrap().verdict else {
        return None;
    };
    let in_teams = &directory.by_teams_id(&suggestion.teams).unwrap().verdict;
    assert_eq!(in_teams.reason(), Some(Reason::NearMiss));
    let sentence = explained(&directory, h323);
    assert!(sentence.contains(&suggestion.microsoft_value), "{sentence}");
    Some((suggestion.difference, suggestion.microsoft_field))
}

#[test]
fn near_misses_in_spelling_are_suggested() {
    for (long_name, display_name) in [
        ("Jörg Müller", "Joerg Mueller"),
        ("Jörg Müller", "Jorg Muller"),
        ("Müller, Jörg", "Jörg Müller"),
        ("Mu\u{308}ller Jo\u{308}rg", "Jörg Müller"),
        ("Anne-Marie Weiß", "Anne Marie Weiss"),
        ("Seán O'Brien", "Sean OBrien"),
        ("Łukasz  Żak", "lukasz zak"),
    ] {
        let world = World::new(
            vec![teams("t1", display_name), teams("t2", "Zoe")],
            vec![pbx("a", long_name)],
        );
        let expected = Some((Difference::Spelling, MicrosoftField::DisplayName));
        assert_eq!(near_miss(&world, "a"), expected, "{long_name} and {display_name}");
    }
}

#[test]
fn a_match_that_only_lacks_the_domain_option_is_suggested() {
    let mut user = teams("t1", "Adele");
    user.mail = Some("adelev@contoso.com".into());
    let world =
        World::new(vec![user], vec![pbx("AdeleV", "")]).by(rule(PbxField::H323, MicrosoftField::Mail, false));
    assert_eq!(
        near_miss(&world, "adelev"),
        Some((Difference::Domain, MicrosoftField::Mail))
    );
    assert!(explained(&world.build(), "adelev").contains("strip_domain"));
}

#[test]
fn users_whose_other_fields_agree_are_suggested() {
    let mut user = teams("t1", "Vance, Adele (Sales)");
    user.mail = Some("adelev@contoso.com".into());
    user.on_premises_distinguished_name = Some("CN=Adele Vance,OU=Sales,DC=contoso".into());
    let world = World::new(vec![user.clone()], vec![pbx("adelev", "A. Vance")]);
    assert_eq!(
        near_miss(&world, "adelev"),
        Some((Difference::OtherField, MicrosoftField::Mail))
    );
    let world = World::new(vec![user], vec![pbx("17", "Adele Vance")]);
    let expected = Some((
        Difference::OtherField,
        MicrosoftField::OnPremisesDistinguishedName,
    ));
    assert_eq!(near_miss(&world, "17"), expected);
}

#[test]
fn nobody_is_suggested_where_several_are_as_near() {
    let world = World::new(
        vec![teams("t1", "Müller"), teams("t2", "Mueller")],
        vec![pbx("a", "Muller")],
    );
    assert_eq!(near_miss(&world, "a"), None);
}

#[test]
fn nobody_is_suggested_who_has_found_a_counterpart() {
    let world = World::new(
        vec![teams("t1", "Müller")],
        vec![pbx("a", "Müller"), pbx("b", "Mueller")],
    );
    assert_eq!(pairs(&world.build()), [pair("a", "t1")]);
    assert_eq!(near_miss(&world, "b"), None);
}

#[test]
fn short_forms_do_not_make_strangers_near() {
    let world = World::new(vec![teams("t1", "Max Meier")], vec![pbx("a", "Max Mayer")]);
    assert_eq!(near_miss(&world, "a"), None);
}

// ---------------------------------------------------------------------------------------------- the list

#[test]
fn the_list_is_ordered_by_h323_then_by_the_teams_name() {
    let directory = World::new(
        vec![teams("t3", "zoe"), teams("t2", "Anton"), teams("t1", "Max")],
        vec![pbx("carl", "Carl"), pbx("Bob", "Max"), pbx("alice", "Alice")],
    )
    .build();
    let names: Vec<String> = directory
        .entries()
        .iter()
        .map(|entry| match (&entry.pbx, &entry.teams) {
            (Some(pbx), _) => pbx.h323.clone(),
            (None, teams) => teams.as_ref().unwrap().display_name.clone().unwrap(),
        })
        .collect();
    assert_eq!(names, ["alice", "Bob", "carl", "Anton", "zoe"]);
    let counts = directory.counts();
    assert_eq!((counts.teams, counts.pbx, counts.matched), (3, 3, 1));
}

#[test]
fn paging_goes_on_after_a_user_who_has_left() {
    let all = World::new(
        vec![teams("t9", "Zoe")],
        vec![pbx("a", ""), pbx("b", ""), pbx("c", "")],
    );
    let position = all.build().entries()[1].position();
    let without = World::new(all.teams.clone(), vec![pbx("a", ""), pbx("c", "")]).build();
    let rest: Vec<Position> = without
        .after(&position)
        .iter()
        .map(m365_presence::matching::Entry::position)
        .collect();
    assert_eq!(rest.len(), 2);
    let text = serde_json::to_string(&position).unwrap();
    assert_eq!(serde_json::from_str::<Position>(&text).unwrap(), position);
    assert!(without.after(&rest[1]).is_empty());
}

#[test]
fn every_reason_is_one_sentence_with_the_users_name() {
    let mut user = pbx("adelev", "Adele");
    user.home = PbxName::new("branch");
    let directory = World::new(vec![], vec![user]).build();
    let entry = directory.by_h323("adelev").unwrap();
    for reason in Reason::ALL {
        let sentence = directory.explanation(entry, reason, LICENSE);
        assert!(
            sentence.contains("adelev") && sentence.ends_with('.'),
            "{sentence}"
        );
        let spelt = serde_json::to_value(reason).unwrap();
        assert_eq!(spelt, reason.as_str());
    }
    assert!(
        directory
            .explanation(entry, Reason::NoLicense, LICENSE)
            .contains(LICENSE)
    );
    assert!(
        directory
            .explanation(entry, Reason::PbxAway, LICENSE)
            .contains("branch")
    );
}

#[test]
fn long_lists_of_rivals_are_cut() {
    let many = (0..50)
        .map(|number| pbx(&format!("user{number:02}"), "Reception"))
        .collect();
    let directory = World::new(vec![teams("t1", "Reception")], many).build();
    let sentence = explained(&directory, "user07");
    assert!(
        sentence.contains("user00") && sentence.contains("47 more"),
        "{sentence}"
    );
}

#[test]
fn the_directory_is_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Directory>();
}

/// Growth is what matters: a quadratic step would take some 256 times as long for 16 times as many users.
#[test]
fn building_grows_linearly_even_when_everybody_has_the_same_name() {
    let world = |count: usize, same: bool| {
        let name = |number: usize| {
            if same {
                "Room".to_owned()
            } else {
                format!("User {number}")
            }
        };
        World::new(
            (0..count)
                .map(|number| teams(&format!("t{number}"), &format!("{}é", name(number))))
                .collect(),
            (0..count)
                .map(|number| pbx(&format!("h{number}"), &format!("{}e", name(number))))
                .collect(),
        )
    };
    for same in [false, true] {
        let took = |count: usize| {
            let world = world(count, same);
            let fastest = (0..3).map(|_| {
                let begun = Instant::now();
                assert_eq!(world.build().counts().matched, 0);
                begun.elapsed()
            });
            fastest.min().unwrap()
        };
        let (small, large) = (took(500), took(8_000));
        assert!(
            large < small * 100,
            "same names: {same}, {small:?} for 500 and {large:?} for 8,000 users"
        );
    }
}

// ---------------------------------------------------------------------------------------------- properties

fn some_teams() -> impl Strategy<Value = Vec<TeamsUser>> {
    let user = ("[abAäß]{0,2}", prop::option::of("[ab]{0,2}(@x)?"), 0..8_u8);
    prop::collection::vec(user, 0..12).prop_map(|users| {
        users
            .into_iter()
            .enumerate()
            .map(|(number, (name, mail, flags))| {
                let mut user = teams(&format!("t{number}"), &name);
                user.mail = mail;
                (user.account_enabled, user.guest, user.teams_plan) = (flags != 1, flags == 2, flags != 3);
                user
            })
            .collect()
    })
}

fn some_pbx() -> impl Strategy<Value = Vec<PbxUser>> {
    prop::collection::vec("[abAÄß]{0,2}", 0..12).prop_map(|names| {
        names
            .into_iter()
            .enumerate()
            .map(|(number, name)| pbx(&format!("h{number}"), &name))
            .collect()
    })
}

proptest! {
    #[test]
    fn everybody_is_listed_once_and_pairs_are_one_to_one(
        teams in some_teams(),
        pbx in some_pbx(),
        by_mail in any::<bool>(),
        strip_domain in any::<bool>(),
        overrides in prop::collection::btree_map("h[0-9]", "t[0-9]", 0..4),
        excluded in prop::collection::btree_set("h[0-9]", 0..3),
    ) {
        let microsoft = if by_mail { MicrosoftField::Mail } else { MicrosoftField::DisplayName };
        let rule = rule(PbxField::Cn, microsoft, strip_domain);
        let directory = Directory::build(&teams, &pbx, &rule, &overrides, &excluded);

        prop_assert!(directory.entries().is_sorted_by_key(|entry| entry.position()));
        for user in &teams {
            let of_user = |entry: &&m365_presence::matching::Entry| entry.teams.as_ref() == Some(user);
            prop_assert_eq!(directory.entries().iter().filter(of_user).count(), 1);
        }
        for user in &pbx {
            let of_user = |entry: &&m365_presence::matching::Entry| entry.pbx.as_ref() == Some(user);
            prop_assert_eq!(directory.entries().iter().filter(of_user).count(), 1);
        }
        for entry in directory.entries() {
            prop_assert_eq!(entry.pair().is_some(), entry.verdict.reason().is_none());
        }
        for (pbx_user, teams_user) in directory.pairs() {
            prop_assert!(teams_user.account_enabled && !teams_user.guest && teams_user.teams_plan);
            prop_assert!(!excluded.contains(&pbx_user.h323));
            if !overrides.contains_key(&pbx_user.h323) {
                let value = rule.pbx_key(pbx_user);
                prop_assert!(value.is_some());
                prop_assert_eq!(value, rule.microsoft_key(teams_user));
            }
        }
    }

    #[test]
    fn the_order_of_the_lists_does_not_matter(teams in some_teams(), pbx in some_pbx()) {
        let build = |teams: &[TeamsUser], pbx: &[PbxUser]| {
            Directory::build(teams, pbx, &MatchRule::default(), &BTreeMap::new(), &BTreeSet::new())
        };
        let (mut other_teams, mut other_pbx) = (teams.clone(), pbx.clone());
        other_teams.reverse();
        other_pbx.reverse();
        prop_assert_eq!(build(&teams, &pbx), build(&other_teams, &other_pbx));
    }
}
