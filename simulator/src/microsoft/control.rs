//! The hand on the cloud: what an administrator, the users, their Teams clients and bad luck do to it. Every method takes
//! effect at once and may be called from any thread.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    cloud::Cloud,
    directory::User,
    entry::{Count, Entry},
    faults::{Family, Fault, Times},
    forgery::Forgery,
    grants::Consent,
    key::SigningKey,
    knobs::{Knobs, LifecycleShape},
    limits::{Limit, Quota},
    notification::{Change, LifecycleEvent, Outgoing},
    presence::Pair,
    refusal::Refusal,
    subscription::Subscription,
    tenant::{Account, App, Tenant},
};
use crate::journal::Journal;

/// Controls a running cloud; clones control the same one.
#[derive(Clone)]
pub struct Control {
    pub(super) cloud: Arc<Cloud>,
}

/// A device code that waits for its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingSignIn {
    /// The code that the user types in.
    pub user_code: String,
    /// The application that asks.
    pub app: Uuid,
}

impl Control {
    /// Returns the journal of requests and deliveries.
    #[must_use]
    pub fn journal(&self) -> Journal<Entry> {
        self.cloud.journal.clone()
    }

    /// Returns how many requests of a family were answered since the start.
    #[must_use]
    pub fn count(&self, family: Family) -> Count {
        self.cloud
            .state()
            .counts
            .get(&family)
            .copied()
            .unwrap_or_default()
    }

