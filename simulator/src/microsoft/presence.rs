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

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn called(now: Instant, app: Uuid, pair: Pair, life: Duration) -> Sessions {
        let mut sessions = Sessions::default();
        sessions.set_app(app, pair, now, FADING, life);
        sessions
    }

    #[test]
    fn an_available_session_fades_in_two_steps_and_ends_with_its_lease() {
        let (now, app) = (Instant::now(), Uuid::new_v4());
        let sessions = called(now, app, Pair::new("Available", "Available"), MINUTE * 60);
        assert_eq!(
            sessions.effective(now + MINUTE * 4),
            Pair::new("Available", "Available")
        );
        assert_eq!(
            sessions.effective(now + MINUTE * 5),
            Pair::new("Available", "AvailableInactive")
        );
        assert_eq!(sessions.effective(now + MINUTE * 10), Pair::new("Away", "Away"));
        assert_eq!(sessions.effective(now + MINUTE * 60), Pair::offline());
        assert_eq!(sessions.next_deadline(now + MINUTE * 6), Some(now + MINUTE * 10));
    }

    #[test]
    fn a_busy_session_does_not_fade() {
        let (now, app) = (Instant::now(), Uuid::new_v4());
        let sessions = called(now, app, Pair::new("Busy", "InACall"), MINUTE * 60);
        assert_eq!(
            sessions.effective(now + MINUTE * 59),
            Pair::new("Busy", "InACall")
        );
    }

    #[test]
    fn the_strongest_session_wins_and_among_equals_the_newest() {
        let (now, app) = (Instant::now(), Uuid::new_v4());
        let mut sessions = called(now, app, Pair::new("Busy", "InACall"), MINUTE * 60);
        sessions.set_client("phone", Pair::new("Available", "Available"), now + MINUTE);
        assert_eq!(sessions.effective(now + MINUTE), Pair::new("Busy", "InACall"));
        sessions.set_client("desktop", Pair::new("Busy", "InAMeeting"), now + MINUTE);
        assert_eq!(sessions.effective(now + MINUTE), Pair::new("Busy", "InAMeeting"));
        sessions.set_client("desktop", Pair::new("DoNotDisturb", "Presenting"), now + MINUTE);
        assert_eq!(
            sessions.effective(now + MINUTE),
            Pair::new("DoNotDisturb", "Presenting")
        );
    }

    #[test]
    fn a_preferred_state_needs_a_session_and_ends_by_itself() {
        let (now, app) = (Instant::now(), Uuid::new_v4());
        let mut sessions = Sessions::default();
        sessions.prefer(Pair::new("DoNotDisturb", "DoNotDisturb"), now, MINUTE * 20);
        assert_eq!(sessions.effective(now), Pair::offline());
        sessions.set_app(app, Pair::new("Busy", "InACall"), now, FADING, MINUTE * 60);
        assert_eq!(sessions.effective(now), Pair::new("DoNotDisturb", "DoNotDisturb"));
        assert_eq!(
            sessions.effective(now + MINUTE * 20),
            Pair::new("Busy", "InACall")
        );
        assert!(sessions.clear_app(app, now));
        assert_eq!(sessions.effective(now), Pair::offline());
        assert!(!sessions.clear_app(app, now));
    }
}
