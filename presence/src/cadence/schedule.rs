//! Who is due, and what the next call asks for.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use super::full_sweep::{FullSweep, Sweeping};
use super::refused::{AGAIN, Refusal, Refused};
use super::tempo::{Tempo, Watch, is_on_a_call};
use crate::identity::TeamsId;
use crate::ports::READ_LIMIT;
use crate::teams::TeamsObservation;

/// So many of those who are due next are looked at when a call is filled.
const LOOKED_AT: usize = 2 * READ_LIMIT;

/// One user, and what decides when the next read is due.
#[derive(Clone, Debug, Default)]
struct User {
    watch: Watch,
    in_a_teams_call: bool,
    on_the_phone: bool,
    changed_at: Option<Instant>,
    /// When the newest read that was answered had begun.
    begun_at: Option<Instant>,
    under_way: bool,
    /// Whether Graph refused the last read although it asked for nobody else.
    refused: bool,
    /// Since when the user is to be read, whatever the tempo says.
    wanted_at: Option<Instant>,
    /// The place in the queue.
    due: Option<Instant>,
    /// Number of the last full sweep in which the user was read.
    swept: u64,
}

impl User {
    fn pause(&self, tempo: &Tempo) -> Option<Duration> {
        let on_a_call = self.in_a_teams_call || self.on_the_phone;
        let last = self.begun_at.zip(self.changed_at);
        let rest = last.map(|(read, change)| read.saturating_duration_since(change));
        let pause = tempo.pause(self.watch, on_a_call, rest)?;
        Some(if self.refused { pause.max(AGAIN) } else { pause })
    }

    fn next(&self, tempo: &Tempo) -> Option<Instant> {
        if self.under_way {
            return None;
        }
        let read = self.begun_at.zip(self.pause(tempo));
        let by_tempo = read.and_then(|(begun_at, pause)| begun_at.checked_add(pause));
        by_tempo.into_iter().chain(self.wanted_at).min()
    }

    /// Whether a call that leaves now may take the user along.
    fn may_come_along(&self, tempo: &Tempo, now: Instant) -> bool {
        let fresh = tempo.fresh(self.watch);
        self.begun_at
            .is_none_or(|begun_at| now.saturating_duration_since(begun_at) >= fresh)
    }
}

/// A call that is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Whom it asks for: 1 to 650.
    pub users: Vec<TeamsId>,
    /// Whose read had been ordered: what it shows is no surprise.
    pub ordered: BTreeSet<TeamsId>,
    /// When it leaves.
    pub begun_at: Instant,
}

/// The users in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All of them.
    pub users: usize,
    /// Those whom no subscription watches of which notifications are known to arrive.
    pub uncovered: usize,
    /// Uncovered ones who are read more often than users at rest.
    pub hot: usize,
    /// All other uncovered ones.
    pub idle: usize,
    /// Those who have never been read.
    pub unread: usize,
    /// Those whose read is due or ordered.
    pub waiting: usize,
}

/// Everybody who is to be read.
#[derive(Clone, Debug)]
pub struct Cadence {
    tempo: Tempo,
    users: HashMap<TeamsId, User>,
    queue: BTreeSet<(Instant, TeamsId)>,
    ordered: BTreeSet<TeamsId>,
    refused: Refused,
    sweeping: Sweeping,
}

impl Cadence {
    /// Begins with nobody.
    pub fn new(tempo: Tempo) -> Self {
        Self {
            tempo,
            users: HashMap::new(),
            queue: BTreeSet::new(),
            ordered: BTreeSet::new(),
            refused: Refused::default(),
            sweeping: Sweeping::default(),
        }
    }

    /// Takes in who is to be read; whoever was not is read at once, and who is no longer is forgotten.
    pub fn set_users(&mut self, wanted: &BTreeSet<TeamsId>, watch: impl Fn(&TeamsId) -> Watch) {
        let left: Vec<TeamsId> = self
            .users
            .keys()
            .filter(|user| !wanted.contains(*user))
            .cloned()
            .collect();
        for id in &left {
            if let Some(due) = self.users.remove(id).and_then(|user| user.due) {
                self.queue.remove(&(due, id.clone()));
            }
            self.ordered.remove(id);
            self.refused.forget(id);
        }
        for id in wanted {
            if !self.users.contains_key(id) {
                let user = User {
                    watch: watch(id),
                    ..User::default()
                };
                self.users.insert(id.clone(), user);
                self.ordered.insert(id.clone());
            }
        }
        let unswept = |user: &&User| user.swept < self.sweeping.number;
        let left = self.users.values().filter(unswept).count();
        self.sweeping.recount(left);
    }

