//! Holds the access tokens: one of the app, one per communication user.
//!
//! *Wakes on* a request for a token, a token nearing its end (80 % of its life), a token that Graph rejected, and the end
//! of a wait. *Tells* whoever asks; any number of askers share one sign-in. *Ends* never by itself: a refused sign-in is
//! the state of that credential, with its own hold and slow probe, and only what needs that token waits. An ordered
//! restart tries at once, so an administrator who corrected something restarts this actor; a crash does not, because
//! what was refused is remembered beyond the run (`m365_presence::sign_in`).

mod attempt;
mod device_code;
mod key;
mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use actix::{Actor, Handler, Message, ResponseFuture, Running, Supervised};
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use m365_presence::clock::Clock;
use m365_presence::identity::{Account, Credential};
use m365_presence::light::AuthenticationCode;
use m365_presence::ports::{AccessToken, Identity, Rejected, SignInError, Store, Tokens};
use m365_presence::sign_in::{Beginning, Way};
use serde::Serialize;
use tokio::sync::oneshot;
use utoipa::ToSchema;

use crate::supervision::{Context, Fitting, Post};

use key::{Key, Standing, is_good};

type Granted = Result<AccessToken, SignInError>;

/// What one credential's sign-in is like.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CredentialStatus {
    /// Whose it is.
    pub credential: Credential,
    /// Code for the authentication light.
    pub code: AuthenticationCode,
    /// Cause, without remedy.
    pub detail: String,
    /// Since when the code stands.
    pub since: DateTime<Utc>,
    /// When the present token ends.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the next attempt follows.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// Successful sign-ins of this run.
    pub sign_ins: u64,
    /// The permissions that the present token grants, where it says so.
    pub permissions: Option<BTreeSet<String>>,
    /// Who has signed in, where Entra says so.
    pub signed_in_as: Option<String>,
    // graph.md 1.2
    /// When the stored refresh token was granted; it ends 90 days later unless it is used.
    pub refresh_granted_at: Option<DateTime<Utc>>,
    /// When its own client secret ends, where that was configured.
    pub client_secret_expires_at: Option<DateTime<Utc>>,
    /// When its own client certificate ends.
    pub client_certificate_expires_at: Option<DateTime<Utc>>,
}

/// What all credentials are like.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
#[schema(as = TokenRefreshStatus)]
pub struct Status {
    /// The app first, then the communication users.
    pub credentials: Vec<CredentialStatus>,
}

/// Asks for a token.
#[derive(Message)]
#[rtype(result = "Granted")]
pub struct GetToken {
    /// Whose.
    pub credential: Credential,
    /// The token that Graph has just rejected.
    pub rejected: Option<Rejected>,
}

/// Asks for the status.
#[derive(Message)]
#[rtype(result = "Status")]
pub struct GetStatus;

/// When the proof of an app registration ends, as far as that is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProofEnds {
    /// The end of its client secret.
    pub secret: Option<DateTime<Utc>>,
    /// The end of its certificate.
    pub certificate: Option<DateTime<Utc>>,
}

/// How a communication user signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommunicationUser {
    /// Who.
    pub account: Account,
    /// How, where there is no refresh token.
    pub way: Way,
    /// When the proof of its own app registration ends; nothing where it shares the app's.
    pub ends: ProofEnds,
}

/// What the actor is made of.
#[derive(Clone)]
pub struct Dependencies {
    /// Signs in.
    pub identity: Rc<dyn Identity>,
    /// Keeps refresh tokens.
    pub store: Rc<dyn Store>,
    /// Graph's time.
    pub clock: Rc<dyn Clock>,
    /// When the app registration's proof ends.
    pub ends: ProofEnds,
    /// The communication users.
    pub communication_users: Vec<CommunicationUser>,
}

/// The tokens and how they came about.
pub struct TokenRefresh {
    fitting: Fitting<Dependencies>,
    dependencies: Dependencies,
    keys: BTreeMap<Credential, Key>,
    beginning: Beginning,
    was_ordered_to_end: bool,
}

