//! The places in the presence subscriptions, in an administrator's words.
//!
//! A shard is what one communication user carries. Shards are numbered from 1 on in the order in which the
//! communication users are configured, so that "612 of 650 in shard 2" means the same everywhere.

use m365_actors::presence_subscription::{Status, SubscriptionStatus};
use m365_presence::identity::Account;
use m365_presence::sharding::CAPACITY;
use m365_presence::subscription::Phase;

/// All shards.
#[derive(Clone, Copy)]
pub struct Shards<'a>(&'a Status);

impl<'a> Shards<'a> {
    /// The shards that the actor tells of; none when presence is read in bulk only.
    pub fn of(status: &'a Status) -> Self {
        Self(status)
    }

    /// Each of them, by number.
    pub fn each(self) -> Vec<&'a SubscriptionStatus> {
        let subscriptions = self.0.subscriptions.iter();
        let mut shards: Vec<_> = subscriptions.filter(|one| one.shard.is_some()).collect();
        shards.sort_by_key(|one| one.shard);
        if self.0.polling { Vec::new() } else { shards }
    }

    /// How many places there are in all.
    pub fn places(self) -> usize {
        self.each().len().saturating_mul(CAPACITY)
    }

    /// How many of them are taken.
    pub fn taken(self) -> usize {
        self.each().iter().map(|shard| shard.users).sum()
    }

    /// The places shard by shard: `650 of 650 in shard 1, 612 of 650 in shard 2`.
    pub fn filling(self) -> String {
        let shards = self.each();
        let filling: Vec<String> = shards.iter().map(|shard| filling_of(shard)).collect();
        filling.join(", ")
    }

    /// The number of an account's shard.
    pub fn number_of(self, account: &Account) -> Option<usize> {
        self.of_account(account)?.shard
    }

    fn of_account(self, account: &Account) -> Option<&'a SubscriptionStatus> {
        let subscriptions = self.0.subscriptions.iter();
        subscriptions
            .filter(|_| !self.0.polling)
            .find(|one| one.kind.account() == Some(account))
    }

    /// How a user is observed, as a clause that goes on from a sentence; `None` when presence is read in bulk only.
    /// `account` carries the user's shard.
    pub fn clause_for(self, account: Option<&Account>) -> Option<String> {
        if self.0.polling {
            return None;
        }
        let Some(account) = account else {
            return Some(format!(
                "presence is read in bulk, because no place is left in a subscription ({})",
                self.filling()
            ));
        };
        let shard = self.of_account(account)?;
        let filling = filling_of(shard);
        Some(if shard.phase == Phase::Live {
            format!("presence is subscribed to ({filling})")
        } else {
            format!("presence is read in bulk until its subscription lives ({filling})")
        })
    }
}

fn filling_of(shard: &SubscriptionStatus) -> String {
    format!(
        "{} of {CAPACITY} in shard {}",
        shard.users,
        shard.shard.unwrap_or_default()
    )
}
