use std::time::Duration;

use m365_presence::identity::Account;
use m365_presence::light::AuthenticationCode;
use m365_presence::ports::{DeviceSignIn, Identity, SignInError};
use m365_presence::secret::Secret;
use serde_json::{Value, json};

use crate::sign_in::{ACCOUNT, by_secret, granted, identity, refused};
use crate::support::{Reply, Rig, Seen};

fn device(seen: &Seen) -> Reply {
    if seen.path.ends_with("/devicecode") {
        return Reply::json(
            200,
            json!({
                "device_code": "secret-code", "user_code": "FRWQDE7YL", "interval": 3, "expires_in": 900,
                "verification_uri": "https://microsoft.com/devicelogin", "message": "…",
            }),
        );
    }
    let pending: Value =
        serde_json::from_str(include_str!("../vectors/entra/device-code-pending.json")).unwrap();
    match seen.form()["device_code"].as_str() {
        "secret-code" => Reply::json(400, pending["body"].clone()),
        "entered" => granted(),
        "hasty" => refused(400, "slow_down", 1),
        "old" => refused(400, "expired_token", 70020),
        "no" => refused(400, "authorization_declined", 70018),
        _ => refused(401, "invalid_client", 7000218),
    }
}

#[actix_rt::test]
async fn a_device_code_is_polled_until_the_person_has_signed_in() {
    let rig = Rig::new(device);
    let identity = identity(&rig, by_secret(), None, None);
    let account = Account::new(ACCOUNT);
    let mut code = identity.begin_device_sign_in(&account, None).await.unwrap();
    assert_eq!(
        (code.user_code.as_str(), code.interval),
        ("FRWQDE7YL", Duration::from_secs(3))
    );
    assert_eq!(code.verification_uri, "https://microsoft.com/devicelogin");
    assert!(matches!(
        identity.poll_device_sign_in(&account, &code).await,
        Ok(DeviceSignIn::Pending)
    ));
    let form = rig.server.journal()[1].form();
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:device_code");
    assert_eq!(form["client_secret"], "s&cret+ %");
    for (entered, expected) in [
        ("entered", "Done"),
        ("hasty", "SlowDown"),
        ("old", "Expired"),
        ("no", "Declined"),
    ] {
        code.device_code = Secret::new(entered);
        let polled = identity.poll_device_sign_in(&account, &code).await.unwrap();
        assert!(format!("{polled:?}").starts_with(expected), "{entered}");
    }
    code.device_code = Secret::new("else");
    let outcome = identity.poll_device_sign_in(&account, &code).await;
    assert!(matches!(
        outcome,
        Err(SignInError::Refused {
            code: AuthenticationCode::WrongClientSecret,
            ..
        })
    ));
}
