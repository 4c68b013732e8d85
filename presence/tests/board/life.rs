//! A life: two worlds, people who act at random, a connector that may crash, and the board in its middle.
//!
//! Time is a number of milliseconds and a queue of events; nothing waits. A life is a function of its seed.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use fastrand::Rng;
use m365_presence::board::{Board, Direction, EntryWrite, Member, OnThePhone, Outcome, Rules, Verdict};
use m365_presence::identity::{PbxGuid, PbxName, TeamsId};
use m365_presence::mapping::{PbxToTeams, TeamsToPbx};
use m365_presence::pbx::{PbxUser, PresenceEntry};
use m365_presence::ports::{LedgerChange, LedgerRow, LedgerState, PresenceChange, PresenceWrite, Slot};
use m365_presence::teams::{Source, TeamsObservation};

use crate::chance::Traits;
use crate::conduct::{Breach, Conduct, Rule};
use crate::oracle::{self, CHOICES, CLIENT_PAIRS, PREFERRED_PAIRS, Pair};
use crate::pbx_world::{Extension, OURS};
use crate::sabotage::Sabotage;
use crate::teams_world::{Account, By, Shown};

/// Users of a life.
const USERS: usize = 2;
/// How long people act and things fail.
const TURMOIL: i64 = 6 * 60_000;
/// How long everything is well before both sides must be right: a sweep, and the longest hold.
const CALM: i64 = 7 * 60_000;
/// Time between two sweeps.
const SWEEP: i64 = 5 * 60_000;
/// Longer than a write takes.
const LONGEST_WRITE: i64 = 1_100;
/// How long a release may take.
const RELEASE: i64 = 2 * 60_000;
/// The PBX where everybody lives.
const PBX: &str = "pbx";

#[derive(Clone, Debug)]
enum Act {
    Client(Option<Pair>),
    Prefer(Option<Pair>),
    Choose(&'static str, &'static str),
    Calls(u32),
}

#[derive(Clone, Debug)]
enum Event {
    Act(usize, Act),
    Ends(usize),
    Notice(usize, Shown),
    ReadBegins(u64),
    ReadTaken {
        run: u64,
        begun: i64,
        asked: Vec<usize>,
        answered: i64,
    },
    ReadAnswered {
        run: u64,
        begun: i64,
        answers: Vec<(usize, Option<Shown>)>,
        lost: bool,
    },
    Sweep(u64),
    TeamsTakes(usize, PresenceChange),
    TeamsAnswers {
        run: u64,
        user: usize,
        outcome: Outcome,
    },
    PbxTakes {
        run: u64,
        session: u64,
        user: usize,
        activity: String,
        answered: bool,
    },
    PbxAnswers {
        run: u64,
        session: u64,
        user: usize,
        outcome: Outcome,
    },
    PbxTells {
        session: u64,
        user: usize,
        entries: Vec<PresenceEntry>,
        calls: u32,
    },
    PbxLost,
    PbxBack,
    Crash,
    Start,
    Roster,
    Flicker(usize),
    Wake(u64),
}

/// One life.
pub struct Life {
    rng: Rng,
    traits: Traits,
    sabotage: Sabotage,
    now: i64,
    events: BTreeMap<(i64, u64), Event>,
    counter: u64,
    accounts: Vec<Account>,
    extensions: Vec<Extension>,
    /// Which account belongs to which extension; nobody's while out of the roster.
    pairing: [Option<usize>; USERS],
    board: Option<Board>,
    run: u64,
    ledger: BTreeMap<(PbxGuid, Slot), LedgerRow>,
    session: u64,
    pbx_up: bool,
    pbx_free_at: i64,
    cache: BTreeMap<usize, (Vec<PresenceEntry>, u32)>,
    waiting: BTreeSet<usize>,
    gathering: bool,
    conduct: Vec<Conduct>,
    calm: bool,
    releasing: bool,
    /// What happened, for a failing seed.
    pub trace: Vec<String>,
}

fn time(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_700_000_000_000 + ms).unwrap()
}

