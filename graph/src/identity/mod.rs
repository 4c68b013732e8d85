//! Sign-ins at Entra ID (graph.md 1).
//!
//! The app registration signs in with its secret or certificate; a communication user with a stored refresh token, a
//! password or a device code. A refresh token that Entra no longer takes gives way to the password where there is
//! one, so that a changed password or a revoked session heals by itself.

mod aadsts;
mod form;
mod grant;
mod proof;
mod refusal;

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use awc::http::Method;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use m365_presence::identity::{Account, Credential};
use m365_presence::light::AuthenticationCode;
use m365_presence::ports::{DeviceCode, DeviceSignIn, Identity, SignInError, SignedIn};
use m365_presence::secret::Secret;
use serde_json::Value;

use crate::endpoints::Endpoints;
use crate::http::{Answer, Content, HttpClient, Request};
use crate::patience::Family;
use form::Form;
use proof::Prover;
pub use proof::{Proof, ProofError};
use refusal::Refusal;

/// A sign-in is quick or it is lost.
const DEADLINE: Duration = Duration::from_secs(15);

/// An app registration: whom a token is issued to.
#[derive(Clone, Debug)]
pub struct AppRegistration {
    /// The application id.
    pub client_id: String,
    /// What proves the application; `None` for a public client.
    pub proof: Option<Proof>,
}

/// A communication user.
#[derive(Clone, Debug)]
pub struct CommunicationUser {
    /// The sign-in name as configured.
    pub username: String,
    /// The password; `None` signs in by device code.
    pub password: Option<Secret>,
    /// Another app registration for this user; `None` uses the main one with its proof.
    pub registration: Option<AppRegistration>,
}

/// Who signs in where.
#[derive(Clone, Debug)]
pub struct IdentitySettings {
    /// Domain or directory id.
    pub tenant: String,
    /// The main app registration.
    pub app: AppRegistration,
    /// Everyone who carries a presence subscription.
    pub communication_users: Vec<CommunicationUser>,
}

struct Registration {
    client_id: String,
    prover: Option<Prover>,
}

impl Registration {
    fn read(settings: &AppRegistration) -> Result<Rc<Self>, ProofError> {
        let prover = settings.proof.as_ref().map(Prover::read).transpose()?;
        Ok(Rc::new(Self {
            client_id: settings.client_id.clone(),
            prover,
        }))
    }
}

struct User {
    username: String,
    password: Option<Secret>,
    registration: Rc<Registration>,
}

/// Signs in at Entra ID over HTTP.
pub struct EntraIdentity {
    http: Rc<HttpClient>,
    endpoints: Endpoints,
    tenant: String,
    app: Rc<Registration>,
    users: HashMap<Account, User>,
}

impl EntraIdentity {
    /// Makes the adapter; reads certificates and keys once.
    ///
    /// # Errors
    /// A certificate or a private key that is no PEM of an RSA key.
    pub fn new(
        http: Rc<HttpClient>,
        endpoints: Endpoints,
        settings: &IdentitySettings,
    ) -> Result<Self, ProofError> {
        let app = Registration::read(&settings.app)?;
        let mut users = HashMap::new();
        for user in &settings.communication_users {
            let registration = match &user.registration {
                Some(own) => Registration::read(own)?,
                None => Rc::clone(&app),
            };
            let username = user.username.trim().to_owned();
            let account = Account::new(&username);
            users.insert(
                account,
                User {
                    username,
                    password: user.password.clone(),
                    registration,
                },
            );
        }
        Ok(Self {
            http,
            endpoints,
            tenant: settings.tenant.trim().to_owned(),
            app,
            users,
        })
    }

    fn user(&self, account: &Account) -> Result<&User, SignInError> {
        self.users.get(account).ok_or_else(|| SignInError::Refused {
            code: AuthenticationCode::Refused,
            aadsts: None,
            detail: format!("{account} is not configured as a communication user"),
        })
    }

    async fn sign_in_app(&self) -> Result<SignedIn, SignInError> {
        let form = Form::new("client_credentials").with("scope", &self.endpoints.app_scope());
        self.obtain("the app registration", &self.app, &form)
            .await
            .map_err(Refusal::into_error)
    }

    async fn sign_in_user(
        &self,
        account: &Account,
        refresh: Option<&Secret>,
    ) -> Result<SignedIn, SignInError> {
        let user = self.user(account)?;
        let scope = self.endpoints.delegated_scope();
        if let Some(token) = refresh {
            let form = Form::new("refresh_token")
                .with("scope", &scope)
                .with("refresh_token", token.expose());
            match self.obtain(&user.username, &user.registration, &form).await {
                Err(refusal) if refusal.ends_the_stored_sign_in() => {
                    if user.password.is_none() {
                        return Err(refusal.asking_for_the_person());
                    }
                    log::info!("stored sign-in refused, signing in by password");
                }
                other => return other.map_err(Refusal::into_error),
            }
        }
        let Some(password) = &user.password else {
            return Err(SignInError::Refused {
                code: AuthenticationCode::SignInRequired,
                aadsts: None,
                detail: format!("{account} has to sign in with a device code"),
            });
        };
        let form = Form::new("password")
            .with("scope", &scope)
            .with("username", &user.username)
            .with("password", password.expose());
        self.obtain(&user.username, &user.registration, &form)
            .await
            .map_err(Refusal::into_error)
    }

