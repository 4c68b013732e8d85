//! When a credential may be presented again, and what follows a refusal.
//!
//! Accounts lock when a wrong password is tried too often (graph.md 1.5: 50053), and what tries it again and again is
//! rarely a person: it is a program that crashes and starts anew. So every password that leaves is counted before it
//! leaves, the count outlives the process, and one rule decides for every beginning of a run. A changed password, or
//! anything else that is presented instead, begins a new count.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::identity::Credential;
use crate::light::AuthenticationCode as Code;
use crate::secret::Secret;

/// A refused credential is probed this often (DESIGN 4).
pub const PROBE: Duration = Duration::from_secs(15 * 60);

/// A wrong password is probed this often, because accounts lock (DESIGN 4).
pub const PASSWORD_PROBE: Duration = Duration::from_secs(60 * 60);

/// Starts of the process that try a password which is known to be wrong: one, because an administrator who corrected
/// the account starts the process anew, and no more, because a process that crashes does that, too.
const REFUSED_AT_STARTS: u32 = 2;

/// Passwords in a row that may leave without an answer; before another one, whoever signs in asks for a sign of life.
pub const UNANSWERED: u32 = 4;

/// Passwords in a row, whoever orders them; Entra locks after ten.
const MOST: u32 = 8;

/// How long the next password waits after the fifth, sixth and seventh one without an answer. Something swallows the
/// answers to passwords then, for the service gave a sign of life.
const SILENCES: [Duration; 3] = [
    Duration::from_secs(60),
    Duration::from_secs(4 * 60),
    Duration::from_secs(16 * 60),
];

/// How a run of whoever signs in begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beginning {
    /// The process was started.
    Process,
    /// The run before it broke off.
    Crash,
    /// Somebody wanted it.
    Order,
}

/// How a credential signs in where it has no refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// With the proof of the app registration: a secret or a certificate.
    Proof,
    /// With a password.
    Password,
    /// With a device code that a person enters.
    Person,
}

/// Why Entra refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The light's code.
    pub code: Code,
    /// The AADSTS number where one was given.
    pub aadsts: Option<u32>,
    /// Cause as one sentence, without any secret.
    pub detail: String,
}

/// The last sign-in that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// A digest of what was presented, to tell a corrected one.
    pub presented: Secret,
    /// Passwords that were not taken, this one included, each within an hour of the one before.
    pub passwords: u32,
    /// When it was, on Graph's clock.
    pub at: DateTime<Utc>,
    /// The refusal; `None` while no answer was read.
    pub refusal: Option<Refusal>,
}

/// What must be remembered of a credential's sign-ins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInRecord {
    /// Whose.
    pub credential: Credential,
    /// When the stored refresh token was granted, on Graph's clock.
    pub granted_at: Option<DateTime<Utc>>,
    /// The last sign-in, unless it succeeded.
    pub trial: Option<Trial>,
}

/// What follows when a stored refresh token was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterRefresh {
    /// It is not the token's fault: keep it and wait.
    Hold,
    /// Try the password, once.
    Password,
    /// A person must sign in.
    Person {
        /// The token is dead for good; otherwise it may live again, once a policy is taken back.
        dead: bool,
    },
}

/// How long a refused credential is left alone.
pub fn hold(code: Code) -> Duration {
    if tries_a_password(code) {
        PASSWORD_PROBE
    } else {
        PROBE
    }
}

/// Tells what follows when a stored refresh token was refused with this code.
pub fn after_refused_refresh(code: Code, way: Way) -> AfterRefresh {
    let ends_it = matches!(
        code,
        Code::SignInRequired | Code::MfaRequired | Code::WrongPassword | Code::PasswordExpired
    );
    match way {
        Way::Proof => AfterRefresh::Hold,
        _ if !ends_it => AfterRefresh::Hold,
        Way::Password => AfterRefresh::Password,
        Way::Person => AfterRefresh::Person {
            dead: code == Code::SignInRequired,
        },
    }
}

/// Tells whether a person who was refused with this code may fare better with a new device code.
pub fn helps_to_sign_in_anew(code: Code) -> bool {
    !matches!(
        code,
        Code::WrongClientSecret
            | Code::ClientSecretExpired
            | Code::WrongCertificate
            | Code::UnknownTenant
            | Code::UnknownApp
    )
}

impl Trial {
    /// Counts a password that is about to leave. A refused one that was left alone for a whole hold begins a new count.
    pub fn of_password(before: Option<&Self>, presented: Secret, at: DateTime<Utc>) -> Self {
        let hold = TimeDelta::from_std(PASSWORD_PROBE).unwrap_or_default();
        let has_rested = |before: &&Self| before.refusal.is_some() && at - before.at >= hold;
        let counted = before.filter(|before| before.presented == presented && !has_rested(before));
        Self {
            passwords: counted.map_or(0, |before| before.passwords).saturating_add(1),
            presented,
            at,
            refusal: None,
        }
    }

    /// Notes a refusal. One that does not concern the password says that it was right, or never looked at.
    pub fn refused(before: Option<&Self>, presented: Secret, at: DateTime<Utc>, refusal: Refusal) -> Self {
        let counted = before.filter(|before| before.presented == presented && tries_a_password(refusal.code));
        Self {
            passwords: counted.map_or(0, |before| before.passwords),
            presented,
            at,
            refusal: Some(refusal),
        }
    }

    /// Tells until when a run that begins like this must not present the same again; `None` is at once.
    pub fn held_until(
        &self,
        beginning: Beginning,
        presented: &Secret,
        now: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        if self.presented != *presented {
            return None;
        }
        let pause = match &self.refusal {
            None => self.pause_in_silence(),
            Some(refusal) if self.may_repeat(refusal.code, beginning) => Duration::ZERO,
            Some(refusal) => hold(refusal.code),
        };
        // a clock that was ahead when this was noted must not hold for longer than one that was right
        let until = self.at.min(now) + TimeDelta::from_std(pause).unwrap_or_default();
        (until > now).then_some(until)
    }

    /// How long the next password waits because nobody answered the last ones.
    pub fn pause_in_silence(&self) -> Duration {
        match self.passwords.checked_sub(UNANSWERED + 1) {
            None => Duration::ZERO,
            Some(beyond) => usize::try_from(beyond)
                .ok()
                .and_then(|beyond| SILENCES.get(beyond).copied())
                .unwrap_or(PASSWORD_PROBE),
        }
    }

    fn may_repeat(&self, code: Code, beginning: Beginning) -> bool {
        match beginning {
            Beginning::Crash => false,
            _ if !tries_a_password(code) => true,
            Beginning::Process => self.passwords < REFUSED_AT_STARTS,
            Beginning::Order => self.passwords < MOST,
        }
    }
}

fn tries_a_password(code: Code) -> bool {
    matches!(code, Code::WrongPassword | Code::AccountLocked)
}
