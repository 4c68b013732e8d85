//! Who is on the board: members of the roster, those who leave it, and those whom only the ledger still knows.

use chrono::{DateTime, Utc};

use super::own_call::{HAUNTING, OwnCall};
use super::{Board, Member, ON_THE_PHONE, Person, Place};
use crate::identity::PbxGuid;
use crate::pbx::PbxUser;
use crate::ports::{LedgerRow, Slot};

impl Board {
    /// Takes in who is to be synchronised. Everybody else leaves, also who is known only from the ledger.
    pub fn set_roster(&mut self, members: impl IntoIterator<Item = Member>, now: DateTime<Utc>) {
        self.roster = members
            .into_iter()
            .map(|member| (member.pbx.guid.clone(), member))
            .collect();
        self.settle_calls();
        for (guid, person) in &mut self.people {
            let wanted = self.roster.get(guid);
            let same = wanted.is_some_and(|member| member.teams == person.member.teams);
            if let Some(member) = wanted.filter(|_| same) {
                person.member = member.clone();
                person.leaving = false;
            } else {
                if !person.leaving {
                    person.note(Place::Roster, "no longer synchronised", true);
                }
                person.leaving = true;
            }
            self.dirty.insert(guid.clone());
        }
        for (guid, rows) in std::mem::take(&mut self.ledger) {
            self.admit_from_ledger(&guid, &rows, now);
        }
        self.admit_joiners(now);
    }

    /// Where a user lives is known by the roster only: until then every PBX's calls are kept.
    fn settle_calls(&mut self) {
        for (guid, member) in &self.roster {
            if !member.pbx.home.as_str().is_empty()
                && let Some(sight) = self.sights.get_mut(guid)
            {
                sight.keep_calls_of(&member.pbx.home);
            }
        }
    }

    /// Lets everybody leave: for an orderly end.
    pub fn release_all(&mut self, now: DateTime<Utc>) {
        self.set_roster(Vec::new(), now);
        for person in self.people.values_mut() {
            person.end_entry_hold();
        }
    }

    /// A row of the ledger becomes a person: who is not in the roster any more is released.
    fn admit_from_ledger(&mut self, guid: &PbxGuid, rows: &[LedgerRow], now: DateTime<Utc>) {
        let Some(first) = rows.first() else { return };
        let wanted = self.roster.get(guid);
        let same = wanted.is_some_and(|member| member.teams == first.teams_user);
        let member = wanted.filter(|_| same).cloned().unwrap_or_else(|| Member {
            pbx: PbxUser {
                guid: guid.clone(),
                h323: first.h323.clone(),
                cn: String::new(),
                home: first.home.clone(),
            },
            teams: first.teams_user.clone(),
        });
        let paces = self.paces.take(&member.pbx.guid);
        let mut person = Person::new(member, now, paces);
        person.leaving = !same;
        for row in rows {
            person.restore(row, now);
        }
        self.recall_calls(guid, rows, now);
        if let Some(sight) = self.sights.get(guid)
            && let Some(own) = &sight.own_entry
        {
            person.see_entry(own, &sight.own_note);
        }
        self.admit(person);
    }

    /// A call of ours in the ledger that no session tells of has ended with its connection, or will soon, and so have those
    /// before it. Until then it hides whether the user is on the phone: as long as a lease says so, that stays.
    fn recall_calls(&mut self, guid: &PbxGuid, rows: &[LedgerRow], now: DateTime<Utc>) {
        let Some(row) = rows.iter().find(|row| row.slot == Slot::AlienCall) else {
            return;
        };
        let sight = self.sights.entry(guid.clone()).or_default();
        let ended = (!sight.own_call.as_ref().is_some_and(OwnCall::stands)).then(|| now + HAUNTING);
        let on_the_phone = rows.iter().any(|row| row.stands_for == ON_THE_PHONE);
        for until in row.until.into_iter().chain(ended) {
            sight.recall_own_call(&row.home, until, on_the_phone);
        }
    }

    /// Whoever is in the roster and shares no slot with somebody on the board comes on it; answers who.
    pub(super) fn admit_joiners(&mut self, now: DateTime<Utc>) -> Vec<PbxGuid> {
        let free = |member: &&Member| {
            !self.people.contains_key(&member.pbx.guid) && !self.by_teams.contains_key(&member.teams)
        };
        let joiners: Vec<Member> = self.roster.values().filter(free).cloned().collect();
        let admitted = joiners.iter().map(|member| member.pbx.guid.clone()).collect();
        for member in joiners {
            let paces = self.paces.take(&member.pbx.guid);
            let mut person = Person::new(member, now, paces);
            if let Some(sight) = self.sights.get(&person.member.pbx.guid)
                && let Some(own) = &sight.own_entry
            {
                person.see_entry(own, &sight.own_note);
            }
            self.admit(person);
        }
        admitted
    }

    fn admit(&mut self, person: Person) {
        let guid = person.member.pbx.guid.clone();
        self.by_teams.insert(person.member.teams.clone(), guid.clone());
        self.dirty.insert(guid.clone());
        self.people.insert(guid, person);
    }
}
