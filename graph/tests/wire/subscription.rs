use chrono::{DateTime, Utc};
use m365_graph::generate_notification_key;
use m365_presence::identity::{Account, Credential, SubscriptionId, TeamsId};
use m365_presence::ports::{
    Created, Deleted, GraphError, KeyPairs as _, Renewed, SubscriptionKind, SubscriptionRequest,
    Subscriptions,
};
use m365_presence::secret::Secret;
use serde_json::{Value, json};

use crate::support::{LIFECYCLE_URL, NOTIFICATION_URL, Reply, Rig, fault};

fn presence(users: &[&str], certificate: Option<&str>) -> SubscriptionRequest {
    SubscriptionRequest {
        kind: SubscriptionKind::Presence(Account::new("presence@contoso.com")),
        users: users.iter().map(TeamsId::new).collect(),
        client_state: Secret::new("state"),
        expires_at: end(),
        certificate: certificate.map(str::to_owned),
    }
}

fn end() -> DateTime<Utc> {
    "2026-09-14T10:00:00Z".parse().unwrap()
}

fn live() -> Value {
    json!({
        "id": "7f105c7d", "resource": "/communications/presences?$filter=id in ('a')",
        "notificationUrl": NOTIFICATION_URL, "expirationDateTime": "2026-09-14T10:45:00.1234567+00:00",
        "clientState": null, "encryptionCertificateId": "cert-1", "encryptionCertificate": null,
    })
}

async fn created(status: u16, body: Value) -> Result<Created, GraphError> {
    let rig = Rig::new(move |_| Reply::json(status, body.clone()));
    rig.graph.create(&presence(&["a"], None)).await
}

#[actix_rt::test]
async fn a_rich_presence_subscription_is_asked_for_as_documented() {
    let rig = Rig::new(|_| Reply::json(201, live()));
    let key = generate_notification_key(Utc::now()).unwrap();
    rig.keys.take_in(&key).unwrap();
    let Created::Live(granted) = rig
        .graph
        .create(&presence(&["A", "b"], Some(&key.id)))
        .await
        .unwrap()
    else {
        panic!("not granted");
    };
    assert_eq!(
        granted.expires_at,
        "2026-09-14T10:45:00.1234567Z".parse::<DateTime<Utc>>().unwrap()
    );
    assert_eq!(granted.certificate_id.as_deref(), Some("cert-1"));
    let body = rig.server.journal()[0].json();
    assert_eq!(
        body["resource"],
        "/communications/presences?$filter=id in ('a','b')"
    );
    assert_eq!(body["changeType"], "updated");
    assert_eq!(body["notificationUrl"], NOTIFICATION_URL);
    assert_eq!(body["lifecycleNotificationUrl"], LIFECYCLE_URL);
    assert_eq!(body["expirationDateTime"], "2026-09-14T10:00:00.0000000Z");
    assert_eq!(
        (&body["clientState"], &body["includeResourceData"]),
        (&json!("state"), &json!(true))
    );
    assert_eq!(body["encryptionCertificateId"], key.id);
    let certificate = base64::Engine::decode(
        &base64::engine::general_purpose::STANDARD,
        body["encryptionCertificate"].as_str().unwrap(),
    );
    assert_eq!(certificate.unwrap(), key.certificate);
}

#[actix_rt::test]
async fn the_users_subscription_is_basic_and_watches_deletions_too() {
    let rig = Rig::new(|_| Reply::json(201, live()));
    let request = SubscriptionRequest {
        kind: SubscriptionKind::Users,
        users: vec![],
        ..presence(&[], None)
    };
    assert!(matches!(rig.graph.create(&request).await, Ok(Created::Live(_))));
    let body = rig.server.journal()[0].json();
    assert_eq!(
        (&body["resource"], &body["changeType"]),
        (&json!("/users"), &json!("updated,deleted"))
    );
    assert_eq!(body.get("includeResourceData"), None);
}

