//! What every store must do, whatever database it keeps its rows in.

mod settings;
mod timeline;

pub use settings::*;
pub use timeline::*;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use futures_util::future::join_all;
use m365_presence::identity::{Account, Credential, PbxGuid};
use m365_presence::light::AuthenticationCode;
use m365_presence::ports::{
    LedgerChange, LedgerState, LicenseAnswer, Replaced, Slot, Store, StoredSubscription, SubscriptionKind,
};
use m365_presence::secret::Secret;
use m365_presence::sign_in::{Refusal, SignInRecord, Trial};
use m365_presence::teams::TeamsPresence;

use crate::stage::{accepted, ledger_row, notification_key, presence_of, put, subscription, time};

async fn subscription_ids(store: &dyn Store) -> Vec<String> {
    let all = store.subscriptions().await.unwrap();
    let mut ids: Vec<_> = all
        .iter()
        .map(|subscription| subscription.id.to_string())
        .collect();
    ids.sort();
    ids
}

fn assert_same(found: &StoredSubscription, expected: &StoredSubscription) {
    assert_eq!(format!("{found:?}"), format!("{expected:?}"));
}

pub async fn a_new_store_is_empty(store: &dyn Store) {
    assert!(store.subscriptions().await.unwrap().is_empty());
    assert!(store.client_states().await.unwrap().is_empty());
    assert!(store.ledger().await.unwrap().is_empty());
    assert!(store.notification_keys().await.unwrap().keys.is_empty());
    assert!(store.license_answers().await.unwrap().is_empty());
    assert!(store.sign_in_records().await.unwrap().is_empty());
    assert!(
        store
            .refresh_token(&Account::new("presence1@example.com"))
            .await
            .unwrap()
            .is_none()
    );
}

pub async fn a_subscription_is_found_again_and_replaced_by_its_kind(store: &dyn Store) {
    let first = subscription(presence_of("presence1@example.com"), "first");
    store.put_subscription(&first).await.unwrap();
    assert_same(&store.subscriptions().await.unwrap()[0], &first);

    let mut second = subscription(presence_of("presence1@example.com"), "second");
    second.users.clear();
    second.certificate_id = None;
    store.put_subscription(&second).await.unwrap();
    let found = store.subscriptions().await.unwrap();
    assert_eq!(found.len(), 1);
    assert_same(&found[0], &second);
}

pub async fn a_subscription_is_forgotten_alone(store: &dyn Store) {
    for (kind, id) in [
        (SubscriptionKind::Users, "users"),
        (presence_of("presence1@example.com"), "first"),
        (presence_of("presence2@example.com"), "second"),
    ] {
        store.put_subscription(&subscription(kind, id)).await.unwrap();
    }
    store
        .remove_subscription(&presence_of("presence1@example.com"))
        .await
        .unwrap();
    assert_eq!(subscription_ids(store).await, ["second", "users"]);
    store.remove_subscription(&SubscriptionKind::Users).await.unwrap();
    store.remove_subscription(&SubscriptionKind::Users).await.unwrap();
    assert_eq!(subscription_ids(store).await, ["second"]);
}

pub async fn a_client_state_is_kept_per_kind(store: &dyn Store) {
    store
        .put_client_state(&accepted(SubscriptionKind::Users, "for users"))
        .await
        .unwrap();
    store
        .put_client_state(&accepted(presence_of("presence1@example.com"), "old"))
        .await
        .unwrap();
    store
        .put_client_state(&accepted(presence_of("presence1@example.com"), "new"))
        .await
        .unwrap();
    let found = store.client_states().await.unwrap();
    let found: BTreeMap<_, _> = found
        .into_iter()
        .map(|state| (state.kind, state.client_state))
        .collect();
    let expected = [
        (SubscriptionKind::Users, Secret::new("for users")),
        (presence_of("presence1@example.com"), Secret::new("new")),
    ];
    assert_eq!(found, BTreeMap::from(expected));
}

pub async fn the_ledger_holds_one_row_per_user_and_slot(store: &dyn Store) {
    let slots = [
        Slot::Session,
        Slot::Preferred,
        Slot::PbxEntry,
        Slot::AlienCall,
        Slot::StatusMessage,
    ];
    let states = [
        LedgerState::Intended,
        LedgerState::Confirmed,
        LedgerState::Overridden,
    ];
    let mut rows = Vec::new();
    for (slot, state) in slots.into_iter().zip(states.into_iter().cycle()) {
        let until = (slot != Slot::PbxEntry).then(|| time(60));
        let replaced = Replaced {
            value: TeamsPresence::new("Away", "Away"),
            stands_for: "vacation \"é\"".to_owned(),
            until: time(90),
        };
        rows.push(m365_presence::ports::LedgerRow {
            state,
            until,
            replaces: vec![replaced; usize::from(state == LedgerState::Intended)],
            ..ledger_row("01ab", slot)
        });
    }
    let changes: Vec<_> = rows.iter().cloned().map(LedgerChange::Put).collect();
    store.change_ledger(&changes).await.unwrap();
    store.change_ledger(&changes).await.unwrap();
    let mut found = store.ledger().await.unwrap();
    found.sort_by_key(|row| row.slot);
    assert_eq!(found, rows);
}

