//! Holds the access tokens: one of the app, one per communication user.
//!
//! *Wakes on* a request for a token, a token nearing its end (80 % of its life), a token that Graph rejected, and the end
//! of a wait. *Tells* whoever asks; any number of askers share one sign-in. *Ends* never by itself: a refused sign-in is
//! the state of that credential, with its own hold and slow probe, and only what needs that token waits. A restart
//! forgets all holds, so an administrator who corrected something restarts this actor.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use actix::{Actor, ActorFutureExt, AsyncContext, Handler, Message, ResponseFuture, Supervised, WrapFuture};
use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use m365_presence::clock::Clock;
use m365_presence::identity::{Account, Credential};
use m365_presence::light::AuthenticationCode;
use m365_presence::ports::{
    AccessToken, DeviceCode, DeviceSignIn, Identity, SignInError, SignedIn, Store, Tokens,
};
use m365_presence::secret::Secret;
use serde::Serialize;
use tokio::sync::oneshot;

use crate::outage::Outage;
use crate::supervision::{Context, Post};

/// A token is renewed when this part of its life is over (DESIGN 3).
const RENEWED_AFTER: f64 = 0.8;

/// A token this close to its end is not handed out any more.
const TOO_LATE: Duration = Duration::from_secs(5);

/// A refused credential is probed this often (DESIGN 4).
const PROBE: Duration = Duration::from_secs(15 * 60);

/// A wrong password is probed this often, because accounts lock (DESIGN 4).
const PASSWORD_PROBE: Duration = Duration::from_secs(60 * 60);

/// Two sign-ins of a credential are at least this far apart, however short its tokens live.
const SHORTEST_LIFE: Duration = Duration::from_secs(1);

/// Added to the poll interval when Entra says that we ask too often (graph.md 1.2).
const SLOWER: Duration = Duration::from_secs(5);

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
    dependencies: Dependencies,
    keys: BTreeMap<Credential, Key>,
}

struct Key {
    device_code: bool,
    token: Option<AccessToken>,
    refresh: Option<Secret>,
    last_error: Option<SignInError>,
    since: DateTime<Utc>,
    under_way: bool,
    next_attempt_at: Option<DateTime<Utc>>,
    generation: u64,
    outage: Outage,
    sign_ins: u64,
    waiting: Vec<oneshot::Sender<Granted>>,
}

