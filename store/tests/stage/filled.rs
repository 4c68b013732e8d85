//! A store with something of each kind in it.
#![allow(clippy::indexing_slicing, clippy::panic, reason = "a test fails by it")]

use m365_presence::identity::{Account, PbxGuid};
use m365_presence::ports::{LicenseAnswer, Slot, Store, SubscriptionKind};
use m365_presence::secret::Secret;

use super::{accepted, ledger_row, notification_key, presence_of, put, subscription, time};

/// What must never be read in a database.
pub const SECRETS: [&str; 3] = [
    "the-client-state-in-clear",
    "the-refresh-token-in-clear",
    "private key of key-1",
];

/// Stores something of each kind.
pub async fn fill(store: &dyn Store) {
    store
        .put_subscription(&subscription(SubscriptionKind::Users, "users"))
        .await
        .unwrap();
    store
        .put_client_state(&accepted(presence_of("presence1@example.com"), SECRETS[0]))
        .await
        .unwrap();
    store
        .change_ledger(&[put("01ab", Slot::Preferred)])
        .await
        .unwrap();
    let account = Account::new("presence1@example.com");
    store
        .put_refresh_token(&account, Some(&Secret::new(SECRETS[1])))
        .await
        .unwrap();
    store
        .put_notification_key(&notification_key("key-1", time(0)))
        .await
        .unwrap();
    let answer = LicenseAnswer {
        user: PbxGuid::new("01ab"),
        held: true,
    };
    store.put_license_answers(&[answer]).await.unwrap();
}

/// Finds all of it.
pub async fn assert_filled(store: &dyn Store) {
    assert_eq!(store.subscriptions().await.unwrap()[0].id.as_str(), "users");
    assert_eq!(
        store.client_states().await.unwrap()[0].client_state.expose(),
        SECRETS[0]
    );
    assert_eq!(
        store.ledger().await.unwrap(),
        [ledger_row("01ab", Slot::Preferred)]
    );
    let token = store
        .refresh_token(&Account::new("presence1@example.com"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(token.expose(), SECRETS[1]);
    assert_eq!(
        store.notification_keys().await.unwrap().keys[0]
            .private_key
            .expose(),
        SECRETS[2]
    );
    assert!(store.license_answers().await.unwrap()[0].held);
}
