//! What holds for every directory.

use std::collections::{BTreeMap, BTreeSet};

use m365_presence::matching::{Directory, MatchRule, MicrosoftField, PbxField};
use m365_presence::pbx::PbxUser;
use m365_presence::teams::TeamsUser;
use proptest::prelude::*;

use crate::samples::{pbx, rule, teams};

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
