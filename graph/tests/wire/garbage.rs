//! Seeded garbage against everything that reads the network: whatever arrives, nothing panics.

use std::sync::Mutex;
use std::time::Duration;

use chrono::Utc;
use m365_graph::{
    AppRegistration, CommunicationUser, EntraIdentity, IdentitySettings, Proof, WebhookOpener,
    WebhookSettings,
};
use m365_presence::identity::{Account, Credential, SubscriptionId, TeamsId};
use m365_presence::ports::{
    AcceptedState, Identity, NotificationOpener, PresenceChange, PresenceIo, PresenceWrite, Presented,
    SubscriptionKind, SubscriptionRequest, Subscriptions, Users,
};
use m365_presence::secret::Secret;

use crate::support::{APP, Reply, Rig};

const ROUNDS: usize = 60;

const BODIES: [&str; 8] = [
    include_str!("../vectors/wire/users-page-real.json"),
    include_str!("../vectors/wire/graph-errors-observed.json"),
    include_str!("../vectors/wire/presence-notification-documented.json"),
    include_str!("../vectors/wire/presence-notification-basic-observed-2020.json"),
    include_str!("../vectors/wire/lifecycle-observed-2023.json"),
    include_str!("../vectors/entra/rec-ropc-success.json"),
    include_str!("../vectors/entra/device-code-pending.json"),
    r#"{"responses":[{"id":"0","status":429,"headers":{"Retry-After":"1"},"body":{"error":{"code":"x"}}},{"id":1}],
        "value":[{"id":"a","availability":"Busy","activity":"Busy","expirationDateTime":"2026-01-01T00:00:00Z"}],
        "access_token":"t","expires_in":1,"device_code":"d","user_code":"u","verification_uri":"v","interval":-1,
        "id":"s","expirationDateTime":"2026-01-01T00:00:00.1234567+00:00","error":{"code":"","innererror":{"code":[]}}}"#,
];

/// Takes a body and breaks it: bytes flipped, parts cut out, doubled or replaced by what breaks parsers.
fn broken(random: &mut fastrand::Rng) -> String {
    let mut bytes = BODIES[random.usize(..BODIES.len())].as_bytes().to_vec();
    for _ in 0..random.usize(..12) {
        let place = random.usize(..bytes.len().max(1)).min(bytes.len());
        let end = (place + random.usize(..24)).min(bytes.len());
        match random.u8(..6) {
            0 if place < bytes.len() => bytes[place] = random.u8(..),
            1 => drop(bytes.drain(place..end)),
            2 => bytes.splice(place..end, *b"null").for_each(drop),
            3 => bytes.splice(place..end, *b"-9e99").for_each(drop),
            4 => bytes.truncate(place),
            _ => {
                let copy = bytes[place..end].to_vec();
                bytes.splice(place..place, copy).for_each(drop);
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Answers garbage under every kind of status and header.
fn rig(seed: u64) -> Rig {
    let random = Mutex::new(fastrand::Rng::with_seed(seed));
    Rig::new(move |_| {
        let mut random = random.lock().unwrap();
        let status = random
            .choice([200, 200, 200, 201, 204, 302, 400, 401, 403, 404, 409, 500, 502])
            .unwrap();
        let date = random
            .choice([
                "Thu, 01 Jan 1970 00:00:00 GMT",
                "Fri, 31 Dec 9999 23:59:59 GMT",
                "x",
            ])
            .unwrap();
        Reply::text(status, &broken(&mut random)).with("date", date)
    })
}

#[actix_rt::test]
async fn no_answer_of_graph_makes_the_client_panic() {
    // one rig is soon out of reach, as so many failures make an outage
    for seed in 0..60 {
        let rig = rig(seed);
        let user = TeamsId::new("a");
        let id = SubscriptionId::new("s");
        let writes = vec![
            PresenceWrite {
                user: user.clone(),
                change: PresenceChange::ClearSession,
                renewal: false,
            };
            2
        ];
        let request = SubscriptionRequest {
            kind: SubscriptionKind::Users,
            users: vec![],
            client_state: Secret::new("s"),
            expires_at: Utc::now(),
            certificate: None,
        };
        for _ in 0..4 {
            drop(Users::list(&rig.graph).await);
            drop(rig.graph.read(std::slice::from_ref(&user)).await);
            assert_eq!(rig.graph.write(&writes).await.len(), 2);
            drop(rig.graph.create(&request).await);
            drop(rig.graph.renew(&Credential::App, &id, Utc::now(), None).await);
            drop(rig.graph.delete(&Credential::App, &id).await);
            drop(Subscriptions::list(&rig.graph, &Credential::App).await);
        }
    }
}

#[actix_rt::test]
async fn no_answer_of_entra_makes_a_sign_in_panic() {
    for seed in 10..50 {
        let rig = rig(seed);
        let settings = IdentitySettings {
            tenant: "t".to_owned(),
            app: AppRegistration {
                client_id: APP.to_owned(),
                proof: Some(Proof::Secret(Secret::new("s"))),
            },
            communication_users: vec![CommunicationUser {
                username: "a@b".to_owned(),
                password: Some(Secret::new("p")),
                registration: None,
            }],
        };
        let identity = EntraIdentity::new(rig.http.clone(), rig.endpoints.clone(), &settings).unwrap();
        let account = Account::new("a@b");
        let refresh = Secret::new("r");
        let presented = Presented {
            refresh: Some(&refresh),
            claims: None,
        };
        for _ in 0..6 {
            drop(identity.sign_in(&Credential::App, Presented::default()).await);
            let account_of = Credential::Communication(account.clone());
            drop(identity.sign_in(&account_of, presented).await);
            drop(identity.greet().await);
            if let Ok(code) = identity.begin_device_sign_in(&account, None).await {
                assert!(code.interval >= Duration::from_secs(1));
                drop(identity.poll_device_sign_in(&account, &code).await);
            }
        }
    }
}

#[actix_rt::test]
async fn no_notification_makes_the_opener_panic() {
    let rig = rig(20);
    let settings = WebhookSettings {
        tenant: "contoso.com".to_owned(),
        client_ids: vec![APP.to_owned()],
    };
    let opener = WebhookOpener::new(
        rig.http.clone(),
        rig.endpoints.clone(),
        rig.keys.clone(),
        settings,
    );
    let accepted: Vec<_> = [
        "<secretClientValue>",
        "MyGraphExplorerSecretClientState",
        "{secret}",
    ]
    .into_iter()
    .map(|state| AcceptedState {
        client_state: Secret::new(state),
        kind: SubscriptionKind::Presence(Account::new("a")),
    })
    .collect();
    let mut random = fastrand::Rng::with_seed(21);
    for _ in 0..20 * ROUNDS {
        let body = broken(&mut random);
        let inner = serde_json::from_str::<serde_json::Value>(&body)
            .ok()
            .and_then(|body| {
                let envelope = body.get("body").or_else(|| body.get("rich"))?;
                Some(envelope.to_string())
            });
        opener
            .open(inner.unwrap_or(body).into_bytes().into(), Utc::now(), &accepted)
            .await;
    }
    let nested = "[".repeat(100_000);
    let opened = opener
        .open(nested.into_bytes().into(), Utc::now(), &accepted)
        .await;
    assert_eq!(opened.discarded.len(), 1);
}