    /// Takes in whom notifications tell of.
    pub fn set_watch(&mut self, watch: impl Fn(&TeamsId) -> Watch) {
        let changed: Vec<TeamsId> = self
            .users
            .iter_mut()
            .filter_map(|(id, user)| {
                let before = std::mem::replace(&mut user.watch, watch(id));
                (before != user.watch).then(|| id.clone())
            })
            .collect();
        for id in &changed {
            self.plan(id);
        }
    }

    /// Whether notifications tell of a user.
    pub fn watch_of(&self, user: &TeamsId) -> Watch {
        self.users.get(user).map(|user| user.watch).unwrap_or_default()
    }

    /// Orders reads of users, be they known or not: they go before all others.
    pub fn order(&mut self, users: impl IntoIterator<Item = TeamsId>) {
        self.ordered.extend(users);
    }

    /// Orders a read of everybody for a reason that is known: whatever it shows, no notification was due to tell it.
    pub fn order_anew(&mut self) {
        self.ordered.extend(self.users.keys().cloned());
    }

    /// Orders one read of everybody.
    pub fn order_everybody(&mut self, now: Instant) {
        for id in self.users.keys().cloned().collect::<Vec<_>>() {
            if let Some(user) = self.users.get_mut(&id) {
                user.wanted_at.get_or_insert(now);
            }
            self.plan(&id);
        }
    }

