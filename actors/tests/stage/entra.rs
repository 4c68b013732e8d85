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
use m365_presence::ports::{AccessToken, DeviceCode, DeviceSignIn, Identity, SignInError, SignedIn};
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
    pub polls: RefCell<VecDeque<DeviceSignIn>>,
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
            issued: Cell::new(0),
            codes: Cell::new(0),
        }
    }

    pub fn refuse(&self, credential: Credential, code: AuthenticationCode) {
        self.errors.borrow_mut().insert(credential, refused(code));
    }

    pub fn lose(&self, credential: Credential) {
        let lost = SignInError::Lost {
            detail: "no route".to_owned(),
        };
        self.errors.borrow_mut().insert(credential, lost);
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
            access: AccessToken {
                secret: Secret::new(format!("token-{number}")),
                expires_at: self.clock.now() + TimeDelta::from_std(life).unwrap(),
                lifetime: life,
            },
            refresh: Some(Secret::new(format!("refresh-{number}"))),
        }
    }
}

pub fn refused(code: AuthenticationCode) -> SignInError {
    SignInError::Refused {
        code,
        aadsts: None,
        detail: "refused".to_owned(),
    }
}

impl Identity for Entra {
    fn sign_in<'a>(
        &'a self,
        credential: &'a Credential,
        refresh: Option<&'a Secret>,
    ) -> LocalBoxFuture<'a, Result<SignedIn, SignInError>> {
        Box::pin(async move {
            let with = refresh.map_or("", |refresh| refresh.expose());
            self.journal.note(format!("entra: sign in {credential} {with}"));
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

    fn begin_device_sign_in<'a>(
        &'a self,
        account: &'a Account,
    ) -> LocalBoxFuture<'a, Result<DeviceCode, SignInError>> {
        Box::pin(async move {
            self.journal.note(format!("entra: begin {account}"));
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
            Ok(self
                .polls
                .borrow_mut()
                .pop_front()
                .unwrap_or(DeviceSignIn::Pending))
        })
    }
}