fn guid(user: usize) -> PbxGuid {
    PbxGuid::new(format!("{user:032x}"))
}

fn teams(account: usize) -> TeamsId {
    TeamsId::new(format!("account-{account}"))
}

fn user_of(guid: &PbxGuid) -> usize {
    usize::from_str_radix(guid.as_str(), 16).unwrap()
}

fn account_of(id: &TeamsId) -> usize {
    id.as_str().trim_start_matches("account-").parse().unwrap()
}

impl Life {
    /// Draws everything that will happen by itself.
    pub fn new(seed: u64, sabotage: Sabotage) -> Self {
        let mut rng = Rng::with_seed(seed);
        let traits = Traits::draw(&mut rng);
        let extension = Extension::new(traits.phone_style, traits.keeps_empty, traits.ours_visible);
        let mut life = Self {
            now: 0,
            events: BTreeMap::new(),
            counter: 0,
            accounts: (0..USERS).map(|_| Account::new(traits.app_wins_ties)).collect(),
            extensions: vec![extension; USERS],
            pairing: [Some(0), Some(1)],
            board: None,
            run: 0,
            ledger: BTreeMap::new(),
            session: 1,
            pbx_up: true,
            pbx_free_at: 0,
            cache: BTreeMap::new(),
            waiting: BTreeSet::new(),
            gathering: false,
            conduct: (0..USERS).map(|_| Conduct::member()).collect(),
            calm: false,
            releasing: false,
            trace: vec![format!("seed {seed}: {traits:?}")],
            rng,
            traits,
            sabotage,
        };
        life.draw_events();
        life
    }

    fn draw_events(&mut self) {
        for user in 0..USERS {
            self.act(user, 0);
            self.report(user);
            for _ in 0..self.rng.usize(4..16) {
                let at = self.rng.i64(0..TURMOIL);
                self.act(user, at);
            }
        }
        let start = self.rng.i64(0..2_000);
        self.plan(start, Event::Start);
        for _ in 0..self.traits.pbx_losses {
            let at = self.rng.i64(0..TURMOIL);
            self.plan(at, Event::PbxLost);
            let back = at + self.rng.i64(10..120_000);
            self.plan(back, Event::PbxBack);
        }
        for _ in 0..self.traits.restarts {
            let at = self.rng.i64(2_000..TURMOIL);
            self.plan(at, Event::Crash);
        }
        for _ in 0..self.traits.roster_changes {
            let at = self.rng.i64(2_000..TURMOIL);
            self.plan(at, Event::Roster);
        }
    }

    /// Often several acts follow each other closely, as people do.
    fn act(&mut self, user: usize, at: i64) {
        let pick = |rng: &mut Rng, pairs: &[Pair]| pairs[rng.usize(0..pairs.len())];
        let mut at = at;
        for _ in 0..self.rng.usize(1..4) {
            let act = match self.rng.u8(0..8) {
                0..3 => {
                    Act::Client(Some(pick(&mut self.rng, &CLIENT_PAIRS)).filter(|_| self.rng.u8(0..5) > 0))
                }
                3 => {
                    Act::Prefer(Some(pick(&mut self.rng, &PREFERRED_PAIRS)).filter(|_| self.rng.u8(0..3) > 0))
                }
                4..6 => {
                    let contact = if self.rng.u8(0..4) == 0 {
                        "calendar:"
                    } else {
                        "tel:"
                    };
                    Act::Choose(contact, CHOICES[self.rng.usize(0..CHOICES.len())])
                }
                _ => Act::Calls(self.rng.u32(0..3).min(1)),
            };
            self.plan(at, Event::Act(user, act));
            at += [20, 700, 3_000, 20_000][self.rng.usize(0..4)];
        }
    }

    fn plan(&mut self, at: i64, event: Event) {
        self.counter += 1;
        self.events.insert((at.max(self.now), self.counter), event);
    }

    fn chance(&mut self, probability: f64) -> bool {
        !self.calm && self.rng.f64() < probability
    }

