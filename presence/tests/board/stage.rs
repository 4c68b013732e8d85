//! One user between two worlds that the test tells by hand: what the board is shown, and what it writes.

mod cast;

pub use cast::*;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use m365_presence::board::{AlienCallWrite, Board, Due, EntryWrite, Outcome, Rules, Transition, Verdict};
use m365_presence::pbx::PresenceEntry;
use m365_presence::ports::{LedgerChange, LedgerRow, LedgerState, PresenceChange, Slot};
use m365_presence::teams::{Source, TeamsObservation, TeamsPresence};

/// The stage; every write must be answered by the test.
pub struct Stage {
    pub board: Board,
    pub now: DateTime<Utc>,
    pub ledger: Vec<LedgerRow>,
    pub teams: Vec<PresenceChange>,
    /// Writes of the status message.
    pub messages: Vec<PresenceChange>,
    pub entries: Vec<EntryWrite>,
    pub alien_calls: Vec<AlienCallWrite>,
    pub reads: usize,
    pub transitions: Vec<Transition>,
    /// The status message that Teams tells.
    pub note: Option<String>,
    entries_at_pbx: Vec<(String, String)>,
}

impl Stage {
    /// A connector that has just come up: nobody has been told anything.
    pub fn empty(rules: Rules) -> Self {
        Self::resumed(
            rules,
            Vec::new(),
            DateTime::from_timestamp(1_700_000_000, 0).unwrap(),
        )
    }

    /// A connector that comes up with a ledger.
    pub fn resumed(rules: Rules, ledger: Vec<LedgerRow>, now: DateTime<Utc>) -> Self {
        let mut stage = Self {
            board: Board::new(rules, ledger.clone()),
            now,
            ledger,
            teams: Vec::new(),
            messages: Vec::new(),
            entries: Vec::new(),
            alien_calls: Vec::new(),
            reads: 0,
            transitions: Vec::new(),
            note: None,
            entries_at_pbx: Vec::new(),
        };
        stage.board.set_roster([member()], now);
        stage.pump();
        stage
    }

    /// Alice, available on both sides and known.
    pub fn of(rules: Rules) -> Self {
        let mut stage = Self::empty(rules);
        stage.pbx(&[]);
        stage.read("Available", "Available");
        assert!(stage.teams.is_empty() && stage.entries.is_empty());
        stage
    }

    pub fn alice() -> Self {
        Self::of(rules())
    }

    pub fn pump(&mut self) {
        let Due {
            ledger,
            teams,
            entries,
            alien_calls,
            transitions,
            reads,
        } = self.board.due(self.now);
        self.store(ledger);
        let writes = teams.into_iter().map(|(_, write)| write.change);
        let (messages, teams): (Vec<_>, Vec<_>) = writes.partition(PresenceChange::is_of_message);
        self.teams.extend(teams);
        self.messages.extend(messages);
        self.entries.extend(entries);
        self.alien_calls.extend(alien_calls);
        self.transitions.extend(transitions);
        self.reads += reads.len();
    }

    fn store(&mut self, changes: Vec<LedgerChange>) {
        for change in changes {
            let slot = match &change {
                LedgerChange::Put(row) => row.slot,
                LedgerChange::Remove { slot, .. } => *slot,
            };
            self.ledger.retain(|row| row.slot != slot);
            if let LedgerChange::Put(row) = change {
                self.ledger.push(row);
            }
        }
    }

