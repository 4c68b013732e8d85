//! A life: two worlds, people who act at random, a connector that may crash, and the board in its middle.
//!
//! Time is a number of milliseconds and a queue of events; nothing waits. A life is a function of its seed.

mod alien_calls;
mod connector;
mod judgement;
mod microsoft;
mod pbx;
mod people;
mod telling;
mod writes;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use fastrand::Rng;
use m365_presence::board::{
    AlienCallWrite, Board, Direction, EntryWrite, Member, OnThePhone, Outcome, Restraint, Rules, TeamsCalls,
    Verdict,
};
use m365_presence::identity::{PbxGuid, PbxName, TeamsId};
use m365_presence::mapping::{PbxToTeams, TeamsToPbx};
use m365_presence::pbx::{PbxUser, PresenceEntry};
use m365_presence::ports::{LedgerChange, LedgerRow, LedgerState, PresenceChange, PresenceWrite, Slot};
use m365_presence::teams::{Source, TeamsObservation};

use crate::chance::{AlienCalls, Traits};
use crate::conduct::Conduct;
use crate::invariants::{Breach, Rule};
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
        said_at: i64,
        picture: Picture,
    },
    Alien(alien_calls::Step),
    PbxLost,
    PbxBack,
    Crash,
    Start,
    Roster,
    Flicker(usize),
    Resync,
    Wake(u64),
}

/// What the PBX tells of a user at one moment.
#[derive(Clone, Debug)]
struct Picture {
    entries: Vec<PresenceEntry>,
    /// Nothing where line state is not told.
    calls: Option<u32>,
    /// How many calls in it are ours; only the oracle knows.
    ours: u32,
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
    cache: BTreeMap<usize, (i64, Picture)>,
    /// On whom the session has been told to put a call of ours, and whether the PBX has confirmed it.
    ordered: [Option<bool>; USERS],
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
        let mut traits = Traits::draw(&mut rng);
        traits.draw_alien_calls(seed);
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
            ordered: [None; USERS],
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
        self.plan(self.now + 2 * LONGEST_WRITE, Event::Resync);
        self.live_until(TURMOIL + CALM)?;
        // a renewal may be under way at any moment, but not all the time
        for _ in 0..5 {
            if self.conduct.iter().any(Conduct::is_busy) {
                self.live_until(self.now + LONGEST_WRITE)?;
            }
        }
        self.check_converged()?;
        self.check_told()?;
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
                let called = self.accounts[account].app.is_some();
                self.accounts[account].expire(self.now);
                if called && self.accounts[account].app.is_none() {
                    let users = (0..USERS).filter(|user| self.pairing[*user] == Some(account));
                    users.for_each(|user| self.conduct[user].end_call_by_itself(self.now));
                }
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
                said_at,
                picture,
            } if session == self.session && self.pbx_up => {
                self.cache.insert(user, (said_at, picture));
                self.tell_board(user);
            }
            Event::Alien(step) => self.step_alien_call(step),
            Event::PbxLost => self.lose_pbx(),
            Event::PbxBack => self.regain_pbx(),
            Event::Crash => self.crash(),
            Event::Start => self.start(),
            Event::Roster => self.change_roster(),
            Event::Flicker(user) => self.flicker(user)?,
            Event::Resync => self.resync(),
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
