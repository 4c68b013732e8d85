//! Which communication user's subscription watches whom.
//!
//! Graph accepts one presence subscription per communication user, for at most 650 users, and its list of users cannot
//! be changed: another list means deleting the subscription and making a new one (graph.md 3.2). So an assignment is
//! worth as much as it stays. Users stay where they are; places are filled so that as few subscriptions as possible
//! are made anew: first in shards that have changed anyway, then in the one with the most free places, and an account
//! that carries nobody yet comes last.
//!
//! Who finds no place is the *overflow*, named and in the order of waiting: users who have lost their place, then those
//! who have waited before, then newcomers.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::identity::{Account, TeamsId};

/// Largest number of users of one presence subscription (graph.md 3.1).
pub const CAPACITY: usize = 650;

/// Who is watched by which account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The users of every account; an account without users carries no subscription.
    pub shards: BTreeMap<Account, BTreeSet<TeamsId>>,
    /// Who finds no place, the next one first.
    pub overflow: Vec<TeamsId>,
}

impl Assignment {
    /// Reads the assignment off stored subscriptions: of each, its account, its end and its users. Whom several name, after
    /// an account was away for a while, the one that ends last keeps.
    #[must_use]
    pub fn from_stored(
        stored: impl IntoIterator<Item = (Account, DateTime<Utc>, BTreeSet<TeamsId>)>,
    ) -> Self {
        let mut stored: Vec<_> = stored.into_iter().collect();
        stored.sort_by_key(|(_, expires_at, _)| Reverse(*expires_at));
        let mut placed = BTreeSet::new();
        let mut shards = BTreeMap::new();
        for (account, _, users) in stored {
            let own: BTreeSet<TeamsId> = users.difference(&placed).cloned().collect();
            placed.extend(own.iter().cloned());
            shards.insert(account, own);
        }
        Self {
            shards,
            overflow: Vec::new(),
        }
    }

    /// Makes the next assignment from this one, which may be what the stored subscriptions tell.
    ///
    /// `capacity` is [`CAPACITY`], or less where Graph refuses as many. Every wanted user is in exactly one shard or in
    /// the overflow, and nobody waits while there is a place.
    #[must_use]
    pub fn next(&self, accounts: &[Account], wanted: &BTreeSet<TeamsId>, capacity: usize) -> Self {
        let mut shards = self.stayers(accounts, wanted, capacity);
        let mut waiting = self.waiting(&shards, wanted).into_iter();
        for account in self.by_preference(accounts, &shards) {
            let Some(shard) = shards.get_mut(account) else {
                continue;
            };
            let places = capacity.saturating_sub(shard.len());
            shard.extend(waiting.by_ref().take(places));
        }
        Self {
            shards,
            overflow: waiting.collect(),
        }
    }

    /// The account whose subscription watches a user.
    pub fn account_of(&self, user: &TeamsId) -> Option<&Account> {
        self.shards
            .iter()
            .find(|(_, users)| users.contains(user))
            .map(|(account, _)| account)
    }

    /// Every configured account with those of its users who are still wanted.
    fn stayers(
        &self,
        accounts: &[Account],
        wanted: &BTreeSet<TeamsId>,
        capacity: usize,
    ) -> BTreeMap<Account, BTreeSet<TeamsId>> {
        let mut placed = BTreeSet::new();
        let mut shards = BTreeMap::new();
        for account in accounts {
            let stay = |user: &&TeamsId| wanted.contains(*user) && !placed.contains(*user);
            let stayers: BTreeSet<TeamsId> = self
                .shards
                .get(account)
                .into_iter()
                .flatten()
                .filter(stay)
                .take(capacity)
                .cloned()
                .collect();
            placed.extend(stayers.iter().cloned());
            shards.entry(account.clone()).or_insert(stayers);
        }
        shards
    }

    /// Everybody who needs a place, in the order in which places are given.
    fn waiting(
        &self,
        stayers: &BTreeMap<Account, BTreeSet<TeamsId>>,
        wanted: &BTreeSet<TeamsId>,
    ) -> Vec<TeamsId> {
        let mut seen: BTreeSet<&TeamsId> = stayers.values().flatten().collect();
        let in_order = self.shards.values().flatten().chain(&self.overflow).chain(wanted);
        in_order
            .filter(|user| wanted.contains(*user) && seen.insert(user))
            .cloned()
            .collect()
    }

    /// The accounts in the order in which their free places are filled.
    fn by_preference<'a>(
        &self,
        accounts: &'a [Account],
        stayers: &BTreeMap<Account, BTreeSet<TeamsId>>,
    ) -> Vec<&'a Account> {
        let mut accounts: Vec<&Account> = accounts.iter().collect();
        // the sort is stable: among equals the configured order prevails
        accounts.sort_by_cached_key(|account| {
            let before = self.shards.get(*account).map_or(0, BTreeSet::len);
            let now = stayers.get(*account).map_or(0, BTreeSet::len);
            (Reverse(now != before), before == 0, now)
        });
        accounts
    }
}
