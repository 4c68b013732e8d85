//! Sign-ins at Entra ID (graph.md 1).
//!
//! The app registration signs in with its secret or certificate; a communication user with a refresh token, a password
//! or a device code. Every method is one attempt and one request, but for an assertion that is dated anew: what follows
//! a refusal is decided by whoever asks, because a password must not be repeated lightly.

mod aadsts;
mod form;
mod grant;
mod proof;
mod refusal;
mod registration;

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use awc::http::Method;
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use m365_presence::identity::{Account, Credential};
use m365_presence::light::AuthenticationCode;
use m365_presence::ports::{DeviceCode, DeviceSignIn, Identity, Presented, SignInError, SignedIn};
use m365_presence::secret::Secret;
use m365_presence::traffic::Urgency;
use serde_json::Value;

use crate::endpoints::Endpoints;
use crate::http::{Answer, Content, Family, HttpClient, Request};
use form::Form;
use proof::Prover;
pub use proof::{Proof, ProofError, judge_client_certificate};
use refusal::Refusal;
pub use registration::{AppRegistration, CommunicationUser, IdentitySettings};
use registration::{Attempt, Registration, User};

/// A sign-in is quick or it is lost.
const DEADLINE: Duration = Duration::from_secs(15);

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
        self.users.get(account).ok_or_else(|| {
            let cause = format!("{account} is not configured as a communication user");
            refused(AuthenticationCode::Refused, cause)
        })
    }

    async fn sign_in_app(&self, claims: Option<&str>) -> Result<SignedIn, Refusal> {
        let form = Form::new("client_credentials")
            .with("scope", &self.endpoints.app_scope())
            .with_some("claims", claims);
        let attempt = Attempt {
            credential: Credential::App,
            who: "the app registration",
            registration: &self.app,
            refreshes: false,
        };
        self.obtain(&attempt, &form).await
    }

    async fn sign_in_user(&self, account: &Account, presented: Presented<'_>) -> Result<SignedIn, Refusal> {
        let user = self.user(account)?;
        let form = match (presented.refresh, &user.password) {
            (Some(token), _) => Form::new("refresh_token").with("refresh_token", token.expose()),
            (None, Some(password)) => Form::new("password")
                .with("username", &user.username)
                .with("password", password.expose()),
            (None, None) => {
                let cause = format!("{account} has to sign in with a device code");
                return Err(refused(AuthenticationCode::SignInRequired, cause).into());
            }
        };
        let form = form
            .with("scope", &self.endpoints.delegated_scope())
            .with_some("claims", presented.claims);
        let attempt = Attempt {
            refreshes: presented.refresh.is_some(),
            ..user.attempt()
        };
        self.obtain(&attempt, &form).await
    }

    /// The registration that a credential signs in to, and what else it presents.
    fn configured(&self, credential: &Credential) -> (&Registration, &str, Option<&Secret>) {
        let user = match credential {
            Credential::App => None,
            Credential::Communication(account) => self.users.get(account),
        };
        user.map_or((&self.app, "", None), |user| {
            (
                &*user.registration,
                user.username.as_str(),
                user.password.as_ref(),
            )
        })
    }

    /// Asks for a token. An assertion is dated by our idea of Entra's clock: when its refusal is the first answer to
    /// tell the true time, it is dated anew once.
    async fn obtain(&self, attempt: &Attempt<'_>, form: &Form) -> Result<SignedIn, Refusal> {
        let offset = self.http.clock().offset();
        let first = self.ask_for_token(attempt, form).await;
        match &first {
            Err(refusal) if refusal.is_about_the_proof() && self.http.clock().offset() != offset => {
                self.ask_for_token(attempt, form).await
            }
            _ => first,
        }
    }

    async fn ask_for_token(&self, attempt: &Attempt<'_>, form: &Form) -> Result<SignedIn, Refusal> {
        let url = self.endpoints.token(&self.tenant);
        let answer = self.post(&url, attempt, form).await?;
        grant::signed_in(answer.json().as_ref(), answer.sent_at)
            .ok_or_else(|| Refusal::lost(attempt.who, "the answer holds no token"))
    }

    /// Posts a form with the registration's proof; every answer but a success is a refusal.
    async fn post(&self, url: &str, attempt: &Attempt<'_>, form: &Form) -> Result<Answer, Refusal> {
        let registration = attempt.registration;
        let mut form = form.clone().with("client_id", &registration.client_id);
        if let Some(prover) = &registration.prover {
            let audience = self.endpoints.token(&self.tenant);
            form = prover
                .sign(form, &registration.client_id, &audience, self.http.clock().now())
                .map_err(|_| Refusal::unsigned(attempt.who))?;
        }
        let answer = self.send(url, &attempt.credential, form).await?;
        if answer.is_success() {
            Ok(answer)
        } else {
            Err(Refusal::read(attempt, &answer))
        }
    }

    async fn send(&self, url: &str, whose: &Credential, form: Form) -> Result<Answer, Refusal> {
        let content = Content::Form(form.into_secret());
        let request = Request {
            family: Family::Token,
            credential: Some(whose),
            urgency: Urgency::Call,
            cost: 1,
            method: Method::POST,
            url,
            bearer: None,
            headers: &[("x-ms-lib-capability", "retry-after, h429")],
            content: &content,
            deadline: DEADLINE,
        };
        Ok(self.http.send(request).await?)
    }

    /// A request that presents nothing is answered with a refusal of its form, and that is the sign of life.
    async fn say_hello(&self) -> Result<(), Refusal> {
        let form = Form::default().with("client_id", &self.app.client_id);
        let answer = self
            .send(&self.endpoints.token(&self.tenant), &Credential::App, form)
            .await?;
        let is_understood = answer
            .json()
            .is_some_and(|body| text(&body, "error").is_some() || text(&body, "access_token").is_some());
        match answer.patience {
            Some(retry_after) => Err(SignInError::Throttled { retry_after }.into()),
            None if is_understood && answer.status < 500 => Ok(()),
            None => Err(Refusal::unusable("the sign-in", &answer)),
        }
    }

    async fn begin(&self, account: &Account, claims: Option<&str>) -> Result<DeviceCode, Refusal> {
        let user = self.user(account)?;
        let url = self.endpoints.device_code(&self.tenant);
        let form = Form::default()
            .with("scope", &self.endpoints.delegated_scope())
            .with_some("claims", claims);
        let answer = self.post(&url, &user.attempt(), &form).await?;
        grant::device_code(answer.json().as_ref(), answer.sent_at)
            .ok_or_else(|| Refusal::lost(&user.username, "the answer holds no device code"))
    }

    async fn poll(&self, account: &Account, code: &DeviceCode) -> Result<DeviceSignIn, Refusal> {
        let user = self.user(account)?;
        let form = Form::new("urn:ietf:params:oauth:grant-type:device_code")
            .with("device_code", code.device_code.expose());
        match self.obtain(&user.attempt(), &form).await {
            Ok(signed_in) => Ok(DeviceSignIn::Done(signed_in)),
            Err(refusal) => match refusal.error() {
                "authorization_pending" => Ok(DeviceSignIn::Pending),
                "slow_down" => Ok(DeviceSignIn::SlowDown),
                "authorization_declined" => Ok(DeviceSignIn::Declined),
                "bad_verification_code" | "expired_token" | "code_expired" => Ok(DeviceSignIn::Expired),
                _ => Err(refusal),
            },
        }
    }
}

