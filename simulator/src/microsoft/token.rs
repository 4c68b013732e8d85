//! The token endpoint: password, client credentials, refresh token and device code (reference 1.2 to 1.5).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    answer::{Answer, Call},
    client::{Client, Form},
    cloud::Cloud,
    device::{DEVICE_GRANT, by_device_code},
    discovery::issuer_v2,
    grants::{Refresh, SignIn},
    refusal::{Aadsts, Refusal},
    scope::{Scope, scope},
    tenant::{Account, App, LOCKOUT},
};

/// What the journal learns of a token request besides its answer.
#[derive(Default)]
pub(super) struct Trace {
    pub(super) grant: String,
    pub(super) who: String,
    pub(super) scope: String,
    pub(super) claims: String,
    pub(super) has_assertion: bool,
}

impl Trace {
    /// Takes down what a form asks for; no secret is among it.
    pub(super) fn read(&mut self, form: &Form) {
        let field = |name: &str| form.get(name).unwrap_or_default().to_owned();
        self.grant = field("grant_type");
        self.who = form
            .get("username")
            .map_or_else(|| field("client_id"), str::to_owned);
        self.scope = field("scope");
        self.claims = field("claims");
        self.has_assertion = form.get("client_assertion").is_some();
    }
}

/// Answers `POST /{tenant}/oauth2/v2.0/token`.
pub(super) fn token(cloud: &Cloud, call: &Call, tenant: &str, trace: &mut Trace) -> Result<Answer, Refusal> {
    let form = Form::of(call)?;
    trace.read(&form);
    let ordered = {
        let mut state = cloud.state();
        if state.refusals.is_empty() {
            None
        } else {
            Some(state.refusals.remove(0))
        }
    };
    if let Some(refusal) = ordered {
        return Err(refusal);
    }
    let grant = form.need("grant_type")?;
    let tenant = tenant_of(cloud, &form, tenant, grant)?;
    let client = Client::of(cloud, call, &form, tenant)?;
    match grant {
        "client_credentials" => {
            client.must_be_proven(false)?;
            app_only(cloud, &form, &client.app)
        }
        "password" => {
            client.must_be_proven(true)?;
            let sign_in = by_password(cloud, &form, &client.app)?;
            delegated(cloud, &form, &client.app, sign_in)
        }
        "refresh_token" => {
            client.must_be_proven(true)?;
            let sign_in = by_refresh_token(cloud, &form, &client.app)?;
            delegated(cloud, &form, &client.app, sign_in)
        }
        DEVICE_GRANT => {
            client.must_be_proven(true)?;
            let sign_in = by_device_code(cloud, &form, &client.app)?;
            delegated(cloud, &form, &client.app, sign_in)
        }
        _ => Err(Refusal::from(Aadsts(9_002_313)).with_error("unsupported_grant_type")),
    }
}

/// Finds the tenant, which for some grants may be left to the user's domain.
pub(super) fn tenant_of(cloud: &Cloud, form: &Form, name: &str, grant: &str) -> Result<Uuid, Refusal> {
    let state = cloud.state();
    match name {
        "common" | "consumers" if grant == "password" => Err(Aadsts(9_001_023).into()),
        "common" | "consumers" | "organizations" if grant == "client_credentials" => Err(Aadsts::NO_TENANT.into()),
        "consumers" => Err(Aadsts(9_001_023).into()),
        "common" => Err(Aadsts(50194).into()),
        "organizations" => {
            let domain = form.get("username").and_then(|user| user.rsplit_once('@')).map(|(_, domain)| domain);
            match domain {
                Some(domain) => state.tenant(domain).map(|tenant| tenant.id).ok_or_else(|| Aadsts(50128).into()),
                None => Err(Aadsts(50194).into()),
            }
        }
        name => state.tenant(name).map(|tenant| tenant.id).ok_or_else(|| {
            let text = format!("Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.");
            Refusal::from(Aadsts::UNKNOWN_TENANT).with_text(text)
        }),
    }
}

fn app_only(cloud: &Cloud, form: &Form, app: &App) -> Result<Answer, Refusal> {
    let requested = form.need("scope")?;
    if !scope(cloud, requested, app)?.is_default_only {
        return Err(Aadsts(1_002_012).into());
    }
    let ((claims, life), key) = {
        let mut state = cloud.state();
        (
            state.access_claims(app.tenant, app.client_id, None),
            state.keys.first().cloned(),
        )
    };
    let token = key.and_then(|key| key.sign(&claims).ok()).ok_or(Aadsts::BUSY)?;
    Ok(Answer::ok(
        json!({"token_type": "Bearer", "expires_in": life, "ext_expires_in": life, "access_token": token}),
    ))
}

