//! What goes wrong on purpose: refusals, outages and broken connections, per family of endpoints.

use std::time::Duration;

use chrono::TimeDelta;

/// Groups endpoints that share limits and faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// The token endpoint.
    Token,
    /// The device code endpoint.
    DeviceCode,
    /// openid-configuration, signing keys, instance and realm discovery.
    Discovery,
    /// `/users`.
    Users,
    /// Reading presence.
    PresenceRead,
    /// Setting and clearing presence.
    PresenceWrite,
    /// Creating, renewing and deleting subscriptions.
    SubscriptionWrite,
    /// Reading one subscription.
    SubscriptionRead,
    /// Listing subscriptions.
    SubscriptionList,
    /// `/subscriptions/{id}/reauthorize`.
    Reauthorize,
    /// `/$batch` itself; its items count in their own families.
    Batch,
    /// Everything else.
    Other,
}

impl Family {
    /// Tells whether the endpoints stand on the sign-in host.
    #[must_use]
    pub fn is_login(self) -> bool {
        matches!(self, Self::Token | Self::DeviceCode | Self::Discovery)
    }
}

/// How an answer says when to come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// It does not say.
    Silent,
    /// In seconds.
    Seconds(u32),
    /// As an HTTP date so many seconds ahead, in the cloud's clock.
    Date(u32),
}

/// What an error answer contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorBody {
    /// The error shape of the endpoint.
    Json,
    /// A web page, as gateways send.
    Html,
    /// Nothing.
    Empty,
    /// This text, which calls itself JSON.
    Text(&'static str),
}

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// 429 in the shape of the endpoint; the request has no effect.
    Throttled(RetryAfter),
    /// An error status, 5xx as a rule; the request has no effect.
    Failed {
        /// The status.
        status: u16,
        /// What the answer contains.
        body: ErrorBody,
        /// When to come back.
        retry_after: RetryAfter,
    },
    /// The right answer, late.
    Slow(Duration),
    /// The right answer with a `Date` that is wrong by so much.
    WrongDate(TimeDelta),
    /// The connection closes without an answer; the request has no effect.
    Closed,
    /// The connection closes without an answer; the request takes effect.
    AnswerLost,
    /// The connection closes in the middle of the answer's body; the request takes effect.
    Truncated,
}

/// How often a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Times {
    /// The next so many requests.
    Next(u32),
    /// Every request until the faults are cleared.
    Always,
    /// A share of the requests between 0 and 1, drawn from the cloud's seed.
    Share(f64),
}

struct Rule {
    family: Option<Family>,
    fault: Fault,
    times: Times,
}

/// The faults that are to come, in the order in which they were ordered.
#[derive(Default)]
pub(super) struct FaultPlan {
    rules: Vec<Rule>,
}

impl FaultPlan {
    /// Adds a fault for one family, or for all.
    pub(super) fn add(&mut self, family: Option<Family>, fault: Fault, times: Times) {
        self.rules.push(Rule { family, fault, times });
    }

    /// Drops every fault of a family, or all.
    pub(super) fn clear(&mut self, family: Option<Family>) {
        self.rules
            .retain(|rule| family.is_some() && rule.family != family);
    }

    /// Draws the fault that strikes a request, if any; the first matching one wins.
    pub(super) fn draw(&mut self, family: Family, rng: &mut fastrand::Rng) -> Option<Fault> {
        let mut struck = None;
        for rule in self
            .rules
            .iter_mut()
            .filter(|rule| rule.family.is_none_or(|wanted| wanted == family))
        {
            let strikes = match &mut rule.times {
                Times::Next(left) => {
                    let strikes = *left > 0;
                    *left = left.saturating_sub(1);
                    strikes
                }
                Times::Always => true,
                Times::Share(share) => rng.f64() < *share,
            };
            if strikes {
                struck = Some(rule.fault.clone());
                break;
            }
        }
        self.rules.retain(|rule| rule.times != Times::Next(0));
        struck
    }
}
