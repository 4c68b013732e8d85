//! One credential: its token, its sign-in, and how it stands.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use m365_presence::identity::Credential;
use m365_presence::light::AuthenticationCode;
use m365_presence::ports::{AccessToken, Rejected, SignInError, SignedIn};
use m365_presence::secret::Secret;
use m365_presence::sign_in::{SignInRecord, Trial, Way};
use tokio::sync::oneshot;

use super::{CredentialStatus, Granted, ProofEnds};
use crate::outage::Outage;

/// A token this close to its end is not handed out any more.
const TOO_LATE: Duration = Duration::from_secs(5);

/// A token that is rejected at this age is no old one, and the next will hardly fare better.
const YOUNG: TimeDelta = TimeDelta::seconds(60);

/// Young tokens in a row that are replaced when Graph rejects them. Entra takes a client that asks on and on for a
/// loop (graph.md 1.5: 50196).
const YOUNG_REPLACED: u32 = 3;

/// What is known of a credential, and who waits for its token.
pub(super) struct Key {
    /// What the log calls it: names of users are told below info only.
    pub(super) label: String,
    pub(super) way: Way,
    pub(super) ends: ProofEnds,
    pub(super) token: Option<AccessToken>,
    pub(super) refresh: Option<Secret>,
    pub(super) granted_at: Option<DateTime<Utc>>,
    /// A refresh token that was refused, but may live again.
    pub(super) aside: Option<Secret>,
    pub(super) standing: Standing,
    pub(super) since: DateTime<Utc>,
    pub(super) under_way: bool,
    pub(super) next_attempt_at: Option<DateTime<Utc>>,
    /// Stamps timers: those of an earlier sign-in do nothing.
    pub(super) generation: u64,
    pub(super) outage: Outage,
    pub(super) trial: Option<Trial>,
    /// What the next token has to prove.
    pub(super) claims: Option<String>,
    /// Why a person must sign in.
    pub(super) why: Option<String>,
    /// Device codes in a row that ended before their time.
    pub(super) codes_cut_short: u32,
    pub(super) signed_in_as: Option<String>,
    pub(super) sign_ins: u64,
    pub(super) permissions: Option<BTreeSet<String>>,
    pub(super) waiting: Vec<oneshot::Sender<Granted>>,
    young_rejections: u32,
}

/// How the last sign-in ended.
pub(super) enum Standing {
    Starting,
    SignedIn,
    Failed(SignInError),
}

/// What a sign-in presents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Means {
    /// A stored refresh token.
    Refresh,
    /// What is configured, a password excepted.
    Proof,
    /// The password, which must not be repeated lightly.
    Password,
    /// A person.
    Person,
}

impl Key {
    pub(super) fn new(label: String, way: Way, ends: ProofEnds, since: DateTime<Utc>) -> Self {
        Self {
            label,
            way,
            ends,
            token: None,
            refresh: None,
            granted_at: None,
            aside: None,
            standing: Standing::Starting,
            since,
            // until what is remembered of it was read
            under_way: true,
            next_attempt_at: None,
            generation: 0,
            outage: Outage::default(),
            trial: None,
            claims: None,
            why: None,
            codes_cut_short: 0,
            signed_in_as: None,
            sign_ins: 0,
            permissions: None,
            waiting: Vec::new(),
            young_rejections: 0,
        }
    }

    /// What the next sign-in presents.
    pub(super) fn means(&self) -> Means {
        match self.way {
            _ if self.refresh.is_some() => Means::Refresh,
            Way::Proof => Means::Proof,
            Way::Password => Means::Password,
            Way::Person => Means::Person,
        }
    }

    /// Takes in that Graph rejects a token; one that was replaced meanwhile is no news.
    pub(super) fn reject(&mut self, rejected: Rejected, now: DateTime<Utc>) {
        let Some(token) = self
            .token
            .as_ref()
            .filter(|token| token.secret == rejected.token.secret)
        else {
            return;
        };
        let lifetime = TimeDelta::from_std(token.lifetime).unwrap_or_default();
        let is_young = token.expires_at - lifetime + YOUNG > now;
        self.young_rejections = if is_young { self.young_rejections + 1 } else { 0 };
        if self.young_rejections <= YOUNG_REPLACED {
            self.token = None;
            self.claims = rejected.claims;
        }
    }

