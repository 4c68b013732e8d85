use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use m365_graph::generate_notification_key;
use m365_presence::clock::Clock;
use m365_presence::ports::{Discard, KeyPairs as _, LifecycleEvent, Notice};
use m365_presence::teams::Source;
use serde_json::{Value, json};

use crate::desk::{DIRECTORY, Desk, PUBLISHER, STATE, Signer, busy, changed, claims, is_busy, pem_of, rich};
use crate::support::{APP, Reply};

#[actix_rt::test]
async fn a_rich_notification_tells_the_state_under_a_token_of_either_version() {
    let signer = Signer::new("k1");
    let desk = Desk::with_signers(&[&signer]);
    let first = changed(json!({
        "iss": format!("https://sts.windows.net/{DIRECTORY}/"), "ver": "1.0", "appid": PUBLISHER, "azp": null,
    }));
    for claims in [claims(), first, changed(json!({"aud": ["another-app"]}))] {
        let opened = desk.under(&signer.sign(&claims)).await;
        assert!(is_busy(&opened), "{claims} {opened:?}");
        let Notice::Presence(seen) = &opened.notices[0] else {
            panic!("no presence")
        };
        assert_eq!(seen.sequence.as_deref(), Some("0001"));
        assert_eq!(
            seen.source,
            Source::Notified {
                received_at: desk.received_at.get()
            }
        );
    }
    assert_eq!(desk.rig.server.journal().len(), 1, "the keys are read once");
}

#[actix_rt::test]
async fn a_token_that_is_not_microsofts_for_us_and_now_opens_nothing() {
    let signer = Signer::new("k1");
    let desk = Desk::with_signers(&[&signer]);
    let now = Utc::now().timestamp();
    for change in [
        json!({"aud": "somebody-else"}),
        json!({"aud": []}),
        json!({"aud": null}),
        json!({"tid": "00000000-0000-0000-0000-000000000000"}),
        json!({"tid": null}),
        json!({"iss": "https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0"}),
        json!({"iss": format!("https://example.net/{DIRECTORY}/v2.0")}),
        json!({"azp": APP}),
        json!({"azp": null, "appid": PUBLISHER}),
        json!({"ver": "1.0"}),
        json!({"ver": "3.0"}),
        json!({"exp": now - 600}),
        json!({"exp": null}),
        json!({"exp": "soon"}),
        json!({"nbf": now + 600}),
        json!({"nbf": "now"}),
    ] {
        let opened = desk.under(&signer.sign(&changed(change.clone()))).await;
        assert_eq!(opened.discarded, [Discard::BadToken], "{change}");
        assert!(opened.notices.is_empty());
    }
}

#[actix_rt::test]
async fn a_forged_signature_opens_nothing() {
    let (signer, stranger) = (Signer::new("k1"), Signer::new("k1"));
    let desk = Desk::with_signers(&[&signer]);
    let good = signer.sign(&claims());
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (_, payload) = signed.split_once('.').unwrap();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"k1"}"#);
    let public = signer.jwk()["n"].as_str().unwrap().to_owned();
    let header = Header {
        kid: Some("k1".to_owned()),
        ..Header::new(Algorithm::HS256)
    };
    let symmetric =
        jsonwebtoken::encode(&header, &claims(), &EncodingKey::from_secret(public.as_bytes())).unwrap();
    let unnamed = {
        let key = EncodingKey::from_rsa_pem(pem_of(&signer.pkcs8).as_bytes()).unwrap();
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), &claims(), &key).unwrap()
    };
    for token in [
        stranger.sign(&claims()),
        format!("{none}.{payload}."),
        format!("{none}.{payload}.{signature}"),
        format!("{signed}."),
        signed.to_owned(),
        symmetric,
        unnamed,
        "..".to_owned(),
        String::new(),
    ] {
        assert_eq!(desk.under(&token).await.discarded, [Discard::BadToken], "{token}");
    }
    assert!(is_busy(&desk.under(&good).await));
}