    /// Asks for a token. An assertion is dated by our idea of Entra's clock: when its refusal is the first answer to
    /// tell the true time, it is dated anew once.
    async fn obtain(&self, who: &str, registration: &Registration, form: &Form) -> Result<SignedIn, Refusal> {
        let offset = self.http.clock().offset();
        let first = self.ask_for_token(who, registration, form).await;
        match &first {
            Err(refusal) if refusal.is_about_the_proof() && self.http.clock().offset() != offset => {
                self.ask_for_token(who, registration, form).await
            }
            _ => first,
        }
    }

    async fn ask_for_token(
        &self,
        who: &str,
        registration: &Registration,
        form: &Form,
    ) -> Result<SignedIn, Refusal> {
        let url = self.endpoints.token(&self.tenant);
        let answer = self.post(&url, who, registration, form).await?;
        if !answer.is_success() {
            return Err(Refusal::read(who, registration.prover.as_ref(), &answer));
        }
        grant::signed_in(answer.json().as_ref(), answer.sent_at)
            .ok_or_else(|| Refusal::lost(who, "the answer holds no token"))
    }

    async fn post(
        &self,
        url: &str,
        who: &str,
        registration: &Registration,
        form: &Form,
    ) -> Result<Answer, Refusal> {
        let mut form = form.clone().with("client_id", &registration.client_id);
        if let Some(prover) = &registration.prover {
            let audience = self.endpoints.token(&self.tenant);
            form = prover
                .sign(form, &registration.client_id, &audience, self.http.clock().now())
                .map_err(|_| Refusal::unsigned(who))?;
        }
        let content = Content::Form(form.into_secret());
        let request = Request {
            family: Family::Token,
            method: Method::POST,
            url,
            bearer: None,
            headers: &[("x-ms-lib-capability", "retry-after, h429")],
            content: &content,
            deadline: DEADLINE,
        };
        Ok(self.http.send(request).await?)
    }

    async fn begin(&self, account: &Account) -> Result<DeviceCode, Refusal> {
        let user = self.user(account)?;
        let url = self.endpoints.device_code(&self.tenant);
        let form = Form::default().with("scope", &self.endpoints.delegated_scope());
        let answer = self.post(&url, &user.username, &user.registration, &form).await?;
        if !answer.is_success() {
            return Err(Refusal::read(
                &user.username,
                user.registration.prover.as_ref(),
                &answer,
            ));
        }
        grant::device_code(answer.json().as_ref(), answer.sent_at)
            .ok_or_else(|| Refusal::lost(&user.username, "the answer holds no device code"))
    }

    async fn poll(&self, account: &Account, code: &DeviceCode) -> Result<DeviceSignIn, Refusal> {
        let user = self.user(account)?;
        let form = Form::new("urn:ietf:params:oauth:grant-type:device_code")
            .with("device_code", code.device_code.expose());
        match self.obtain(&user.username, &user.registration, &form).await {
            Ok(signed_in) => Ok(DeviceSignIn::Done(signed_in)),
            Err(refusal) => match refusal.error() {
                "authorization_pending" => Ok(DeviceSignIn::Pending),
                "slow_down" => Ok(DeviceSignIn::SlowDown),
                "authorization_declined" | "bad_verification_code" | "expired_token" | "code_expired" => {
                    Ok(DeviceSignIn::Ended)
                }
                _ => Err(refusal),
            },
        }
    }
}

impl Identity for EntraIdentity {
    fn sign_in<'a>(
        &'a self,
        credential: &'a Credential,
        refresh: Option<&'a Secret>,
    ) -> LocalBoxFuture<'a, Result<SignedIn, SignInError>> {
        match credential {
            Credential::App => self.sign_in_app().boxed_local(),
            Credential::Communication(account) => self.sign_in_user(account, refresh).boxed_local(),
        }
    }

    fn begin_device_sign_in<'a>(
        &'a self,
        account: &'a Account,
    ) -> LocalBoxFuture<'a, Result<DeviceCode, SignInError>> {
        async move { self.begin(account).await.map_err(Refusal::into_error) }.boxed_local()
    }

    fn poll_device_sign_in<'a>(
        &'a self,
        account: &'a Account,
        code: &'a DeviceCode,
    ) -> LocalBoxFuture<'a, Result<DeviceSignIn, SignInError>> {
        async move { self.poll(account, code).await.map_err(Refusal::into_error) }.boxed_local()
    }
}

/// The members of a JSON answer that sign-ins read.
fn text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body.get(name)?.as_str().filter(|text| !text.is_empty())
}
