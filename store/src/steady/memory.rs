//! What is kept in memory, kind by kind, and its way into the database.

use std::cell::RefCell;
use std::collections::BTreeSet;

use m365_presence::identity::{Account, Credential, PbxGuid};
use m365_presence::ports::{
    AcceptedState, LedgerChange, LedgerRow, LicenseAnswer, NotificationKey, Slot, Store, StoreError,
    StoredSubscription, SubscriptionKind,
};
use m365_presence::secret::Secret;
use m365_presence::sign_in::SignInRecord;

use super::kept::Kept;

/// Everything that must survive a restart, in memory.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) subscriptions: Kept<SubscriptionKind, StoredSubscription>,
    pub(super) client_states: Kept<SubscriptionKind, AcceptedState>,
    pub(super) ledger: Kept<(PbxGuid, Slot), LedgerRow>,
    pub(super) refresh_tokens: Kept<Account, Secret>,
    /// Accounts whose refresh token was read.
    pub(super) recalled: BTreeSet<Account>,
    pub(super) sign_ins: Kept<Credential, SignInRecord>,
    pub(super) notification_keys: Kept<String, NotificationKey>,
    pub(super) unreadable_keys: BTreeSet<String>,
    pub(super) license_answers: Kept<(), Vec<LicenseAnswer>>,
}

impl Memory {
    /// Number of rows that the database lacks.
    pub(super) fn owed(&self) -> usize {
        self.subscriptions.owed()
            + self.client_states.owed()
            + self.ledger.owed()
            + self.refresh_tokens.owed()
            + self.sign_ins.owed()
            + self.notification_keys.owed()
            + self.license_answers.owed()
    }
}

/// Writes what the database lacks, as far as it takes it: client states before the subscriptions that carry them.
pub(super) async fn save(memory: &RefCell<Memory>, inner: &dyn Store) -> Result<(), StoreError> {
    let owed = memory.borrow().client_states.unsaved();
    for (kind, state, receipt) in owed {
        if let Some(state) = &state {
            inner.put_client_state(state).await?;
        }
        memory.borrow_mut().client_states.saved(&kind, receipt);
    }
    let owed = memory.borrow().subscriptions.unsaved();
    for (kind, subscription, receipt) in owed {
        match &subscription {
            Some(subscription) => inner.put_subscription(subscription).await?,
            None => inner.remove_subscription(&kind).await?,
        }
        memory.borrow_mut().subscriptions.saved(&kind, receipt);
    }
    let owed = memory.borrow().notification_keys.unsaved();
    for (id, key, receipt) in owed {
        match &key {
            Some(key) => inner.put_notification_key(key).await?,
            None => inner.remove_notification_key(&id).await?,
        }
        memory.borrow_mut().notification_keys.saved(&id, receipt);
    }
    let owed = memory.borrow().refresh_tokens.unsaved();
    for (account, token, receipt) in owed {
        inner.put_refresh_token(&account, token.as_ref()).await?;
        memory.borrow_mut().refresh_tokens.saved(&account, receipt);
    }
    let owed = memory.borrow().sign_ins.unsaved();
    for (credential, record, receipt) in owed {
        if let Some(record) = &record {
            inner.put_sign_in_record(record).await?;
        }
        memory.borrow_mut().sign_ins.saved(&credential, receipt);
    }
    let owed = memory.borrow().ledger.unsaved();
    let changes: Vec<_> = owed
        .iter()
        .map(|((user, slot), row, _)| match row {
            Some(row) => LedgerChange::Put(row.clone()),
            None => LedgerChange::Remove {
                pbx_user: user.clone(),
                slot: *slot,
            },
        })
        .collect();
    inner.change_ledger(&changes).await?;
    for (key, _, receipt) in owed {
        memory.borrow_mut().ledger.saved(&key, receipt);
    }
    let owed = memory.borrow().license_answers.unsaved();
    for ((), answers, receipt) in owed {
        inner.put_license_answers(&answers.unwrap_or_default()).await?;
        memory.borrow_mut().license_answers.saved(&(), receipt);
    }
    Ok(())
}