#[actix_rt::test]
async fn every_token_of_a_body_must_be_good_and_there_must_be_one() {
    let signer = Signer::new("k1");
    let desk = Desk::with_signers(&[&signer]);
    let good = signer.sign(&claims());
    for (tokens, expected) in [
        (json!([good, "bad"]), Discard::BadToken),
        (json!([good, 7]), Discard::BadToken),
        (json!([]), Discard::MissingToken),
        (json!(null), Discard::MissingToken),
        (json!("text"), Discard::MissingToken),
    ] {
        let item = rich(&desk.key, "oid", &busy("oid"));
        let opened = desk
            .open(&json!({"value": [item], "validationTokens": tokens}))
            .await;
        assert_eq!(opened.discarded, [expected], "{tokens}");
        // what nobody vouches for is not believed, but it may be looked at; what is forged is not even that
        let hints = usize::from(expected == Discard::MissingToken);
        assert_eq!(opened.notices.len(), hints, "{tokens}");
        assert!(
            opened
                .notices
                .iter()
                .all(|notice| matches!(notice, Notice::PresenceHint(_)))
        );
    }
}

#[actix_rt::test]
async fn a_body_for_several_directories_carries_a_token_for_each_and_ours_counts() {
    const OTHER: &str = "00000000-1111-2222-3333-444444444444";
    let signer = Signer::new("k1");
    let desk = Desk::with_signers(&[&signer]);
    let of_other = |changes: Value| {
        let mut claims = changed(json!({
            "tid": OTHER, "iss": format!("https://login.microsoftonline.com/{OTHER}/v2.0"),
        }));
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        signer.sign(&claims)
    };
    let ours = signer.sign(&claims());
    let mut theirs = rich(&desk.key, "theirs", &busy("theirs"));
    theirs["tenantId"] = json!(OTHER);
    let body = |tokens: Value| json!({"value": [theirs, rich(&desk.key, "oid", &busy("oid"))], "validationTokens": tokens});
    for tokens in [
        json!([ours, of_other(json!({}))]),
        json!([of_other(json!({})), ours]),
    ] {
        let opened = desk.open(&body(tokens)).await;
        assert!(is_busy(&opened), "{opened:?}");
        assert_eq!(opened.discarded, [Discard::WrongTenant]);
    }
    // another directory's token alone vouches for nothing of ours, and a forged one spoils the whole
    let now = Utc::now().timestamp();
    for tokens in [
        json!([of_other(json!({}))]),
        json!([ours, of_other(json!({"azp": APP}))]),
        json!([ours, of_other(json!({"exp": now - 600}))]),
        json!([
            ours,
            of_other(json!({"iss": format!("https://login.microsoftonline.com/{DIRECTORY}/v2.0")}))
        ]),
    ] {
        let opened = desk.open(&body(tokens.clone())).await;
        assert!(opened.notices.is_empty(), "{tokens}");
        assert_eq!(
            opened.discarded,
            [Discard::WrongTenant, Discard::BadToken],
            "{tokens}"
        );
    }
}

#[actix_rt::test]
async fn keys_of_a_document_for_everybody_sign_for_whom_they_say() {
    let signers = ["template", "ours", "theirs", "silent"].map(Signer::new);
    let issuers = [
        Some("https://login.microsoftonline.com/{tenantid}/v2.0".to_owned()),
        Some(format!(
            "https://login.microsoftonline.com/{}/v2.0",
            DIRECTORY.to_uppercase()
        )),
        Some("https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0".to_owned()),
        None,
    ];
    let keys: Vec<Value> = signers
        .iter()
        .zip(issuers)
        .map(|(signer, issuer)| {
            let mut key = signer.jwk();
            key["issuer"] = json!(issuer);
            key
        })
        .collect();
    // nothing but the document for everybody is served
    let desk = Desk::new(DIRECTORY, move |seen| match seen.path.as_str() {
        "/common/discovery/v2.0/keys" => Reply::json(200, json!({ "keys": keys })),
        _ => Reply::text(404, ""),
    });
    for (signer, good) in signers.iter().zip([true, true, false, true]) {
        let opened = desk.under(&signer.sign(&claims())).await;
        assert_eq!(is_busy(&opened), good, "{}", signer.kid);
    }
}

