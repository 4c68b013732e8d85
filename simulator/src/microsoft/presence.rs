//! How Teams makes one presence out of many (reference 5.3): a session per Teams client, a session per application, and
//! the state that the user prefers. Pure: the time comes in, the pair and the next deadline come out.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use uuid::Uuid;

/// An availability with its activity, as they stand on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    /// The availability, such as `Busy`.
    pub availability: String,
    /// The activity, such as `InACall`.
    pub activity: String,
}

impl Pair {
    /// Makes a pair.
    #[must_use]
    pub fn new(availability: &str, activity: &str) -> Self {
        Self {
            availability: availability.to_owned(),
            activity: activity.to_owned(),
        }
    }

    /// The pair of somebody without any session.
    #[must_use]
    pub fn offline() -> Self {
        Self::new("Offline", "Offline")
    }

    /// Orders sessions: do-not-disturb is stronger than busy, available and away, in this order.
    fn strength(&self) -> u8 {
        match self.availability.as_str() {
            "DoNotDisturb" => 4,
            "Busy" | "BusyIdle" => 3,
            "Available" | "AvailableIdle" => 2,
            "Away" | "BeRightBack" => 1,
            _ => 0,
        }
    }
}

/// The pairs that `setPresence` takes (reference 5.2).
pub(super) const SESSION_PAIRS: &[(&str, &str)] = &[
    ("Available", "Available"),
    ("Busy", "InACall"),
    ("Busy", "InAConferenceCall"),
    ("Away", "Away"),
    ("DoNotDisturb", "Presenting"),
];

/// The pairs that `setUserPreferredPresence` takes (reference 5.2).
pub(super) const PREFERRED_PAIRS: &[(&str, &str)] = &[
    ("Available", "Available"),
    ("Busy", "Busy"),
    ("DoNotDisturb", "DoNotDisturb"),
    ("BeRightBack", "BeRightBack"),
    ("Away", "Away"),
    ("Offline", "OffWork"),
];

/// After how long without renewal an available session fades by one step (reference 5.3).
pub(super) const FADING: Duration = Duration::from_secs(300);

struct AppSession {
    pair: Pair,
    since: Instant,
    fading: Duration,
    until: Instant,
}

impl AppSession {
    fn shown(&self, now: Instant) -> Pair {
        let age = now.saturating_duration_since(self.since);
        if self.pair.availability != "Available" || age < self.fading {
            return self.pair.clone();
        }
        if age < self.fading * 2 {
            Pair::new("Available", "AvailableInactive")
        } else {
            Pair::new("Away", "Away")
        }
    }

    fn deadlines(&self) -> impl Iterator<Item = Instant> {
        [self.since + self.fading, self.since + self.fading * 2, self.until].into_iter()
    }
}

/// Holds everything that decides one user's presence.
#[derive(Default)]
pub(super) struct Sessions {
    clients: BTreeMap<String, (Pair, Instant)>,
    apps: BTreeMap<Uuid, AppSession>,
    preferred: Option<(Pair, Instant)>,
}

impl Sessions {
    /// Returns what everybody sees at `now`.
    pub(super) fn effective(&self, now: Instant) -> Pair {
        let clients = self.clients.values().cloned();
        let apps = self
            .apps
            .values()
            .filter(|session| now < session.until)
            .map(|session| (session.shown(now), session.since));
        let strongest = clients
            .chain(apps)
            .max_by_key(|(pair, since)| (pair.strength(), *since));
        let Some((strongest, _)) = strongest else {
            return Pair::offline();
        };
        match &self.preferred {
            Some((pair, until)) if now < *until => pair.clone(),
            _ => strongest,
        }
    }

    /// Returns the next moment after `now` at which time alone may change the presence.
    pub(super) fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let apps = self.apps.values().flat_map(AppSession::deadlines);
        apps.chain(self.preferred.iter().map(|(_, until)| *until))
            .filter(|deadline| *deadline > now)
            .min()
    }

    /// Forgets what is over.
    pub(super) fn forget_expired(&mut self, now: Instant) {
        self.apps.retain(|_, session| now < session.until);
        self.preferred.take_if(|(_, until)| *until <= now);
    }

    /// Sets the session of one Teams client; an offline client has none.
    pub(super) fn set_client(&mut self, client: &str, pair: Pair, now: Instant) {
        if pair.availability == "Offline" {
            self.clients.remove(client);
        } else {
            self.clients.insert(client.to_owned(), (pair, now));
        }
    }

    /// Creates or replaces the session of an application.
    pub(super) fn set_app(&mut self, app: Uuid, pair: Pair, now: Instant, fading: Duration, life: Duration) {
        self.apps.insert(
            app,
            AppSession {
                pair,
                since: now,
                fading,
                until: now + life,
            },
        );
    }

    /// Removes the session of an application; false when it had none.
    pub(super) fn clear_app(&mut self, app: Uuid, now: Instant) -> bool {
        self.forget_expired(now);
        self.apps.remove(&app).is_some()
    }

    /// Sets what the user prefers.
    pub(super) fn prefer(&mut self, pair: Pair, now: Instant, life: Duration) {
        self.preferred = Some((pair, now + life));
    }

    /// Clears what the user prefers.
    pub(super) fn clear_preferred(&mut self) {
        self.preferred = None;
    }

    /// Returns what an application's session shows, if it has one.
    pub(super) fn app(&self, app: Uuid, now: Instant) -> Option<Pair> {
        self.apps
            .get(&app)
            .filter(|session| now < session.until)
            .map(|session| session.shown(now))
    }

    /// Returns what the user prefers, if anything.
    pub(super) fn preferred(&self, now: Instant) -> Option<Pair> {
        self.preferred
            .as_ref()
            .filter(|(_, until)| now < *until)
            .map(|(pair, _)| pair.clone())
    }
}
