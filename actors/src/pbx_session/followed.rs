//! What one PBX has told: its user table, and presence and calls of the users that its session carries.

use std::collections::{BTreeMap, HashMap, HashSet};

use m365_presence::identity::PbxGuid;
use m365_presence::pbx::{PbxUser, PresenceEntry};

use crate::presence_sync::Sighting;

/// More users than any PBX has; beyond them nothing is concluded from a missing line state.
const MOST_LINES: usize = 100_000;

/// The pictures of one PBX. Each is told only once it is whole.
#[derive(Default)]
pub(super) struct Followed {
    table: BTreeMap<PbxGuid, PbxUser>,
    /// Rows of a replication that is not whole yet.
    arriving: Option<BTreeMap<PbxGuid, PbxUser>>,
    complete: bool,
    /// Whose presence is subscribed here, by which name.
    subscribed: BTreeMap<PbxGuid, String>,
    /// Whose calls are told here.
    residents: BTreeMap<PbxGuid, ()>,
    presence: HashMap<PbxGuid, Vec<PresenceEntry>>,
    calls: HashMap<PbxGuid, u32>,
    lines_complete: bool,
    /// Whose line states are told, as far as there is room.
    listed: HashSet<PbxGuid>,
}

/// A user whom this session carries, in one way or both.
pub(super) struct Carried {
    pub(super) user: PbxGuid,
    pub(super) h323: String,
    /// The user lives here, so the calls are told here.
    pub(super) resident: bool,
    /// The presence is followed here.
    pub(super) presence: bool,
}

/// What must be asked of the PBX after the directory changed.
#[derive(Default)]
pub(super) struct Changes {
    pub(super) subscribe: Vec<(PbxGuid, String)>,
    pub(super) unsubscribe: Vec<(PbxGuid, String)>,
    pub(super) sightings: Vec<Sighting>,
}

impl Followed {
    pub(super) fn begin_table(&mut self) {
        self.arriving = Some(BTreeMap::new());
        self.complete = false;
    }

    pub(super) fn list(&mut self, user: PbxUser) -> bool {
        let rows = self.arriving.as_mut().unwrap_or(&mut self.table);
        rows.insert(user.guid.clone(), user.clone()).as_ref() != Some(&user)
    }

    pub(super) fn remove(&mut self, user: &PbxGuid) -> bool {
        self.arriving
            .as_mut()
            .unwrap_or(&mut self.table)
            .remove(user)
            .is_some()
    }

    /// The table is whole; answers who stood in an earlier whole one as well.
    pub(super) fn complete_table(&mut self) -> Vec<PbxGuid> {
        let before = match self.arriving.take() {
            Some(rows) => std::mem::replace(&mut self.table, rows),
            None => BTreeMap::new(),
        };
        self.complete = true;
        before
            .into_keys()
            .filter(|user| self.table.contains_key(user))
            .collect()
    }

    /// The table, if it was ever whole.
    pub(super) fn table(&self) -> Option<Vec<PbxUser>> {
        self.complete.then(|| self.table.values().cloned().collect())
    }

    /// How many rows of a replication that is not whole have arrived; none when none is under way.
    pub(super) fn rows_arrived(&self) -> Option<usize> {
        self.arriving.as_ref().map(BTreeMap::len)
    }

    pub(super) fn table_len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn table_complete(&self) -> bool {
        self.complete
    }

    pub(super) fn lines_complete(&self) -> bool {
        self.lines_complete
    }

    pub(super) fn len(&self) -> usize {
        self.subscribed.len()
    }

    pub(super) fn told(&self) -> usize {
        self.presence.len()
    }

    pub(super) fn follows(&self, user: &PbxGuid) -> bool {
        self.subscribed.contains_key(user)
    }

    /// All whose presence is subscribed.
    pub(super) fn users(&self) -> impl Iterator<Item = &PbxGuid> {
        self.subscribed.keys()
    }

    /// The name by which a user's presence is subscribed.
    pub(super) fn name_of(&self, user: &PbxGuid) -> Option<String> {
        self.subscribed.get(user).cloned()
    }

