//! The timeline of the users, and its bounds.

use m365_presence::board::{Place, Seen, Side, Verdict};
use m365_presence::identity::PbxGuid;
use m365_presence::ports::{TIMELINE_ALTOGETHER, TIMELINE_DAYS, TimelineRow, TimelineStore};
use m365_presence::timeline::{Decided, Hops, Item, Write, WriteOutcome};

use crate::stage::time;

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

fn transition(user: &str, number: i64) -> TimelineRow {
    TimelineRow {
        user: PbxGuid::new(user),
        item: Item {
            number,
            at: time(number),
            seen: vec![Seen {
                place: Place::TeamsNotified,
                what: "Busy/\"Odd\" é".to_owned(),
                verdict: Some(Verdict::BelievedUnconfirmed),
                at: Some(time(1)),
            }],
            decided: Decided {
                why: "because".to_owned(),
                held: Vec::new(),
            },
            written: vec![Write {
                side: Side::Pbx,
                what: "busy".to_owned(),
                outcome: Some(WriteOutcome::Accepted),
                detail: None,
                took_ms: Some(1.5),
            }],
            hops_ms: Hops {
                received_to_opened: Some(0.25),
                ..Hops::default()
            },
        },
    }
}

async fn numbers(store: &dyn TimelineStore, user: &str) -> Vec<i64> {
    let items = store.timeline(&PbxGuid::new(user), None, 10_000).await.unwrap();
    items.iter().map(|item| item.number).collect()
}

pub async fn the_timeline_of_a_user_comes_newest_first_and_page_by_page(store: &dyn TimelineStore) {
    let rows: Vec<_> = (1..=10)
        .flat_map(|number| [transition("01ab", number), transition("02cd", number)])
        .collect();
    assert_eq!(store.newest_in_timeline().await.unwrap(), None);
    store.add_to_timeline(&rows).await.unwrap();
    let user = PbxGuid::new("01ab");
    let first = store.timeline(&user, None, 3).await.unwrap();
    assert_eq!(first[0], transition("01ab", 10).item);
    let next = store.timeline(&user, Some(first[2].number), 3).await.unwrap();
    assert_eq!(next.iter().map(|item| item.number).collect::<Vec<_>>(), [7, 6, 5]);
    assert!(numbers(store, "nobody").await.is_empty());
    assert_eq!(store.newest_in_timeline().await.unwrap(), Some(10));
    store.add_to_timeline(&[]).await.unwrap();
    assert_eq!(numbers(store, "02cd").await.len(), 10);
}

pub async fn the_timeline_is_bounded_per_user_and_by_age(store: &dyn TimelineStore) {
    let rows: Vec<_> = (1..=150).map(|number| transition("01ab", number)).collect();
    store.add_to_timeline(&rows).await.unwrap();
    let expected: Vec<i64> = (51..=150).rev().collect();
    assert_eq!(numbers(store, "01ab").await, expected);
    store
        .add_to_timeline(&[transition("02cd", 100 + TIMELINE_DAYS * DAY)])
        .await
        .unwrap();
    let expected: Vec<i64> = (101..=150).rev().collect();
    assert_eq!(numbers(store, "01ab").await, expected);
}

pub async fn the_timeline_is_bounded_altogether(store: &dyn TimelineStore) {
    let most = usize::try_from(TIMELINE_ALTOGETHER).unwrap();
    let users: Vec<String> = (0..most / 100 + 5).map(|user| format!("{user:032x}")).collect();
    for users in users.chunks(100) {
        let rows: Vec<_> = users
            .iter()
            .flat_map(|user| {
                let place = i64::from_str_radix(user, 16).unwrap();
                (1..=100).map(move |number| transition(user, place * 100 + number))
            })
            .collect();
        store.add_to_timeline(&rows).await.unwrap();
    }
    assert!(numbers(store, &users[4]).await.is_empty());
    assert_eq!(numbers(store, &users[5]).await.len(), 100);
}
