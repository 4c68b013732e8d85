//! Signing in at Entra, and handing tokens out.

use std::collections::BTreeSet;
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
    /// The permissions that were granted, as the token itself says; `None` where it does not say.
    pub permissions: Option<BTreeSet<String>>,
    /// The token for requests.
    pub access: AccessToken,
    /// A newer refresh token, where one was granted (graph.md 1.2: store the newest).
    pub refresh: Option<Secret>,
    /// Who has signed in, where the answer says so: with a device code that may be anybody.
    pub signed_in_as: Option<String>,
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
    /// The person said no.
    Declined,
    /// Nobody entered the code in time, or it is not known any more.
    Expired,
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
        /// What the next sign-in has to prove, as JSON; to be handed on as it is (graph.md 1.5).
        claims: Option<String>,
    },
    /// Entra asks for patience.
    #[error("the sign-in service asks for {retry_after:?} of patience")]
    Throttled {
        /// From now on.
        retry_after: Duration,
    },
    /// Entra is out of reach, or the last attempt got no answer: nobody asks before the next one.
    #[error("{detail}")]
    Unreachable {
        /// Cause as one sentence.
        detail: String,
        /// When the next attempt may follow, from now on.
        retry_after: Duration,
        /// Whether anything was presented: nobody reads what did not leave.
        presented: bool,
    },
    /// No usable answer: socket, timeout, 5xx, HTML.
    #[error("{detail}")]
    Lost {
        /// Cause as one sentence.
        detail: String,
    },
}

impl SignInError {
    /// How long to wait before the next attempt, where that is known.
    pub fn wait(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after } | Self::Unreachable { retry_after, .. } => Some(*retry_after),
            Self::Refused { .. } | Self::Lost { .. } => None,
        }
    }

    /// The same error for somebody who asks meanwhile: the next attempt follows after `wait`.
    pub fn until_next(&self, wait: Duration) -> Self {
        match self {
            Self::Throttled { .. } => Self::Throttled { retry_after: wait },
            Self::Unreachable { detail, .. } | Self::Lost { detail } => Self::Unreachable {
                detail: detail.clone(),
                retry_after: wait,
                presented: false,
            },
            Self::Refused { .. } => self.clone(),
        }
    }
}

/// What a sign-in presents beside what is configured.
#[derive(Clone, Copy, Debug, Default)]
pub struct Presented<'a> {
    /// A communication user's refresh token, instead of its password.
    pub refresh: Option<&'a Secret>,
    /// What a challenge demanded of the token, as JSON.
    pub claims: Option<&'a str>,
}

/// Signs in at Entra. Every sign-in is one attempt: what follows a refusal is not decided here.
pub trait Identity {
    /// Signs in with what is configured for the credential: secret or certificate for the app; for a communication
    /// user the refresh token where given, else user name and password.
    fn sign_in<'a>(
        &'a self,
        credential: &'a Credential,
        presented: Presented<'a>,
    ) -> LocalBoxFuture<'a, Result<SignedIn, SignInError>>;

    /// Asks whether the sign-in service answers at all, without presenting anything.
    fn greet(&self) -> LocalBoxFuture<'_, Result<(), SignInError>>;

    /// A digest of everything that is configured for a credential, to tell whether it was corrected.
    fn digest(&self, credential: &Credential) -> Secret;

    /// Asks for a device code for a communication user.
    fn begin_device_sign_in<'a>(
        &'a self,
        account: &'a Account,
        claims: Option<&'a str>,
    ) -> LocalBoxFuture<'a, Result<DeviceCode, SignInError>>;

    /// Asks once whether the person has signed in.
    fn poll_device_sign_in<'a>(
        &'a self,
        account: &'a Account,
        code: &'a DeviceCode,
    ) -> LocalBoxFuture<'a, Result<DeviceSignIn, SignInError>>;
}

/// A token that Graph has refused with 401.
#[derive(Clone, Debug)]
pub struct Rejected {
    /// The token.
    pub token: AccessToken,
    /// What the next one has to prove, where Graph says so (graph.md 6.1).
    pub claims: Option<String>,
}

/// Gives tokens to the Graph adapter; implemented by the actor that refreshes them.
pub trait Tokens {
    /// Returns a token that is good for now. `rejected` names the token that Graph has just refused, so that a fresh
    /// one is fetched unless that has happened already.
    fn token<'a>(
        &'a self,
        credential: &'a Credential,
        rejected: Option<&'a Rejected>,
    ) -> LocalBoxFuture<'a, Result<AccessToken, SignInError>>;
}