#[actix_rt::test]
async fn a_key_may_be_named_by_its_thumbprint_alone() {
    let signer = Signer::new("k1");
    let mut jwk = signer.jwk();
    jwk.as_object_mut().unwrap().remove("kid");
    let desk = Desk::new(DIRECTORY, move |_| Reply::json(200, json!({"keys": [jwk]})));
    let header = Header {
        x5t: Some("k1".to_owned()),
        ..Header::new(Algorithm::RS256)
    };
    let key = EncodingKey::from_rsa_pem(pem_of(&signer.pkcs8).as_bytes()).unwrap();
    let token = jsonwebtoken::encode(&header, &claims(), &key).unwrap();
    assert!(is_busy(&desk.under(&token).await));
}

#[actix_rt::test]
async fn many_notifications_that_wait_for_one_key_ask_for_it_once() {
    let signer = Signer::new("k1");
    let desk = Desk::with_signers(&[&signer]);
    let tokens: Vec<String> = (0..20)
        .map(|number| signer.sign(&changed(json!({"uti": number}))))
        .collect();
    let opened = futures_util::future::join_all(tokens.iter().map(|token| desk.under(token))).await;
    assert!(opened.iter().all(is_busy));
    assert_eq!(desk.rig.server.journal().len(), 1);
}

#[actix_rt::test]
async fn a_large_body_is_taken_apart_like_a_small_one() {
    let signer = Signer::new("k1");
    let desk = Desk::with_signers(&[&signer]);
    let token = signer.sign(&claims());
    let mut items = vec![json!({"clientState": "a stranger's", "padding": "x".repeat(200)}); 3000];
    items.insert(1500, rich(&desk.key, "oid", &busy("oid")));
    let opened = desk
        .open(&json!({"value": items, "validationTokens": [token]}))
        .await;
    assert!(is_busy(&opened));
    assert_eq!(opened.discarded, vec![Discard::UnknownClientState; 3000]);
    let mut cut = json!({"value": items}).to_string().into_bytes();
    cut.pop();
    assert_eq!(desk.open_raw(&cut).await.discarded, [Discard::Malformed]);
}

#[actix_rt::test]
async fn a_new_signing_key_is_fetched_at_once_and_an_invented_one_only_once() {
    let (old, new) = (Signer::new("old"), Signer::new("new"));
    let rotated = Arc::new(AtomicBool::new(false));
    let (before, after) = (
        json!({"keys": [old.jwk()]}),
        json!({"keys": [old.jwk(), new.jwk()]}),
    );
    let switch = rotated.clone();
    let desk = Desk::new(DIRECTORY, move |seen| {
        match seen.path.ends_with("/discovery/v2.0/keys") {
            true if switch.load(Ordering::Relaxed) => Reply::json(200, after.clone()),
            true => Reply::json(200, before.clone()),
            false => Reply::text(404, ""),
        }
    });
    assert!(is_busy(&desk.under(&old.sign(&claims())).await));
    rotated.store(true, Ordering::Relaxed);
    assert!(is_busy(&desk.under(&new.sign(&claims())).await));

    let invented = Signer {
        kid: "invented".to_owned(),
        ..new.clone()
    };
    assert_eq!(
        desk.under(&invented.sign(&claims())).await.discarded,
        [Discard::BadToken]
    );
    let asked = desk.rig.server.journal().len();
    assert_eq!(
        desk.under(&invented.sign(&claims())).await.discarded,
        [Discard::BadToken]
    );
    assert_eq!(desk.rig.server.journal().len(), asked);
    for number in 0..50 {
        let invented = Signer {
            kid: format!("invented-{number}"),
            ..new.clone()
        };
        desk.under(&invented.sign(&claims())).await;
    }
    let documents = desk
        .rig
        .server
        .count(&format!("/{DIRECTORY}/discovery/v2.0/keys"));
    assert!(documents <= 10, "{documents}");
    assert!(is_busy(&desk.under(&new.sign(&claims())).await));
}

