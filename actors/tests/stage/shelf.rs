//! The store: it outlives a scene, so that a second scene on the same shelf is a new start of the service.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use m365_presence::identity::{Account, Credential, PbxGuid};
use m365_presence::ports::{
    AcceptedState, LedgerChange, LedgerRow, LicenseAnswer, NotificationKey, Slot, Store, StoreError, Stored,
    StoredKeys, StoredSubscription, SubscriptionKind, TimelineRow, TimelineStore,
};
use m365_presence::secret::Secret;
use m365_presence::sign_in::SignInRecord;
use m365_presence::timeline::Item;
use tokio::time::sleep;

use super::journal::Journal;
use super::subscriptions::name;

#[derive(Default)]
pub struct Shelf {
    pub journal: Journal,
    pub subscriptions: RefCell<BTreeMap<SubscriptionKind, StoredSubscription>>,
    pub client_states: RefCell<BTreeMap<SubscriptionKind, AcceptedState>>,
    pub ledger: RefCell<BTreeMap<(PbxGuid, Slot), LedgerRow>>,
    pub refresh_tokens: RefCell<BTreeMap<Account, Secret>>,
    pub sign_ins: RefCell<BTreeMap<Credential, SignInRecord>>,
    pub licenses: RefCell<Vec<LicenseAnswer>>,
    pub keys: RefCell<BTreeMap<String, NotificationKey>>,
    pub timeline: RefCell<Vec<TimelineRow>>,
    /// Whether the timeline cannot be stored.
    pub timeline_fails: Cell<bool>,
    /// Ids of keys that do not decrypt.
    pub damaged: RefCell<BTreeSet<String>>,
    /// How long everything takes.
    pub delay: Cell<Duration>,
}

impl Shelf {
    /// Finishes a write: it is noted when it is safe.
    fn safe<'a>(&'a self, line: String, write: impl FnOnce() + 'a) -> Stored<'a, ()> {
        Box::pin(async move {
            sleep(self.delay.get()).await;
            write();
            self.journal.note(line);
            Ok(())
        })
    }

    fn recalled<'a, T: 'a>(&'a self, read: impl FnOnce() -> T + 'a) -> Stored<'a, T> {
        Box::pin(async move {
            sleep(self.delay.get()).await;
            Ok(read())
        })
    }

    fn apply(&self, change: &LedgerChange) {
        let mut ledger = self.ledger.borrow_mut();
        match change {
            LedgerChange::Put(row) => {
                ledger.insert((row.pbx_user.clone(), row.slot), row.clone());
            }
            LedgerChange::Remove { pbx_user, slot } => {
                ledger.remove(&(pbx_user.clone(), *slot));
            }
        }
    }
}

fn told(change: &LedgerChange) -> String {
    match change {
        LedgerChange::Put(row) => format!("{:?} {} {:?}", row.slot, row.pbx_user, row.state),
        LedgerChange::Remove { pbx_user, slot } => format!("{slot:?} {pbx_user} removed"),
    }
}

impl TimelineStore for Shelf {
    fn add_to_timeline<'a>(&'a self, rows: &'a [TimelineRow]) -> Stored<'a, ()> {
        Box::pin(async move {
            sleep(self.delay.get()).await;
            if self.timeline_fails.get() {
                return Err(StoreError {
                    detail: "the disk is full".to_owned(),
                });
            }
            self.timeline.borrow_mut().extend_from_slice(rows);
            Ok(())
        })
    }

    fn newest_in_timeline(&self) -> Stored<'_, Option<i64>> {
        self.recalled(|| self.timeline.borrow().iter().map(|row| row.item.number).max())
    }

    fn timeline<'a>(&'a self, user: &'a PbxGuid, before: Option<i64>, limit: usize) -> Stored<'a, Vec<Item>> {
        self.recalled(move || {
            let rows = self.timeline.borrow();
            let rows = rows.iter().rev().filter(|row| row.user == *user);
            let items = rows.map(|row| row.item.clone());
            items
                .filter(|item| before.is_none_or(|before| item.number < before))
                .take(limit)
                .collect()
        })
    }
}