    /// Lives to the end; answers the number of writes.
    pub fn live(&mut self) -> Result<u64, Breach> {
        self.live_until(TURMOIL)?;
        self.calm = true;
        self.note("-- calm");
        self.plan(self.now, Event::PbxBack);
        self.plan(self.now, Event::Start);
        self.live_until(TURMOIL + CALM)?;
        // a renewal may be under way at any moment, but not all the time
        for _ in 0..5 {
            if self.conduct.iter().any(Conduct::is_busy) {
                self.live_until(self.now + LONGEST_WRITE)?;
            }
        }
        self.check_converged()?;
        self.note("-- release");
        self.releasing = true;
        for conduct in &mut self.conduct {
            conduct.in_roster = false;
        }
        let now = time(self.now);
        self.board.as_mut().unwrap().release_all(now);
        self.pump()?;
        self.live_until(self.now + RELEASE)?;
        self.check_released()?;
        Ok(self.conduct.iter().map(|conduct| conduct.writes).sum())
    }

    fn live_until(&mut self, end: i64) -> Result<(), Breach> {
        while let Some(first) = self.events.first_entry().filter(|first| first.key().0 <= end) {
            let ((at, _), event) = first.remove_entry();
            self.now = at;
            self.happen(event)?;
            self.pump()?;
        }
        self.now = end;
        Ok(())
    }

    fn note(&mut self, text: impl AsRef<str>) {
        self.trace.push(format!("{:>8} ms  {}", self.now, text.as_ref()));
    }

    fn happen(&mut self, event: Event) -> Result<(), Breach> {
        if !matches!(event, Event::Wake(_)) {
            self.note(format!("{event:?}"));
        }
        match event {
            Event::Act(user, act) => self.do_act(user, &act),
            Event::Ends(account) => {
                self.accounts[account].expire(self.now);
                self.tell_teams(account);
            }
            Event::Notice(account, shown) => self.notify(account, shown),
            Event::ReadBegins(run) if run == self.run => self.begin_read(),
            Event::ReadTaken {
                run,
                begun,
                asked,
                answered,
            } if run == self.run => self.take_read(begun, &asked, answered),
            Event::ReadAnswered {
                run,
                begun,
                answers,
                lost,
            } if run == self.run => self.end_read(begun, &answers, lost),
            Event::Sweep(run) if run == self.run => self.sweep(),
            Event::TeamsTakes(account, change) => {
                self.accounts[account].expire(self.now);
                self.accounts[account].write(&change, self.now);
                if let Some(end) = self.accounts[account].next_end() {
                    self.plan(end, Event::Ends(account));
                }
                self.tell_teams(account);
            }
            Event::TeamsAnswers { run, user, outcome } if run == self.run => {
                self.conduct[user].answer(&outcome, self.now);
                let now = time(self.now);
                let changes = self
                    .board
                    .as_mut()
                    .unwrap()
                    .teams_written(&guid(user), &outcome, now);
                self.store(changes);
            }
            Event::PbxTakes {
                run,
                session,
                user,
                activity,
                answered,
            } => {
                self.extensions[user].set(OURS, &activity);
                let answer = Event::PbxAnswers {
                    run,
                    session,
                    user,
                    outcome: Outcome::Accepted,
                };
                let answered_first = self.rng.bool();
                if answered && answered_first {
                    self.say(answer.clone());
                }
                self.report(user);
                if answered && !answered_first {
                    self.say(answer);
                }
            }
            Event::PbxAnswers {
                run,
                session,
                user,
                outcome,
            } if run == self.run => {
                let heard = session == self.session && self.pbx_up;
                let outcome = if heard {
                    outcome
                } else {
                    Outcome::Failed { wait: None }
                };
                self.conduct[user].answer_entry(&outcome);
                let now = time(self.now);
                let change = self
                    .board
                    .as_mut()
                    .unwrap()
                    .entry_written(&guid(user), &outcome, now);
                self.store(change.into_iter().collect());
            }
            Event::PbxTells {
                session,
                user,
                entries,
                calls,
            } if session == self.session && self.pbx_up => {
                self.cache.insert(user, (entries, calls));
                self.tell_board(user);
            }
            Event::PbxLost => self.lose_pbx(),
            Event::PbxBack => self.regain_pbx(),
            Event::Crash => self.crash(),
            Event::Start => self.start(),
            Event::Roster => self.change_roster(),
            Event::Flicker(user) => self.flicker(user)?,
            Event::Wake(_)
            | Event::ReadBegins(_)
            | Event::ReadTaken { .. }
            | Event::ReadAnswered { .. }
            | Event::Sweep(_)
            | Event::TeamsAnswers { .. }
            | Event::PbxAnswers { .. }
            | Event::PbxTells { .. } => {}
        }
        Ok(())
    }