    /// All whose presence is subscribed, by guid and name.
    pub(super) fn subscribed(&self) -> Vec<(PbxGuid, String)> {
        self.subscribed
            .iter()
            .map(|(user, h323)| (user.clone(), h323.clone()))
            .collect()
    }

    /// Takes in whom this session carries.
    pub(super) fn carry(&mut self, users: Vec<Carried>) -> Changes {
        let mut changes = Changes::default();
        let mut subscribed = BTreeMap::new();
        let mut residents = BTreeMap::new();
        for carried in users {
            let Carried { user, h323, .. } = carried;
            if carried.resident {
                if self.lines_complete && !self.residents.contains_key(&user) {
                    changes.sightings.push(self.calls_of(&user));
                }
                residents.insert(user.clone(), ());
            }
            if carried.presence {
                if self.subscribed.get(&user) != Some(&h323) {
                    changes.subscribe.push((user.clone(), h323.clone()));
                }
                subscribed.insert(user, h323);
            }
        }
        for (user, h323) in &self.subscribed {
            if subscribed.get(user) != Some(h323) {
                changes.unsubscribe.push((user.clone(), h323.clone()));
                self.presence.remove(user);
            }
        }
        self.subscribed = subscribed;
        self.residents = residents;
        changes
    }

    pub(super) fn see_presence(&mut self, user: PbxGuid, entries: Vec<PresenceEntry>) -> Option<Sighting> {
        self.follows(&user).then(|| {
            self.presence.insert(user.clone(), entries.clone());
            Sighting::Presence { user, entries }
        })
    }

    pub(super) fn lose_presence(&mut self, user: PbxGuid) -> Option<Sighting> {
        self.presence.remove(&user);
        self.follows(&user).then_some(Sighting::PresenceLost { user })
    }

    pub(super) fn see_calls(&mut self, user: PbxGuid, calls: u32) -> Option<Sighting> {
        if calls == 0 {
            self.calls.remove(&user);
        } else {
            self.list_line(user.clone(), true);
            self.calls.insert(user.clone(), calls);
        }
        (self.lines_complete && self.residents.contains_key(&user)).then_some(Sighting::Calls { user, calls })
    }

    pub(super) fn begin_lines(&mut self) {
        self.lines_complete = false;
        self.calls.clear();
        self.listed.clear();
    }

    /// The PBX tells a user's line state from now on, or does not any more.
    pub(super) fn list_line(&mut self, user: PbxGuid, listed: bool) {
        if !listed {
            self.listed.remove(&user);
        } else if self.listed.len() < MOST_LINES {
            self.listed.insert(user);
        }
    }

    /// Whether the PBX tells others' line states and leaves this user's out.
    pub(super) fn leaves_out(&self, user: &PbxGuid) -> bool {
        self.lines_complete && self.listed.len() < MOST_LINES && !self.listed.contains(user)
    }

    /// Whether a user lives here.
    pub(super) fn is_resident(&self, user: &PbxGuid) -> bool {
        self.residents.contains_key(user)
    }

    /// A user of the replicated table.
    pub(super) fn user(&self, user: &PbxGuid) -> Option<&PbxUser> {
        self.table.get(user)
    }

    /// The first round is whole: who was not named has no call.
    pub(super) fn complete_lines(&mut self) -> Vec<Sighting> {
        self.lines_complete = true;
        self.residents.keys().map(|user| self.calls_of(user)).collect()
    }

    pub(super) fn forget_presence(&mut self) {
        self.presence.clear();
    }

    /// Everything that is known, to be told again.
    pub(super) fn everything(&self) -> Vec<Sighting> {
        let presence = self.presence.iter().map(|(user, entries)| Sighting::Presence {
            user: user.clone(),
            entries: entries.clone(),
        });
        let lines = self
            .residents
            .keys()
            .filter(|_| self.lines_complete)
            .map(|user| self.calls_of(user));
        presence.chain(lines).collect()
    }

    fn calls_of(&self, user: &PbxGuid) -> Sighting {
        Sighting::Calls {
            user: user.clone(),
            calls: self.calls.get(user).copied().unwrap_or_default(),
        }
    }
}
