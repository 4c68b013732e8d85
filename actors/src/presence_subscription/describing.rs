//! How a subscription is told to an administrator.

use std::collections::BTreeSet;

use m365_presence::identity::Account;
use m365_presence::ports::SubscriptionKind;
use m365_presence::subscription::Phase;

use super::{Entry, PresenceSubscription, SubscriptionStatus};

impl PresenceSubscription {
    pub(super) fn status_of(&self, kind: &SubscriptionKind, entry: &Entry) -> SubscriptionStatus {
        let shard = kind
            .account()
            .and_then(|account| self.assignment.shards.get(account));
        let held = entry.plan.held();
        let is_its = |account: &Account| kind.account() == Some(account);
        let position = self.dependencies.accounts.iter().position(is_its);
        SubscriptionStatus {
            kind: kind.clone(),
            id: held.map(|held| held.id.clone()),
            shard: position.map(|position| position + 1),
            users: shard.map_or(0, BTreeSet::len),
            expires_at: held.map(|held| held.expires_at),
            certificate_id: held.and_then(|held| held.certificate_id.clone()),
            resource_data_refusal: entry.plan.resource_data_refusal().map(str::to_owned),
            phase: entry.plan.phase().clone(),
            code: entry.code,
            since: entry.since,
            detail: self.detail_of(entry),
            created: entry.created,
            renewed: entry.renewed,
            missed: entry.hearing.missed(),
        }
    }

    fn detail_of(&self, entry: &Entry) -> String {
        if let Some(error) = &entry.signed_out {
            return error.clone();
        }
        match entry.plan.phase() {
            Phase::Starting => "users and licenses are not known yet".to_owned(),
            Phase::Idle => "there is nobody to subscribe for".to_owned(),
            Phase::Creating => "the subscription is being created".to_owned(),
            Phase::Live if entry.hearing.is_deaf() => {
                "notifications do not arrive although the subscription lives".to_owned()
            }
            Phase::Live if entry.hearing.is_doubted() => {
                "the subscription is alive; it was made anew because notifications did not arrive, and until the first one arrives its users are read in bulk".to_owned()
            }
            Phase::Live => "the subscription is alive".to_owned(),
            Phase::Replacing => "the subscription is being replaced".to_owned(),
            Phase::Deaf => "notifications do not arrive although the subscription lives".to_owned(),
            Phase::WaitingForExpiry { until } => {
                format!(
                    "an older subscription that cannot be deleted ends at {}",
                    until.format("%Y-%m-%dT%H:%M:%SZ")
                )
            }
            Phase::Obstructed => {
                "graph says that this account has a presence subscription already, and lists none; it ends by itself within an hour, and until then a new one is tried every minute".to_owned()
            }
            Phase::UrlUnreachable { message }
            | Phase::UrlRejected { message }
            | Phase::Forbidden { message } => {
                format!("graph says: {message}")
            }
            Phase::TooManyUsers => "graph does not accept as many users in one subscription".to_owned(),
            Phase::Unanswered => "graph gives no usable answer".to_owned(),
        }
    }

    /// A refused subscription of an account without a Teams plan is explained by that.
    pub(super) fn lacks_teams_license(&self, kind: &SubscriptionKind) -> bool {
        let (SubscriptionKind::Presence(account), Some(roster)) = (kind, &self.roster) else {
            return false;
        };
        let users = roster
            .directory
            .entries()
            .iter()
            .filter_map(|entry| entry.teams.as_ref());
        let is_account =
            |name: &Option<String>| name.as_deref().is_some_and(|name| Account::new(name) == *account);
        users
            .filter(|user| is_account(&user.user_principal_name))
            .any(|user| !user.teams_plan)
    }
}