    // ---------------------------------------------------------------------------------------------- people

    fn do_act(&mut self, user: usize, act: &Act) {
        match act {
            Act::Client(pair) => self.accounts[user].client = *pair,
            Act::Prefer(pair) => self.accounts[user].choose(*pair, self.now),
            Act::Choose(contact, activity) => self.extensions[user].set(contact, activity),
            Act::Calls(calls) => self.extensions[user].calls = *calls,
        }
        match act {
            Act::Client(_) | Act::Prefer(_) => self.tell_teams(user),
            Act::Choose(..) | Act::Calls(_) => self.report(user),
        }
    }

    // ---------------------------------------------------------------------------------------------- Teams

    fn tell_teams(&mut self, account: usize) {
        let Some(shown) = self.accounts[account].note(self.now) else {
            return;
        };
        if self.chance(self.traits.drops) {
            return;
        }
        let copies = if self.chance(self.traits.duplicates) { 2 } else { 1 };
        for _ in 0..copies {
            let delay = if self.rng.u8(0..3) == 0 {
                self.rng.i64(0..=self.traits.longest_delay)
            } else {
                self.rng.i64(50..400)
            };
            self.plan(self.now + delay, Event::Notice(account, shown));
        }
    }

    fn observation(&self, account: usize, shown: Shown, source: Source) -> TeamsObservation {
        let numbered = match source {
            Source::Notified { .. } => self.traits.numbered_notices,
            Source::Read { .. } => self.traits.numbered_reads,
        };
        TeamsObservation {
            user: teams(account),
            presence: self.sabotage.disguise(shown.pair),
            sequence: numbered.then(|| shown.number.to_string()),
            source,
        }
    }

    fn notify(&mut self, account: usize, shown: Shown) {
        if self.board.is_none() {
            self.plan(self.now + 5_000, Event::Notice(account, shown));
            return;
        }
        self.see_teams(
            account,
            shown,
            Source::Notified {
                received_at: time(self.now),
            },
        );
    }

    fn see_teams(&mut self, account: usize, shown: Shown, source: Source) {
        let observation = self.observation(account, shown, source);
        let now = time(self.now);
        let board = self.board.as_mut().unwrap();
        let (verdict, changes) = board.see_teams(&observation, now);
        let owner = board
            .people()
            .find(|(member, _)| member.teams == teams(account))
            .map(|(member, _)| user_of(&member.pbx.guid));
        if let Some(user) = owner
            && matches!(verdict, Some(Verdict::Believed | Verdict::BelievedUnconfirmed))
        {
            let begun = match source {
                Source::Read { begun_at } => Some((begun_at - time(0)).num_milliseconds()),
                Source::Notified { .. } => None,
            };
            self.conduct[user].believe(shown, begun, self.now);
        }
        self.note(format!("  account {account} shows {:?}: {verdict:?}", shown.pair));
        self.store(changes);
    }

    fn begin_read(&mut self) {
        self.gathering = false;
        if self.board.is_none() {
            return;
        }
        let begun = self.now;
        let latency = [30, 200, 4_000][self.rng.usize(0..3)];
        let asked: Vec<usize> = std::mem::take(&mut self.waiting).into_iter().collect();
        let taken = begun + self.rng.i64(0..=latency);
        self.plan(
            taken,
            Event::ReadTaken {
                run: self.run,
                begun,
                asked,
                answered: begun + latency,
            },
        );
    }

