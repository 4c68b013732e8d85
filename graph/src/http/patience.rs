//! How long each family of endpoints wants to be left alone by each account (graph.md 6.2, 6.3).

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use m365_presence::identity::Credential;
use tokio::time::Instant;

/// Endpoints that share one limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Family {
    /// Sign-ins and device codes.
    Token,
    /// Discovery documents and signing keys.
    SigningKeys,
    /// Users.
    Directory,
    /// Reads of presence.
    PresenceRead,
    /// Writes of presence.
    PresenceWrite,
    /// Creates, renewals and deletes of subscriptions.
    Subscriptions,
    /// Lists of subscriptions, which have a far smaller limit of their own.
    SubscriptionList,
}

impl Family {
    /// Whether it changes anything at Microsoft.
    pub(super) fn writes(self) -> bool {
        matches!(self, Self::PresenceWrite | Self::Subscriptions)
    }

    /// Whether it stands at the sign-in service, and not at Graph.
    pub(super) fn is_sign_in(self) -> bool {
        matches!(self, Self::Token | Self::SigningKeys)
    }
}

/// A family as one account uses it: what one of them is asked for does not silence the others.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Lane {
    family: Family,
    credential: Option<Credential>,
}

impl Lane {
    pub(super) fn new(family: Family, credential: Option<&Credential>) -> Self {
        Self {
            family,
            credential: credential.cloned(),
        }
    }
}

/// No answer may silence a family for longer.
const LONGEST: Duration = Duration::from_secs(3600);

/// The resolution of `Retry-After`.
const SHORTEST: Duration = Duration::from_secs(1);

/// Longest guess where Graph asks for patience without saying for how long.
const LONGEST_GUESS: Duration = Duration::from_secs(30);

#[derive(Clone, Copy)]
struct Silence {
    until: Instant,
    guesses: u32,
}

/// The patience that all callers share.
#[derive(Default)]
pub(super) struct Patience {
    silences: RefCell<HashMap<Lane, Silence>>,
}

impl Patience {
    /// How long nothing of this lane may leave, if so.
    pub(super) fn remaining(&self, lane: &Lane) -> Option<Duration> {
        let silences = self.silences.borrow();
        let remaining = silences
            .get(lane)?
            .until
            .saturating_duration_since(Instant::now());
        (!remaining.is_zero()).then_some(remaining)
    }

    /// Takes in the status of an answer and returns for how long it asks to be left alone: every 429, and every 5xx
    /// that says for how long. A 429 that does not say doubles the guess each time, with jitter.
    pub(super) fn observe(
        &self,
        lane: &Lane,
        status: u16,
        retry_after: Option<Duration>,
    ) -> Option<Duration> {
        let mut silences = self.silences.borrow_mut();
        let guesses = silences.get(lane).map_or(0, |silence| silence.guesses);
        let (wait, guesses) = match (status, retry_after) {
            (429 | 500..=599, Some(wait)) => (wait.clamp(SHORTEST, LONGEST), 0),
            (429, None) => (guess(guesses), guesses.saturating_add(1)),
            (200..=299, _) => {
                // An answer may be older than a silence that was asked for meanwhile.
                silences.retain(|known, silence| known != lane || silence.until > Instant::now());
                return None;
            }
            _ => return None,
        };
        let until = Instant::now() + wait;
        silences
            .entry(lane.clone())
            .and_modify(|silence| {
                *silence = Silence {
                    until: silence.until.max(until),
                    guesses,
                }
            })
            .or_insert(Silence { until, guesses });
        Some(wait)
    }
}

fn guess(streak: u32) -> Duration {
    let whole = SHORTEST
        .saturating_mul(2_u32.saturating_pow(streak))
        .min(LONGEST_GUESS);
    whole.mul_f64(1.0 + fastrand::f64() / 4.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(family: Family) -> Lane {
        Lane::new(family, Some(&Credential::App))
    }

    #[tokio::test(start_paused = true)]
    async fn a_family_waits_and_the_others_do_not() {
        let patience = Patience::default();
        patience.observe(&lane(Family::Directory), 429, Some(Duration::from_secs(10)));
        assert_eq!(
            patience.remaining(&lane(Family::Directory)),
            Some(Duration::from_secs(10))
        );
        assert_eq!(patience.remaining(&lane(Family::PresenceWrite)), None);
        tokio::time::sleep(Duration::from_secs(10)).await;
        assert_eq!(patience.remaining(&lane(Family::Directory)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn one_account_waits_and_the_others_do_not() {
        let patience = Patience::default();
        let of = |account: &str| {
            let credential = Credential::Communication(account.into());
            Lane::new(Family::Subscriptions, Some(&credential))
        };
        patience.observe(&of("one"), 429, Some(Duration::from_secs(600)));
        assert!(patience.remaining(&of("one")).is_some());
        assert_eq!(patience.remaining(&of("other")), None);
    }

    #[tokio::test(start_paused = true)]
    async fn guesses_grow_until_an_answer_succeeds() {
        let patience = Patience::default();
        let guesses: Vec<_> = (0..8)
            .filter_map(|_| patience.observe(&lane(Family::Token), 429, None))
            .collect();
        assert!(
            guesses.windows(2).take(5).all(|pair| pair[0] < pair[1]),
            "{guesses:?}"
        );
        assert!(guesses.iter().all(|guess| *guess <= LONGEST_GUESS.mul_f64(1.25)));
        tokio::time::sleep(Duration::from_secs(60)).await;
        patience.observe(&lane(Family::Token), 200, None);
        assert!(patience.observe(&lane(Family::Token), 429, None).unwrap() < Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_that_was_under_way_does_not_end_a_silence() {
        let patience = Patience::default();
        patience.observe(&lane(Family::Token), 429, Some(Duration::from_secs(10)));
        patience.observe(&lane(Family::Token), 200, None);
        assert!(patience.remaining(&lane(Family::Token)).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn no_answer_silences_a_family_for_ever() {
        let patience = Patience::default();
        assert_eq!(
            patience.observe(&lane(Family::Token), 503, Some(Duration::MAX)),
            Some(LONGEST)
        );
        assert_eq!(patience.observe(&lane(Family::Token), 503, None), None);
    }
}
