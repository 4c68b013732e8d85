//! Holds the access tokens: one of the app, one per communication user.
//!
//! *Wakes on* a request for a token, a token nearing its end (80 % of its life), a token that Graph rejected, and the end
//! of a wait. *Tells* whoever asks; any number of askers share one sign-in. *Ends* never by itself: a refused sign-in is
//! the state of that credential, with its own hold and slow probe, and only what needs that token waits. A restart
//! forgets all holds, so an administrator who corrected something restarts this actor.

mod device_code;
mod key;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use actix::{Actor, ActorFutureExt, AsyncContext, Handler, Message, ResponseFuture, Supervised, WrapFuture};
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use m365_presence::clock::Clock;
use m365_presence::identity::{Account, Credential};
use m365_presence::light::AuthenticationCode;
use m365_presence::ports::{AccessToken, Identity, SignInError, SignedIn, Store, Tokens};
use m365_presence::secret::Secret;
use serde::Serialize;
use tokio::sync::oneshot;

use crate::supervision::{Context, Fitting, Post};

use key::{Key, ends_stored_sign_in, hold_of, is_good};

/// A token is renewed when this part of its life is over (DESIGN 3).
const RENEWED_AFTER: f64 = 0.8;

/// Two sign-ins of a credential are at least this far apart, however short its tokens live.
const SHORTEST_LIFE: Duration = Duration::from_secs(1);

type Granted = Result<AccessToken, SignInError>;

/// What one credential's sign-in is like.
#[derive(Clone, Debug, Serialize)]
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
}

/// What all credentials are like.
#[derive(Clone, Debug, Default, Serialize)]
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
    pub rejected: Option<AccessToken>,
}

/// Asks for the status.
#[derive(Message)]
#[rtype(result = "Status")]
pub struct GetStatus;

/// How a communication user signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommunicationUser {
    /// Who.
    pub account: Account,
    /// Whether a person signs in with a code instead of a stored password.
    pub device_code: bool,
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
    /// The communication users.
    pub communication_users: Vec<CommunicationUser>,
}

/// The tokens and how they came about.
pub struct TokenRefresh {
    fitting: Fitting<Dependencies>,
    dependencies: Dependencies,
    keys: BTreeMap<Credential, Key>,
}

impl TokenRefresh {
    /// Makes the actor with nobody signed in.
    pub fn new(fitting: impl Into<Fitting<Dependencies>>) -> Self {
        let fitting = fitting.into();
        let dependencies = fitting.current();
        let now = dependencies.clock.now();
        let mut keys = BTreeMap::from([(Credential::App, Key::new(false, now))]);
        for user in &dependencies.communication_users {
            keys.insert(
                Credential::Communication(user.account.clone()),
                Key::new(user.device_code, now),
            );
        }
        Self {
            fitting,
            dependencies,
            keys,
        }
    }
}

impl Actor for TokenRefresh {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        for credential in self.keys.keys().cloned().collect::<Vec<_>>() {
            self.recall_and_sign_in(credential, ctx);
        }
    }
}

impl Supervised for TokenRefresh {
    fn restarting(&mut self, _ctx: &mut Self::Context) {
        *self = Self::new(self.fitting.clone());
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
                })
            });
        };
        let rejected = message.rejected.is_some_and(|rejected| {
            key.token
                .as_ref()
                .is_some_and(|token| token.secret == rejected.secret)
        });
        if rejected {
            key.token = None;
        }
        if let Some(token) = key.token.as_ref().filter(|token| is_good(token, now)) {
            let token = token.clone();
            return Box::pin(async move { Ok(token) });
        }
        let must_wait = key.next_attempt_at.is_some_and(|at| at > now);
        if let Some(error) = key.last_error.clone().filter(|_| must_wait && !key.under_way) {
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
        let now = self.dependencies.clock.now();
        let credentials = self
            .keys
            .iter()
            .map(|(credential, key)| key.status(credential, now))
            .collect();
        actix::MessageResult(Status { credentials })
    }
}