impl TokenRefresh {
    /// Makes the actor with nobody signed in.
    pub fn new(dependencies: Dependencies) -> Self {
        let now = dependencies.clock.now();
        let key = |device_code| Key {
            device_code,
            token: None,
            refresh: None,
            last_error: None,
            since: now,
            under_way: false,
            next_attempt_at: None,
            generation: 0,
            outage: Outage::default(),
            sign_ins: 0,
            waiting: Vec::new(),
        };
        let mut keys = BTreeMap::from([(Credential::App, key(false))]);
        for user in &dependencies.communication_users {
            keys.insert(
                Credential::Communication(user.account.clone()),
                key(user.device_code),
            );
        }
        Self { dependencies, keys }
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
        *self = Self::new(self.dependencies.clone());
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

    /// Asks for a code that a person must enter, and shows it.
    fn begin_device_sign_in(&mut self, credential: Credential, ctx: &mut Context<Self>) {
        let Credential::Communication(account) = credential.clone() else {
            return;
        };
        let identity = Rc::clone(&self.dependencies.identity);
        let begun = async move { identity.begin_device_sign_in(&account).await };
        ctx.spawn(begun.into_actor(self).map(move |begun, actor, ctx| match begun {
            Ok(code) => {
                let Some(key) = actor.keys.get_mut(&credential) else {
                    return;
                };
                let detail = format!(
                    "{credential} must sign in at {} with the code {}",
                    code.verification_uri, code.user_code
                );
                log::warn!("a communication user must sign in with a device code, which the authentication light shows");
                let error = SignInError::Refused {
                    code: AuthenticationCode::SignInRequired,
                    aadsts: None,
                    detail,
                };
                let now = actor.dependencies.clock.now();
                if key.code(now) != AuthenticationCode::SignInRequired {
                    key.since = now;
                }
                key.last_error = Some(error.clone());
                key.next_attempt_at = Some(code.expires_at);
                key.under_way = false;
                for waiting in key.waiting.drain(..) {
                    let _gone = waiting.send(Err(error.clone()));
                }
                actor.poll_device_sign_in(credential, code, ctx);
            }
            Err(error) => actor.take_in(credential, Err(error), ctx),
        }));
    }

    fn poll_device_sign_in(&mut self, credential: Credential, code: DeviceCode, ctx: &mut Context<Self>) {
        let Some(generation) = self.keys.get(&credential).map(|key| key.generation) else {
            return;
        };
        ctx.run_later(code.interval, move |actor, ctx| {
            let Credential::Communication(account) = credential.clone() else {
                return;
            };
            if actor
                .keys
                .get(&credential)
                .is_none_or(|key| key.generation != generation)
            {
                return;
            }
            let identity = Rc::clone(&actor.dependencies.identity);
            let asked = code.clone();
            let poll = async move { identity.poll_device_sign_in(&account, &asked).await };
            ctx.spawn(poll.into_actor(actor).map(move |answer, actor, ctx| {
                let is_over = actor.dependencies.clock.now() >= code.expires_at;
                if is_over && !matches!(answer, Ok(DeviceSignIn::Done(_))) {
                    actor.sign_in(credential, ctx);
                    return;
                }
                let slower = DeviceCode {
                    interval: code.interval + SLOWER,
                    ..code.clone()
                };
                match answer {
                    Ok(DeviceSignIn::Done(signed_in)) => actor.take_in(credential, Ok(signed_in), ctx),
                    Ok(DeviceSignIn::Pending) => actor.poll_device_sign_in(credential, code, ctx),
                    Ok(DeviceSignIn::SlowDown)
                    | Err(SignInError::Lost { .. } | SignInError::Throttled { .. }) => {
                        actor.poll_device_sign_in(credential, slower, ctx);
                    }
                    Ok(DeviceSignIn::Ended) => actor.sign_in(credential, ctx),
                    Err(error) => actor.take_in(credential, Err(error), ctx),
                }
            }));
        });
    }
}

impl Key {
    fn note(
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

    fn code(&self, now: DateTime<Utc>) -> AuthenticationCode {
        match &self.last_error {
            Some(error) => code_of(error),
            None if self.token.as_ref().is_some_and(|token| token.expires_at > now) => AuthenticationCode::Ok,
            None => AuthenticationCode::Starting,
        }
    }

    fn status(&self, credential: &Credential, now: DateTime<Utc>) -> CredentialStatus {
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

fn is_good(token: &AccessToken, now: DateTime<Utc>) -> bool {
    let spare = TOO_LATE.min(token.lifetime / 10);
    chrono::TimeDelta::from_std(spare).is_ok_and(|spare| token.expires_at > now + spare)
}

/// What a line of the log calls a credential: names of users are told below info only.
fn kind_of(credential: &Credential) -> &'static str {
    match credential {
        Credential::App => "the app registration",
        Credential::Communication(_) => "a communication user",
    }
}

fn code_of(error: &SignInError) -> AuthenticationCode {
    match error {
        SignInError::Refused { code, .. } => *code,
        SignInError::Throttled { .. } => AuthenticationCode::Throttled,
        SignInError::Lost { .. } => AuthenticationCode::Unreachable,
    }
}

/// Whether a refusal concerns the stored sign-in itself. One of the app registration, or of an account that is locked
/// for a while, costs no person another sign-in.
fn ends_stored_sign_in(code: AuthenticationCode) -> bool {
    matches!(
        code,
        AuthenticationCode::SignInRequired
            | AuthenticationCode::MfaRequired
            | AuthenticationCode::WrongPassword
            | AuthenticationCode::PasswordExpired
            | AuthenticationCode::Refused
    )
}

fn hold_of(code: AuthenticationCode) -> Duration {
    match code {
        AuthenticationCode::WrongPassword | AuthenticationCode::AccountLocked => PASSWORD_PROBE,
        _ => PROBE,
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