    /// Teams looks up what it shows; a change needs up to a second until every read shows it.
    fn take_read(&mut self, begun: i64, asked: &[usize], answered: i64) {
        let mut answers = Vec::new();
        for account in asked {
            let at = self.now - self.rng.i64(0..900);
            let shown = self.accounts[*account].at(at);
            let missing = self.chance(0.02);
            answers.push((*account, Some(shown).filter(|_| !missing)));
        }
        let lost = self.chance(self.traits.lost_reads);
        self.plan(
            answered,
            Event::ReadAnswered {
                run: self.run,
                begun,
                answers,
                lost,
            },
        );
    }

    fn end_read(&mut self, begun: i64, answers: &[(usize, Option<Shown>)], lost: bool) {
        for (account, shown) in answers {
            match shown {
                _ if lost => {
                    self.waiting.insert(*account);
                }
                Some(shown) => self.see_teams(
                    *account,
                    *shown,
                    Source::Read {
                        begun_at: time(begun),
                    },
                ),
                None => self
                    .board
                    .as_mut()
                    .unwrap()
                    .miss_teams(&teams(*account), time(begun)),
            }
        }
        if lost {
            let wait = self.rng.i64(1_000..5_000);
            self.gather(wait);
        }
    }

    fn gather(&mut self, wait: i64) {
        if !self.gathering && !self.waiting.is_empty() {
            self.gathering = true;
            self.plan(self.now + wait, Event::ReadBegins(self.run));
        }
    }

    fn sweep(&mut self) {
        if self.board.is_none() {
            return;
        }
        self.waiting.extend(self.pairing.iter().flatten());
        self.gather(50);
        self.plan(self.now + SWEEP, Event::Sweep(self.run));
    }

    // ---------------------------------------------------------------------------------------------- the PBX

    /// The PBX tells a user's whole picture, in order.
    fn report(&mut self, user: usize) {
        let entries = self.extensions[user].picture();
        let calls = self.extensions[user].line_state();
        self.say(Event::PbxTells {
            session: self.session,
            user,
            entries,
            calls,
        });
    }

    /// One connection keeps the order of what it carries.
    fn say(&mut self, event: Event) {
        self.pbx_free_at = self.pbx_free_at.max(self.now) + self.rng.i64(0..60);
        self.plan(self.pbx_free_at, event);
    }

    fn tell_board(&mut self, user: usize) {
        let Some((entries, calls)) = self.cache.get(&user).cloned() else {
            return;
        };
        let Some(board) = self.board.as_mut() else { return };
        let told = oracle::told(&entries, calls, self.conduct[user].told.as_ref());
        self.conduct[user].tell(told, self.traits.mode, self.now);
        board.see_presence(&PBX.into(), &guid(user), &self.sabotage.disguise_entries(entries));
        board.see_calls(&PBX.into(), &guid(user), calls);
    }

    fn lose_pbx(&mut self) {
        if !std::mem::replace(&mut self.pbx_up, false) {
            return;
        }
        self.session += 1;
        self.cache.clear();
        for conduct in &mut self.conduct {
            conduct.fresh = false;
        }
        if let Some(board) = &mut self.board {
            board.lose_pbx(&PBX.into());
            if self.sabotage == Sabotage::UnknownIsEmpty {
                for user in 0..USERS {
                    board.see_presence(&PBX.into(), &guid(user), &[]);
                    board.see_calls(&PBX.into(), &guid(user), 0);
                }
            }
        }
    }

    fn regain_pbx(&mut self) {
        if std::mem::replace(&mut self.pbx_up, true) {
            return;
        }
        self.session += 1;
        if let Some(board) = &mut self.board {
            board.reach_pbx();
        }
        for user in 0..USERS {
            self.report(user);
        }
    }

    // ---------------------------------------------------------------------------------------------- the connector

    fn crash(&mut self) {
        if self.board.take().is_none() {
            return;
        }
        self.note("crash");
        self.run += 1;
        self.waiting.clear();
        self.gathering = false;
        let wait = self.rng.i64(1_500..30_000);
        self.plan(self.now + wait, Event::Start);
    }

