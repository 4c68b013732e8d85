//! The calls of ours that were ordered on one connection: they live and die with it (pbx.md 3.4).

use std::collections::BTreeMap;

use m365_presence::identity::PbxGuid;
use m365_presence::ports::{PbxEvent, PbxOrder};

/// Whose call was ordered on a connection, as long as it may stand there.
#[derive(Default)]
pub(super) struct OwnCalls {
    by_user: BTreeMap<PbxGuid, OwnCall>,
}

struct OwnCall {
    h323: String,
    /// Whether the PBX has confirmed it, and its end is not ordered.
    confirmed: bool,
}

impl OwnCalls {
    /// Notes what is ordered.
    pub(super) fn note_order(&mut self, order: &PbxOrder) {
        let PbxOrder::SetAlienCall { user, h323, on } = order else {
            return;
        };
        if *on {
            let (h323, confirmed) = (h323.clone(), false);
            self.by_user
                .entry(user.clone())
                .or_insert(OwnCall { h323, confirmed });
        } else if let Some(call) = self.by_user.get_mut(user) {
            call.confirmed = false;
        }
    }

    /// Notes what the PBX tells.
    pub(super) fn note_event(&mut self, event: &PbxEvent) {
        match event {
            PbxEvent::AlienCallSet { user, on: true } => {
                if let Some(call) = self.by_user.get_mut(user) {
                    call.confirmed = true;
                }
            }
            PbxEvent::AlienCallSet { user, on: false } | PbxEvent::AlienCallRefused { user, .. } => {
                self.by_user.remove(user);
            }
            _ => {}
        }
    }

    /// Whether a user's call stands, where that is known; nothing when there is none.
    pub(super) fn confirmed(&self, user: &PbxGuid) -> Option<bool> {
        self.by_user.get(user).map(|call| call.confirmed)
    }

    /// Everybody's calls, and whether each surely stands.
    pub(super) fn all(&self) -> Vec<(PbxGuid, bool)> {
        let call = |(user, call): (&PbxGuid, &OwnCall)| (user.clone(), call.confirmed);
        self.by_user.iter().map(call).collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_user.is_empty()
    }

    /// What ends them all.
    pub(super) fn ends(&self) -> Vec<PbxOrder> {
        let end = |(user, call): (&PbxGuid, &OwnCall)| PbxOrder::SetAlienCall {
            user: user.clone(),
            h323: call.h323.clone(),
            on: false,
        };
        self.by_user.iter().map(end).collect()
    }
}
