//! Whom the directory suggests where the rule finds nobody.

use m365_presence::matching::{Difference, Match, MicrosoftField, PbxField, Reason};

use crate::samples::{World, explained, pair, pairs, pbx, rule, teams};

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