impl TokenRefresh {
    /// Makes the actor with nobody signed in.
    pub fn new(fitting: impl Into<Fitting<Dependencies>>) -> Self {
        let fitting = fitting.into();
        let dependencies = fitting.current();
        let now = dependencies.clock.now();
        let app = Key::new(
            "the app registration".to_owned(),
            Way::Proof,
            dependencies.ends,
            now,
        );
        let mut keys = BTreeMap::from([(Credential::App, app)]);
        for (index, user) in dependencies.communication_users.iter().enumerate() {
            let label = format!("microsoft.communication_users.{index}");
            let credential = Credential::Communication(user.account.clone());
            keys.insert(credential, Key::new(label, user.way, user.ends, now));
        }
        Self {
            fitting,
            dependencies,
            keys,
            beginning: Beginning::Process,
            was_ordered_to_end: false,
        }
    }
}

impl Actor for TokenRefresh {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.recall(ctx);
    }

    fn stopping(&mut self, _ctx: &mut Self::Context) -> Running {
        self.was_ordered_to_end = true;
        Running::Stop
    }
}

impl Supervised for TokenRefresh {
    fn restarting(&mut self, _ctx: &mut Self::Context) {
        let beginning = if self.was_ordered_to_end {
            Beginning::Order
        } else {
            Beginning::Crash
        };
        *self = Self {
            beginning,
            ..Self::new(self.fitting.clone())
        };
    }
}

impl Handler<GetToken> for TokenRefresh {
    type Result = ResponseFuture<Granted>;

    fn handle(&mut self, message: GetToken, ctx: &mut Self::Context) -> Self::Result {
        let now = self.dependencies.clock.now();
        let Some(key) = self.keys.get_mut(&message.credential) else {
            let detail = format!("{} is not configured", message.credential);
            let code = AuthenticationCode::Refused;
            return Box::pin(async move {
                Err(SignInError::Refused {
                    code,
                    aadsts: None,
                    detail,
                    claims: None,
                })
            });
        };
        if let Some(rejected) = message.rejected {
            key.reject(rejected, now);
        }
        if let Some(token) = key.token.as_ref().filter(|token| is_good(token, now)) {
            let token = token.clone();
            return Box::pin(async move { Ok(token) });
        }
        let wait = key
            .next_attempt_at
            .filter(|at| *at > now)
            .and_then(|at| (at - now).to_std().ok());
        if let (Standing::Failed(error), Some(wait), false) = (&key.standing, wait, key.under_way) {
            let error = error.until_next(wait);
            return Box::pin(async move { Err(error) });
        }
        let (sender, receiver) = oneshot::channel();
        key.waiting.push(sender);
        self.sign_in(message.credential, ctx);
        let ended = SignInError::Lost {
            detail: "the sign-in was interrupted".to_owned(),
        };
        Box::pin(async move { receiver.await.unwrap_or(Err(ended)) })
    }
}

impl Handler<GetStatus> for TokenRefresh {
    type Result = actix::MessageResult<GetStatus>;

    fn handle(&mut self, _message: GetStatus, _ctx: &mut Self::Context) -> Self::Result {
        let credentials = self
            .keys
            .iter()
            .map(|(credential, key)| key.status(credential))
            .collect();
        actix::MessageResult(Status { credentials })
    }
}

/// Gives the Graph adapter its tokens, through the actor that holds them.
pub struct TokensOf(pub Post<TokenRefresh>);

impl Tokens for TokensOf {
    fn token<'a>(
        &'a self,
        credential: &'a Credential,
        rejected: Option<&'a Rejected>,
    ) -> LocalBoxFuture<'a, Granted> {
        let ask = self.0.ask(GetToken {
            credential: credential.clone(),
            rejected: rejected.cloned(),
        });
        Box::pin(async move {
            ask.await.unwrap_or_else(|_| {
                Err(SignInError::Lost {
                    detail: "the token actor is being restarted".to_owned(),
                })
            })
        })
    }
}