    /// Returns the time in the cloud.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.cloud.now()
    }

    /// Turns the knobs.
    pub fn adjust(&self, change: impl FnOnce(&mut Knobs)) {
        change(&mut self.cloud.state().knobs);
    }

    /// Moves the cloud's whole clock ahead of the machine's, or behind it.
    pub fn set_clock_offset(&self, offset: TimeDelta) {
        self.cloud.state().clock.offset = offset;
    }

    /// Lets the cloud's own waiting (presence timeouts, retries) run so many times as fast.
    pub fn set_time_scale(&self, scale: f64) {
        self.cloud.state().clock.scale = scale;
    }

    /// Adds a tenant.
    pub fn add_tenant(&self, tenant: Tenant) {
        self.cloud.state().tenants.push(tenant);
    }

    /// Adds an app registration, or replaces it.
    pub fn put_app(&self, app: App) {
        self.cloud.state().apps.insert(app.client_id, app);
    }

    /// Changes an app registration; false when it does not exist.
    pub fn change_app(&self, client_id: Uuid, change: impl FnOnce(&mut App)) -> bool {
        self.cloud.state().apps.get_mut(&client_id).map(change).is_some()
    }

    /// Removes an app registration; false when it does not exist.
    pub fn remove_app(&self, client_id: Uuid) -> bool {
        self.cloud.state().apps.remove(&client_id).is_some()
    }

    /// Adds an account that can sign in and, unless it exists, the licensed directory user that it belongs to.
    pub fn add_account(&self, account: Account) {
        let mut state = self.cloud.state();
        if !state.people.contains_key(&account.user) {
            let user = User {
                id: account.user,
                ..User::new(&account.username, &account.username)
            };
            state.put_user(account.tenant, user);
        }
        state.accounts.push(account);
    }

    /// Changes an account; false when nobody signs in by this name.
    pub fn change_account(&self, username: &str, change: impl FnOnce(&mut Account)) -> bool {
        let mut state = self.cloud.state();
        let account = state
            .accounts
            .iter_mut()
            .find(|account| account.username.eq_ignore_ascii_case(username));
        account.map(change).is_some()
    }

    /// Returns the tenant that an account belongs to; `None` when nobody signs in by this name.
    #[must_use]
    pub fn tenant_of(&self, username: &str) -> Option<Uuid> {
        let state = self.cloud.state();
        let account = state
            .accounts
            .iter()
            .find(|account| account.username.eq_ignore_ascii_case(username));
        account.map(|account| account.tenant)
    }

    /// Changes a password, unlocks the account and revokes its refresh tokens.
    pub fn change_password(&self, username: &str, password: &str) {
        let mut state = self.cloud.state();
        let account = state
            .accounts
            .iter_mut()
            .find(|account| account.username.eq_ignore_ascii_case(username));
        if let Some(account) = account {
            account.password = Some(password.to_owned());
            account.failures = 0;
            let user = account.user;
            state.grants.revoke_refresh(user);
        }
    }

    /// Makes all access and refresh tokens of a user, or the access tokens of a service principal, invalid.
    pub fn revoke(&self, subject: Uuid) {
        self.cloud.state().grants.revoke(subject);
    }

    /// Orders how the next token request is refused; several orders are served one by one.
    pub fn refuse_next_token(&self, refusal: impl Into<Refusal>) {
        self.cloud.state().refusals.push(refusal.into());
    }

    /// Returns the device codes that nobody decided upon yet.
    #[must_use]
    pub fn pending_sign_ins(&self) -> Vec<PendingSignIn> {
        let state = self.cloud.state();
        let now = state.clock.now();
        let pending = state
            .grants
            .devices
            .values()
            .filter(|device| device.consent == Consent::Pending && device.expires > now);
        pending
            .map(|device| PendingSignIn {
                user_code: device.user_code.clone(),
                app: device.app,
            })
            .collect()
    }

    /// Signs a user in with a device code; false when there is no such code or account.
    pub fn approve_sign_in(&self, user_code: &str, username: &str) -> bool {
        let mut state = self.cloud.state();
        let account = state
            .accounts
            .iter()
            .find(|account| account.username.eq_ignore_ascii_case(username));
        let Some((tenant, user)) = account.map(|account| (account.tenant, account.user)) else {
            return false;
        };
        let device = state
            .grants
            .devices
            .values_mut()
            .find(|device| device.user_code == user_code && device.tenant == tenant);
        device
            .map(|device| device.consent = Consent::Given(user))
            .is_some()
    }

    /// Declines a device code; false when there is no such code.
    pub fn decline_sign_in(&self, user_code: &str) -> bool {
        let mut state = self.cloud.state();
        let device = state
            .grants
            .devices
            .values_mut()
            .find(|device| device.user_code == user_code);
        device.map(|device| device.consent = Consent::Declined).is_some()
    }

    /// Returns the live subscriptions.
    #[must_use]
    pub fn subscriptions(&self) -> Vec<Subscription> {
        let mut state = self.cloud.state();
        state.expire_subscriptions();
        state
            .subscriptions
            .values()
            .map(|known| Subscription::clone(known))
            .collect()
    }

    /// Adds or replaces a subscription without any check, for what other programs left behind.
    pub fn put_subscription(&self, subscription: Subscription) {
        self.cloud
            .state()
            .subscriptions
            .insert(subscription.id, Arc::new(subscription));
    }

    /// Changes a live subscription behind its owner's back; false when there is none.
    pub fn change_subscription(&self, id: Uuid, change: impl FnOnce(&mut Subscription)) -> bool {
        let mut state = self.cloud.state();
        state
            .subscriptions
            .get_mut(&id)
            .map(|known| change(Arc::make_mut(known)))
            .is_some()
    }

    /// Removes a subscription and, when asked, tells its lifecycle URL; false when there is none.
    pub fn remove_subscription(&self, id: Uuid, tell: Option<LifecycleShape>) -> bool {
        let mut state = self.cloud.state();
        let Some(subscription) = state.subscriptions.remove(&id) else {
            return false;
        };
        if let Some(shape) = tell {
            let change = Change::Lifecycle {
                event: LifecycleEvent::SubscriptionRemoved,
                shape,
            };
            state.send(Outgoing {
                last: Some(subscription),
                ..Outgoing::new(id, change)
            });
        }
        true
    }

    /// Sends a lifecycle notification.
    pub fn send_lifecycle(&self, subscription: Uuid, event: LifecycleEvent, shape: LifecycleShape) {
        self.cloud
            .state()
            .send(Outgoing::new(subscription, Change::Lifecycle { event, shape }));
    }

    /// Sends a presence notification whatever the presence is: with `forgery` none that a client may believe, without
    /// one a late or repeated one.
    pub fn send_presence(&self, subscription: Uuid, user: Uuid, pair: Pair, forgery: Option<Forgery>) {
        let mut state = self.cloud.state();
        let sequence = state.next_sequence();
        let change = Change::Presence { user, pair, sequence };
        state.send(Outgoing {
            forgery,
            ..Outgoing::new(subscription, change)
        });
    }

    /// Orders a fault for one family of endpoints, or for all.
    pub fn inject(&self, family: Option<Family>, fault: Fault, times: Times) {
        self.cloud.state().faults.add(family, fault, times);
    }

    /// Ends the ordered faults of a family, or all of them.
    pub fn clear_faults(&self, family: Option<Family>) {
        self.cloud.state().faults.clear(family);
    }

    /// Replaces a documented request limit.
    pub fn set_limit(&self, quota: Quota, limit: Limit) {
        self.cloud.state().throttle.set(quota, limit);
    }

    /// Signs with another key from now on; the old ones verify, and are listed, only while `overlap` is true.
    pub fn rotate_signing_key(&self, key: SigningKey, overlap: bool) {
        let mut state = self.cloud.state();
        if !overlap {
            state.keys.clear();
        }
        state.keys.insert(0, key);
    }
}
