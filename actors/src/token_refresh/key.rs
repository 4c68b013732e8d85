//! One credential: its token, its sign-in, and what its refusals mean.

use std::time::Duration;

use chrono::{DateTime, Utc};
use m365_presence::identity::Credential;
use m365_presence::light::AuthenticationCode;
use m365_presence::ports::{AccessToken, SignInError, SignedIn};
use m365_presence::secret::Secret;
use tokio::sync::oneshot;

use super::{CredentialStatus, Granted};
use crate::outage::Outage;

/// A token this close to its end is not handed out any more.
const TOO_LATE: Duration = Duration::from_secs(5);

/// A refused credential is probed this often (DESIGN 4).
const PROBE: Duration = Duration::from_secs(15 * 60);

/// A wrong password is probed this often, because accounts lock (DESIGN 4).
const PASSWORD_PROBE: Duration = Duration::from_secs(60 * 60);

/// What is known of a credential, and who waits for its token.
pub(super) struct Key {
    pub(super) device_code: bool,
    pub(super) token: Option<AccessToken>,
    pub(super) refresh: Option<Secret>,
    pub(super) last_error: Option<SignInError>,
    pub(super) since: DateTime<Utc>,
    pub(super) under_way: bool,
    pub(super) next_attempt_at: Option<DateTime<Utc>>,
    pub(super) generation: u64,
    pub(super) outage: Outage,
    pub(super) sign_ins: u64,
    pub(super) waiting: Vec<oneshot::Sender<Granted>>,
}

impl Key {
    pub(super) fn new(device_code: bool, since: DateTime<Utc>) -> Self {
        Self {
            device_code,
            token: None,
            refresh: None,
            last_error: None,
            since,
            under_way: false,
            next_attempt_at: None,
            generation: 0,
            outage: Outage::default(),
            sign_ins: 0,
            waiting: Vec::new(),
        }
    }

    pub(super) fn note(
        &mut self,
        credential: &Credential,
        outcome: &Result<SignedIn, SignInError>,
        now: DateTime<Utc>,
        wait: Duration,
    ) {
        let next_attempt_at = chrono::TimeDelta::from_std(wait).ok().map(|wait| now + wait);
        let before = self.code(now);
        match outcome {
            Ok(signed_in) => {
                self.token = Some(signed_in.access.clone());
                self.last_error = None;
                self.outage.end();
                self.sign_ins += 1;
            }
            Err(error) => {
                if before != code_of(error) {
                    let code = code_of(error).as_str();
                    log::warn!(code = code, wait:? = wait; "the sign-in of {} failed: {code}", kind_of(credential));
                    log::debug!("the sign-in of {credential} failed: {error}");
                }
                self.last_error = Some(error.clone());
            }
        }
        self.next_attempt_at = next_attempt_at;
        let after = self.code(now);
        if before != after {
            self.since = now;
            log::info!(code = after.as_str(); "the sign-in of {} is now {}", kind_of(credential), after.as_str());
        }
    }

    pub(super) fn code(&self, now: DateTime<Utc>) -> AuthenticationCode {
        match &self.last_error {
            Some(error) => code_of(error),
            None if self.token.as_ref().is_some_and(|token| token.expires_at > now) => AuthenticationCode::Ok,
            None => AuthenticationCode::Starting,
        }
    }

    pub(super) fn status(&self, credential: &Credential, now: DateTime<Utc>) -> CredentialStatus {
        CredentialStatus {
            credential: credential.clone(),
            code: self.code(now),
            detail: self
                .last_error
                .as_ref()
                .map_or_else(|| "signed in".to_owned(), ToString::to_string),
            since: self.since,
            expires_at: self.token.as_ref().map(|token| token.expires_at),
            next_attempt_at: self.next_attempt_at,
            sign_ins: self.sign_ins,
        }
    }
}

pub(super) fn is_good(token: &AccessToken, now: DateTime<Utc>) -> bool {
    let spare = TOO_LATE.min(token.lifetime / 10);
    chrono::TimeDelta::from_std(spare).is_ok_and(|spare| token.expires_at > now + spare)
}

/// What a line of the log calls a credential: names of users are told below info only.
pub(super) fn kind_of(credential: &Credential) -> &'static str {
    match credential {
        Credential::App => "the app registration",
        Credential::Communication(_) => "a communication user",
    }
}

pub(super) fn code_of(error: &SignInError) -> AuthenticationCode {
    match error {
        SignInError::Refused { code, .. } => *code,
        SignInError::Throttled { .. } => AuthenticationCode::Throttled,
        SignInError::Lost { .. } => AuthenticationCode::Unreachable,
    }
}

/// Whether a refusal concerns the stored sign-in itself. One of the app registration, or of an account that is locked
/// for a while, costs no person another sign-in.
pub(super) fn ends_stored_sign_in(code: AuthenticationCode) -> bool {
    matches!(
        code,
        AuthenticationCode::SignInRequired
            | AuthenticationCode::MfaRequired
            | AuthenticationCode::WrongPassword
            | AuthenticationCode::PasswordExpired
            | AuthenticationCode::Refused
    )
}

pub(super) fn hold_of(code: AuthenticationCode) -> Duration {
    match code {
        AuthenticationCode::WrongPassword | AuthenticationCode::AccountLocked => PASSWORD_PROBE,
        _ => PROBE,
    }
}
