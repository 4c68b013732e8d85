//! The port: reads are answered from memory once the database has told its rows, writes go to both.

use m365_presence::identity::Account;
use m365_presence::ports::{
    AcceptedState, LedgerChange, LedgerRow, LicenseAnswer, NotificationKey, Store, Stored, StoredKeys,
    StoredSubscription, SubscriptionKind,
};
use m365_presence::secret::Secret;
use m365_presence::sign_in::SignInRecord;

use super::SteadyStore;

impl Store for SteadyStore {
    fn subscriptions(&self) -> Stored<'_, Vec<StoredSubscription>> {
        Box::pin(async {
            if self.memory.borrow().subscriptions.all().is_none() {
                let stored = self.inner.subscriptions().await?;
                let by_kind = stored
                    .into_iter()
                    .map(|subscription| (subscription.kind.clone(), subscription));
                self.memory.borrow_mut().subscriptions.recall(by_kind);
            }
            Ok(values(self.memory.borrow().subscriptions.all()))
        })
    }

    fn put_subscription<'a>(&'a self, subscription: &'a StoredSubscription) -> Stored<'a, ()> {
        Box::pin(async move {
            let kind = subscription.kind.clone();
            let row = Some(subscription.clone());
            let receipt = self.memory.borrow_mut().subscriptions.change(kind, row);
            self.save(
                || self.inner.put_subscription(subscription),
                |memory| memory.subscriptions.saved(&subscription.kind, receipt),
            )
            .await
        })
    }

    fn remove_subscription<'a>(&'a self, kind: &'a SubscriptionKind) -> Stored<'a, ()> {
        Box::pin(async move {
            let receipt = self.memory.borrow_mut().subscriptions.change(kind.clone(), None);
            self.save(
                || self.inner.remove_subscription(kind),
                |memory| memory.subscriptions.saved(kind, receipt),
            )
            .await
        })
    }

    fn client_states(&self) -> Stored<'_, Vec<AcceptedState>> {
        Box::pin(async {
            if self.memory.borrow().client_states.all().is_none() {
                let stored = self.inner.client_states().await?;
                let by_kind = stored.into_iter().map(|state| (state.kind.clone(), state));
                self.memory.borrow_mut().client_states.recall(by_kind);
            }
            Ok(values(self.memory.borrow().client_states.all()))
        })
    }

    fn put_client_state<'a>(&'a self, state: &'a AcceptedState) -> Stored<'a, ()> {
        Box::pin(async move {
            let row = Some(state.clone());
            let receipt = self
                .memory
                .borrow_mut()
                .client_states
                .change(state.kind.clone(), row);
            self.save(
                || self.inner.put_client_state(state),
                |memory| memory.client_states.saved(&state.kind, receipt),
            )
            .await
        })
    }

    fn ledger(&self) -> Stored<'_, Vec<LedgerRow>> {
        Box::pin(async {
            if self.memory.borrow().ledger.all().is_none() {
                let stored = self.inner.ledger().await?;
                let by_slot = stored
                    .into_iter()
                    .map(|row| ((row.pbx_user.clone(), row.slot), row));
                self.memory.borrow_mut().ledger.recall(by_slot);
            }
            Ok(values(self.memory.borrow().ledger.all()))
        })
    }

    fn change_ledger<'a>(&'a self, changes: &'a [LedgerChange]) -> Stored<'a, ()> {
        Box::pin(async move {
            let mut receipts = Vec::with_capacity(changes.len());
            for change in changes {
                let (key, row) = match change {
                    LedgerChange::Put(row) => ((row.pbx_user.clone(), row.slot), Some(row.clone())),
                    LedgerChange::Remove { pbx_user, slot } => ((pbx_user.clone(), *slot), None),
                };
                let receipt = self.memory.borrow_mut().ledger.change(key.clone(), row);
                receipts.push((key, receipt));
            }
            self.save(
                || self.inner.change_ledger(changes),
                |memory| {
                    for (key, receipt) in &receipts {
                        memory.ledger.saved(key, *receipt);
                    }
                },
            )
            .await
        })
    }

    fn refresh_token<'a>(&'a self, account: &'a Account) -> Stored<'a, Option<Secret>> {
        Box::pin(async move {
            if !self.memory.borrow().recalled.contains(account) {
                let stored = self.inner.refresh_token(account).await?;
                let mut memory = self.memory.borrow_mut();
                // a newer one may have been put meanwhile
                if memory.recalled.insert(account.clone())
                    && let Some(token) = stored
                {
                    memory.refresh_tokens.recall_one(account.clone(), token);
                }
            }
            Ok(self.memory.borrow().refresh_tokens.get(account).cloned())
        })
    }

    fn put_refresh_token<'a>(&'a self, account: &'a Account, token: Option<&'a Secret>) -> Stored<'a, ()> {
        Box::pin(async move {
            let receipt = {
                let mut memory = self.memory.borrow_mut();
                memory.recalled.insert(account.clone());
                memory.refresh_tokens.change(account.clone(), token.cloned())
            };
            self.save(
                || self.inner.put_refresh_token(account, token),
                |memory| memory.refresh_tokens.saved(account, receipt),
            )
            .await
        })
    }

    fn sign_in_records(&self) -> Stored<'_, Vec<SignInRecord>> {
        Box::pin(async {
            if self.memory.borrow().sign_ins.all().is_none() {
                let stored = self.inner.sign_in_records().await?;
                let by_credential = stored
                    .into_iter()
                    .map(|record| (record.credential.clone(), record));
                self.memory.borrow_mut().sign_ins.recall(by_credential);
            }
            Ok(values(self.memory.borrow().sign_ins.all()))
        })
    }

    fn put_sign_in_record<'a>(&'a self, record: &'a SignInRecord) -> Stored<'a, ()> {
        Box::pin(async move {
            let row = Some(record.clone());
            let receipt = self
                .memory
                .borrow_mut()
                .sign_ins
                .change(record.credential.clone(), row);
            self.save(
                || self.inner.put_sign_in_record(record),
                |memory| memory.sign_ins.saved(&record.credential, receipt),
            )
            .await
        })
    }

    fn notification_keys(&self) -> Stored<'_, StoredKeys> {
        Box::pin(async {
            if self.memory.borrow().notification_keys.all().is_none() {
                let stored = self.inner.notification_keys().await?;
                let mut memory = self.memory.borrow_mut();
                let unreadable = stored.unreadable.into_iter();
                let unreadable = unreadable
                    .filter(|id| !memory.notification_keys.is_touched(id))
                    .collect();
                memory.unreadable_keys = unreadable;
                let by_id = stored.keys.into_iter().map(|key| (key.id.clone(), key));
                memory.notification_keys.recall(by_id);
            }
            let memory = self.memory.borrow();
            let mut keys = values(memory.notification_keys.all());
            keys.sort_by(|left, right| {
                right
                    .created_at
                    .cmp(&left.created_at)
                    .then_with(|| left.id.cmp(&right.id))
            });
            Ok(StoredKeys {
                keys,
                unreadable: memory.unreadable_keys.iter().cloned().collect(),
            })
        })
    }

    fn put_notification_key<'a>(&'a self, key: &'a NotificationKey) -> Stored<'a, ()> {
        Box::pin(async move {
            let receipt = {
                let mut memory = self.memory.borrow_mut();
                memory.unreadable_keys.remove(&key.id);
                memory.notification_keys.change(key.id.clone(), Some(key.clone()))
            };
            self.save(
                || self.inner.put_notification_key(key),
                |memory| memory.notification_keys.saved(&key.id, receipt),
            )
            .await
        })
    }

    fn remove_notification_key<'a>(&'a self, id: &'a str) -> Stored<'a, ()> {
        Box::pin(async move {
            let receipt = {
                let mut memory = self.memory.borrow_mut();
                memory.unreadable_keys.remove(id);
                memory.notification_keys.change(id.to_owned(), None)
            };
            self.save(
                || self.inner.remove_notification_key(id),
                |memory| memory.notification_keys.saved(&id.to_owned(), receipt),
            )
            .await
        })
    }

    fn license_answers(&self) -> Stored<'_, Vec<LicenseAnswer>> {
        Box::pin(async {
            if self.memory.borrow().license_answers.all().is_none() {
                let stored = self.inner.license_answers().await?;
                self.memory.borrow_mut().license_answers.recall([((), stored)]);
            }
            Ok(self
                .memory
                .borrow()
                .license_answers
                .get(&())
                .cloned()
                .unwrap_or_default())
        })
    }

    fn put_license_answers<'a>(&'a self, answers: &'a [LicenseAnswer]) -> Stored<'a, ()> {
        Box::pin(async move {
            let receipt = self
                .memory
                .borrow_mut()
                .license_answers
                .change((), Some(answers.to_vec()));
            self.save(
                || self.inner.put_license_answers(answers),
                |memory| memory.license_answers.saved(&(), receipt),
            )
            .await
        })
    }
}

/// The rows of a kind that is known whole.
fn values<'a, K: 'a, V: Clone + 'a>(rows: Option<impl Iterator<Item = (&'a K, &'a V)>>) -> Vec<V> {
    rows.into_iter()
        .flatten()
        .map(|(_, value)| value.clone())
        .collect()
}