#[actix_rt::test]
async fn a_declined_create_says_why() {
    let observed: Value =
        serde_json::from_str(include_str!("../vectors/wire/graph-errors-observed.json")).unwrap();
    let of = |name: &str| {
        let error = &observed[name];
        fault(
            error["code"].as_str().unwrap(),
            error["message"].as_str().unwrap(),
        )
    };
    assert!(matches!(
        created(409, of("409 second presence subscription")).await,
        Ok(Created::Conflict)
    ));
    let forbidden = created(403, of("403 wrong token type for presence subscription")).await;
    assert!(matches!(forbidden, Ok(Created::Forbidden { .. })));
    let unreachable = created(400, observed["400 validation failed"]["body"].clone()).await;
    assert!(matches!(unreachable, Ok(Created::UrlUnreachable { .. })));
    let not_found = "Subscription validation request failed. HTTP status code is 'NotFound'.";
    let rejected = created(400, fault("InvalidRequest", not_found)).await;
    assert!(matches!(rejected, Ok(Created::UrlRejected { .. })));
    let timed_out = fault("InvalidRequest", "Subscription validation request timed out.");
    assert!(matches!(
        created(400, timed_out).await,
        Ok(Created::UrlUnreachable { .. })
    ));
    let too_many = fault(
        "ExtensionError",
        "Operation: Create; Exception: [Status Code: BadRequest; Reason: Too many users.]",
    );
    assert!(matches!(created(400, too_many).await, Ok(Created::TooManyUsers)));
    let too_long = of("400 lifetime beyond max (Outlook/directory)");
    assert!(matches!(
        created(400, too_long).await,
        Err(GraphError::Refused { status: 400, .. })
    ));
    assert!(matches!(
        created(500, Value::Null).await,
        Err(GraphError::Lost { .. })
    ));
    assert!(matches!(
        created(201, json!({"id": "x"})).await,
        Err(GraphError::Lost { .. })
    ));
}

#[actix_rt::test]
async fn more_users_than_graph_takes_are_not_even_asked_for() {
    let rig = Rig::new(|_| Reply::json(201, live()));
    let request = SubscriptionRequest {
        users: (0..651).map(|number| TeamsId::new(number.to_string())).collect(),
        ..presence(&[], None)
    };
    assert!(matches!(
        rig.graph.create(&request).await,
        Ok(Created::TooManyUsers)
    ));
    assert!(rig.server.journal().is_empty());
}

#[actix_rt::test]
async fn a_renewal_returns_the_granted_end_or_that_it_is_gone() {
    let rig = Rig::new(|seen| match seen.path.as_str() {
        "/v1.0/subscriptions/alive" => Reply::json(200, live()),
        _ => Reply::json(404, fault("ResourceNotFound", "The object was not found.")),
    });
    let renewed = rig
        .graph
        .renew(&Credential::App, &SubscriptionId::new("alive"), end(), None)
        .await;
    assert!(matches!(renewed, Ok(Renewed::Live(granted)) if granted.expires_at > end()));
    let journal = rig.server.journal();
    assert_eq!(journal[0].method, "PATCH");
    assert_eq!(
        journal[0].json(),
        json!({"expirationDateTime": "2026-09-14T10:00:00.0000000Z"})
    );
    let gone = rig
        .graph
        .renew(&Credential::App, &SubscriptionId::new("dead"), end(), None)
        .await;
    assert!(matches!(gone, Ok(Renewed::Gone)));
}

#[actix_rt::test]
async fn a_renewal_names_another_key_with_its_certificate() {
    let rig = Rig::new(|_| Reply::json(200, live()));
    let key = generate_notification_key(Utc::now()).unwrap();
    rig.keys.take_in(&key).unwrap();
    let id = SubscriptionId::new("alive");
    let renewed = rig.graph.renew(&Credential::App, &id, end(), Some(&key.id)).await;
    assert!(matches!(renewed, Ok(Renewed::Live(_))));
    let body = rig.server.journal()[0].json();
    assert_eq!(body["encryptionCertificateId"], key.id);
    assert_eq!(
        body["encryptionCertificate"],
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &key.certificate)
    );
    assert_eq!(body["expirationDateTime"], "2026-09-14T10:00:00.0000000Z");
    // a key that is not at hand cannot be named, and nothing leaves
    let unknown = rig.graph.renew(&Credential::App, &id, end(), Some("gone")).await;
    assert!(matches!(unknown, Err(GraphError::Lost { .. })));
    assert_eq!(rig.server.journal().len(), 1);
}

