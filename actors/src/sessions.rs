//! The register of PBX sessions: which PBX is served by which actor, and whether it is connected.
//!
//! It holds addresses, no presence. Sessions come and go at run time, so whoever needs one looks it up here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use m365_presence::identity::PbxName;

use crate::pbx_session::{PbxSession, Reconsider};
use crate::supervision::Post;

/// One registered session.
#[derive(Clone)]
struct Registration {
    post: Post<PbxSession>,
    reach: Reach,
}

/// How far a PBX can be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// It is connected.
    pub connected: bool,
    /// It may be asked for presence there; a slave that may not leaves that to the master.
    pub presence: bool,
}

/// The register; clones share it, also across threads.
#[derive(Clone)]
pub struct Sessions {
    master: PbxName,
    registered: Arc<Mutex<BTreeMap<PbxName, Registration>>>,
}

impl Sessions {
    /// Makes an empty register.
    pub fn new(master: PbxName) -> Self {
        Self {
            master,
            registered: Arc::default(),
        }
    }

    /// Name of the master PBX.
    pub fn master_name(&self) -> &PbxName {
        &self.master
    }

    /// Registers a session, not connected yet.
    pub fn register(&self, pbx: PbxName, post: Post<PbxSession>) {
        self.lock().insert(
            pbx,
            Registration {
                post,
                reach: Reach::default(),
            },
        );
    }

    /// Takes a session out of the register again.
    pub fn strike(&self, pbx: &PbxName) {
        self.lock().remove(pbx);
    }

    /// The session of a PBX, connected or not.
    pub fn of(&self, pbx: &PbxName) -> Option<Post<PbxSession>> {
        self.lock().get(pbx).map(|registration| registration.post.clone())
    }

    /// The master's session, if it is connected.
    pub fn master(&self) -> Option<Post<PbxSession>> {
        self.connected(&self.master)
    }

    /// The session that carries a user's presence: that of the PBX where the user lives, else the master's.
    pub fn carrying(&self, home: &PbxName) -> Option<Post<PbxSession>> {
        let at_home = self.reached(home, |reach| reach.connected && reach.presence);
        at_home.or_else(|| self.master())
    }

    /// How far a PBX can be reached.
    pub fn reach(&self, pbx: &PbxName) -> Reach {
        let registered = self.lock();
        registered
            .get(pbx)
            .map(|registration| registration.reach)
            .unwrap_or_default()
    }

    /// All sessions.
    pub fn all(&self) -> Vec<(PbxName, Post<PbxSession>)> {
        self.lock()
            .iter()
            .map(|(pbx, registration)| (pbx.clone(), registration.post.clone()))
            .collect()
    }

    /// Notes how far a PBX can be reached and lets the other sessions reconsider whom they follow; tells whether that is new.
    pub fn set_reach(&self, pbx: &PbxName, reach: Reach) -> bool {
        let others: Vec<Post<PbxSession>> = {
            let mut registered = self.lock();
            let Some(registration) = registered.get_mut(pbx) else {
                return false;
            };
            if registration.reach == reach {
                return false;
            }
            registration.reach = reach;
            registered
                .iter()
                .filter(|(other, _)| *other != pbx)
                .map(|(_, other)| other.post.clone())
                .collect()
        };
        for other in others {
            // a session that cannot take it in reconsiders with its next directory
            let _reconsidered_later = other.tell(Reconsider);
        }
        true
    }

    /// The session of a PBX, if it is connected.
    pub fn connected(&self, pbx: &PbxName) -> Option<Post<PbxSession>> {
        self.reached(pbx, |reach| reach.connected)
    }

    fn reached(&self, pbx: &PbxName, far_enough: impl Fn(Reach) -> bool) -> Option<Post<PbxSession>> {
        let registered = self.lock();
        registered
            .get(pbx)
            .filter(|registration| far_enough(registration.reach))
            .map(|registration| registration.post.clone())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PbxName, Registration>> {
        self.registered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
