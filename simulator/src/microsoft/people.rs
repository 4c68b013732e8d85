//! The hand on the people: who joins, changes and leaves, what their Teams clients show and what they choose by hand.

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::{control::Control, directory::User, presence::Pair, status_message::StatusMessage};

impl Control {
    /// Adds a user, or replaces the one with the same id, and notifies `updated`.
    pub fn put_user(&self, tenant: Uuid, user: User) {
        self.cloud.state().put_user(tenant, user);
    }

    /// Changes a user and notifies `updated`; false when there is none.
    pub fn change_user(&self, id: Uuid, change: impl FnOnce(&mut User)) -> bool {
        let mut state = self.cloud.state();
        let Some((tenant, mut user)) = state
            .people
            .get(&id)
            .map(|person| (person.tenant, (*person.user).clone()))
        else {
            return false;
        };
        change(&mut user);
        state.put_user(tenant, user);
        true
    }

    /// Removes a user and notifies `updated` (soft) or `deleted` (permanent); false when there is none.
    pub fn remove_user(&self, id: Uuid, permanently: bool) -> bool {
        self.cloud.state().remove_user(id, permanently)
    }

    /// Returns a user.
    #[must_use]
    pub fn user(&self, id: Uuid) -> Option<User> {
        self.cloud
            .state()
            .people
            .get(&id)
            .map(|person| (*person.user).clone())
    }

    /// Sets what one of a user's Teams clients shows; `Offline` ends the client's session. False when there is no user.
    pub fn set_client(&self, user: Uuid, client: &str, pair: Pair) -> bool {
        self.cloud
            .change_presence(user, |sessions, now| sessions.set_client(client, pair, now))
            .is_some()
    }

    /// Lets the user choose a preferred state by hand, for `life`; false when there is no user.
    pub fn prefer(&self, user: Uuid, pair: Pair, life: Duration) -> bool {
        let life = self.cloud.state().clock.scaled(life);
        self.cloud
            .change_presence(user, |sessions, now| sessions.prefer(pair, now, life))
            .is_some()
    }

    /// Lets the user reset the preferred state by hand; false when there is no user.
    pub fn clear_preferred(&self, user: Uuid) -> bool {
        self.cloud
            .change_presence(user, |sessions, _| sessions.clear_preferred())
            .is_some()
    }

    /// Lets the user write a status message, marked up as Teams does, or take it back with an empty one; false when there
    /// is no user.
    pub fn set_status_message(&self, user: Uuid, message: &str) -> bool {
        let message = StatusMessage::written(message);
        self.cloud
            .state()
            .people
            .get_mut(&user)
            .map(|person| person.status_message = message)
            .is_some()
    }

    /// Returns the status message that a user shows, as it is stored; empty for none.
    #[must_use]
    pub fn status_message(&self, user: Uuid) -> String {
        let now = Instant::now();
        let state = self.cloud.state();
        let message = state
            .people
            .get(&user)
            .and_then(|person| person.status_message.as_ref());
        let message = message.filter(|message| message.stands(now));
        message.map_or_else(String::new, |message| message.content().to_owned())
    }

    /// Returns how long a user's status message stands yet, in reality; nothing where it has no end, or where there is none.
    #[must_use]
    pub fn status_message_life(&self, user: Uuid) -> Option<Duration> {
        let now = Instant::now();
        let state = self.cloud.state();
        state.people.get(&user)?.status_message.as_ref()?.life(now)
    }

    /// Turns a user's automatic replies on or off; false when there is no user.
    pub fn set_out_of_office(&self, user: Uuid, out: bool) -> bool {
        self.cloud
            .state()
            .people
            .get_mut(&user)
            .map(|person| person.out_of_office = out)
            .is_some()
    }

    /// Returns what everybody sees of a user.
    #[must_use]
    pub fn presence(&self, user: Uuid) -> Option<Pair> {
        let now = Instant::now();
        self.cloud
            .state()
            .people
            .get(&user)
            .map(|person| person.sessions.effective(now))
    }

    /// Returns what an application's own session shows.
    #[must_use]
    pub fn app_session(&self, user: Uuid, app: Uuid) -> Option<Pair> {
        let now = Instant::now();
        self.cloud.state().people.get(&user)?.sessions.app(app, now)
    }

    /// Returns what stands in a user's preferred slot.
    #[must_use]
    pub fn preferred(&self, user: Uuid) -> Option<Pair> {
        let now = Instant::now();
        self.cloud.state().people.get(&user)?.sessions.preferred(now)
    }
}
