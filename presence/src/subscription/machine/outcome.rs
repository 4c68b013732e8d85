//! What the outcome of a step changes.

use chrono::{DateTime, TimeDelta, Utc};

use super::{Hurry, Pause, RESOLUTION, Rival, Subscription, Underway, delta};
use crate::ports::{Created, Deleted, GraphSubscription, Renewed};
use crate::subscription::{Event, Held, Phase, Want, Watch};

/// A notification URL that fails its validation is tried again after this, doubling (DESIGN 4).
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(5);

/// Up to this.
const LONGEST_PAUSE: TimeDelta = TimeDelta::seconds(60);

/// What Graph refuses is tried again with the timer, but no later than this (DESIGN 4).
const REFUSED_PROBE: TimeDelta = TimeDelta::minutes(15);

impl Subscription {
    pub(super) fn conclude(&mut self, outcome: Event, now: DateTime<Utc>) {
        match (outcome, self.underway.take()) {
            (Event::Created(outcome), Some(Underway::Creating { watch, certificate })) => {
                self.created(outcome, watch, certificate, now);
            }
            (Event::Renewed(outcome), Some(Underway::Renewing { certificate })) => {
                self.renewed(outcome, certificate, now);
            }
            (Event::Deleted(outcome), Some(Underway::Deleting(rival))) => self.deleted(outcome, &rival, now),
            (Event::Listed(found), Some(Underway::Listing)) => self.listed(found, now),
            (Event::Unanswered { retry_at }, Some(underway)) => {
                // a create without an answer may have been carried out
                self.terms.client_state_used |= matches!(underway, Underway::Creating { .. });
                self.fail(Phase::Unanswered);
                self.pause = Some(Pause {
                    until: retry_at,
                    breakable: false,
                });
            }
            (Event::Refused { .. }, Some(Underway::Renewing { certificate: Some(_) })) => {
                // it may be for the key: whether it goes without is seen at once
                self.content.refuse_renewal();
                self.hurried = Some(Hurry::Reauthorization);
            }
            (Event::Refused { message }, Some(underway)) => {
                match underway {
                    Underway::Creating { .. } => self.content.acquit(),
                    Underway::Renewing { .. } => self.content.acquit_renewal(),
                    Underway::Deleting(_) | Underway::Listing => {}
                }
                self.refused(Phase::Forbidden { message }, now);
            }
            // the outcome of another step than ours tells nothing about this one
            (_, underway) => self.underway = underway,
        }
    }

    fn created(&mut self, outcome: Created, watch: Watch, certificate: Option<String>, now: DateTime<Utc>) {
        let declined = !matches!(
            outcome,
            Created::Live(_) | Created::Conflict | Created::RichRefused { .. }
        );
        if declined {
            self.content.acquit();
        }
        match outcome {
            Created::Live(mut subscription) => {
                self.deaf = false;
                // it notifies where we asked for, however the answer spells that, or not at all
                subscription
                    .notification_url
                    .clone_from(&self.terms.notification_url);
                self.terms.client_state_used = true;
                let certificate = subscription.certificate_id.clone().or(certificate);
                self.content.made(certificate.as_deref());
                self.hold(subscription, watch, certificate, now);
            }
            Created::Conflict => {
                self.conflict = true;
                self.conflicts = self.conflicts.saturating_add(1);
                if self.conflicts > 1 {
                    self.pause_longer(now);
                }
            }
            Created::UrlUnreachable { message } => {
                self.phase = Phase::UrlUnreachable { message };
                self.pause_longer(now);
            }
            Created::UrlRejected { message } => {
                self.phase = Phase::UrlRejected { message };
                self.pause_longer(now);
            }
            Created::TooManyUsers => self.refused(Phase::TooManyUsers, now),
            Created::Forbidden { message } => self.refused(Phase::Forbidden { message }, now),
            Created::RichRefused { message, certain } if certificate.is_some() => {
                self.content.refuse(message, certain, now);
            }
            Created::RichRefused { message, .. } => self.refused(Phase::Forbidden { message }, now),
        }
    }

    fn renewed(&mut self, outcome: Renewed, certificate: Option<String>, now: DateTime<Utc>) {
        let Some(held) = self.held.clone() else { return };
        match outcome {
            Renewed::Live(mut subscription) => {
                // a renewal does not change it, whatever the answer leaves out
                subscription.notification_url = held.notification_url;
                let told = subscription.certificate_id.clone();
                let named = self.content.renewed(certificate, told, held.certificate_id);
                self.hold(subscription, held.watch, named, now);
            }
            Renewed::Gone => self.forget(&held.id),
        }
    }