    fn start(&mut self) {
        if self.board.is_some() {
            return;
        }
        self.forget_undescribed();
        let remembers = self.sabotage != Sabotage::NoLedger;
        let rows = self.ledger.values().filter(|_| remembers).cloned().collect();
        let mut board = Board::new(self.rules(), rows);
        let now = time(self.now);
        for conduct in &mut self.conduct {
            conduct.begin(self.now);
        }
        let roster_first = self.rng.bool();
        if roster_first {
            board.set_roster(self.members(), now);
        }
        self.board = Some(board);
        for user in 0..USERS {
            self.tell_board(user);
        }
        if !roster_first {
            let members = self.members();
            self.board.as_mut().unwrap().set_roster(members, now);
        }
        self.sweep();
    }

    /// An intent counts as set. One crash leaves something that no row describes: an intent is stored that replaces another state of ours, and
    /// the write never leaves. That state ends with its lifetime.
    fn forget_undescribed(&mut self) {
        for row in self.ledger.values() {
            if row.slot == Slot::Preferred && row.state == LedgerState::Intended {
                self.conduct[user_of(&row.pbx_user)].count_as_set();
            }
            let slot = &mut self.accounts[account_of(&row.teams_user)].slot;
            if let Some(slot) = slot
                && row.slot == Slot::Preferred
                && row.state == LedgerState::Intended
                && slot.by == By::Connector
                && slot.pair.1 != row.value.activity
            {
                slot.by = By::Forgotten;
            }
        }
    }

    fn rules(&self) -> Rules {
        Rules {
            teams_to_pbx: self.sabotage.disguise_mapping(TeamsToPbx::default()),
            pbx_to_teams: PbxToTeams::default(),
            contact: OURS.to_owned(),
            direction: Direction {
                teams_to_pbx: true,
                pbx_to_teams: true,
            },
            on_the_phone: self.traits.mode,
            renewal: self.traits.renewal,
        }
    }

    fn members(&self) -> Vec<Member> {
        let member = |(user, account): (usize, &Option<usize>)| {
            account.map(|account| Member {
                pbx: PbxUser {
                    guid: guid(user),
                    h323: format!("user{user}"),
                    cn: format!("User {user}"),
                    home: PbxName::new(PBX),
                },
                teams: teams(account),
            })
        };
        self.pairing.iter().enumerate().filter_map(member).collect()
    }

    fn change_roster(&mut self) {
        let user = self.rng.usize(0..USERS);
        let before = self.pairing;
        match self.pairing[user] {
            Some(_) if self.rng.u8(0..3) == 0 => self.pairing.swap(0, 1),
            Some(_) => self.pairing[user] = None,
            None => self.pairing[user] = Some(user).filter(|own| !self.pairing.contains(&Some(*own))),
        }
        for (user, before) in before.iter().enumerate() {
            if *before != self.pairing[user] {
                self.conduct[user].in_roster = false;
            }
        }
        self.note(format!("roster {:?}", self.pairing));
        let members = self.members();
        let now = time(self.now);
        if let Some(board) = &mut self.board {
            board.set_roster(members, now);
        }
    }

    fn store(&mut self, changes: Vec<LedgerChange>) {
        for change in changes {
            self.note(format!("  ledger {}", brief(&change)));
            match change {
                LedgerChange::Put(row) => {
                    self.meddle(&row);
                    self.ledger.insert((row.pbx_user.clone(), row.slot), row);
                }
                LedgerChange::Remove { pbx_user, slot } => {
                    self.ledger.remove(&(pbx_user, slot));
                }
            }
        }
    }

    /// Without the override rule: as soon as the user takes the slot back, the PBX seems to change to and fro.
    fn meddle(&mut self, row: &LedgerRow) {
        let user = user_of(&row.pbx_user);
        if self.sabotage == Sabotage::NoOverride && row.state == LedgerState::Overridden && self.pbx_up {
            self.plan(self.now, Event::Flicker(user));
        }
    }

