//! Who has the app open, and what each of them may see.
//!
//! One look a second serves everybody, so what a visitor costs is his part of that look; without visitors nothing is
//! looked at. A visitor is told what has changed. Only the newest state waits for somebody who is slow to take it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use m365_pbx::LoggedIn;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use tokio::sync::{Notify, watch};

use crate::view::lights::Lights;
use crate::view::overview::Posts;
use crate::view::users::{Own, Terms, Whom};

/// Sessions of people that are open at a time; PBXs and Microsoft have their own places.
const PLACES: usize = 1_000;

/// Sessions that one person may have open; a further one takes the place of the oldest.
const PLACES_EACH: usize = 8;

/// What a visitor is told, as JSON.
pub(crate) type Told = Arc<RawValue>;

/// Who has logged in.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    whom: Whom,
    /// Came by the administrators' App.
    administrator: bool,
    /// The login says that the license is lacking.
    unlicensed: bool,
}

impl Visitor {
    /// Reads off a login who it is. `administrators_app` is the app that only administrators can open at the PBX.
    pub(crate) fn of(guest: &LoggedIn, administrators_app: &str) -> Self {
        Self {
            whom: Whom {
                guid: guest.guid.clone(),
                h323: guest.sip.clone(),
            },
            administrator: guest.app == administrators_app,
            unlicensed: guest.unlicensed && !guest.test_mode,
        }
    }

    fn is_same_person_as(&self, other: &Self) -> bool {
        self.whom.h323.eq_ignore_ascii_case(&other.whom.h323)
    }

    /// What this visitor may see.
    fn sight(&self, own: Own, terms: &Terms, lights: &Lights) -> serde_json::Value {
        let named = |name: &String| name.eq_ignore_ascii_case(&self.whom.h323);
        let administrator = self.administrator || terms.administrators.iter().any(named);
        let known = match &own {
            Own::Starting => "starting",
            Own::Stranger => "unknown",
            Own::Known(..) => "known",
        };
        let (user, explanation) = match own {
            // what the connector knows of licenses is newer than what the login told
            Own::Known(state, explanation) if self.unlicensed && !state.licensed => {
                (Some(state.unlicensed()), Some(explanation))
            }
            Own::Known(state, explanation) => (Some(*state), Some(explanation)),
            Own::Starting | Own::Stranger => (None, None),
        };
        let mut sight = json!({
            "known": known,
            "user": user,
            "license": terms.license,
            "administrator": administrator,
        });
        if administrator && let Some(sight) = sight.as_object_mut() {
            sight.insert("explanation".to_owned(), json!(explanation));
            sight.insert("lights".to_owned(), json!(lights));
            sight.insert("version".to_owned(), json!(env!("CARGO_PKG_VERSION")));
        }
        sight
    }
}

/// Everybody who has the app open; clones are the same room.
#[derive(Clone, Default)]
pub struct Visitors {
    room: Arc<Mutex<Room>>,
    arrival: Arc<Notify>,
}

#[derive(Default)]
struct Room {
    next_number: u64,
    /// The oldest first.
    places: BTreeMap<u64, Place>,
    turned_away: u64,
}

struct Place {
    visitor: Visitor,
    told: watch::Sender<Option<Told>>,
}

/// A visitor's place, until it is dropped.
pub(crate) struct Seat {
    number: u64,
    room: Arc<Mutex<Room>>,
    /// What the visitor is to be told; closed when the place is needed for somebody else.
    pub(crate) told: watch::Receiver<Option<Told>>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        lock(&self.room).places.remove(&self.number);
    }
}

