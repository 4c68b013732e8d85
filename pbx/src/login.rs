//! The accepting side of a login (pbx.md 1.3): judges one `AppLogin`.

use std::fmt;

use m365_presence::identity::PbxGuid;
use m365_presence::secret::Secret;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::challenge::Challenge;
use crate::digest::Claim;
use crate::message::{Message, Object};

/// Who logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// An App object of a PBX; it introduces the PBX next.
    PbxObject,
    /// A person's client, which never introduces a PBX.
    User,
}

/// An accepted login. It holds neither the digest nor any key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedIn {
    /// Who.
    pub kind: SessionKind,
    /// The App as the peer names it.
    pub app: String,
    /// The PBX's system name.
    pub domain: String,
    /// The App object's name: `info.appobj`, or the login's own name where that is missing.
    pub app_object: String,
    /// The name that logged in: a person's at the PBX, or the App object's.
    pub sip: String,
    /// Object id of who logged in; empty where it is not told.
    pub guid: PbxGuid,
    /// The person does not hold the license of the app. It is told of App objects, too, and means nothing there
    /// (pbx.md 1.4).
    pub unlicensed: bool,
    /// The PBX is in license test mode.
    pub test_mode: bool,
    /// Service licenses at the App object, where told.
    pub service_licenses: Option<u64>,
}

/// Why a login was refused; [`fmt::Display`] gives the sentence for an administrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refusal {
    /// The digest does not fit the configured password.
    WrongPassword,
    /// The login is for another app than the configured one.
    UnknownApp,
    /// Not JSON, an `AppLogin` with members of a wrong type, or one without a preceding `AppChallenge`.
    Malformed,
}

impl Refusal {
    /// The reason as the peer reads it; it tells no more than the peer must know.
    pub(crate) fn as_wire(self) -> &'static str {
        match self {
            Self::WrongPassword => "wrong password",
            Self::UnknownApp => "unknown app",
            Self::Malformed => "malformed login",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongPassword => {
                "the PBX proved another password: enter the App object's password as pbx.password"
            }
            Self::UnknownApp => {
                "the PBX asked for another app: the App object's URL must end with the value of pbx.app"
            }
            Self::Malformed => "the peer does not speak the AppWebsocket protocol",
        })
    }
}

/// A login that was refused, and as what it came.
pub(crate) struct TurnedAway {
    pub(crate) refusal: Refusal,
    /// Nothing of it is proven.
    pub(crate) claimed: SessionKind,
}

/// What one connection has to prove.
pub(crate) struct Login {
    password: Secret,
    app: String,
    challenge: Challenge,
    challenged: bool,
}

/// The members that an `AppLogin` is judged by. Its member `key` is a secret that some clients leak: it is not read.
#[derive(Deserialize)]
struct AppLogin<'a> {
    app: Option<String>,
    domain: Option<String>,
    sip: Option<String>,
    guid: Option<String>,
    dn: Option<String>,
    digest: Option<String>,
    #[serde(borrow, default, deserialize_with = "present")]
    info: Option<&'a RawValue>,
    #[serde(borrow, rename = "pbxObj")]
    pbx_object: Option<&'a RawValue>,
}

/// Keeps even a null apart from a missing member: its text takes part in the digest.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl Login {
    pub(crate) fn new(password: &Secret, app: &str, challenge: Challenge) -> Self {
        Self {
            password: password.clone(),
            app: app.to_owned(),
            challenge,
            challenged: false,
        }
    }

    /// Hands out the challenge; asked again, the same.
    pub(crate) fn challenge(&mut self) -> &Challenge {
        self.challenged = true;
        &self.challenge
    }

    /// Judges an `AppLogin` by its text.
    ///
    /// The app may continue the configured name (`innovaphone-microsoft365admin`), just as a license for an app
    /// covers apps whose names start with its own (pbx.md 5). The object `microsoft365-api` beside the app is told
    /// by its own name, not by its URL, so it needs no rule of its own (pbx.md 1.4, 6).
    pub(crate) fn judge(&self, text: &str) -> Result<LoggedIn, TurnedAway> {
        let login: AppLogin<'_> = serde_json::from_str(text).map_err(|_| TurnedAway {
            refusal: Refusal::Malformed,
            claimed: SessionKind::PbxObject,
        })?;
        let info = login.info.and_then(|info| Message::parse(info.get()));
        let info = info.as_ref().map(Message::object);
        let object = info.and_then(|info| info.name("appobj"));
        let sip = login.sip.as_deref().unwrap_or_default();
        let kind = session_kind(login.pbx_object.is_some(), sip, object.as_deref());
        self.prove(&login).map_err(|refusal| TurnedAway {
            refusal,
            claimed: kind,
        })?;
        Ok(LoggedIn {
            kind,
            app: login.app.unwrap_or_default(),
            domain: login.domain.unwrap_or_default(),
            app_object: object.unwrap_or_else(|| sip.to_owned()),
            sip: sip.to_owned(),
            guid: PbxGuid::new(login.guid.unwrap_or_default()),
            unlicensed: info.is_some_and(|info: Object<'_>| info.flag("unlicensed")),
            test_mode: info.is_some_and(|info: Object<'_>| info.flag("testmode")),
            service_licenses: info.and_then(|info| info.number("lics")),
        })
    }

    fn prove(&self, login: &AppLogin<'_>) -> Result<(), Refusal> {
        if !self.challenged {
            return Err(Refusal::Malformed);
        }
        let app = login.app.as_deref().unwrap_or_default();
        if !app.starts_with(&self.app) {
            return Err(Refusal::UnknownApp);
        }
        let claim = Claim {
            app,
            domain: login.domain.as_deref().unwrap_or_default(),
            sip: login.sip.as_deref().unwrap_or_default(),
            guid: login.guid.as_deref().unwrap_or_default(),
            dn: login.dn.as_deref().unwrap_or_default(),
            info: login.info.map(RawValue::get),
        };
        let digest = login.digest.as_deref().unwrap_or_default();
        let proven = claim.is_proven_by(digest, self.challenge.as_str(), &self.password);
        proven.then_some(()).ok_or(Refusal::WrongPassword)
    }
}

/// Tells an App object's connection from a person's (pbx.md 1.4).
///
/// `pbxObj` takes no part in the digest, so a person's client could leave it out and play the PBX; its own name,
/// which differs from the object's, is signed. Where the object's name is missing, only `pbxObj` tells.
fn session_kind(has_pbx_object: bool, sip: &str, app_object: Option<&str>) -> SessionKind {
    let is_object = app_object.is_none_or(|object| object.eq_ignore_ascii_case(sip));
    if is_object && !has_pbx_object {
        SessionKind::PbxObject
    } else {
        SessionKind::User
    }
}