    fn flicker(&mut self, user: usize) -> Result<(), Breach> {
        if let Some(board) = &mut self.board {
            board.see_presence(&PBX.into(), &guid(user), &[]);
            self.pump()?;
        }
        self.tell_board(user);
        Ok(())
    }

    /// Asks the board what is to be done until it has nothing more to say, and lets it happen.
    fn pump(&mut self) -> Result<(), Breach> {
        let Some(board) = &mut self.board else {
            return Ok(());
        };
        let due = board.due(time(self.now));
        for (member, leaving) in board.people() {
            let conduct = &mut self.conduct[user_of(&member.pbx.guid)];
            if !leaving && !conduct.in_roster {
                conduct.join(self.now);
            }
        }
        if self.rng.f64() < self.traits.crashes && !due.ledger.is_empty() && !self.calm {
            if self.rng.bool() {
                self.store(due.ledger);
            } else {
                for change in &due.ledger {
                    if let LedgerChange::Remove {
                        pbx_user,
                        slot: Slot::Preferred,
                    } = change
                    {
                        self.conduct[user_of(pbx_user)].uncertain = true;
                    }
                }
            }
            self.crash();
            return Ok(());
        }
        self.store(due.ledger);
        self.waiting.extend(due.reads.iter().map(account_of));
        self.gather(50);
        for (guid, write) in due.teams {
            self.write_teams(user_of(&guid), write)?;
        }
        for write in due.entries {
            self.write_entry(write)?;
        }
        if let Some(board) = &self.board
            && let Some(at) = board.next_deadline(time(self.now))
        {
            let at = (at - time(0)).num_milliseconds() + 1;
            let planned = self
                .events
                .range((self.now, 0)..=(at, u64::MAX))
                .any(|(_, event)| matches!(event, Event::Wake(run) if *run == self.run));
            if !planned {
                self.plan(at, Event::Wake(self.run));
            }
        }
        Ok(())
    }

    fn write_teams(&mut self, user: usize, write: PresenceWrite) -> Result<(), Breach> {
        self.note(format!("  user {user} -> teams {:?}", write.change));
        let (mode, renewal) = (self.traits.mode, self.traits.renewal);
        self.conduct[user].leave(&write.change, self.now, mode, renewal)?;
        let account = account_of(&write.user);
        let takes = self.now + self.rng.i64(5..400);
        let answers = takes + self.rng.i64(5..600);
        let run = self.run;
        let outcome = if self.chance(self.traits.lost_writes) {
            let throttled = self.rng.bool();
            if !throttled && self.rng.bool() {
                self.plan(takes, Event::TeamsTakes(account, write.change));
            }
            Outcome::Failed {
                wait: throttled.then(|| std::time::Duration::from_secs(self.rng.u64(1..20))),
            }
        } else {
            self.plan(takes, Event::TeamsTakes(account, write.change));
            Outcome::Accepted
        };
        self.plan(answers, Event::TeamsAnswers { run, user, outcome });
        Ok(())
    }

    fn write_entry(&mut self, mut write: EntryWrite) -> Result<(), Breach> {
        write.activity = self.sabotage.undisguise(&write.activity);
        self.note(format!(
            "  user {user} -> pbx {:?}",
            write.activity,
            user = user_of(&write.user)
        ));
        let user = user_of(&write.user);
        // a late notification may still be under way: it is delayed, and repeated to a connector that was down
        let delays = self.traits.longest_delay + 36_000;
        self.conduct[user].leave_entry(&write, delays, self.now)?;
        let takes = self.now + self.rng.i64(1..50);
        let (run, session) = (self.run, self.session);
        let answered = self.pbx_up && !self.chance(self.traits.lost_writes);
        if answered || (self.pbx_up && self.rng.bool()) {
            self.plan(
                takes,
                Event::PbxTakes {
                    run,
                    session,
                    user,
                    activity: write.activity,
                    answered,
                },
            );
        }
        if !answered {
            self.plan(
                takes + 50,
                Event::PbxAnswers {
                    run,
                    session,
                    user,
                    outcome: Outcome::Failed { wait: None },
                },
            );
        }
        Ok(())
    }

