//! What is concluded from what a PBX does not tell, and what an administrator is told to do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use m365_presence::visibility::{Hidden, LineSight, Sight, Subscription, Unseen, hidden};

fn sight(subscription: Subscription, lines: LineSight) -> Sight {
    Sight {
        app_objects: vec!["m365".to_owned()],
        h323: "anna".to_owned(),
        subscription,
        lines,
        phone_entry_seen: false,
    }
}

fn found(sight: &Sight) -> Vec<Unseen> {
    hidden(sight, false).iter().map(|hidden| hidden.what).collect()
}

#[test]
fn whoever_is_told_wholly_hides_nothing() {
    let all = sight(Subscription::Told, LineSight::Told);
    assert_eq!(hidden(&all, false), []);
}

#[test]
fn silence_and_refusals_are_told_with_the_place_of_the_visibility() {
    let refused = Subscription::Refused {
        message: "no such object".to_owned(),
    };
    for (subscription, word) in [
        (Subscription::Silent, "tells nothing"),
        (Subscription::Unallowed, "no visibility allows"),
        (refused, "no such object"),
    ] {
        let found = hidden(&sight(subscription, LineSight::Told), false);
        let [Hidden { what, cause, remedy }] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!(*what, Unseen::Presence);
        assert!(cause.contains(word), "{cause}");
        for word in [
            "Presence",
            "On the phone",
            "m365",
            "PBX > Objects > anna > Visibility",
        ] {
            assert!(remedy.contains(word), "{remedy}");
        }
    }
}

#[test]
fn nothing_is_concluded_in_the_first_moment() {
    assert_eq!(found(&sight(Subscription::Fresh, LineSight::Unlisted)), []);
}

#[test]
fn an_entry_of_ours_that_is_never_shown_tells_that_the_entries_are_hidden() {
    let told = hidden(&sight(Subscription::Told, LineSight::Told), true);
    assert_eq!(
        told.iter().map(|hidden| hidden.what).collect::<Vec<_>>(),
        [Unseen::Entries]
    );
    let silent = hidden(&sight(Subscription::Silent, LineSight::Told), true);
    assert_eq!(
        silent.len(),
        1,
        "the whole presence is hidden, and told once: {silent:?}"
    );
}

#[test]
fn calls_are_seen_by_line_states_or_by_an_entry() {
    let lines = |lines| sight(Subscription::Told, lines);
    let refused = LineSight::Refused {
        why: "refuses its line states: busy".to_owned(),
    };
    for (unseen, word) in [
        (LineSight::NoRight, "checkmark RCC"),
        (refused, "On the phone"),
        (LineSight::Unlisted, "access to the App"),
        (LineSight::HomeAway, "connect"),
    ] {
        let mut sight = lines(unseen);
        let told = hidden(&sight, false);
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told.first().map(|hidden| hidden.what), Some(Unseen::OnThePhone));
        assert!(told.iter().all(|hidden| hidden.remedy.contains(word)), "{told:?}");
        sight.phone_entry_seen = true;
        assert_eq!(hidden(&sight, false), [], "an entry tells as well");
    }
}
