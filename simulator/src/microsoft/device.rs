//! The device code grant: the user signs in elsewhere while the application asks again and again (reference 1.2).

use chrono::TimeDelta;
use serde_json::json;
use uuid::Uuid;

use super::{
    answer::{Answer, Call},
    client::{Client, Form},
    cloud::Cloud,
    grants::{Consent, Device, SignIn},
    refusal::{Aadsts, Refusal},
    scope::scope,
    tenant::App,
    token::{Trace, refuse_condition, signed_in, tenant_of},
};

/// The grant type of the device code flow.
pub(super) const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Answers `POST /{tenant}/oauth2/v2.0/devicecode`.
pub(super) fn device_code(
    cloud: &Cloud,
    call: &Call,
    tenant: &str,
    trace: &mut Trace,
) -> Result<Answer, Refusal> {
    let form = Form::of(call)?;
    trace.read(&form);
    let tenant = tenant_of(cloud, &form, tenant, DEVICE_GRANT)?;
    let client = Client::of(cloud, call, &form, tenant)?;
    client.must_be_proven(true)?;
    let requested = form.need("scope")?;
    scope(cloud, requested, &client.app)?;
    let mut state = cloud.state();
    let (life, interval) = (state.knobs.device_code_life, state.knobs.device_code_interval);
    let user_code: String = (0..9).map(|_| state.rng.uppercase()).collect();
    let device_code = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let expires = state.clock.now() + TimeDelta::from_std(life).unwrap_or_default();
    state.grants.devices.insert(
        device_code.clone(),
        Device {
            user_code: user_code.clone(),
            app: client.app.client_id,
            tenant,
            scope: requested.to_owned(),
            expires,
            polled: None,
            consent: Consent::Pending,
        },
    );
    let address = "https://microsoft.com/devicelogin";
    Ok(Answer::ok(json!({
        "device_code": device_code, "user_code": user_code, "verification_uri": address,
        "expires_in": life.as_secs(), "interval": interval.as_secs(),
        "message": format!("To sign in, use a web browser to open the page {address} and enter the code {user_code} to authenticate."),
    })))
}

/// Redeems a device code once its user decided.
pub(super) fn by_device_code(cloud: &Cloud, form: &Form, app: &App) -> Result<SignIn, Refusal> {
    let presented = form
        .get("device_code")
        .or_else(|| form.get("code"))
        .unwrap_or_default();
    let mut state = cloud.state();
    let (now, strict, interval) = (
        state.clock.now(),
        state.knobs.slow_down,
        state.knobs.device_code_interval,
    );
    let device = state
        .grants
        .devices
        .get_mut(presented)
        .filter(|device| device.app == app.client_id);
    let device = device.ok_or(Aadsts(70018))?;
    if device.expires <= now {
        return Err(Aadsts(70019).into());
    }
    let early = device
        .polled
        .replace(now)
        .is_some_and(|last| (now - last).to_std().unwrap_or_default() < interval);
    if strict && early {
        return Err(Refusal::from(Aadsts(70016)).with_error("slow_down"));
    }
    let user = match device.consent {
        Consent::Pending => return Err(Aadsts(70016).into()),
        Consent::Declined => return Err(Aadsts(70017).into()),
        Consent::Given(user) => user,
    };
    let requested = device.scope.clone();
    refuse_condition(&state.accounts, user, true)?;
    state.grants.devices.remove(presented);
    drop(state);
    Ok(signed_in(app, user, scope(cloud, &requested, app)?, false))
}
