//! Which values are equal, and what duplicates do.

use m365_presence::identity::{PbxGuid, TeamsId};
use m365_presence::matching::{Match, MatchRule, MicrosoftField, PbxField, Reason};

use crate::samples::{World, explained, pair, pairs, pbx, reason_at_the_pbx, reason_in_teams, rule, teams};

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