impl Visitors {
    /// Takes a place; `None` when there is no room.
    pub(crate) fn enter(&self, visitor: Visitor) -> Option<Seat> {
        let mut room = lock(&self.room);
        let of_the_same = |place: &Place| place.visitor.is_same_person_as(&visitor);
        let mine = room.places.iter().filter(|(_, place)| of_the_same(place));
        let mine: Vec<u64> = mine.map(|(number, _)| *number).collect();
        if let Some(oldest) = mine.first().filter(|_| mine.len() >= PLACES_EACH) {
            room.places.remove(oldest);
        }
        if room.places.len() >= PLACES {
            room.turned_away += 1;
            let count = room.turned_away;
            if count.is_power_of_two() {
                log::warn!(count; "more than {PLACES} people have the app open; a further one is turned away");
            }
            return None;
        }
        let (told, receiver) = watch::channel(None);
        let number = room.next_number;
        room.next_number += 1;
        room.places.insert(number, Place { visitor, told });
        self.arrival.notify_one();
        Some(Seat {
            number,
            room: Arc::clone(&self.room),
            told: receiver,
        })
    }

    /// How many sessions are open.
    pub fn count(&self) -> usize {
        lock(&self.room).places.len()
    }

    /// Resolves when somebody has come since the last time.
    pub async fn arrival(&self) {
        self.arrival.notified().await;
    }

    /// Looks on behalf of everybody, and tells each what has changed for him.
    pub async fn tell(&self, posts: &Posts, terms: &Terms, lights: &Lights) {
        self.tell_those(|_| true, posts, terms, lights).await;
    }

    /// Looks on behalf of those who have been told nothing yet.
    pub async fn tell_newcomers(&self, posts: &Posts, terms: &Terms, lights: &Lights) {
        let new = |place: &Place| place.told.borrow().is_none();
        self.tell_those(new, posts, terms, lights).await;
    }

    async fn tell_those(
        &self,
        chosen: impl Fn(&Place) -> bool,
        posts: &Posts,
        terms: &Terms,
        lights: &Lights,
    ) {
        let visitors: Vec<(u64, Visitor)> = lock(&self.room)
            .places
            .iter()
            .filter(|(_, place)| chosen(place))
            .map(|(number, place)| (*number, place.visitor.clone()))
            .collect();
        if visitors.is_empty() {
            return;
        }
        let people: Vec<Whom> = visitors.iter().map(|(_, visitor)| visitor.whom.clone()).collect();
        // what is unknown is not empty: everybody keeps the last whole picture
        let Some(states) = posts.own_states(&people, terms).await else {
            return;
        };
        let room = lock(&self.room);
        for ((number, visitor), own) in visitors.into_iter().zip(states) {
            let Ok(sight) = to_raw_value(&visitor.sight(own, terms, lights)) else {
                continue;
            };
            if let Some(place) = room.places.get(&number) {
                place.told.send_if_modified(|told| {
                    let is_new = told.as_ref().is_none_or(|old| old.get() != sight.get());
                    if is_new {
                        *told = Some(sight.into());
                    }
                    is_new
                });
            }
        }
    }
}

fn lock(room: &Mutex<Room>) -> MutexGuard<'_, Room> {
    room.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use m365_presence::identity::PbxGuid;

    use super::*;

    fn visitor(name: &str) -> Visitor {
        Visitor {
            whom: Whom {
                guid: PbxGuid::new(""),
                h323: name.to_owned(),
            },
            administrator: false,
            unlicensed: false,
        }
    }

    #[test]
    fn a_further_session_of_the_same_person_takes_the_place_of_the_oldest() {
        let visitors = Visitors::default();
        let seats: Vec<_> = (0..=PLACES_EACH)
            .map(|_| visitors.enter(visitor("anna")).unwrap())
            .collect();
        assert_eq!(visitors.count(), PLACES_EACH);
        assert!(seats[0].told.has_changed().is_err(), "the oldest is shown out");
        assert!(seats[1].told.has_changed().is_ok());
        drop(seats);
        assert_eq!(visitors.count(), 0);
    }

    #[test]
    fn when_there_is_no_room_a_newcomer_is_turned_away_until_somebody_leaves() {
        let visitors = Visitors::default();
        let mut seats: Vec<_> = (0..PLACES)
            .map(|number| visitors.enter(visitor(&number.to_string())).unwrap())
            .collect();
        assert!(visitors.enter(visitor("late")).is_none());
        seats.pop();
        assert!(visitors.enter(visitor("late")).is_some());
    }
}
