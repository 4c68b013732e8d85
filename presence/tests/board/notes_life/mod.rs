//! Random lives of a user's words, carried over both ways: nothing comes back, what is written later stays, and in the end
//! either side says what it should. What the user says at the PBX begins with `p`, in Teams with `t`.

mod judgement;

use std::collections::{BTreeMap, VecDeque};

use chrono::{DateTime, Utc};
use fastrand::Rng;
use m365_presence::board::{Board, Due, Outcome, Rules};
use m365_presence::note::plain;
use m365_presence::pbx::PresenceEntry;
use m365_presence::ports::{LedgerChange, LedgerRow, PresenceChange, Slot};
use m365_presence::teams::{Source, TeamsObservation};

use crate::stage::{guid, home, member, pair, rules, teams};

/// Time between two sweeps, as the longest time until something is seen.
const SWEEP: i64 = 5 * 60_000;
/// The longest way of a write and its answer.
const WAY: i64 = 600;

#[derive(Clone, Debug)]
enum Event {
    SayInTeams(String),
    SayAtPbx(String),
    Read,
    ReadAnswered {
        run: u64,
        begun: i64,
        text: String,
    },
    TeamsTakes(PresenceChange),
    TeamsAnswers {
        run: u64,
        outcome: Outcome,
    },
    EntryAnswers {
        run: u64,
        activity: String,
        note: String,
    },
    Crash,
    Start,
    Sweep,
    Wake(u64),
}

struct Life {
    rng: Rng,
    now: i64,
    events: BTreeMap<(i64, u64), Event>,
    counter: u64,
    board: Option<Board>,
    run: u64,
    ledger: BTreeMap<Slot, LedgerRow>,
    rules: Rules,
    /// What Teams has said since when, and until when.
    said: VecDeque<(i64, String, i64)>,
    own_note: String,
    /// When it became so.
    noted_at: i64,
    entry: (String, String),
    under_way: bool,
    /// How long the user says things.
    span: i64,
    trouble: f64,
    marks_up: bool,
    /// The user's words in Teams as the board has read them, and that since then the note at the PBX has not changed.
    read_of_the_user: Option<String>,
    /// Without renewals.
    writes: usize,
    trace: Vec<String>,
}