#[actix_rt::test]
async fn content_whose_proof_cannot_be_checked_yet_is_a_hint_until_keys_can_be_fetched() {
    let signer = Signer::new("k1");
    let keys = json!({"keys": [signer.jwk()]});
    let asked = AtomicUsize::new(0);
    let desk = Desk::new(DIRECTORY, move |_| match asked.fetch_add(1, Ordering::Relaxed) {
        0..4 => Reply::text(502, "<html></html>"),
        _ => Reply::json(200, keys.clone()),
    });
    let token = signer.sign(&claims());
    let unproven = desk.under(&token).await;
    assert_eq!(unproven.discarded, []);
    assert!(matches!(unproven.notices.as_slice(), [Notice::PresenceHint(_)]));
    assert!(is_busy(&desk.under(&token).await));
}

#[actix_rt::test]
async fn the_directory_id_of_a_domain_is_learned_once() {
    let signer = Signer::new("k1");
    let keys = json!({"keys": [signer.jwk()]});
    let desk = Desk::new("Contoso.onmicrosoft.com", move |seen| match seen.path.as_str() {
        "/contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration" => Reply::json(
            200,
            json!({"issuer": format!("https://login.microsoftonline.com/{DIRECTORY}/v2.0")}),
        ),
        _ => Reply::json(200, keys.clone()),
    });
    let token = signer.sign(&claims());
    for _ in 0..3 {
        assert!(is_busy(&desk.under(&token).await));
    }
    assert_eq!(desk.rig.server.count("openid-configuration"), 1);
    let mut foreign = rich(&desk.key, "oid", &busy("oid"));
    foreign["tenantId"] = json!("00000000-0000-0000-0000-000000000000");
    let opened = desk
        .open(&json!({"value": [foreign], "validationTokens": [token]}))
        .await;
    assert_eq!(opened.discarded, [Discard::WrongTenant]);
}

#[actix_rt::test]
async fn a_token_is_judged_by_graphs_clock() {
    let signer = Signer::new("k1");
    let desk = Desk::with_signers(&[&signer]);
    let token = signer.sign(&changed(json!({"exp": Utc::now().timestamp() - 300})));
    assert_eq!(desk.under(&token).await.discarded, [Discard::BadToken]);
    let middle = desk.rig.clock.local();
    // the fetch of the keys told of a clock that is right: it takes most of the answers to say otherwise
    for _ in 0..5 {
        desk.rig
            .clock
            .measured(middle - chrono::TimeDelta::minutes(10), middle);
    }
    let early = signer.sign(&changed(
        json!({"nbf": Utc::now().timestamp() - 900, "exp": Utc::now().timestamp() - 300}),
    ));
    assert!(is_busy(&desk.under(&early).await));
}

#[actix_rt::test]
async fn old_keys_still_open_and_unknown_ones_are_told() {
    let signer = Signer::new("k1");
    let desk = Desk::with_signers(&[&signer]);
    let token = signer.sign(&claims());
    desk.rig
        .keys
        .take_in(&generate_notification_key(Utc::now()).unwrap())
        .unwrap();
    assert!(is_busy(&desk.under(&token).await));
    let foreign = generate_notification_key(Utc::now()).unwrap();
    let mut mislabelled = rich(&foreign, "oid", &busy("oid"));
    let unknown = mislabelled.clone();
    mislabelled["encryptedContent"]["encryptionCertificateId"] = json!(desk.key.id);
    let body = json!({"value": [unknown, mislabelled], "validationTokens": [token]});
    let opened = desk.open(&body).await;
    assert_eq!(
        opened.discarded,
        [Discard::UnknownCertificate, Discard::BadCiphertext]
    );
    // a key of ours may be lost: that something has changed is true all the same
    assert!(matches!(opened.notices.as_slice(), [Notice::PresenceHint(user)] if user.as_str() == "oid"));
    assert!(!opened.sealed, "the same may come again when the key is known");
}

