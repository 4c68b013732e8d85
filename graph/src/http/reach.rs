//! Which hosts are out of reach, for whoever waits for them and for whoever looks.

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use m365_presence::ports::Reachability;
use tokio::sync::watch;

/// A host of Microsoft's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Host {
    SignIn,
    Graph,
}

impl Host {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SignIn => "microsoft's sign-in service",
            Self::Graph => "microsoft graph",
        }
    }
}

/// A host that is out of reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostHost {
    /// What it is called.
    pub name: &'static str,
    /// Since when, on Graph's clock.
    pub since: DateTime<Utc>,
    /// Why, as one sentence.
    pub cause: String,
}

#[derive(Debug, Default)]
struct Known {
    sign_in: Option<LostHost>,
    graph: Option<LostHost>,
    /// The app has no token and gets none.
    signed_out: bool,
}

impl Known {
    fn is_lost(&self) -> bool {
        self.graph.is_some() || self.signed_out
    }
}

/// Which hosts are out of reach; clones share what they know, on any thread.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    known: std::sync::Arc<watch::Sender<Known>>,
}

impl Reach {
    /// Every host that is out of reach.
    pub fn lost_hosts(&self) -> Vec<LostHost> {
        let known = self.known.borrow();
        [&known.sign_in, &known.graph]
            .into_iter()
            .flatten()
            .cloned()
            .collect()
    }

    /// Notes whether a host is out of reach.
    pub(super) fn note(&self, host: Host, lost: bool, describe: impl FnOnce() -> LostHost) {
        self.known.send_if_modified(|known| {
            let slot = match host {
                Host::SignIn => &mut known.sign_in,
                Host::Graph => &mut known.graph,
            };
            let changed = slot.is_some() != lost;
            if changed {
                *slot = lost.then(describe);
            }
            changed
        });
    }

    /// Notes whether the app gets a token.
    pub(crate) fn note_signed_out(&self, signed_out: bool) {
        self.known.send_if_modified(|known| {
            let changed = known.signed_out != signed_out;
            known.signed_out = signed_out;
            changed
        });
    }

    async fn wait(&self, lost: bool) {
        let mut known = self.known.subscribe();
        // the sender lives as long as this value
        let _known = known.wait_for(|known| known.is_lost() == lost).await;
    }
}

impl Reachability for Reach {
    fn lost(&self) -> LocalBoxFuture<'_, ()> {
        self.wait(true).boxed_local()
    }

    fn reached(&self) -> LocalBoxFuture<'_, ()> {
        self.wait(false).boxed_local()
    }
}
