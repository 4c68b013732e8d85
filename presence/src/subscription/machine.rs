//! The state machine: what it knows, and what follows from it.

mod content;
mod outcome;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use self::content::{Change, Content};
use super::phase::Phase;
use super::terms::{Event, Held, Step, Terms, Want};
use super::watch::Watch;
use crate::identity::SubscriptionId;

/// Ends have a resolution of one second on Graph's clock.
const RESOLUTION: TimeDelta = TimeDelta::seconds(1);

/// A storm of requests for reauthorisation is answered by so many renewals in any minute; usual is one in some minutes
/// (graph.md 4.7).
const REAUTHORIZATIONS: usize = 6;

/// The time in which they are counted.
const STORM: TimeDelta = TimeDelta::minutes(1);

/// The step whose outcome is awaited.
#[derive(Clone, Debug)]
enum Underway {
    Creating {
        watch: Watch,
        certificate: Option<String>,
    },
    Renewing {
        certificate: Option<String>,
    },
    Deleting(Rival),
    Listing,
}

/// One that stands in the way.
#[derive(Clone, Debug)]
struct Rival {
    id: SubscriptionId,
    expires_at: DateTime<Utc>,
}

/// Why a renewal does not wait for its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hurry {
    /// An administrator orders it.
    Order,
    /// Graph asks for it.
    Reauthorization,
}

/// A time before which nothing is tried.
#[derive(Clone, Copy, Debug)]
struct Pause {
    until: DateTime<Utc>,
    /// Whether an order or another want ends it early; patience that Graph asks for is never cut short.
    breakable: bool,
}

/// One subscription: the directory's, or the presence of one shard.
#[derive(Clone, Debug)]
pub struct Subscription {
    terms: Terms,
    want: Want,
    held: Option<Held>,
    /// When the held one is to be renewed; at once where that is not known.
    renewal_at: Option<DateTime<Utc>>,
    /// A renewal is wanted at once.
    hurried: Option<Hurry>,
    /// When Graph asked for reauthorisation lately.
    reauthorizations: Vec<DateTime<Utc>>,
    content: Content,
    /// The held one must be made anew although its users are right.
    deaf: bool,
    /// Graph has refused to delete the held one.
    undeletable: bool,
    /// The id of the last one that we held.
    last_id: Option<SubscriptionId>,
    underway: Option<Underway>,
    pause: Option<Pause>,
    /// Failures that call for a longer pause each.
    streak: u32,
    /// There is one that we must look for.
    conflict: bool,
    /// Creates refused with 409 since the last success.
    conflicts: u32,
    /// Found ones that are to be deleted.
    rivals: Vec<Rival>,
    /// The end of those that Graph does not delete.
    blocked_until: Option<DateTime<Utc>>,
    phase: Phase,
}

impl Subscription {
    /// Takes up the work, with the subscription that was stored. Nothing is done before the first event.
    pub fn new(terms: Terms, stored: Option<Held>) -> Self {
        Self {
            want: Want::Unknown,
            last_id: stored.as_ref().map(|held| held.id.clone()),
            content: Content::new(terms.keys.clone(), stored.as_ref()),
            terms,
            held: stored,
            renewal_at: None,
            hurried: None,
            reauthorizations: Vec::new(),
            deaf: false,
            undeletable: false,
            underway: None,
            pause: None,
            streak: 0,
            conflict: false,
            conflicts: 0,
            rivals: Vec::new(),
            blocked_until: None,
            phase: Phase::Starting,
        }
    }