impl TokenRefresh {
    /// Looks for a stored refresh token before the first sign-in.
    fn recall_and_sign_in(&mut self, credential: Credential, ctx: &mut Context<Self>) {
        let Credential::Communication(account) = credential.clone() else {
            self.sign_in(credential, ctx);
            return;
        };
        if let Some(key) = self.keys.get_mut(&credential) {
            key.under_way = true;
        }
        let store = Rc::clone(&self.dependencies.store);
        let recalled = async move { store.refresh_token(&account).await };
        ctx.spawn(recalled.into_actor(self).map(move |recalled, actor, ctx| {
            let Some(key) = actor.keys.get_mut(&credential) else {
                return;
            };
            key.under_way = false;
            match recalled {
                Ok(refresh) => key.refresh = refresh,
                Err(error) => log::warn!("the refresh token of a communication user cannot be read: {error}"),
            }
            actor.sign_in(credential, ctx);
        }));
    }

    /// Begins a sign-in unless one is under way already.
    fn sign_in(&mut self, credential: Credential, ctx: &mut Context<Self>) {
        let Some(key) = self.keys.get_mut(&credential).filter(|key| !key.under_way) else {
            return;
        };
        key.under_way = true;
        key.generation += 1;
        if key.device_code && key.refresh.is_none() {
            self.begin_device_sign_in(credential, ctx);
            return;
        }
        let identity = Rc::clone(&self.dependencies.identity);
        let (whose, refresh) = (credential.clone(), key.refresh.clone());
        let attempt = async move { identity.sign_in(&whose, refresh.as_ref()).await };
        ctx.spawn(
            attempt
                .into_actor(self)
                .map(move |outcome, actor, ctx| actor.take_in(credential, outcome, ctx)),
        );
    }

    /// Takes in the outcome of a sign-in: answers who waits and plans the next one.
    fn take_in(
        &mut self,
        credential: Credential,
        outcome: Result<SignedIn, SignInError>,
        ctx: &mut Context<Self>,
    ) {
        let now = self.dependencies.clock.now();
        let Some(key) = self.keys.get_mut(&credential) else {
            return;
        };
        key.under_way = false;
        let wait = match &outcome {
            Ok(signed_in) => signed_in
                .access
                .lifetime
                .mul_f64(RENEWED_AFTER)
                .max(SHORTEST_LIFE),
            Err(SignInError::Refused { code, .. }) if key.refresh.is_some() && ends_stored_sign_in(*code) => {
                // the refresh token is of no use any more: the password or the person must sign in anew
                key.refresh = None;
                self.keep_refresh_token(&credential, None, ctx);
                self.sign_in(credential, ctx);
                return;
            }
            Err(SignInError::Refused { code, .. }) => hold_of(*code),
            Err(SignInError::Throttled { retry_after }) => key.outage.fail(Some(*retry_after)),
            Err(SignInError::Lost { .. }) => key.outage.fail(None),
        };
        key.note(&credential, &outcome, now, wait);
        let mut to_store = None;
        let granted = outcome.map(|signed_in| {
            if let Some(newer) = signed_in
                .refresh
                .filter(|newer| Some(newer) != key.refresh.as_ref())
            {
                key.refresh = key.device_code.then_some(newer);
                to_store.clone_from(&key.refresh);
            }
            signed_in.access
        });
        for waiting in key.waiting.drain(..) {
            // who asked may be gone by now
            let _gone = waiting.send(granted.clone());
        }
        if to_store.is_some() {
            self.keep_refresh_token(&credential, to_store, ctx);
        }
        self.wake_after(wait, credential, ctx);
    }

    fn wake_after(&mut self, wait: Duration, credential: Credential, ctx: &mut Context<Self>) {
        let Some(generation) = self.keys.get(&credential).map(|key| key.generation) else {
            return;
        };
        ctx.run_later(wait, move |actor, ctx| {
            if actor
                .keys
                .get(&credential)
                .is_some_and(|key| key.generation == generation)
            {
                actor.sign_in(credential, ctx);
            }
        });
    }

    fn keep_refresh_token(&self, credential: &Credential, refresh: Option<Secret>, ctx: &mut Context<Self>) {
        let Credential::Communication(account) = credential.clone() else {
            return;
        };
        let store = Rc::clone(&self.dependencies.store);
        let kept = async move { store.put_refresh_token(&account, refresh.as_ref()).await };
        ctx.spawn(kept.into_actor(self).map(|kept, _, _| {
            if let Err(error) = kept {
                log::warn!("a refresh token cannot be stored, the next start needs a new sign-in: {error}");
            }
        }));
    }
}

/// Gives the Graph adapter its tokens, through the actor that holds them.
pub struct TokensOf(pub Post<TokenRefresh>);

impl Tokens for TokensOf {
    fn token<'a>(
        &'a self,
        credential: &'a Credential,
        rejected: Option<&'a AccessToken>,
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