fn by_password(cloud: &Cloud, form: &Form, app: &App) -> Result<SignIn, Refusal> {
    let (username, password) = (form.need("username")?, form.need("password")?);
    let scope = scope(cloud, form.need("scope")?, app)?;
    let mut state = cloud.state();
    let account = state
        .accounts
        .iter_mut()
        .find(|account| account.tenant == app.tenant && account.username.eq_ignore_ascii_case(username));
    let account = account.ok_or_else(|| {
        let text = format!("The user account {username} does not exist in the directory. To sign into this application, the account must be added to the directory.");
        Refusal::from(Aadsts::UNKNOWN_USER).with_text(text)
    })?;
    if account.failures >= LOCKOUT {
        return Err(Aadsts::LOCKED.into());
    }
    let stored = account.password.as_deref().ok_or(Aadsts::NO_PASSWORD)?;
    // The service rejects passwords with blanks at either end, even when they are right.
    if stored != password || password.trim() != password {
        account.failures += 1;
        return Err(Aadsts::WRONG_PASSWORD.into());
    }
    account.failures = 0;
    if let Some(condition) = &account.condition {
        return Err(condition.clone());
    }
    let user = account.user;
    if state
        .people
        .get(&user)
        .is_some_and(|person| !person.user.account_enabled)
    {
        return Err(Aadsts::DISABLED.into());
    }
    drop(state);
    Ok(signed_in(app, user, scope, true))
}

fn by_refresh_token(cloud: &Cloud, form: &Form, app: &App) -> Result<SignIn, Refusal> {
    let presented = form.need("refresh_token")?;
    let scope = form
        .get("scope")
        .map(|requested| scope(cloud, requested, app))
        .transpose()?;
    let state = cloud.state();
    let refresh = state.grants.refresh.get(presented).ok_or(Aadsts(70000))?;
    if refresh.sign_in.app != app.client_id {
        return Err(Aadsts(70000).into());
    }
    if refresh.revoked {
        return Err(Aadsts::REVOKED.into());
    }
    if refresh.expires <= state.clock.now() {
        return Err(Aadsts::REFRESH_EXPIRED.into());
    }
    let mut sign_in = refresh.sign_in.clone();
    refuse_condition(&state.accounts, sign_in.user, !sign_in.by_password)?;
    if let Some(scope) = scope {
        sign_in.scopes = scope.permissions;
        sign_in.open_id = scope.open_id;
    }
    // A refresh token begets refresh tokens whether or not the scope names offline_access again.
    sign_in.offline = true;
    Ok(sign_in)
}

/// Refuses what stands against an account; a sign-in in a browser gets past a demanded second factor.
pub(super) fn refuse_condition(accounts: &[Account], user: Uuid, interactive: bool) -> Result<(), Refusal> {
    let condition = accounts
        .iter()
        .find(|account| account.user == user)
        .and_then(|account| account.condition.as_ref());
    match condition {
        Some(condition) if !(interactive && condition.code.asks_for_interaction()) => Err(condition.clone()),
        _ => Ok(()),
    }
}

/// Puts together who signed in for what.
pub(super) fn signed_in(app: &App, user: Uuid, scope: Scope, by_password: bool) -> SignIn {
    SignIn {
        app: app.client_id,
        user,
        scopes: scope.permissions,
        offline: scope.offline,
        open_id: scope.open_id,
        by_password,
    }
}

fn delegated(cloud: &Cloud, form: &Form, app: &App, sign_in: SignIn) -> Result<Answer, Refusal> {
    let (claims, life, key, now, username) = {
        let mut state = cloud.state();
        let (claims, life) =
            state.access_claims(app.tenant, app.client_id, Some((sign_in.user, &sign_in.scopes)));
        let account = state.accounts.iter().find(|account| account.user == sign_in.user);
        let username = account
            .map(|account| account.username.clone())
            .unwrap_or_default();
        (
            claims,
            life,
            state.keys.first().cloned().ok_or(Aadsts::BUSY)?,
            state.clock.now(),
            username,
        )
    };
    let scopes: Vec<String> = sign_in
        .scopes
        .iter()
        .map(|name| format!("https://graph.microsoft.com/{name}"))
        .collect();
    let mut body = json!({
        "token_type": "Bearer", "scope": scopes.join(" "), "expires_in": life, "ext_expires_in": life,
        "access_token": key.sign(&claims).map_err(|_| Aadsts::BUSY)?,
    });
    let mut add = |name: &str, value: Value| {
        if let Some(members) = body.as_object_mut() {
            members.insert(name.to_owned(), value);
        }
    };
    if sign_in.open_id {
        let id = json!({
            "aud": app.client_id, "iss": issuer_v2(&app.tenant.to_string()), "iat": now.timestamp(), "nbf": now.timestamp(),
            "exp": now.timestamp().saturating_add(3600), "oid": sign_in.user, "sub": sign_in.user, "tid": app.tenant,
            "ver": "2.0", "preferred_username": username,
        });
        add("id_token", json!(key.sign(&id).map_err(|_| Aadsts::BUSY)?));
    }
    if form.get("client_info") == Some("1") {
        let info = json!({"uid": sign_in.user, "utid": app.tenant}).to_string();
        add("client_info", json!(URL_SAFE_NO_PAD.encode(info)));
    }
    if sign_in.offline {
        let fresh = format!("0.A{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        add("refresh_token", json!(fresh));
        let mut state = cloud.state();
        let expires = now + TimeDelta::from_std(state.knobs.refresh_life).unwrap_or_default();
        state.grants.refresh.insert(
            fresh,
            Refresh {
                sign_in,
                expires,
                revoked: false,
            },
        );
    }
    Ok(Answer::ok(body))
}