    fn deleted(&mut self, outcome: Deleted, rival: &Rival, now: DateTime<Utc>) {
        match outcome {
            Deleted::Gone => self.forget(&rival.id),
            Deleted::Refused if self.held.as_ref().is_some_and(|held| held.id == rival.id) => {
                self.undeletable = true;
                self.content.settle(now);
            }
            Deleted::Refused => self.blocked_until = self.blocked_until.max(Some(rival.expires_at)),
        }
    }

    fn listed(&mut self, found: Vec<GraphSubscription>, now: DateTime<Utc>) {
        self.conflict = false;
        let Want::Watch(wanted) = self.want.clone() else {
            return;
        };
        let in_the_way: Vec<(GraphSubscription, Watch)> = found
            .into_iter()
            .filter(|subscription| subscription.expires_at > now)
            .filter_map(|subscription| Some((Watch::from_resource(&subscription.resource)?, subscription)))
            .filter(|(watch, _)| watch.same_kind(&wanted))
            .map(|(watch, subscription)| (subscription, watch))
            .collect();
        if let Some((subscription, watch)) = in_the_way
            .iter()
            .find(|(subscription, watch)| *watch == wanted && self.is_ours(subscription))
        {
            let certificate = subscription.certificate_id.clone();
            self.adopt(subscription.clone(), watch.clone(), certificate);
            if let Some(held) = &self.held {
                self.content.found(held, now);
            }
            return;
        }
        if in_the_way.is_empty() {
            // Graph says that there is one and shows none: a race that time resolves
            self.phase = Phase::Obstructed;
            self.pause_longer(now);
        }
        for (subscription, _) in in_the_way {
            let rival = Rival {
                id: subscription.id,
                expires_at: subscription.expires_at,
            };
            if matches!(wanted, Watch::Presence(_)) || self.last_id.as_ref() == Some(&rival.id) {
                self.rivals.push(rival);
            } else {
                self.blocked_until = self.blocked_until.max(Some(rival.expires_at));
            }
        }
    }

    /// Tells whether a listed subscription with the wanted users was made by us and can serve us.
    fn is_ours(&self, subscription: &GraphSubscription) -> bool {
        let state_is_ours = match &subscription.client_state {
            Some(state) => *state == self.terms.client_state,
            None => self.terms.client_state_used || self.last_id.as_ref() == Some(&subscription.id),
        };
        state_is_ours
            && self.serves(
                &subscription.notification_url,
                subscription.certificate_id.as_deref(),
            )
    }

    pub(super) fn serves(&self, notification_url: &str, certificate: Option<&str>) -> bool {
        notification_url == self.terms.notification_url
            && certificate.is_none_or(|certificate| self.content.has(certificate))
    }

    fn adopt(&mut self, subscription: GraphSubscription, watch: Watch, certificate: Option<String>) {
        self.last_id = Some(subscription.id.clone());
        self.renewal_at = None;
        self.undeletable = false;
        self.held = Some(Held {
            id: subscription.id,
            watch,
            expires_at: subscription.expires_at,
            certificate_id: certificate,
            notification_url: subscription.notification_url,
        });
    }

    fn hold(
        &mut self,
        subscription: GraphSubscription,
        watch: Watch,
        certificate: Option<String>,
        now: DateTime<Utc>,
    ) {
        let half_of_its_life = (subscription.expires_at - now) / 2;
        let wait = delta(self.terms.period).min(half_of_its_life).max(RESOLUTION);
        self.adopt(subscription, watch, certificate);
        self.renewal_at = now.checked_add_signed(wait);
        self.rivals.clear();
        self.blocked_until = None;
        self.conflicts = 0;
        if half_of_its_life <= TimeDelta::zero() {
            // it has ended before it was told of, because the clocks disagree; the next try would end so, too
            self.pause_longer(now);
        } else {
            self.streak = 0;
            self.pause = None;
        }
    }

    fn fail(&mut self, phase: Phase) {
        // while it lives, a renewal that fails is no trouble yet
        if self.phase != Phase::Live || self.held.is_none() {
            self.phase = phase;
        }
    }

    fn refused(&mut self, phase: Phase, now: DateTime<Utc>) {
        self.fail(phase);
        let wait = delta(self.terms.period).clamp(FIRST_PAUSE, REFUSED_PROBE);
        self.pause = now.checked_add_signed(wait).map(|until| Pause {
            until,
            breakable: true,
        });
    }

    fn pause_longer(&mut self, now: DateTime<Utc>) {
        let factor = 2_i32.saturating_pow(self.streak.min(8));
        let wait = (FIRST_PAUSE * factor).min(LONGEST_PAUSE);
        self.streak = self.streak.saturating_add(1);
        self.pause = Some(Pause {
            until: now + wait,
            breakable: true,
        });
    }
}
