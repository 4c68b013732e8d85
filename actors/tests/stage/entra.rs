//! The sign-in service.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use chrono::TimeDelta;
use futures_util::future::LocalBoxFuture;
use m365_presence::clock::Clock;
use m365_presence::identity::{Account, Credential};
use m365_presence::light::AuthenticationCode;
use m365_presence::ports::{
    AccessToken, DeviceCode, DeviceSignIn, Identity, Presented, SignInError, SignedIn,
};
use m365_presence::secret::Secret;
use tokio::time::sleep;

use super::clock::PausedClock;
use super::journal::Journal;

pub struct Entra {
    clock: Rc<PausedClock>,
    journal: Journal,
    /// How long its tokens live.
    pub life: Cell<Duration>,
    /// How long a sign-in takes.
    pub delay: Cell<Duration>,
    /// What it answers instead of a token.
    pub errors: RefCell<BTreeMap<Credential, SignInError>>,
    /// What it answers to a stored refresh token instead of a token.
    pub refresh_error: RefCell<Option<SignInError>>,
    /// Answers to the next polls; `Pending` once they are used up.
    pub polls: RefCell<VecDeque<Result<DeviceSignIn, SignInError>>>,
    /// What is configured: another one is another digest.
    pub configured: RefCell<String>,
    /// Whether a greeting is answered.
    pub is_deaf: Cell<bool>,
    /// Who signs in.
    pub person: RefCell<Option<String>>,
    /// Number of tokens so far.
    pub issued: Cell<u32>,
    codes: Cell<u32>,
}

impl Entra {
    pub fn new(clock: Rc<PausedClock>, journal: Journal) -> Self {
        Self {
            clock,
            journal,
            life: Cell::new(Duration::from_secs(3600)),
            delay: Cell::new(Duration::from_millis(50)),
            errors: RefCell::default(),
            refresh_error: RefCell::default(),
            polls: RefCell::default(),
            configured: RefCell::default(),
            is_deaf: Cell::new(false),
            person: RefCell::default(),
            issued: Cell::new(0),
            codes: Cell::new(0),
        }
    }

    pub fn refuse(&self, credential: Credential, code: AuthenticationCode) {
        self.errors.borrow_mut().insert(credential, refused(code));
    }

    pub fn lose(&self, credential: Credential) {
        self.errors.borrow_mut().insert(credential, lost());
    }

    pub fn recover(&self) {
        self.errors.borrow_mut().clear();
    }

    /// What a successful sign-in brings.
    pub fn signed_in(&self) -> SignedIn {
        let number = self.issued.get() + 1;
        self.issued.set(number);
        let life = self.life.get();
        SignedIn {
            permissions: None,
            access: AccessToken {
                secret: Secret::new(format!("token-{number}")),
                expires_at: self.clock.now() + TimeDelta::from_std(life).unwrap(),
                lifetime: life,
            },
            refresh: Some(Secret::new(format!("refresh-{number}"))),
            signed_in_as: self.person.borrow().clone(),
        }
    }
}

fn lost() -> SignInError {
    SignInError::Lost {
        detail: "no route".to_owned(),
    }
}

pub fn refused(code: AuthenticationCode) -> SignInError {
    SignInError::Refused {
        code,
        aadsts: None,
        detail: "anna@contoso.test: refused".to_owned(),
        claims: None,
    }
}

impl Identity for Entra {
    fn sign_in<'a>(
        &'a self,
        credential: &'a Credential,
        presented: Presented<'a>,
    ) -> LocalBoxFuture<'a, Result<SignedIn, SignInError>> {
        Box::pin(async move {
            let refresh = presented.refresh;
            let with = refresh.map_or("", |refresh| refresh.expose());
            let proving = presented
                .claims
                .map(|claims| format!(" proving {claims}"))
                .unwrap_or_default();
            self.journal
                .note(format!("entra: sign in {credential} {with}{proving}"));
            sleep(self.delay.get()).await;
            if let Some(error) = self.errors.borrow().get(credential) {
                return Err(error.clone());
            }
            match &*self.refresh_error.borrow() {
                Some(error) if refresh.is_some() => Err(error.clone()),
                _ => Ok(self.signed_in()),
            }
        })
    }

    fn greet(&self) -> LocalBoxFuture<'_, Result<(), SignInError>> {
        Box::pin(async move {
            self.journal.note("entra: greeted".to_owned());
            if self.is_deaf.get() {
                return Err(lost());
            }
            Ok(())
        })
    }

    fn digest(&self, credential: &Credential) -> Secret {
        Secret::new(format!("{credential} {}", self.configured.borrow()))
    }

    fn begin_device_sign_in<'a>(
        &'a self,
        account: &'a Account,
        claims: Option<&'a str>,
    ) -> LocalBoxFuture<'a, Result<DeviceCode, SignInError>> {
        Box::pin(async move {
            let proving = claims
                .map(|claims| format!(" proving {claims}"))
                .unwrap_or_default();
            self.journal.note(format!("entra: begin {account}{proving}"));
            let number = self.codes.get() + 1;
            self.codes.set(number);
            Ok(DeviceCode {
                device_code: Secret::new(format!("device-{number}")),
                user_code: format!("CODE-{number}"),
                verification_uri: "https://login.test/device".to_owned(),
                expires_at: self.clock.now() + TimeDelta::minutes(15),
                interval: Duration::from_secs(5),
            })
        })
    }

    fn poll_device_sign_in<'a>(
        &'a self,
        account: &'a Account,
        _code: &'a DeviceCode,
    ) -> LocalBoxFuture<'a, Result<DeviceSignIn, SignInError>> {
        Box::pin(async move {
            self.journal.note(format!("entra: poll {account}"));
            let next = self.polls.borrow_mut().pop_front();
            next.unwrap_or(Ok(DeviceSignIn::Pending))
        })
    }
}
