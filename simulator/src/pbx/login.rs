//! The login of an App object: digest, session key and the AppLogin text (reference 1.3 and 1.4).

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{options::PbxOptions, user::User};

/// What AppLogin says about who logs in; missing members are empty.
#[derive(Clone, Copy, Debug)]
pub struct Identity<'a> {
    /// Names the app.
    pub app: &'a str,
    /// Names the system.
    pub domain: &'a str,
    /// Names the App object or the user.
    pub sip: &'a str,
    /// Holds the guid.
    pub guid: &'a str,
    /// Holds the display name, unescaped.
    pub dn: &'a str,
    /// Holds the raw JSON text of `info`; `None` leaves it out of the digest together with its colon.
    pub info: Option<&'a str>,
}

impl Identity<'_> {
    /// Computes the login digest: 64 lower-case hex digits.
    #[must_use]
    pub fn digest(&self, challenge: &str, password: &str) -> String {
        let info = self.info.map(|info| format!("{info}:")).unwrap_or_default();
        let Self {
            app,
            domain,
            sip,
            guid,
            dn,
            ..
        } = self;
        sha256_hex(&format!(
            "{app}:{domain}:{sip}:{guid}:{dn}:{info}{challenge}:{password}"
        ))
    }
}

/// Computes the session key of a login: 64 lower-case hex digits.
#[must_use]
pub fn session_key(challenge: &str, password: &str) -> String {
    sha256_hex(&format!("innovaphoneAppSessionKey:{challenge}:{password}"))
}

pub(crate) fn sha256_hex(text: &str) -> String {
    digest(&SHA256, text.as_bytes())
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[derive(Serialize)]
struct Info<'a> {
    appobj: &'a str,
    appdn: &'a str,
    appurl: &'a str,
    pbx: &'a str,
    cn: &'a str,
    #[serde(skip_serializing_if = "is_false")]
    unlicensed: bool,
    #[serde(skip_serializing_if = "is_false")]
    testmode: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    lics: Option<u32>,
    apps: Vec<OtherApp<'a>>,
}

#[derive(Serialize)]
struct OtherApp<'a> {
    name: &'a str,
    dn: &'a str,
}

#[derive(Serialize)]
struct AppLogin<'a> {
    mt: &'a str,
    sip: &'a str,
    guid: &'a str,
    dn: &'a str,
    digest: &'a str,
    domain: &'a str,
    app: &'a str,
    info: &'a RawValue,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// Writes the AppLogin of a PBX's App object: its digest covers the very text of `info` that is sent.
pub(crate) fn app_login(options: &PbxOptions, challenge: &str, capitals: bool) -> serde_json::Result<String> {
    let info = Info {
        appobj: &options.app_object,
        appdn: &options.object_dn,
        appurl: &options.app_url,
        pbx: &options.name,
        cn: &options.object_dn,
        unlicensed: options.unlicensed,
        testmode: options.test_mode,
        lics: options.service_licenses,
        apps: options
            .other_apps
            .iter()
            .map(|name| OtherApp { name, dn: name })
            .collect(),
    };
    let info = RawValue::from_string(serde_json::to_string(&info)?)?;
    let identity = Identity {
        app: options.app(),
        domain: &options.domain,
        sip: &options.app_object,
        guid: &options.object_guid,
        dn: &options.object_dn,
        info: Some(info.get()),
    };
    let digest = identity.digest(challenge, &options.password);
    let digest = if capitals { digest.to_uppercase() } else { digest };
    let login = AppLogin {
        mt: "AppLogin",
        sip: identity.sip,
        guid: identity.guid,
        dn: identity.dn,
        digest: &digest,
        domain: identity.domain,
        app: identity.app,
        info: &info,
    };
    serde_json::to_string(&login)
}

/// What the PBX says of a person in the login that it signs (reference 1.4, 5).
#[derive(Serialize)]
struct PersonInfo<'a> {
    appobj: &'a str,
    appdn: &'a str,
    appurl: &'a str,
    pbx: &'a str,
    cn: &'a str,
    #[serde(skip_serializing_if = "is_false")]
    unlicensed: bool,
    #[serde(skip_serializing_if = "is_false")]
    testmode: bool,
    groups: [&'a str; 0],
    apps: [OtherApp<'a>; 0],
}

/// The login that a PBX signs for a person who opens an App in the PBX's client.
#[derive(Serialize)]
pub(crate) struct PersonLogin {
    pub(crate) mt: &'static str,
    sip: String,
    guid: String,
    dn: String,
    digest: String,
    domain: String,
    app: String,
    info: Box<RawValue>,
    /// Not signed.
    #[serde(rename = "pbxObj", skip_serializing_if = "Option::is_none")]
    pub(crate) pbx_obj: Option<String>,
    /// The session key, which the PBX's client hands to the page and the page must keep for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
}

/// Signs a person's login for the App whose URL ends with `app`, by the password of its object.
pub(crate) fn person_login(
    options: &PbxOptions,
    user: &User,
    app: &str,
    unlicensed: bool,
    challenge: &str,
) -> serde_json::Result<PersonLogin> {
    let app_url = options.url_of(app);
    let info = PersonInfo {
        appobj: &options.app_object,
        appdn: &options.object_dn,
        appurl: &app_url,
        pbx: &options.name,
        cn: &user.cn,
        unlicensed,
        testmode: options.test_mode,
        groups: [],
        apps: [],
    };
    let info = RawValue::from_string(serde_json::to_string(&info)?)?;
    let identity = Identity {
        app,
        domain: &options.domain,
        sip: &user.h323,
        guid: &user.guid,
        dn: &user.dn,
        info: Some(info.get()),
    };
    Ok(PersonLogin {
        mt: "AppLogin",
        sip: user.h323.clone(),
        guid: user.guid.clone(),
        dn: user.dn.clone(),
        digest: identity.digest(challenge, &options.password),
        domain: options.domain.clone(),
        app: app.to_owned(),
        info,
        pbx_obj: Some(options.app_object.clone()),
        key: None,
    })
}

/// The AppLogin of another side that logs in as the App object (reference 1.5).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Login {
    /// Names the App object.
    pub(crate) app: String,
    /// Names the user on whose behalf the login is; normally empty.
    pub(crate) sip: String,
    domain: String,
    guid: String,
    dn: String,
    digest: String,
    info: Option<Box<RawValue>>,
}

impl Login {
    /// Reads an AppLogin; `None` when it names another App object or its digest is wrong.
    pub(crate) fn verify(text: &str, challenge: &str, options: &PbxOptions) -> Option<Self> {
        let login: Self = serde_json::from_str(text).ok()?;
        let identity = Identity {
            app: &login.app,
            domain: &login.domain,
            sip: &login.sip,
            guid: &login.guid,
            dn: &login.dn,
            info: login.info.as_deref().map(RawValue::get),
        };
        let expected = identity.digest(challenge, &options.password);
        let is_right = expected == login.digest.to_lowercase() && login.app == options.app_object;
        is_right.then_some(login)
    }
}
