//! What the board tells of itself.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::{Board, Brake, ClaimState, Member, PbxSight, PersonView, Remains, Side};
use crate::identity::{PbxGuid, PbxName};

/// Users of the board, counted by how they fare.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub people: usize,
    /// Those whose two sides are known.
    pub synchronised: usize,
    /// Those who are being released.
    pub leaving: usize,
    /// Those of whom a side does not show what was decided.
    pub divergent: usize,
    /// Those whose entry of ours the PBX has taken and does not show.
    pub entries_unseen: usize,
    /// Those for whom something is or should be set in Teams, by how it stands.
    pub claims: BTreeMap<ClaimState, usize>,
}

impl Board {
    /// What an administrator sees of one person.
    pub fn view(&self, user: &PbxGuid, now: DateTime<Utc>) -> Option<PersonView> {
        let nothing = PbxSight::default();
        let sight = self.sights.get(user).unwrap_or(&nothing);
        self.people
            .get(user)
            .map(|person| person.view(sight, now, &self.rules))
    }

    /// Counts users by how they fare.
    pub fn tally(&self, now: DateTime<Utc>) -> Tally {
        let nothing = PbxSight::default();
        let mut tally = Tally::default();
        for (user, person) in &self.people {
            let sight = self.sights.get(user).unwrap_or(&nothing);
            let standing = person.standing(sight, now, &self.rules);
            let state = standing.map(|standing| standing.state);
            if let Some(state) = state {
                *tally.claims.entry(state).or_default() += 1;
            }
            tally.people += 1;
            tally.leaving += usize::from(person.leaving);
            tally.synchronised += usize::from(person.both_known(sight));
            tally.entries_unseen += usize::from(person.entry_unseen());
            let note = person.note_standing(sight, now, &self.rules);
            let note = note.map(|note| note.state);
            tally.divergent += usize::from(person.is_divergent(sight, state, note));
        }
        tally
    }

    /// How many states of a side waited because of a brake.
    pub fn held_back(&self, side: Side, brake: Brake) -> u64 {
        self.held.get(&(side, brake)).copied().unwrap_or_default()
    }

    /// Looks at Teams so far that showed nothing but what we had set there.
    pub fn echoes(&self) -> u64 {
        self.echoes
    }

    /// Everybody on the board, leaving ones included.
    pub fn people(&self) -> impl Iterator<Item = (&Member, bool)> {
        self.people
            .values()
            .map(|person| (&person.member, person.leaving))
    }

    /// What a user is called at the PBX.
    pub fn name(&self, user: &PbxGuid) -> Option<&str> {
        self.people
            .get(user)
            .map(|person| person.member.pbx.h323.as_str())
    }

    /// The PBX where a user lives.
    pub fn home(&self, user: &PbxGuid) -> Option<&PbxName> {
        self.people.get(user).map(|person| &person.member.pbx.home)
    }

    /// Whether everything of ours is released and nobody is left.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }

    /// Whether everything of ours is released but what an administrator holds back.
    pub fn has_released(&self) -> bool {
        let nothing = PbxSight::default();
        self.people.iter().all(|(user, person)| {
            let sight = self.sights.get(user).unwrap_or(&nothing);
            person.is_released_as_far_as_allowed(sight, &self.rules)
        })
    }

    /// What of ours stands on both sides.
    pub fn remains(&self) -> Remains {
        let nothing = PbxSight::default();
        let mut remains = Remains::default();
        for (user, person) in &self.people {
            remains += person.remaining(self.sights.get(user).unwrap_or(&nothing), &self.rules);
        }
        remains
    }

    /// States that no row of the mapping names, with the number of times that each was seen.
    pub fn unmapped(&self) -> &BTreeMap<String, u64> {
        &self.unmapped
    }
}
