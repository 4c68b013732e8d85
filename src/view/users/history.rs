//! What happened to one user, and the order to look anew.

use m365_actors::presence_sync::{GetTimeline, Resync};
use m365_actors::user_sync::GetDirectory;
use m365_presence::timeline::Item;

use super::Terms;
use crate::view::listing::Listing;
use crate::view::overview::{Posts, answered};

/// What became of the order to look anew at a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resynced {
    /// Both sides are read.
    Ordered,
    /// No user of the PBX has that name.
    Unknown,
    /// The user is not synchronised.
    Refused {
        /// Why not, one of a closed set.
        reason: &'static str,
        /// The same in one plain sentence.
        explanation: String,
    },
}

impl Posts {
    /// A page of a user's transitions before a number; `Some(None)` when there is no such user.
    pub async fn timeline(
        &self,
        h323: &str,
        before: Option<i64>,
        limit: usize,
    ) -> Option<Option<Listing<Item>>> {
        let directory = answered(self.user_sync.ask(GetDirectory)).await?;
        let entry = directory.as_ref().and_then(|directory| directory.by_h323(h323));
        let Some(user) = entry.and_then(|entry| entry.pbx.as_ref()) else {
            return Some(None);
        };
        let asked = GetTimeline {
            user: user.guid.clone(),
            before,
            limit: limit.saturating_add(1),
        };
        let found = answered(self.presence_sync.ask(asked)).await?;
        Some(Some(Listing::cut(found, limit, |item| item.number.to_string())))
    }

    /// Orders both sides of a user to be read anew.
    pub async fn resync(&self, h323: &str, terms: &Terms) -> Option<Resynced> {
        let Some(user) = self.user(h323, terms).await? else {
            return Some(Resynced::Unknown);
        };
        if let Some(reason) = user.reason {
            return Some(Resynced::Refused {
                reason,
                explanation: user.explanation,
            });
        }
        let directory = answered(self.user_sync.ask(GetDirectory)).await?;
        let entry = directory.as_ref().and_then(|directory| directory.by_h323(h323));
        let Some(user) = entry.and_then(|entry| entry.pbx.as_ref()) else {
            return Some(Resynced::Unknown);
        };
        let ordered = self.presence_sync.ask(Resync {
            user: user.guid.clone(),
        });
        answered(ordered).await.map(|()| Resynced::Ordered)
    }
}