impl Identity for EntraIdentity {
    fn sign_in<'a>(
        &'a self,
        credential: &'a Credential,
        presented: Presented<'a>,
    ) -> LocalBoxFuture<'a, Result<SignedIn, SignInError>> {
        async move {
            let signed_in = match credential {
                Credential::App => self.sign_in_app(presented.claims).await,
                Credential::Communication(account) => self.sign_in_user(account, presented).await,
            };
            signed_in.map_err(Refusal::into_error)
        }
        .boxed_local()
    }

    fn greet(&self) -> LocalBoxFuture<'_, Result<(), SignInError>> {
        async move { self.say_hello().await.map_err(Refusal::into_error) }.boxed_local()
    }

    fn digest(&self, credential: &Credential) -> Secret {
        let (registration, username, password) = self.configured(credential);
        let mut hash = digest::Context::new(&digest::SHA256);
        let proof = registration.prover.as_ref().map_or("", Prover::identifies);
        let password = password.map_or("", Secret::expose);
        for part in [&self.tenant, &registration.client_id, proof, username, password] {
            hash.update(part.as_bytes());
            // ends a part, for no part holds it
            hash.update(&[0]);
        }
        Secret::new(URL_SAFE_NO_PAD.encode(hash.finish()))
    }

    fn begin_device_sign_in<'a>(
        &'a self,
        account: &'a Account,
        claims: Option<&'a str>,
    ) -> LocalBoxFuture<'a, Result<DeviceCode, SignInError>> {
        async move { self.begin(account, claims).await.map_err(Refusal::into_error) }.boxed_local()
    }

    fn poll_device_sign_in<'a>(
        &'a self,
        account: &'a Account,
        code: &'a DeviceCode,
    ) -> LocalBoxFuture<'a, Result<DeviceSignIn, SignInError>> {
        async move { self.poll(account, code).await.map_err(Refusal::into_error) }.boxed_local()
    }
}

fn refused(code: AuthenticationCode, detail: String) -> SignInError {
    SignInError::Refused {
        code,
        aadsts: None,
        detail,
        claims: None,
    }
}

/// The members of a JSON answer that sign-ins read.
fn text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    body.get(name)?.as_str().filter(|text| !text.is_empty())
}