    /// Lets time pass, asking the board at each of its deadlines.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now + TimeDelta::from_std(time).unwrap();
        while let Some(at) = self.board.next_deadline(self.now).filter(|at| *at <= end) {
            self.now = at.max(self.now);
            self.pump();
        }
        self.now = end;
        self.pump();
    }

    pub fn seconds(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    // ------------------------------------------------------------------------------------------ what is seen

    fn see(&mut self, presence: TeamsPresence, sequence: Option<&str>, source: Source) -> Verdict {
        let observation = TeamsObservation {
            user: teams(),
            note: self.note.clone(),
            presence,
            sequence: sequence.map(str::to_owned),
            source,
        };
        let (verdict, changes) = self.board.see_teams(&observation, self.now);
        self.store(changes);
        self.pump();
        verdict.unwrap()
    }

    pub fn read(&mut self, availability: &str, activity: &str) -> Verdict {
        self.see(
            pair(availability, activity),
            None,
            Source::Read { begun_at: self.now },
        )
    }

    pub fn read_begun(&mut self, ago: i64, availability: &str, activity: &str) -> Verdict {
        let begun_at = self.now - TimeDelta::milliseconds(ago);
        self.see(pair(availability, activity), None, Source::Read { begun_at })
    }

    pub fn read_numbered(&mut self, number: &str, availability: &str, activity: &str) -> Verdict {
        self.see(
            pair(availability, activity),
            Some(number),
            Source::Read { begun_at: self.now },
        )
    }

    pub fn notify(&mut self, availability: &str, activity: &str) -> Verdict {
        self.see(
            pair(availability, activity),
            None,
            Source::Notified {
                received_at: self.now,
            },
        )
    }

    pub fn notify_numbered(&mut self, number: &str, availability: &str, activity: &str) -> Verdict {
        self.see(
            pair(availability, activity),
            Some(number),
            Source::Notified {
                received_at: self.now,
            },
        )
    }

    /// The PBX tells the user's whole presence, newest first.
    pub fn pbx(&mut self, entries: &[(&str, &str)]) {
        self.entries_at_pbx = entries
            .iter()
            .map(|(contact, activity)| ((*contact).to_owned(), (*activity).to_owned()))
            .collect();
        self.tell_entries();
    }

    fn tell_entries(&mut self) {
        let entry = |(contact, activity): &(String, String)| PresenceEntry {
            contact: contact.clone(),
            activity: activity.clone(),
            note: String::new(),
        };
        let entries: Vec<PresenceEntry> = self.entries_at_pbx.iter().map(entry).collect();
        self.board.see_presence(&home(), &guid(), &entries);
        self.pump();
    }

    /// Another PBX tells the user's whole presence; answers where our entry has stayed behind.
    pub fn pbx_elsewhere(&mut self, pbx: &str, entries: &[(&str, &str)]) -> Option<EntryWrite> {
        let entry = |(contact, activity): &(&str, &str)| PresenceEntry {
            contact: (*contact).to_owned(),
            activity: (*activity).to_owned(),
            note: String::new(),
        };
        let entries: Vec<PresenceEntry> = entries.iter().map(entry).collect();
        let left = self.board.see_presence(&pbx.into(), &guid(), &entries);
        self.pump();
        left
    }

    /// The user's choice at the phone.
    pub fn choose(&mut self, activity: &str) {
        self.pbx(&[("tel:", activity)]);
    }

    pub fn calls(&mut self, calls: u32) {
        self.board.see_calls(&home(), &guid(), calls);
        self.pump();
    }

    pub fn lose_pbx(&mut self) {
        self.board.lose_pbx(&home());
        self.pump();
    }

    // ------------------------------------------------------------------------------------------ what is written

    /// Takes out the only write to Teams.
    pub fn teams_write(&mut self) -> PresenceChange {
        assert_eq!(self.teams.len(), 1, "{:?}", self.teams);
        self.teams.remove(0)
    }

    pub fn answer_teams(&mut self, outcome: &Outcome) {
        let changes = self.board.teams_written(&guid(), outcome, self.now);
        self.store(changes);
        self.pump();
    }

    /// Expects this write to Teams, and lets it be accepted.
    pub fn accept(&mut self, expected: &PresenceChange) {
        assert_eq!(self.teams_write(), *expected);
        self.answer_teams(&Outcome::Accepted);
    }

    /// Takes out the only write of our entry.
    pub fn entry_write(&mut self) -> String {
        assert_eq!(self.entries.len(), 1, "{:?}", self.entries);
        self.entries.remove(0).activity
    }

    pub fn answer_entry(&mut self, outcome: &Outcome) {
        let change = self.board.entry_written(&guid(), outcome, self.now);
        self.store(change.into_iter().collect());
        self.pump();
    }

    /// Expects this entry, lets it be accepted, and lets the PBX tell of it.
    pub fn accept_entry(&mut self, expected: &str) {
        assert_eq!(self.entry_write(), expected);
        self.answer_entry(&Outcome::Accepted);
        self.entries_at_pbx.retain(|(contact, _)| contact != "teams:");
        if !expected.is_empty() {
            self.entries_at_pbx
                .insert(0, ("teams:".to_owned(), expected.to_owned()));
        }
        self.tell_entries();
    }

    /// The session of Alice's PBX can put calls of ours on her.
    pub fn offer_alien_calls(&mut self, possible: bool) {
        self.board.change_alien_calls(&home(), possible, self.now);
        self.pump();
    }

    /// Expects that a call of ours is put on Alice or taken off, and answers so.
    pub fn answer_alien_call(&mut self, on: bool, outcome: &Outcome) {
        assert_eq!(self.alien_calls.len(), 1, "{:?}", self.alien_calls);
        let write = self.alien_calls.remove(0);
        assert_eq!((write.on, write.pbx), (on, home()));
        let change = self.board.alien_call_written(&guid(), outcome, self.now);
        self.store(change.into_iter().collect());
        self.pump();
    }

    pub fn answer_message(&mut self, outcome: &Outcome) {
        let change = self.board.message_written(&guid(), outcome, self.now);
        self.store(change.into_iter().collect());
        self.pump();
    }

    /// Takes out the only write of the status message: the text, empty where it is taken back, and its life.
    pub fn message_write(&mut self) -> (String, TimeDelta) {
        assert_eq!(self.messages.len(), 1, "{:?}", self.messages);
        match self.messages.remove(0) {
            PresenceChange::SetMessage { message, until } => (message.as_str().to_owned(), until - self.now),
            _ => (String::new(), TimeDelta::zero()),
        }
    }

    /// Expects that nothing is written.
    pub fn silence(&self) {
        assert!(self.messages.is_empty(), "{:?}", self.messages);
        assert!(self.alien_calls.is_empty(), "{:?}", self.alien_calls);
        assert!(self.teams.is_empty(), "{:?}", self.teams);
        assert!(self.entries.is_empty(), "{:?}", self.entries);
    }

    pub fn row(&self, slot: Slot) -> Option<&LedgerRow> {
        self.ledger.iter().find(|row| row.slot == slot)
    }

    pub fn state(&self, slot: Slot) -> Option<LedgerState> {
        self.row(slot).map(|row| row.state)
    }

    /// Ends the process without a word and starts it again, with what the ledger says.
    pub fn restart(&mut self, rules: Rules) {
        *self = Self::resumed(rules, self.ledger.clone(), self.now);
    }

    /// The user's own choice stands at the PBX and was set in Teams, and a read has shown it.
    pub fn with_choice(activity: &str, state: &str, lifetime: Duration) -> Self {
        let mut stage = Self::alice();
        stage.choose(activity);
        stage.accept(&set_preferred(state, lifetime));
        stage.seconds(2);
        stage.read(state, state);
        stage.silence();
        stage
    }

    /// As before, and then the user has chosen something else in Teams.
    pub fn overridden() -> Self {
        let mut stage = Self::with_choice("dnd", "DoNotDisturb", DAY);
        stage.read("Away", "Away");
        assert_eq!(stage.state(Slot::Preferred), Some(LedgerState::Overridden));
        stage.accept_entry("away");
        stage
    }
}