    /// How it fares.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// The subscription that we hold, to be stored whenever it has changed and before it is told.
    pub fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }

    /// Why Graph does not send resource data, in its own words, where it refuses that.
    pub fn resource_data_refusal(&self) -> Option<&str> {
        self.content.refusal()
    }

    /// What is wanted of it.
    pub fn want(&self) -> &Want {
        &self.want
    }

    /// Takes in what has happened and says what to do next. `now` is Graph's time.
    pub fn on(&mut self, event: Event, now: DateTime<Utc>) -> Step {
        match event {
            Event::Due => {}
            Event::Wanted(want) => self.change_want(want),
            Event::Keys(keys) => {
                if self.content.take_in(keys) {
                    self.look_again();
                }
            }
            Event::RenewNow => {
                self.content.retry();
                self.hurry(Hurry::Order);
            }
            Event::Reauthorize => self.reauthorize(now),
            Event::Removed(id) => self.forget(&id),
            Event::Deaf => self.deaf = self.held.is_some(),
            Event::Hearing => self.deaf = false,
            outcome => self.conclude(outcome, now),
        }
        if self.underway.is_some() {
            Step::Nothing { until: None }
        } else {
            self.decide(now)
        }
    }

    fn change_want(&mut self, want: Want) {
        if self.want != want {
            self.want = want;
            self.look_again();
        }
    }

    fn reauthorize(&mut self, now: DateTime<Utc>) {
        if matches!(self.underway, Some(Underway::Renewing { .. })) {
            return;
        }
        self.reauthorizations.retain(|asked_at| now - *asked_at < STORM);
        match self.reauthorizations.first() {
            Some(first) if self.reauthorizations.len() >= REAUTHORIZATIONS => {
                let calm = *first + STORM;
                self.renewal_at = self.renewal_at.map(|at| at.min(calm));
            }
            _ => {
                self.reauthorizations.push(now);
                self.hurry(Hurry::Reauthorization);
            }
        }
    }

    fn hurry(&mut self, why: Hurry) {
        self.hurried = self.hurried.filter(|hurry| *hurry == Hurry::Order).or(Some(why));
        self.undeletable = false;
        self.look_again();
    }

    /// Ends what is waited for, unless Graph has asked for patience; what stands in the way is looked at once more.
    fn look_again(&mut self) {
        self.conflict |= self.blocked_until.take().is_some();
        self.pause = self.pause.filter(|pause| !pause.breakable);
    }

    fn forget(&mut self, id: &SubscriptionId) {
        if self.held.as_ref().is_some_and(|held| held.id == *id) {
            if self.phase == Phase::Live {
                self.phase = Phase::Creating;
            }
            self.held = None;
            self.renewal_at = None;
            self.deaf = false;
            self.undeletable = false;
        }
    }

    fn decide(&mut self, now: DateTime<Utc>) -> Step {
        if let Some(ended) = self
            .held
            .as_ref()
            .filter(|held| now >= held.expires_at + RESOLUTION)
        {
            let id = ended.id.clone();
            self.forget(&id);
        }
        self.pause = self.pause.filter(|pause| now < pause.until);
        if let Some(pause) = self.pause {
            return Step::Nothing {
                until: Some(pause.until),
            };
        }
        match (self.want.clone(), self.held.clone()) {
            (Want::Unknown, None) => self.rest(Phase::Starting, None),
            (Want::Unknown, Some(held)) if !self.serves_us(&held) => self.rest(Phase::Starting, None),
            (Want::Unknown, Some(held)) => self.keep(&held, false, now),
            (Want::Nothing, None) => {
                self.rivals.clear();
                self.conflict = false;
                self.rest(Phase::Idle, None)
            }
            (Want::Nothing, Some(held)) if self.undeletable => {
                self.rest(Phase::Idle, Some(held.expires_at + RESOLUTION))
            }
            (Want::Nothing, Some(held)) => self.delete(held.id, held.expires_at),
            (Want::Watch(wanted), Some(held)) if held.watch == wanted && self.serves_us(&held) => {
                self.keep(&held, true, now)
            }
            (Want::Watch(_), Some(held)) if self.undeletable => self.wait_for(held.expires_at),
            (Want::Watch(_), Some(held)) => {
                self.phase = if self.deaf { Phase::Deaf } else { Phase::Replacing };
                self.delete(held.id, held.expires_at)
            }
            (Want::Watch(_), None) if !self.content.is_known() => self.rest(Phase::Starting, None),
            (Want::Watch(wanted), None) => self.obtain(wanted, now),
        }
    }

    /// Whether the notifications of the held one do not arrive, so that it is not wanted any more.
    pub fn is_deaf(&self) -> bool {
        self.deaf
    }

    fn serves_us(&self, held: &Held) -> bool {
        !self.deaf && self.serves(&held.notification_url, held.certificate_id.as_deref())
    }

    /// Renews the held one when that is due. Only one that is known to be wanted may be made anew instead.
    fn keep(&mut self, held: &Held, wanted: bool, now: DateTime<Utc>) -> Step {
        if let Some(renewal_at) = self
            .renewal_at
            .filter(|renewal_at| now < *renewal_at && self.hurried.is_none())
        {
            return self.rest(Phase::Live, Some(renewal_at));
        }
        // an order that comes while the renewal is under way asks for another one
        let hurry = self.hurried.take();
        let certificate = match self.content.change(held, now) {
            Change::None => None,
            Change::Name(certificate) => Some(certificate),
            Change::Replace if wanted && !self.undeletable && hurry != Some(Hurry::Reauthorization) => {
                self.phase = Phase::Replacing;
                return self.delete(held.id.clone(), held.expires_at);
            }
            Change::Replace => None,
        };
        self.underway = Some(Underway::Renewing {
            certificate: certificate.clone(),
        });
        Step::Renew {
            id: held.id.clone(),
            expires_at: now + delta(held.watch.lifetime(self.terms.period)),
            certificate,
        }
    }

    fn obtain(&mut self, wanted: Watch, now: DateTime<Utc>) -> Step {
        if self.conflict {
            self.underway = Some(Underway::Listing);
            return Step::List;
        }
        if let Some(rival) = self.rivals.pop() {
            return self.delete(rival.id, rival.expires_at);
        }
        if let Some(until) = self.blocked_until.filter(|until| now < *until + RESOLUTION) {
            return self.wait_for(until);
        }
        self.blocked_until = None;
        self.phase = match self.phase {
            Phase::Starting | Phase::Idle | Phase::Live | Phase::WaitingForExpiry { .. } => Phase::Creating,
            _ => self.phase.clone(),
        };
        self.hurried = None;
        let certificate = self.content.certificate(now);
        self.underway = Some(Underway::Creating {
            watch: wanted.clone(),
            certificate: certificate.clone(),
        });
        let expires_at = now + delta(wanted.lifetime(self.terms.period));
        Step::Create {
            watch: wanted,
            expires_at,
            certificate,
        }
    }

    fn delete(&mut self, id: SubscriptionId, expires_at: DateTime<Utc>) -> Step {
        self.underway = Some(Underway::Deleting(Rival {
            id: id.clone(),
            expires_at,
        }));
        Step::Delete { id }
    }

    fn wait_for(&mut self, end: DateTime<Utc>) -> Step {
        self.rest(Phase::WaitingForExpiry { until: end }, Some(end + RESOLUTION))
    }

    fn rest(&mut self, phase: Phase, until: Option<DateTime<Utc>>) -> Step {
        self.phase = phase;
        Step::Nothing { until }
    }
}

fn delta(duration: Duration) -> TimeDelta {
    TimeDelta::from_std(duration).unwrap_or(TimeDelta::MAX)
}