    pub(super) fn succeed(&mut self, signed_in: &SignedIn, now: DateTime<Utc>) {
        self.token = Some(signed_in.access.clone());
        self.outage.end();
        self.claims = None;
        self.why = None;
        self.codes_cut_short = 0;
        self.aside = None;
        self.sign_ins += 1;
        let is_news = match &self.standing {
            Standing::SignedIn => false,
            Standing::Starting => true,
            Standing::Failed(error) => !is_told(error),
        };
        if is_news {
            log::info!("{} is signed in", self.label);
        }
        self.permissions.clone_from(&signed_in.permissions);
        self.stand(Standing::SignedIn, now);
    }

    pub(super) fn fail(&mut self, error: &SignInError, now: DateTime<Utc>) {
        if self.code() != code_of(error) && !is_told(error) {
            let (code, label) = (code_of(error).as_str(), &self.label);
            log::warn!(code = code; "the sign-in of {label} failed: {code}: {}", without_name(error));
            log::debug!("the sign-in of {label} failed: {error}");
        }
        self.stand(Standing::Failed(error.clone()), now);
    }

    pub(super) fn stand(&mut self, standing: Standing, now: DateTime<Utc>) {
        let before = self.code();
        self.standing = standing;
        if before != self.code() {
            self.since = now;
        }
    }

    /// Notes who signed in: with a device code it may be anybody.
    pub(super) fn name_who_signed_in(&mut self, credential: &Credential, name: Option<String>) {
        let is_another = |name: &String| !name.eq_ignore_ascii_case(&credential.to_string());
        if name != self.signed_in_as
            && name.as_ref().is_some_and(is_another)
            && *credential != Credential::App
        {
            log::warn!("{} is signed in as somebody else", self.label);
        }
        if name.is_some() {
            self.signed_in_as = name;
        }
    }

    /// Answers everybody who waits.
    pub(super) fn answer(&mut self, granted: &Granted) {
        for waiting in self.waiting.drain(..) {
            // who asked may be gone by now
            let _gone = waiting.send(granted.clone());
        }
    }

    pub(super) fn code(&self) -> AuthenticationCode {
        match &self.standing {
            Standing::Starting => AuthenticationCode::Starting,
            Standing::SignedIn => AuthenticationCode::Ok,
            Standing::Failed(error) => code_of(error),
        }
    }

    /// What must be remembered beyond this run.
    pub(super) fn record(&self, credential: &Credential) -> SignInRecord {
        SignInRecord {
            credential: credential.clone(),
            granted_at: self.granted_at,
            trial: self.trial.clone(),
        }
    }

    pub(super) fn status(&self, credential: &Credential) -> CredentialStatus {
        CredentialStatus {
            credential: credential.clone(),
            code: self.code(),
            detail: match &self.standing {
                Standing::Starting => "signing in".to_owned(),
                Standing::SignedIn => "signed in".to_owned(),
                Standing::Failed(error) => error.to_string(),
            },
            since: self.since,
            expires_at: self.token.as_ref().map(|token| token.expires_at),
            next_attempt_at: self.next_attempt_at,
            sign_ins: self.sign_ins,
            permissions: self.permissions.clone(),
            signed_in_as: self.signed_in_as.clone(),
            refresh_granted_at: self.granted_at,
            client_secret_expires_at: self.ends.secret,
            client_certificate_expires_at: self.ends.certificate,
        }
    }
}

pub(super) fn is_good(token: &AccessToken, now: DateTime<Utc>) -> bool {
    let spare = TOO_LATE.min(token.lifetime / 10);
    TimeDelta::from_std(spare).is_ok_and(|spare| token.expires_at > now + spare)
}

pub(super) fn code_of(error: &SignInError) -> AuthenticationCode {
    match error {
        SignInError::Refused { code, .. } => *code,
        SignInError::Throttled { .. } => AuthenticationCode::Throttled,
        SignInError::Lost { .. } | SignInError::Unreachable { .. } => AuthenticationCode::Unreachable,
    }
}

/// Begin and end of an outage are told once, by the way out, and not by everybody who wanted to sign in.
fn is_told(error: &SignInError) -> bool {
    matches!(error, SignInError::Unreachable { .. })
}

/// The cause without the account's name that it may begin with.
pub(super) fn without_name(error: &SignInError) -> String {
    let text = error.to_string();
    match text.split_once(": ") {
        Some((name, cause)) if name.contains('@') || name == Credential::App.to_string() => cause.to_owned(),
        _ => text,
    }
}