impl Life {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut life = Self {
            now: 0,
            events: BTreeMap::new(),
            counter: 0,
            board: None,
            run: 0,
            ledger: BTreeMap::new(),
            rules: Rules {
                notes_to_pbx: rng.u8(0..4) > 0,
                notes_to_teams: true,
                ..rules()
            },
            said: VecDeque::from([(i64::MIN, String::new(), i64::MAX)]),
            own_note: String::new(),
            noted_at: i64::MIN,
            entry: (String::new(), String::new()),
            under_way: false,
            span: 0,
            trouble: [0.0, 0.05, 0.3][rng.usize(0..3)],
            marks_up: rng.bool(),
            read_of_the_user: None,
            writes: 0,
            trace: Vec::new(),
            rng,
        };
        // long enough for a message to end, or to be renewed
        let span = [6 * 60_000, 6 * 60_000, 6 * 60_000, 30 * 3_600_000][life.rng.usize(0..4)];
        for number in 0..life.rng.usize(2..14) {
            let at = life.rng.i64(0..span);
            let gone = life.rng.u8(0..3) == 0;
            let says = |side: &str| {
                if gone {
                    String::new()
                } else {
                    format!("{side} < {number}")
                }
            };
            let act = match life.rng.u8(0..9) {
                0..4 => Event::SayInTeams(says("t")),
                4..8 => Event::SayAtPbx(says("p")),
                _ => Event::Crash,
            };
            life.plan(at, act);
        }
        life.plan(0, Event::Start);
        life.span = span;
        life
    }

    fn plan(&mut self, at: i64, event: Event) {
        self.counter += 1;
        self.events.insert((at.max(self.now), self.counter), event);
    }

    fn in_trouble(&mut self) -> bool {
        self.rng.f64() < self.trouble
    }

    fn time(&self, ms: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_700_000_000_000 + ms).unwrap()
    }

    /// Lives so much longer.
    fn live(&mut self, span: i64) {
        let end = self.now + span;
        while let Some(first) = self.events.first_entry().filter(|first| first.key().0 <= end) {
            let ((at, _), event) = first.remove_entry();
            self.now = at;
            if !matches!(event, Event::Wake(_) | Event::Sweep) {
                self.trace.push(format!("{at:>10} {event:?}"));
            }
            self.happen(event);
            self.pump();
        }
        self.now = end;
    }

    fn happen(&mut self, event: Event) {
        let now = self.time(self.now);
        match event {
            Event::SayInTeams(text) => self.said.push_back((self.now, text, i64::MAX)),
            Event::SayAtPbx(note) => {
                if self.own_note != note {
                    self.read_of_the_user = None;
                    self.noted_at = self.now;
                }
                self.own_note = note;
                self.tell_pbx();
            }
            Event::Read => {
                let taken = self.now + self.rng.i64(0..WAY) - self.rng.i64(0..900);
                let text = self.said_at(taken);
                let answered = self.now + self.rng.i64(WAY..2 * WAY);
                let (run, begun) = (self.run, self.now);
                if self.in_trouble() {
                    self.plan(self.now + 3_000, Event::Read);
                } else {
                    self.plan(answered, Event::ReadAnswered { run, begun, text });
                }
            }
            Event::ReadAnswered { run, begun, text } if run == self.run => self.answer_read(begun, text),
            Event::TeamsTakes(change) => {
                let (text, until) = match change {
                    PresenceChange::SetMessage { message, until } => {
                        let until = (until - self.time(0)).num_milliseconds();
                        (message.as_str().to_owned(), until)
                    }
                    _ => (String::new(), i64::MAX),
                };
                self.said.push_back((self.now, text, until));
            }
            Event::TeamsAnswers { run, outcome } if run == self.run => {
                self.under_way = false;
                if let Some(board) = &mut self.board {
                    let change = board.message_written(&guid(), &outcome, now);
                    self.store(change.into_iter().collect());
                }
            }
            Event::EntryAnswers { run, activity, note } => {
                self.entry = (activity, note);
                if let Some(board) = self.board.as_mut().filter(|_| run == self.run) {
                    let change = board.entry_written(&guid(), &Outcome::Accepted, now);
                    self.store(change.into_iter().collect());
                }
                self.tell_pbx();
            }
            Event::Crash if self.board.take().is_some() => {
                let down = self.rng.i64(1_500..30_000);
                self.plan(self.now + down, Event::Start);
            }
            Event::Start if self.board.is_none() => self.start(),
            Event::Sweep => {
                self.plan(self.now, Event::Read);
                self.plan(self.now + SWEEP, Event::Sweep);
            }
            _ => {}
        }
    }

    fn start(&mut self) {
        self.run += 1;
        self.under_way = false;
        self.read_of_the_user = None;
        let mut board = Board::new(self.rules.clone(), self.ledger.values().cloned().collect());
        board.set_roster([member()], self.time(self.now));
        self.board = Some(board);
        if self.run == 1 {
            self.plan(self.now, Event::Sweep);
        }
        self.tell_pbx();
    }

    /// What Teams said at a time.
    fn said_at(&self, at: i64) -> String {
        let mut newest_first = self.said.iter().rev();
        let (_, text, until) = newest_first.find(|(since, ..)| *since <= at).unwrap();
        if *until <= at { String::new() } else { text.clone() }
    }

    fn answer_read(&mut self, begun: i64, text: String) {
        let told = if self.marks_up {
            format!("<p>{}</p>", text.replace('<', "&lt;"))
        } else {
            text.clone()
        };
        let observation = TeamsObservation {
            user: teams(),
            presence: pair("Available", "Available"),
            note: Some(plain(&told)),
            sequence: None,
            source: Source::Read {
                begun_at: self.time(begun),
            },
        };
        let now = self.time(self.now);
        let Some(board) = &mut self.board else { return };
        let (_, changes) = board.see_teams(&observation, now);
        // what was read before a write of ours had settled may be older than it
        let since = |said: &(i64, String, i64)| said.0;
        let ours = self.said.iter().rev().find(|(_, said, _)| !said.starts_with('t'));
        let settled = ours.map_or(i64::MIN, since) < begun - 17_000;
        let later = self
            .said
            .iter()
            .rev()
            .find(|(_, said, _)| *said == text)
            .map(since)
            > Some(self.noted_at);
        if text.starts_with('t') && settled && later && !self.under_way {
            self.read_of_the_user = Some(text);
        }
        self.store(changes);
    }

    fn tell_pbx(&mut self) {
        let entry = |contact: &str, activity: &str, note: &str| PresenceEntry {
            contact: contact.to_owned(),
            activity: activity.to_owned(),
            note: note.to_owned(),
        };
        let ours = entry("teams:", &self.entry.0, &self.entry.1);
        let own = entry("tel:", "", &self.own_note);
        if let Some(board) = &mut self.board {
            board.see_presence(&home(), &guid(), &[ours, own]);
        }
    }

    fn store(&mut self, changes: Vec<LedgerChange>) {
        for change in changes {
            self.trace.push(format!("{:>10}   {change:?}", self.now));
            match change {
                LedgerChange::Put(row) => self.ledger.insert(row.slot, row),
                LedgerChange::Remove { slot, .. } => self.ledger.remove(&slot),
            };
        }
    }

    fn pump(&mut self) {
        let now = self.time(self.now);
        let Some(board) = &mut self.board else { return };
        let due = board.due(now);
        let wake = board.next_deadline(now);
        if self.trouble > 0.0 && !due.ledger.is_empty() && self.rng.u8(0..30) == 0 {
            // the crash comes before the write leaves, and before or after its intent is stored
            if self.rng.bool() {
                self.store(due.ledger);
            }
            return self.happen(Event::Crash);
        }
        self.carry_out(due);
        if let Some(wake) = wake {
            let at = (wake - self.time(0)).num_milliseconds() + 1;
            let run = self.run;
            let planned = self.events.range((self.now, 0)..=(at, u64::MAX));
            if !planned
                .into_iter()
                .any(|(_, event)| matches!(event, Event::Wake(of) if *of == run))
            {
                self.plan(at, Event::Wake(run));
            }
        }
    }

    fn carry_out(&mut self, due: Due) {
        self.store(due.ledger);
        if !due.reads.is_empty() {
            self.plan(self.now + 50, Event::Read);
        }
        for (_, write) in due.teams {
            assert!(!self.under_way, "one write at a time");
            assert!(write.change.is_of_message(), "{:?}", write.change);
            self.under_way = true;
            self.writes += usize::from(!write.renewal);
            self.trace
                .push(format!("{:>10}   -> {:?}", self.now, write.change));
            if let PresenceChange::SetMessage { message, .. } = &write.change {
                assert!(message.as_str().starts_with('p'), "{message:?} comes back");
            }
            assert_eq!(
                self.read_of_the_user, None,
                "what the user wrote later is overwritten"
            );
            let (taken, answered) = (self.rng.i64(5..WAY), self.rng.i64(WAY..2 * WAY));
            let (lost, refused) = (self.in_trouble(), self.in_trouble());
            let (arrives, run) = (!refused && (!lost || self.rng.bool()), self.run);
            let outcome = match (refused, lost) {
                (true, _) => Outcome::Refused {
                    message: "400".to_owned(),
                    gone: false,
                },
                (false, true) => Outcome::Failed { wait: None },
                (false, false) => Outcome::Accepted,
            };
            if arrives {
                self.plan(self.now + taken, Event::TeamsTakes(write.change));
            }
            self.plan(self.now + answered, Event::TeamsAnswers { run, outcome });
        }
        for write in due.entries {
            assert!(
                write.note.is_empty() || write.note.starts_with('t'),
                "{:?} comes back",
                write.note
            );
            let (activity, note, run) = (write.activity, write.note, self.run);
            self.writes += 1;
            self.plan(self.now + 20, Event::EntryAnswers { run, activity, note });
        }
    }
}
