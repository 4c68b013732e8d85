//! Delivers notifications (reference 3.4): waits a moment, puts what is due for one URL into common envelopes, posts
//! them side by side, and repeats with a growing pause what was not answered with 2xx in time. Nothing is delivered for a
//! subscription whose creator's token expired; it waits until the subscription is renewed or the notification given up.

use std::{
    collections::{BTreeMap, HashMap},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use awc::Client;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::{StreamExt as _, stream::FuturesUnordered};
use tokio::sync::mpsc;

use super::{
    cloud::Cloud,
    endpoint::{Endpoints, Verdict},
    entry::{Entry, Kind},
    envelope::envelope,
    knobs::Delivery,
    notification::{Change, LifecycleEvent, Outgoing},
    parcel::{Outcome, Parcel, host, post},
    subscription::Subscription,
};

/// How many POSTs run side by side.
const PARALLEL: usize = 64;

/// How many notifications wait at most; more are lost, and the journal says so.
const CAPACITY: usize = 100_000;

/// The window in which endpoints are judged, and how long slow ones wait.
const JUDGED: Duration = Duration::from_secs(600);

/// How long before its end a subscription asks to be reauthorised, at most.
const WARNING: TimeDelta = TimeDelta::minutes(15);

struct Engine {
    cloud: Arc<Cloud>,
    client: Client,
    waiting: BTreeMap<(Instant, u64), Parcel>,
    endpoints: Endpoints,
    number: u64,
}

/// Runs the delivery until the cloud is gone.
pub(super) async fn run(cloud: Arc<Cloud>, client: Client, mut inbox: mpsc::UnboundedReceiver<Outgoing>) {
    let mut engine = Engine {
        cloud,
        client,
        waiting: BTreeMap::new(),
        endpoints: Endpoints::default(),
        number: 0,
    };
    let mut posts = FuturesUnordered::new();
    let mut watch = tokio::time::interval(Duration::from_millis(500));
    loop {
        while posts.len() < PARALLEL {
            let due = engine.due();
            if due.is_empty() {
                break;
            }
            for (url, parcel) in due {
                posts.push(post(
                    Arc::clone(&engine.cloud),
                    engine.client.clone(),
                    url,
                    parcel,
                ));
            }
        }
        let next = engine
            .waiting
            .first_key_value()
            .map(|((due, _), _)| *due)
            .filter(|_| posts.len() < PARALLEL);
        let sleep = async {
            match next {
                Some(due) => tokio::time::sleep_until(due.into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            outgoing = inbox.recv() => match outgoing {
                Some(outgoing) => engine.accept(outgoing),
                None => return,
            },
            Some(outcome) = posts.next() => engine.conclude(outcome),
            () = sleep => {}
            _ = watch.tick() => engine.warn(),
        }
    }
}

impl Engine {
    fn knobs(&self) -> Delivery {
        self.cloud.state().knobs.delivery.clone()
    }

    /// Takes a notification in and decides when, and whether, it is sent.
    fn accept(&mut self, outgoing: Outgoing) {
        let knobs = self.knobs();
        let (dropped, late, jitter) = {
            let mut state = self.cloud.state();
            (
                state.rng.f64() < knobs.drop || knobs.mute.contains(&outgoing.subscription),
                state.rng.f64() < knobs.reorder,
                state.rng.f64(),
            )
        };
        let genuine = outgoing.forgery.is_none() && !outgoing.is_lifecycle();
        if (dropped && genuine) || self.waiting.len() >= CAPACITY {
            self.lose(&[outgoing], "dropped");
            return;
        }
        let mut delay = knobs.delay + knobs.jitter.mul_f64(jitter);
        if late && genuine {
            delay += Duration::from_millis(100) + knobs.delay + knobs.jitter;
        }
        self.wait(
            Parcel {
                items: vec![outgoing],
                body: None,
                attempts: 0,
                born: Instant::now(),
            },
            delay,
        );
    }

    fn wait(&mut self, parcel: Parcel, delay: Duration) {
        self.number += 1;
        self.waiting.insert((Instant::now() + delay, self.number), parcel);
    }

    /// Takes out what is due, grouped by URL; what may not be sent yet goes back.
    fn due(&mut self) -> Vec<(String, Parcel)> {
        let now = Instant::now();
        let mut ready = Vec::new();
        let mut fresh: HashMap<String, Vec<Parcel>> = HashMap::new();
        let batch = self.knobs().batch.max(1);
        while let Some(entry) = self.waiting.first_entry().filter(|entry| entry.key().0 <= now) {
            let parcel = entry.remove();
            let Some((url, authorized)) = self.destination(&parcel) else {
                continue;
            };
            if !authorized {
                self.withhold(parcel);
                continue;
            }
            let forged = parcel.items.iter().any(|item| item.forgery.is_some());
            if parcel.body.is_some() || forged {
                ready.push((url, parcel));
            } else {
                fresh.entry(url).or_default().push(parcel);
            }
        }
        for (url, parcels) in fresh {
            if !self.is_patient(&url, &parcels) {
                continue;
            }
            let mut items = parcels
                .into_iter()
                .flat_map(|parcel| parcel.items.into_iter().map(move |item| (item, parcel.born)));
            while let Some((first, born)) = items.next() {
                let rest = items.by_ref().take(batch - 1).map(|(item, _)| item);
                let items = std::iter::once(first).chain(rest).collect();
                ready.push((
                    url.clone(),
                    Parcel {
                        items,
                        body: None,
                        attempts: 0,
                        born,
                    },
                ));
            }
        }
        for (_, parcel) in &mut ready {
            self.seal(parcel);
        }
        ready
    }

    /// Returns where a parcel goes and whether its creator's token is still valid; `None` when all of it is gone.
    fn destination(&self, parcel: &Parcel) -> Option<(String, bool)> {
        let state = self.cloud.state();
        let now = state.clock.now();
        parcel.items.iter().find_map(|item| {
            let kept = item.last.as_ref();
            let known = kept.or_else(|| {
                state
                    .subscriptions
                    .get(&item.subscription)
                    .filter(|known| known.expires > now)
            })?;
            let url = if item.is_lifecycle() {
                known.lifecycle_url.clone()?
            } else {
                known.notification_url.clone()
            };
            Some((url, item.is_lifecycle() || known.authorized_until > now))
        })
    }

    /// Delays or drops new notifications for an endpoint that was too slow; true when they may go.
    fn is_patient(&mut self, url: &str, parcels: &[Parcel]) -> bool {
        let window = self.cloud.state().clock.scaled(JUDGED);
        let verdict = if self.knobs().police_slow_endpoints {
            self.endpoints.verdict(&host(url), window)
        } else {
            Verdict::Deliver
        };
        match verdict {
            Verdict::Deliver => true,
            Verdict::Delay => {
                for parcel in parcels {
                    self.wait(parcel.clone(), window);
                }
                false
            }
            Verdict::Drop => {
                for parcel in parcels {
                    self.lose(&parcel.items, "endpoint too slow");
                }
                false
            }
        }
    }

    /// Writes the body, once.
    fn seal(&mut self, parcel: &mut Parcel) {
        if parcel.body.is_some() {
            return;
        }
        let items: Vec<(Outgoing, Arc<Subscription>)> = {
            let state = self.cloud.state();
            let known = |item: &Outgoing| {
                item.last
                    .as_ref()
                    .or_else(|| state.subscriptions.get(&item.subscription))
                    .cloned()
            };
            parcel
                .items
                .iter()
                .filter_map(|item| Some((item.clone(), known(item)?)))
                .collect()
        };
        parcel.body = Some(Rc::new(envelope(&self.cloud, &items)));
        let twice = {
            let mut state = self.cloud.state();
            let share = state.knobs.delivery.duplicate;
            state.rng.f64() < share
        };
        if twice {
            self.wait(parcel.clone(), Duration::from_millis(50));
        }
    }

    fn withhold(&mut self, parcel: Parcel) {
        if parcel.attempts == 0 {
            self.note(Kind::Withheld, &parcel.items, None, "token expired");
        }
        self.repeat(Parcel {
            attempts: parcel.attempts + 1,
            body: None,
            ..parcel
        });
    }

    fn conclude(&mut self, outcome: Outcome) {
        let window = self.cloud.state().clock.scaled(JUDGED);
        self.endpoints.note(&host(&outcome.url), outcome.took, window);
        if !outcome.delivered {
            self.repeat(outcome.parcel);
        }
    }

    fn repeat(&mut self, parcel: Parcel) {
        let knobs = self.knobs();
        let (give_up, pause) = {
            let clock = self.cloud.state().clock;
            let doubled = knobs
                .first_retry
                .saturating_mul(1 << parcel.attempts.saturating_sub(1).min(12));
            (clock.scaled(knobs.give_up), clock.scaled(doubled))
        };
        if parcel.born.elapsed() + pause > give_up {
            self.lose(&parcel.items, "given up");
        } else {
            self.wait(parcel, pause);
        }
    }

    fn lose(&self, items: &[Outgoing], why: &str) {
        self.note(Kind::Lost, items, None, why);
    }

    fn note(&self, kind: Kind, items: &[Outgoing], status: Option<u16>, what: &str) {
        self.cloud.record(Entry {
            at: self.cloud.now(),
            kind,
            who: items
                .first()
                .map(|item| item.subscription.to_string())
                .unwrap_or_default(),
            token: 0,
            what: what.to_owned(),
            status,
            users: items.iter().filter_map(Outgoing::user).collect(),
            detail: items.iter().map(Outgoing::summary).collect(),
        });
    }

    /// Asks for reauthorisation where a token or subscription nears its end.
    fn warn(&mut self) {
        let mut state = self.cloud.state();
        state.expire_subscriptions();
        let (automatic, shape) = (
            state.knobs.delivery.automatic_lifecycle,
            state.knobs.delivery.lifecycle,
        );
        let now = state.clock.now();
        let mut warned = Vec::new();
        for subscription in state.subscriptions.values_mut() {
            if automatic && subscription.lifecycle_url.is_some() && nears_end(subscription, now) {
                Arc::make_mut(subscription).warned = Some(now);
                warned.push(subscription.id);
            }
        }
        for id in warned {
            state.send(Outgoing::new(
                id,
                Change::Lifecycle {
                    event: LifecycleEvent::ReauthorizationRequired,
                    shape,
                },
            ));
        }
    }
}

/// Tells whether a subscription lived three quarters of its life, has less than 15 minutes left and was not warned yet.
fn nears_end(subscription: &Subscription, now: DateTime<Utc>) -> bool {
    let end = subscription.expires.min(subscription.authorized_until);
    let life = end - subscription.authorized_at;
    let left = end - now;
    subscription.warned.is_none_or(|warned| now - warned > WARNING) && left <= WARNING.min(life / 4)
}