impl Store for Shelf {
    fn subscriptions(&self) -> Stored<'_, Vec<StoredSubscription>> {
        self.recalled(|| self.subscriptions.borrow().values().cloned().collect())
    }

    fn put_subscription<'a>(&'a self, subscription: &'a StoredSubscription) -> Stored<'a, ()> {
        let kind = subscription.kind.clone();
        let line = format!("store: hold {} {}", name(&kind), subscription.id.as_str());
        self.safe(line, move || {
            self.subscriptions.borrow_mut().insert(kind, subscription.clone());
        })
    }

    fn remove_subscription<'a>(&'a self, kind: &'a SubscriptionKind) -> Stored<'a, ()> {
        self.safe(format!("store: forget {}", name(kind)), move || {
            self.subscriptions.borrow_mut().remove(kind);
        })
    }

    fn client_states(&self) -> Stored<'_, Vec<AcceptedState>> {
        self.recalled(|| self.client_states.borrow().values().cloned().collect())
    }

    fn put_client_state<'a>(&'a self, state: &'a AcceptedState) -> Stored<'a, ()> {
        self.safe(format!("store: client state {}", name(&state.kind)), move || {
            self.client_states
                .borrow_mut()
                .insert(state.kind.clone(), state.clone());
        })
    }

    fn ledger(&self) -> Stored<'_, Vec<LedgerRow>> {
        self.recalled(|| self.ledger.borrow().values().cloned().collect())
    }

    fn change_ledger<'a>(&'a self, changes: &'a [LedgerChange]) -> Stored<'a, ()> {
        Box::pin(async move {
            sleep(self.delay.get()).await;
            for change in changes {
                self.apply(change);
                self.journal.note(format!("store: ledger {}", told(change)));
            }
            Ok(())
        })
    }

    fn refresh_token<'a>(&'a self, account: &'a Account) -> Stored<'a, Option<Secret>> {
        self.recalled(|| self.refresh_tokens.borrow().get(account).cloned())
    }

    fn put_refresh_token<'a>(&'a self, account: &'a Account, token: Option<&'a Secret>) -> Stored<'a, ()> {
        self.safe(format!("store: refresh token {account}"), move || {
            let mut tokens = self.refresh_tokens.borrow_mut();
            match token {
                Some(token) => tokens.insert(account.clone(), token.clone()),
                None => tokens.remove(account),
            };
        })
    }

    fn sign_in_records(&self) -> Stored<'_, Vec<SignInRecord>> {
        self.recalled(|| self.sign_ins.borrow().values().cloned().collect())
    }

    fn put_sign_in_record<'a>(&'a self, record: &'a SignInRecord) -> Stored<'a, ()> {
        let (credential, record) = (record.credential.clone(), record.clone());
        self.safe(format!("store: sign-in of {credential}"), move || {
            self.sign_ins.borrow_mut().insert(credential, record);
        })
    }

    fn notification_keys(&self) -> Stored<'_, StoredKeys> {
        self.recalled(|| StoredKeys {
            keys: self.keys.borrow().values().cloned().collect(),
            unreadable: self.damaged.borrow().iter().cloned().collect(),
        })
    }

    fn put_notification_key<'a>(&'a self, key: &'a NotificationKey) -> Stored<'a, ()> {
        self.safe(format!("store: key {}", key.id), move || {
            self.keys.borrow_mut().insert(key.id.clone(), key.clone());
        })
    }

    fn remove_notification_key<'a>(&'a self, id: &'a str) -> Stored<'a, ()> {
        self.safe(format!("store: forget key {id}"), move || {
            self.keys.borrow_mut().remove(id);
            self.damaged.borrow_mut().remove(id);
        })
    }

    fn license_answers(&self) -> Stored<'_, Vec<LicenseAnswer>> {
        self.recalled(|| self.licenses.borrow().clone())
    }

    fn put_license_answers<'a>(&'a self, answers: &'a [LicenseAnswer]) -> Stored<'a, ()> {
        self.safe("store: licenses".to_owned(), move || {
            *self.licenses.borrow_mut() = answers.to_vec();
        })
    }
}