#[actix_rt::test]
async fn a_refusal_of_resource_data_is_told_and_other_refusals_are_not_taken_for_it() {
    let key = generate_notification_key(Utc::now()).unwrap();
    let asked = async |reply: Reply| {
        let rig = Rig::new(move |_| reply.clone());
        rig.keys.take_in(&key).unwrap();
        rig.graph.create(&presence(&["a"], Some(&key.id))).await
    };
    let named = fault(
        "InvalidRequest",
        "includeResourceData is not supported for this resource.",
    );
    let nested = json!({"error": {"code": "BadRequest", "message": "", "innerError": {"message": "encryptionCertificate"}}});
    for body in [named, nested] {
        let answer = asked(Reply::json(400, body)).await;
        assert!(
            matches!(answer, Ok(Created::RichRefused { certain: true, .. })),
            "{answer:?}"
        );
    }
    for reply in [
        Reply::text(400, ""),
        Reply::text(400, "<html>Bad Request</html>"),
        Reply::json(400, fault("BadRequest", "Invalid request.")),
        Reply::json(400, json!({"error": "BadRequest"})),
    ] {
        let answer = asked(reply).await;
        assert!(
            matches!(answer, Ok(Created::RichRefused { certain: false, .. })),
            "{answer:?}"
        );
    }
    for status in [500, 503] {
        let answer = asked(Reply::text(status, "certificate")).await;
        assert!(matches!(answer, Err(GraphError::Lost { .. })), "{answer:?}");
    }
}

#[actix_rt::test]
async fn a_delete_that_v1_refuses_is_tried_at_beta() {
    for (beta, expected) in [
        (204, Deleted::Gone),
        (400, Deleted::Refused),
        (404, Deleted::Refused),
    ] {
        let rig = Rig::new(move |seen| match seen.path.as_str() {
            "/v1.0/subscriptions/s" => Reply::text(405, ""),
            "/beta/subscriptions/s" => Reply::text(beta, ""),
            _ => Reply::text(500, ""),
        });
        let outcome = rig
            .graph
            .delete(&Credential::App, &SubscriptionId::new("s"))
            .await;
        assert_eq!(outcome.unwrap(), expected);
        assert_eq!(rig.server.journal().len(), 2);
    }
    for status in [204, 404] {
        let rig = Rig::new(move |_| Reply::text(status, ""));
        let outcome = rig
            .graph
            .delete(&Credential::App, &SubscriptionId::new("s"))
            .await;
        assert_eq!((outcome.unwrap(), rig.server.journal().len()), (Deleted::Gone, 1));
    }
}

#[actix_rt::test]
async fn the_list_follows_its_pages_and_passes_over_what_it_cannot_read() {
    let rig = Rig::new(|seen| match seen.query.as_str() {
        "" => {
            let next = format!("http://{}/v1.0/subscriptions?page=2", seen.header("host"));
            Reply::json(
                200,
                json!({"value": [live(), {"id": "no end"}, 7], "@odata.nextLink": next}),
            )
        }
        _ => {
            let mut other = live();
            other["id"] = json!("other");
            Reply::json(200, json!({"value": [live(), other]}))
        }
    });
    let account = Credential::Communication(Account::new("presence@contoso.com"));
    let listed = rig.graph.list(&account).await.unwrap();
    assert_eq!(listed.len(), 2, "each once");
    assert_eq!(listed[0].notification_url, rig.graph.notification_url());
    assert!(listed[0].client_state.is_none());
}
