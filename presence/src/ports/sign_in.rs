//! Signing in at Entra, and handing tokens out.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;

use crate::identity::{Account, Credential};
use crate::light::AuthenticationCode;
use crate::secret::Secret;

/// An access token; opaque to us (graph.md 1.4).
#[derive(Clone, Debug)]
pub struct AccessToken {
    /// The token itself.
    pub secret: Secret,
    /// When it ends, on Graph's clock.
    pub expires_at: DateTime<Utc>,
    /// How long it lives from its issue on.
    pub lifetime: Duration,
}

/// What a successful sign-in brings.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The token for requests.
    pub access: AccessToken,
    /// A newer refresh token, where one was granted (graph.md 1.2: store the newest).
    pub refresh: Option<Secret>,
}

/// A device code that a person must enter (graph.md 1.2).
#[derive(Clone, Debug)]
pub struct DeviceCode {
    /// The code that we poll with.
    pub device_code: Secret,
    /// The code that the person enters.
    pub user_code: String,
    /// Where the person enters it.
    pub verification_uri: String,
    /// When it ends, on Graph's clock.
    pub expires_at: DateTime<Utc>,
    /// Time between two polls.
    pub interval: Duration,
}

/// Answer to a poll with a device code.
#[derive(Clone, Debug)]
pub enum DeviceSignIn {
    /// The person has signed in.
    Done(SignedIn),
    /// Not yet.
    Pending,
    /// Not yet, and we ask too often: add five seconds to the interval.
    SlowDown,
    /// Declined or expired: begin anew.
    Ended,
}

/// Why a sign-in failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SignInError {
    /// Entra refuses this credential; repeating does not help until something changes.
    #[error("{detail}")]
    Refused {
        /// The light's code.
        code: AuthenticationCode,
        /// The AADSTS number where one was given.
        aadsts: Option<u32>,
        /// Cause as one sentence, without any secret.
        detail: String,
    },
    /// Entra asks for patience.
    #[error("the sign-in service asks for {retry_after:?} of patience")]
    Throttled {
        /// From now on.
        retry_after: Duration,
    },
    /// No usable answer: DNS, socket, timeout, 5xx, HTML.
    #[error("{detail}")]
    Lost {
        /// Cause as one sentence.
        detail: String,
    },
}

/// Signs in at Entra.
pub trait Identity {
    /// Signs in with what is configured for the credential: secret or certificate for the app; for a communication
    /// user the refresh token where given, else user name and password.
    fn sign_in<'a>(
        &'a self,
        credential: &'a Credential,
        refresh: Option<&'a Secret>,
    ) -> LocalBoxFuture<'a, Result<SignedIn, SignInError>>;

    /// Asks for a device code for a communication user.
    fn begin_device_sign_in<'a>(
        &'a self,
        account: &'a Account,
    ) -> LocalBoxFuture<'a, Result<DeviceCode, SignInError>>;

    /// Asks once whether the person has signed in.
    fn poll_device_sign_in<'a>(
        &'a self,
        account: &'a Account,
        code: &'a DeviceCode,
    ) -> LocalBoxFuture<'a, Result<DeviceSignIn, SignInError>>;
}

/// Gives tokens to the Graph adapter; implemented by the actor that refreshes them.
pub trait Tokens {
    /// Returns a token that is good for now. `rejected` names the token that Graph has just refused with 401, so that
    /// a fresh one is fetched unless that has happened already.
    fn token<'a>(
        &'a self,
        credential: &'a Credential,
        rejected: Option<&'a AccessToken>,
    ) -> LocalBoxFuture<'a, Result<AccessToken, SignInError>>;
}
