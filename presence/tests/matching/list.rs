//! The directory as a list, its sentences and its growth.

use std::time::Instant;

use m365_presence::identity::PbxName;
use m365_presence::matching::{Directory, Position, Reason};

use crate::samples::{LICENSE, World, explained, pbx, teams};

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