    /// Notes that these users have changed just now.
    pub fn note_changes<'a>(&mut self, users: impl IntoIterator<Item = &'a TeamsId>, now: Instant) {
        for id in users {
            if let Some(user) = self.users.get_mut(id) {
                user.changed_at = Some(now);
                self.plan(id);
            }
        }
    }

    /// Notes whether a user is on the phone at the PBX.
    pub fn note_phone(&mut self, id: &TeamsId, on_the_phone: bool, now: Instant) {
        if let Some(user) = self.users.get_mut(id)
            && user.on_the_phone != on_the_phone
        {
            user.on_the_phone = on_the_phone;
            user.changed_at = Some(now);
            self.plan(id);
        }
    }

    /// Takes out the next call that must leave by now, if there is one: ordered reads first, then who is due, then who
    /// will be due next.
    pub fn take_call(&mut self, now: Instant) -> Option<Call> {
        let call = self
            .refused
            .next(now)
            .or_else(|| self.take_one_alone(now))
            .or_else(|| self.take_many(now))?;
        for id in &call.users {
            if let Some(user) = self.users.get_mut(id) {
                user.under_way = true;
            }
            self.plan(id);
        }
        self.sweeping.begin(now);
        Some(call)
    }

    /// A call for somebody whom Graph has refused to read before.
    fn take_one_alone(&mut self, now: Instant) -> Option<Call> {
        let is_due = |id: &&TeamsId| {
            let due = self.users.get(*id).and_then(|user| user.due);
            self.ordered.contains(*id) || due.is_some_and(|due| due <= now)
        };
        let user = self.refused.alone().find(is_due)?.clone();
        let ordered = self.ordered.take(&user).into_iter().collect();
        Some(Call {
            users: vec![user],
            ordered,
            begun_at: now,
        })
    }

    fn take_many(&mut self, now: Instant) -> Option<Call> {
        let ordered: BTreeSet<TeamsId> = self.ordered.iter().take(READ_LIMIT).cloned().collect();
        self.ordered.retain(|user| !ordered.contains(user));
        let mut users: Vec<TeamsId> = ordered.iter().cloned().collect();
        let places = READ_LIMIT.saturating_sub(users.len());
        let is_new = |id: &TeamsId| !ordered.contains(id) && !self.refused.is_alone(id);
        let mut queue = self.queue.iter().filter(|(_, id)| is_new(id)).peekable();
        let is_due = |(due, _): &&(Instant, TeamsId)| *due <= now;
        let due_now = std::iter::from_fn(|| queue.next_if(is_due));
        users.extend(due_now.take(places).map(|(_, id)| id.clone()));
        if users.is_empty() {
            return None;
        }
        let places = READ_LIMIT.saturating_sub(users.len());
        let may_come = |(_, id): &&(Instant, TeamsId)| {
            let user = self.users.get(id);
            user.is_some_and(|user| user.may_come_along(&self.tempo, now))
        };
        let along = queue.take(LOOKED_AT).filter(may_come);
        users.extend(along.take(places).map(|(_, id)| id.clone()));
        Some(Call {
            users,
            ordered,
            begun_at: now,
        })
    }

    /// Takes in what a call brought.
    pub fn answered(&mut self, call: &Call, observations: &[TeamsObservation], now: Instant) {
        self.refused.end(call);
        self.conclude(call, observations, false, now);
    }

    /// Takes in that Graph refuses to answer a call, for a reason that lies with whom it asks for: the call is halved.
    pub fn refused(&mut self, call: Call, now: Instant) -> Refusal {
        let refusal = self.refused.note(&call);
        match refusal {
            Refusal::Halved => {}
            Refusal::Alone => self.conclude(&call, &[], true, now),
            Refusal::Everything => self.failed(call),
        }
        refusal
    }

    fn conclude(&mut self, call: &Call, observations: &[TeamsObservation], refused: bool, now: Instant) {
        for observation in observations {
            if let Some(user) = self.users.get_mut(&observation.user) {
                user.in_a_teams_call = is_on_a_call(&observation.presence);
            }
        }
        for id in &call.users {
            let Some(user) = self.users.get_mut(id) else {
                continue;
            };
            user.under_way = false;
            user.refused = refused;
            user.begun_at = user.begun_at.max(Some(call.begun_at));
            user.wanted_at = user.wanted_at.filter(|wanted| *wanted > call.begun_at);
            if user.swept < self.sweeping.number && self.sweeping.counts(call.begun_at) {
                user.swept = self.sweeping.number;
                self.sweeping.check_off();
            }
            self.plan(id);
        }
        self.sweeping.end(self.users.len(), now);
    }

    /// Puts back a call that brought nothing.
    pub fn failed(&mut self, call: Call) {
        self.refused.drop_half(&call);
        for id in &call.users {
            if let Some(user) = self.users.get_mut(id) {
                user.under_way = false;
                user.wanted_at.get_or_insert(call.begun_at);
            }
            self.plan(id);
        }
        self.ordered.extend(call.ordered);
    }

    /// When [`Cadence::take_call`] has something to take out next, unless something happens before. Reads that are
    /// ordered are due already.
    pub fn next_due(&self) -> Option<Instant> {
        self.queue.first().map(|(due, _)| *due)
    }

    /// Whether reads wait that are ordered, or are the halves of a refused call.
    pub fn has_orders(&self) -> bool {
        !self.ordered.is_empty() || self.refused.waits()
    }

    /// The users in numbers.
    pub fn counts(&self, now: Instant) -> Counts {
        let mut counts = Counts {
            users: self.users.len(),
            ..Counts::default()
        };
        for (id, user) in &self.users {
            let ordered = self.ordered.contains(id);
            counts.unread += usize::from(user.begun_at.is_none());
            counts.waiting += usize::from(ordered || user.due.is_some_and(|due| due <= now));
            if user.watch != Watch::Trusted {
                let hot = user
                    .pause(&self.tempo)
                    .is_some_and(|pause| self.tempo.is_hot(pause));
                counts.uncovered += 1;
                counts.hot += usize::from(hot);
                counts.idle += usize::from(!hot);
            }
        }
        counts
    }

    /// The last full sweep.
    pub fn last_full_sweep(&self) -> Option<FullSweep> {
        self.sweeping.last()
    }

    /// Gives a user the place in the queue that follows from what is known.
    fn plan(&mut self, id: &TeamsId) {
        let Some(user) = self.users.get_mut(id) else {
            return;
        };
        let due = user.next(&self.tempo);
        let before = std::mem::replace(&mut user.due, due);
        if before != due {
            if let Some(before) = before {
                self.queue.remove(&(before, id.clone()));
            }
            if let Some(due) = due {
                self.queue.insert((due, id.clone()));
            }
        }
    }
}
