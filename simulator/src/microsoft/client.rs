//! How an application proves itself to the token endpoint: a secret in the form or in the `Authorization` header, or an
//! assertion signed with an uploaded certificate (reference 1.2).

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use url::form_urlencoded;
use uuid::Uuid;

use super::{
    answer::Call,
    cloud::Cloud,
    der,
    jwt::Jwt,
    key::upper_hex,
    refusal::{Aadsts, Refusal},
    tenant::App,
};

/// How far an assertion's times may be off.
const SKEW_SECONDS: f64 = 300.0;

/// The fields of a form; each name once.
pub(super) struct Form(pub(super) Vec<(String, String)>);

impl Form {
    /// Decodes the body of a request, `+` and `%20` alike as a blank (reference 1.3).
    pub(super) fn of(call: &Call) -> Result<Self, Refusal> {
        let kind = call.header("content-type").unwrap_or_default();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Err(Aadsts(9_002_313).into());
        }
        Ok(Self(form_urlencoded::parse(&call.body).into_owned().collect()))
    }

    /// Returns a field that may be absent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Returns a field that must be there.
    pub(super) fn need(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            let text = format!("The request body must contain the following parameter: '{name}'.");
            Refusal::from(Aadsts(900_144)).with_text(text)
        })
    }
}

/// An application and whether it proved itself.
pub(super) struct Client {
    pub(super) app: App,
    pub(super) proven: bool,
}

impl Client {
    /// Finds the application that a request names in a tenant and checks what it presents.
    pub(super) fn of(cloud: &Cloud, call: &Call, form: &Form, tenant: Uuid) -> Result<Self, Refusal> {
        let basic = basic(call);
        let id = match &basic {
            Some((id, _)) => id.as_str(),
            None => form.need("client_id")?,
        };
        let app = Uuid::parse_str(id)
            .ok()
            .and_then(|id| cloud.state().apps.get(&id).cloned());
        let app = app.filter(|app| app.tenant == tenant).ok_or_else(|| {
            let text = format!("Application with identifier '{id}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.");
            Refusal::from(Aadsts::UNKNOWN_APP).with_text(text)
        })?;
        if app.disabled {
            return Err(Aadsts::APP_DISABLED.into());
        }
        let secret = basic
            .as_ref()
            .map(|(_, secret)| secret.as_str())
            .or_else(|| form.get("client_secret"));
        let proven = if let Some(assertion) = form.get("client_assertion") {
            if form.need("client_assertion_type")? != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            {
                return Err(Aadsts(9_002_313).into());
            }
            check_assertion(cloud, call, &app, assertion)?;
            true
        } else if let Some(secret) = secret {
            check_secret(cloud, &app, secret)?;
            true
        } else {
            false
        };
        Ok(Self { app, proven })
    }

    /// Demands that the application proved itself, or is allowed not to.
    pub(super) fn must_be_proven(&self, public_flow: bool) -> Result<(), Refusal> {
        if self.proven || (public_flow && self.app.public_client) {
            Ok(())
        } else {
            Err(Aadsts::SECRET_MISSING.into())
        }
    }
}

fn basic(call: &Call) -> Option<(String, String)> {
    let encoded = call.header("authorization")?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decoded(id), decoded(secret)))
}

/// Undoes the form encoding that RFC 6749 2.3.1 demands of both halves.
fn decoded(text: &str) -> String {
    let escaped = text.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(escaped.as_bytes())
        .next()
        .map(|(name, _)| name.into_owned())
        .unwrap_or_default()
}

fn check_secret(cloud: &Cloud, app: &App, presented: &str) -> Result<(), Refusal> {
    let Some(secret) = app.secrets.iter().find(|secret| secret.value == presented) else {
        let text = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{}'.",
            app.client_id
        );
        return Err(Refusal::from(Aadsts::WRONG_SECRET).with_text(text));
    };
    if secret.expires.is_some_and(|expires| expires <= cloud.now()) {
        return Err(Aadsts::SECRET_EXPIRED.into());
    }
    Ok(())
}

fn check_assertion(cloud: &Cloud, call: &Call, app: &App, assertion: &str) -> Result<(), Refusal> {
    let jwt = Jwt::parse(assertion).ok_or(Aadsts(50012))?;
    let named = jwt
        .header_text("x5t#S256")
        .or_else(|| jwt.header_text("x5t"))
        .ok_or(Aadsts(50012))?;
    let thumbprint = URL_SAFE_NO_PAD
        .decode(named.trim_end_matches('='))
        .map_err(|_| Aadsts(50012))?;
    let refused = |reason: &str| {
        let text = format!(
            "Client assertion contains an invalid signature. [Reason - {reason}, Thumbprint of key used by client: '{}', Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys for app Id '{}'.]",
            upper_hex(&thumbprint),
            app.client_id
        );
        Refusal::from(Aadsts::UNKNOWN_CERTIFICATE).with_text(text)
    };
    let certificate = app
        .certificate(&thumbprint)
        .ok_or_else(|| refused("The key was not found."))?;
    let key = der::subject_public_key(certificate).ok_or_else(|| refused("The key was not found."))?;
    if !jwt.is_signed_by(key) {
        return Err(refused(
            "The provided signature value did not match the expected signature value.",
        ));
    }
    let id = app.client_id.to_string();
    let from_app = [jwt.text("iss"), jwt.text("sub")]
        .iter()
        .all(|name| name.is_some_and(|name| name.eq_ignore_ascii_case(&id)));
    if !from_app
        || !jwt
            .text("aud")
            .is_some_and(|audience| is_this_endpoint(cloud, call, audience))
    {
        return Err(Aadsts(50013).into());
    }
    let now = std::time::Duration::from_secs(u64::try_from(cloud.now().timestamp()).unwrap_or_default())
        .as_secs_f64();
    let expires = jwt.seconds("exp").ok_or(Aadsts(50012))?;
    let starts = jwt.seconds("nbf").unwrap_or(now);
    if expires + SKEW_SECONDS < now || starts - SKEW_SECONDS > now {
        return Err(Aadsts(500_133).into());
    }
    Ok(())
}

/// Tells whether an audience is the token endpoint that was called, by this cloud's address or by the real host's.
fn is_this_endpoint(cloud: &Cloud, call: &Call, audience: &str) -> bool {
    [cloud.login_url.as_str(), "https://login.microsoftonline.com"]
        .iter()
        .any(|host| {
            audience
                .strip_prefix(host)
                .is_some_and(|path| path.eq_ignore_ascii_case(&call.path))
        })
}