pub async fn changes_of_the_ledger_apply_in_order(store: &dyn Store) {
    let user = PbxGuid::new("01ab");
    let remove = LedgerChange::Remove {
        pbx_user: user,
        slot: Slot::Session,
    };
    store
        .change_ledger(&[put("01ab", Slot::Session), remove.clone()])
        .await
        .unwrap();
    assert!(store.ledger().await.unwrap().is_empty());
    store
        .change_ledger(&[remove, put("01ab", Slot::Session)])
        .await
        .unwrap();
    assert_eq!(store.ledger().await.unwrap(), [ledger_row("01ab", Slot::Session)]);
    store.change_ledger(&[]).await.unwrap();
    assert_eq!(store.ledger().await.unwrap().len(), 1);
}

pub async fn times_come_back_to_the_microsecond(store: &dyn Store) {
    let mut row = ledger_row("01ab", Slot::Session);
    row.written_at = time(0) + TimeDelta::nanoseconds(999);
    store.change_ledger(&[LedgerChange::Put(row)]).await.unwrap();
    assert_eq!(store.ledger().await.unwrap()[0].written_at, time(0));
}

pub async fn a_refresh_token_is_replaced_and_forgotten(store: &dyn Store) {
    let account = Account::new("presence1@example.com");
    for token in ["0.AAAA-first", "p&ä*(+ ) %='!~#"] {
        let token = Secret::new(token);
        store.put_refresh_token(&account, Some(&token)).await.unwrap();
        assert_eq!(store.refresh_token(&account).await.unwrap(), Some(token));
    }
    assert_eq!(
        store
            .refresh_token(&Account::new("presence2@example.com"))
            .await
            .unwrap(),
        None
    );
    store.put_refresh_token(&account, None).await.unwrap();
    assert_eq!(store.refresh_token(&account).await.unwrap(), None);
}

pub async fn a_record_of_a_sign_in_is_replaced_per_credential(store: &dyn Store) {
    let account = Credential::Communication(Account::new("presence1@example.com"));
    let mut record = SignInRecord {
        credential: account,
        granted_at: Some(time(3)),
        trial: Some(Trial {
            presented: Secret::new("digest"),
            passwords: 2,
            at: time(5),
            refusal: Some(Refusal {
                code: AuthenticationCode::WrongPassword,
                aadsts: Some(50_126),
                detail: "the password is wrong".to_owned(),
            }),
        }),
    };
    let of_the_app = SignInRecord {
        credential: Credential::App,
        granted_at: None,
        trial: None,
    };
    store.put_sign_in_record(&record).await.unwrap();
    store.put_sign_in_record(&of_the_app).await.unwrap();
    let found = store.sign_in_records().await.unwrap();
    assert_eq!(found, [of_the_app.clone(), record.clone()]);
    record.trial = None;
    store.put_sign_in_record(&record).await.unwrap();
    assert_eq!(store.sign_in_records().await.unwrap(), [of_the_app, record]);
}

pub async fn notification_keys_come_newest_first(store: &dyn Store) {
    for (id, created_at) in [("middle", time(5)), ("newest", time(9)), ("oldest", time(-3))] {
        store
            .put_notification_key(&notification_key(id, created_at))
            .await
            .unwrap();
    }
    let found = store.notification_keys().await.unwrap().keys;
    let ids: Vec<_> = found.iter().map(|key| key.id.as_str()).collect();
    assert_eq!(ids, ["newest", "middle", "oldest"]);
    let expected = notification_key("newest", time(9));
    assert_eq!(found[0].certificate, expected.certificate);
    assert_eq!(found[0].private_key, expected.private_key);
    assert_eq!(found[0].created_at, expected.created_at);
}

pub async fn a_notification_key_is_forgotten_alone(store: &dyn Store) {
    for id in ["key-1", "key-2"] {
        store
            .put_notification_key(&notification_key(id, time(0)))
            .await
            .unwrap();
    }
    store.remove_notification_key("key-1").await.unwrap();
    store.remove_notification_key("key-1").await.unwrap();
    let found = store.notification_keys().await.unwrap();
    assert_eq!((found.keys.len(), found.keys[0].id.as_str()), (1, "key-2"));
    assert!(found.unreadable.is_empty());
}

pub async fn license_answers_are_replaced_as_a_whole(store: &dyn Store) {
    let whole: Vec<_> = (0..20_000)
        .map(|number| LicenseAnswer {
            user: PbxGuid::new(format!("{number:032x}")),
            held: number % 3 == 0,
        })
        .collect();
    store.put_license_answers(&whole).await.unwrap();
    assert_eq!(store.license_answers().await.unwrap(), whole);
    store.put_license_answers(&whole[7..9]).await.unwrap();
    assert_eq!(store.license_answers().await.unwrap(), &whole[7..9]);
}

pub async fn requests_made_together_are_all_answered(store: &dyn Store) {
    let changes: Vec<_> = (0..100)
        .map(|number| [put(&format!("{number:032x}"), Slot::Session)])
        .collect();
    let answers = join_all(changes.iter().map(|changes| store.change_ledger(changes))).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(store.ledger().await.unwrap().len(), 100);
}