#[actix_rt::test]
async fn content_of_another_user_is_thrown_away_and_content_without_a_user_is_not() {
    let signer = Signer::new("k1");
    let desk = Desk::with_signers(&[&signer]);
    let token = signer.sign(&claims());
    let body =
        |content: &Value| json!({"value": [rich(&desk.key, "oid", content)], "validationTokens": [token]});
    assert_eq!(
        desk.open(&body(&busy("other"))).await.discarded,
        [Discard::BadCiphertext]
    );
    let bare = json!({"availability": "Busy", "activity": "InACall"});
    assert!(is_busy(&desk.open(&body(&bare)).await));
    let stateless = desk.open(&body(&json!({"id": "oid"}))).await;
    assert!(matches!(stateless.notices.as_slice(), [Notice::PresenceHint(_)]));
}

#[actix_rt::test]
async fn each_item_of_a_body_is_judged_on_its_own() {
    let signer = Signer::new("k1");
    let desk = Desk::with_signers(&[&signer]);
    let mut foreign = rich(&desk.key, "oid", &busy("oid"));
    foreign["clientState"] = json!("foreign");
    let body = json!({
        "value": [
            foreign,
            7,
            {"clientState": "users", "resource": "Users/U1", "tenantId": DIRECTORY},
            {"clientState": STATE, "lifecycleEvent": "reauthorizationRequired", "subscriptionId": "s", "organizationId": DIRECTORY},
            {"clientState": STATE, "resource": "communications/presences('P1')", "resourceData": {"availability": "Away", "activity": "Away"}},
            {"clientState": STATE, "resource": "communications/presences/P2", "tenantId": "foreign"},
            rich(&desk.key, "oid", &busy("oid")),
        ],
        "validationTokens": [signer.sign(&claims())],
    });
    let opened = desk.open(&body).await;
    assert_eq!(
        opened.discarded,
        [
            Discard::UnknownClientState,
            Discard::Malformed,
            Discard::WrongTenant
        ]
    );
    let [users, lifecycle, basic, rich] = opened.notices.as_slice() else {
        panic!("{opened:?}")
    };
    assert!(matches!(users, Notice::UserChanged(user) if user.as_str() == "u1"));
    assert!(matches!(
        lifecycle,
        Notice::Lifecycle {
            event: LifecycleEvent::ReauthorizationRequired,
            ..
        }
    ));
    assert!(matches!(basic, Notice::Presence(seen) if seen.user.as_str() == "p1" && seen.sequence.is_none()));
    assert!(matches!(rich, Notice::Presence(seen) if seen.user.as_str() == "oid"));
}

#[actix_rt::test]
async fn a_strangers_body_costs_no_request() {
    let desk = Desk::new("contoso.onmicrosoft.com", |_| Reply::text(500, ""));
    let mut item = rich(&desk.key, "oid", &busy("oid"));
    item["clientState"] = json!("guess");
    let token = Signer::new("k").sign(&claims());
    let opened = desk
        .open(&json!({"value": [item], "validationTokens": [token]}))
        .await;
    assert_eq!(opened.discarded, [Discard::UnknownClientState]);
    assert!(desk.rig.server.journal().is_empty());
    assert_eq!(desk.open_raw(b"\xff{").await.discarded, [Discard::Malformed]);
}

#[actix_rt::test]
async fn a_key_is_looked_up_where_tokens_of_its_version_have_theirs() {
    let (one, two) = (Signer::new("one"), Signer::new("two"));
    let (first, second) = (json!({"keys": [one.jwk()]}), json!({"keys": [two.jwk()]}));
    let desk = Desk::new(DIRECTORY, move |seen| match seen.path.contains("v2.0") {
        true => Reply::json(200, second.clone()),
        false => Reply::json(200, first.clone()),
    });
    let issuer = format!("https://sts.windows.net/{DIRECTORY}/");
    let old = changed(json!({"iss": issuer, "ver": "1.0", "appid": PUBLISHER, "azp": null}));
    assert!(is_busy(&desk.under(&one.sign(&old)).await));
    assert!(is_busy(&desk.under(&two.sign(&claims())).await));
    assert_eq!(desk.rig.server.journal().len(), 2);
}