    // ---------------------------------------------------------------------------------------------- the end

    fn check_converged(&self) -> Result<(), Breach> {
        let wrong = |text: String| {
            Err(Breach {
                rule: Rule::Converged,
                text,
            })
        };
        for user in 0..USERS {
            let Some(account) = self.pairing[user] else {
                continue;
            };
            let (world, pbx, conduct) = (
                &self.accounts[account],
                &self.extensions[user],
                &self.conduct[user],
            );
            if conduct.is_busy() {
                return wrong(format!("a write for user {user} was never answered"));
            }
            let told = oracle::told(&pbx.picture(), pbx.line_state(), conduct.told.as_ref());
            let blocks = self.traits.mode == OnThePhone::DoNotDisturb;
            if world.app.is_some() != (told.on_the_phone && !blocks) {
                return wrong(format!(
                    "the session of account {account} is {:?}, told {told:?}",
                    world.app
                ));
            }
            let ours = world
                .slot
                .filter(|slot| slot.by == By::Connector)
                .map(|slot| slot.pair);
            let wish = oracle::wish(&told, blocks);
            // a choice that a call hides from Teams is no new state of the PBX
            let unchanged = conduct.filled_at_change == Some(conduct.choice_changes)
                || world.taken_at > conduct.choice_changed_at
                || (blocks && told.on_the_phone)
                || conduct.uncertain;
            let taken = world.taken && unchanged;
            if ours != wish && !(wish.is_some() && ours.is_none() && taken) {
                return wrong(format!(
                    "account {account} carries {:?}, but {told:?} means {wish:?}",
                    world.slot
                ));
            }
            let (pair, by_us) = world.effective();
            let shown = oracle::entry_for(pair);
            let held = wish.map(oracle::entry_for) == Some(shown)
                || (world.app.is_some() && shown == "on-the-phone");
            let forgotten = world.slot.is_some_and(|slot| slot.by == By::Forgotten);
            let right =
                (!by_us && pbx.ours() == shown) || ((by_us || held) && pbx.ours().is_empty()) || forgotten;
            if !right {
                return wrong(format!(
                    "user {user} has our entry {:?}, but teams shows {pair:?}, ours: {by_us}",
                    pbx.ours()
                ));
            }
        }
        self.check_nobody_else()
    }

    fn check_nobody_else(&self) -> Result<(), Breach> {
        for index in 0..USERS {
            let left_in_teams = !self.pairing.contains(&Some(index)) && self.carries_ours(index);
            let left_at_pbx = self.pairing[index].is_none() && !self.extensions[index].ours().is_empty();
            if left_in_teams || left_at_pbx {
                let text = format!(
                    "something of ours is left with {index}, who left: {:?}",
                    self.accounts[index].slot
                );
                return Err(Breach {
                    rule: Rule::Converged,
                    text,
                });
            }
        }
        Ok(())
    }

    fn carries_ours(&self, account: usize) -> bool {
        let world = &self.accounts[account];
        world.app.is_some() || world.slot.is_some_and(|slot| slot.by == By::Connector)
    }

    fn check_released(&self) -> Result<(), Breach> {
        let board = self.board.as_ref().unwrap();
        let left: Vec<usize> = (0..USERS)
            .filter(|user| self.carries_ours(*user) || !self.extensions[*user].ours().is_empty())
            .collect();
        if left.is_empty() && board.is_empty() && self.ledger.is_empty() {
            return Ok(());
        }
        let text = format!(
            "left behind: {left:?}, board empty: {}, ledger {:?}",
            board.is_empty(),
            self.ledger.keys()
        );
        Err(Breach {
            rule: Rule::Released,
            text,
        })
    }
}

fn brief(change: &LedgerChange) -> String {
    match change {
        LedgerChange::Put(row) => format!(
            "{} {:?} {:?} {} for {:?}",
            user_of(&row.pbx_user),
            row.slot,
            row.state,
            row.value.activity,
            row.stands_for
        ),
        LedgerChange::Remove { pbx_user, slot } => format!("{} {slot:?} removed", user_of(pbx_user)),
    }
}
