//! Sessions of the page: who has signed in with a token and holds a cookie instead.
//!
//! They live in memory only: after a restart everybody signs in again. What is kept of a cookie is its hash, so that
//! whoever could read the memory of sessions would hold none of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use m365_presence::secret::Secret;
use subtle::ConstantTimeEq;

use super::access::Role;

/// A session ends this long after its last request.
pub const IDLE: Duration = Duration::from_secs(12 * 3600);

/// Sessions that may be open at a time; the one that has been idle longest gives way.
const MOST: usize = 256;

/// Bytes of a cookie and of a token against forged requests.
const RANDOM_BYTES: usize = 32;

type Hash = [u8; 32];

/// What a new session hands out.
#[derive(Debug)]
pub struct Opened {
    /// The value of the cookie.
    pub cookie: Secret,
    /// What the page repeats in a header with every change.
    pub csrf: Secret,
}

/// A session that a cookie belongs to.
#[derive(Clone, Debug)]
pub struct Session {
    /// What it may do.
    pub role: Role,
    /// What the page repeats in a header with every change.
    pub csrf: Secret,
}

impl Session {
    /// Whether a header repeats the token of this session, compared in constant time.
    pub fn is_repeated_by(&self, header: &str) -> bool {
        self.csrf.expose().as_bytes().ct_eq(header.as_bytes()).into()
    }
}

struct Kept {
    session: Session,
    used_at: Instant,
}

/// All sessions; clones are the same book.
#[derive(Clone, Default)]
pub struct Sessions {
    open: Arc<Mutex<HashMap<Hash, Kept>>>,
}

impl Sessions {
    /// Opens a session; `None` when the system gives no random bytes.
    pub fn open(&self, role: Role) -> Option<Opened> {
        let (cookie, csrf) = (draw()?, draw()?);
        let mut open = self.lock();
        open.retain(|_, kept| kept.used_at.elapsed() < IDLE);
        if open.len() >= MOST {
            let idlest = open.iter().min_by_key(|(_, kept)| kept.used_at);
            let idlest = idlest.map(|(hash, _)| *hash);
            idlest.and_then(|idlest| open.remove(&idlest));
        }
        let session = Session {
            role,
            csrf: csrf.clone(),
        };
        let kept = Kept {
            session,
            used_at: Instant::now(),
        };
        open.insert(hash(cookie.expose()), kept);
        Some(Opened { cookie, csrf })
    }

    /// Finds the session of a cookie, which is used by that.
    pub fn of(&self, cookie: &str) -> Option<Session> {
        let mut open = self.lock();
        let kept = open.get_mut(&hash(cookie))?;
        if kept.used_at.elapsed() >= IDLE {
            return None;
        }
        kept.used_at = Instant::now();
        Some(kept.session.clone())
    }

    /// Ends the session of a cookie.
    pub fn end(&self, cookie: &str) {
        self.lock().remove(&hash(cookie));
    }

    /// Ends all sessions, because the tokens have changed.
    pub fn end_all(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Hash, Kept>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn hash(cookie: &str) -> Hash {
    let mut hash = Hash::default();
    hash.copy_from_slice(digest(&SHA256, cookie.as_bytes()).as_ref());
    hash
}

/// Draws random bytes as hexadecimal digits.
fn draw() -> Option<Secret> {
    let mut bytes = [0; RANDOM_BYTES];
    rand::fill(&mut bytes).ok()?;
    Some(Secret::new(bytes.map(|byte| format!("{byte:02x}")).concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_opens_its_session_until_it_is_ended() {
        let sessions = Sessions::default();
        let opened = sessions.open(Role::Viewer).unwrap();
        let other = sessions.open(Role::Administrator).unwrap();
        let session = sessions.of(opened.cookie.expose()).unwrap();
        assert_eq!(session.role, Role::Viewer);
        assert!(session.is_repeated_by(opened.csrf.expose()));
        assert!(!session.is_repeated_by(other.csrf.expose()));
        sessions.end(opened.cookie.expose());
        assert!(sessions.of(opened.cookie.expose()).is_none());
        assert!(sessions.of(other.cookie.expose()).is_some());
        assert!(sessions.of("").is_none());
    }

    #[test]
    fn the_idlest_session_gives_way_when_there_are_too_many() {
        let sessions = Sessions::default();
        let first = sessions.open(Role::Viewer).unwrap();
        let second = sessions.open(Role::Viewer).unwrap();
        for _ in 2..MOST {
            sessions.open(Role::Viewer);
        }
        assert!(sessions.of(first.cookie.expose()).is_some());
        sessions.open(Role::Viewer);
        assert!(sessions.of(first.cookie.expose()).is_some());
        assert!(sessions.of(second.cookie.expose()).is_none());
    }
}
