//! Teams as graph.md 5.3 describes it, for one account: sessions, the preferred slot, masking, and what a read shows.

use m365_presence::ports::PresenceChange;

use crate::oracle::Pair;

/// What the account shows when nobody is signed in.
pub const OFFLINE: Pair = ("Offline", "Offline");

/// The pair of the connector's session.
pub const CALL: Pair = ("Busy", "InACall");

/// Who filled the preferred slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Connector,
    User,
}

#[derive(Clone, Copy, Debug)]
pub struct Preferred {
    pub pair: Pair,
    pub until: i64,
    pub by: By,
}

/// What the account shows from a moment on.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    pub from: i64,
    pub pair: Pair,
    pub number: u64,
    /// Whether the connector made it.
    pub ours: bool,
    /// Whether the user has touched the slot since the connector wrote it.
    pub taken: bool,
}

/// One account.
#[derive(Debug)]
pub struct Account {
    /// The strongest session of the user's own clients.
    pub client: Option<Pair>,
    /// The end of the connector's session.
    pub app: Option<i64>,
    pub slot: Option<Preferred>,
    /// Whether the user has chosen or reset the preferred presence since the connector wrote it.
    pub taken: bool,
    /// When the user last did so; for what `Offline` hid at that time, since when it is seen.
    pub taken_at: i64,
    taken_shown: bool,
    pub history: Vec<Shown>,
    app_wins_ties: bool,
}

impl Account {
    pub fn new(app_wins_ties: bool) -> Self {
        let first = Shown {
            from: i64::MIN,
            pair: OFFLINE,
            number: 1,
            ours: false,
            taken: false,
        };
        Self {
            client: None,
            app: None,
            slot: None,
            taken: false,
            taken_at: i64::MIN,
            taken_shown: false,
            history: vec![first],
            app_wins_ties,
        }
    }

    /// What is shown, and whether the connector made it.
    pub fn effective(&self) -> (Pair, bool) {
        if self.client.is_none() && self.app.is_none() {
            return (OFFLINE, false);
        }
        if let Some(slot) = self.slot {
            return (slot.pair, slot.by == By::Connector);
        }
        let call = strength(CALL.0);
        match (self.client, self.app) {
            (Some(client), Some(_)) if strength(client.0) < call => (CALL, true),
            (Some(client), Some(_)) if strength(client.0) == call && self.app_wins_ties => (CALL, true),
            (Some(client), _) => (client, false),
            (None, _) => (CALL, true),
        }
    }

    /// Carries out a write of the connector.
    pub fn write(&mut self, change: &PresenceChange, now: i64) {
        match change {
            PresenceChange::SetSession { lifetime, .. } => self.app = Some(now + millis(*lifetime)),
            PresenceChange::ClearSession => self.app = None,
            PresenceChange::SetPreferred { presence, lifetime } => {
                self.slot = Some(Preferred {
                    pair: crate::oracle::known_pair(&presence.availability, &presence.activity),
                    until: now + millis(*lifetime),
                    by: By::Connector,
                });
                self.taken = false;
            }
            PresenceChange::ClearPreferred => {
                self.slot = None;
                self.taken = false;
            }
            PresenceChange::SetMessage { .. } | PresenceChange::ClearMessage => {}
        }
    }

    /// Lets the user choose a preferred presence, or reset it.
    pub fn choose(&mut self, pair: Option<Pair>, now: i64) {
        self.slot = pair.map(|pair| Preferred {
            pair,
            until: i64::MAX,
            by: By::User,
        });
        self.taken = true;
        self.taken_at = now;
        self.taken_shown = false;
    }

    /// Ends what has outlived its time.
    pub fn expire(&mut self, now: i64) {
        self.app = self.app.filter(|until| *until > now);
        self.slot = self.slot.filter(|slot| slot.until > now);
    }

    /// When something ends by itself next.
    pub fn next_end(&self) -> Option<i64> {
        let slot = self.slot.map(|slot| slot.until).filter(|until| *until < i64::MAX);
        self.app.into_iter().chain(slot).min()
    }

    /// Notes what is shown now; answers it when that is a change of the pair.
    pub fn note(&mut self, now: i64) -> Option<Shown> {
        let (pair, ours) = self.effective();
        if self.taken && !self.taken_shown && !crate::oracle::is_silent(pair) {
            self.taken_at = now;
            self.taken_shown = true;
        }
        let last = *self.history.last().unwrap();
        let changed = last.pair != pair;
        let shown = Shown {
            from: now,
            pair,
            number: last.number + u64::from(changed),
            ours,
            taken: self.taken,
        };
        self.history.push(shown);
        changed.then_some(shown)
    }

    /// What was shown at a time.
    pub fn at(&self, time: i64) -> Shown {
        *self
            .history
            .iter()
            .rev()
            .find(|shown| shown.from <= time)
            .unwrap()
    }
}

fn strength(availability: &str) -> u8 {
    match availability {
        "DoNotDisturb" => 4,
        "Busy" => 3,
        "Available" => 2,
        _ => 1,
    }
}

fn millis(lifetime: std::time::Duration) -> i64 {
    i64::try_from(lifetime.as_millis()).unwrap()
}
