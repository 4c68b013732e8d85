//! What happens to the users of a PBX: administration, licenses and presence.

use std::time::Duration;

use super::{
    dialogue::{Change, shown},
    directory::Resident,
    entries::Entry,
    estate::Domain,
    handle::Pbx,
    user::User,
};

impl Pbx {
    /// Adds users to the estate, or replaces the objects with the same guids.
    pub fn add_users(&self, users: impl IntoIterator<Item = User>) {
        self.estate().with(|domain| {
            for user in users {
                domain.put(user);
            }
        });
    }

    /// Adds a user to the estate, or replaces the object with the same guid.
    pub fn add_user(&self, user: User) {
        self.add_users([user]);
    }

    /// Alters a user object; a changed `loc` ends the calls at the old home.
    pub fn update_user(&self, user: &str, alter: impl FnOnce(&mut User)) {
        self.estate().with(|domain| {
            let Some(resident) = domain.resident(user) else {
                return;
            };
            let mut altered = resident.user.clone();
            alter(&mut altered);
            domain.put(altered);
        });
    }

    /// Deletes a user object; its calls end with it.
    pub fn remove_user(&self, user: &str) {
        self.estate().with(|domain| {
            let Some(guid) = domain.directory.find(user) else {
                return;
            };
            domain.end_calls(&guid);
            if let Some(resident) = domain.directory.remove(&guid) {
                domain.tell(&[Change::Removed {
                    user: Box::new(resident.user),
                }]);
            }
        });
    }

    /// Returns the user object.
    #[must_use]
    pub fn user(&self, user: &str) -> Option<User> {
        self.estate()
            .with(|domain| domain.resident(user).map(|resident| resident.user.clone()))
    }

    /// Returns all users of the estate in the order in which they were added.
    #[must_use]
    pub fn users(&self) -> Vec<User> {
        self.estate().with(|domain| {
            domain
                .directory
                .residents()
                .map(|resident| resident.user.clone())
                .collect()
        })
    }

    /// Assigns a license such as `App(innovaphone-microsoft365)`. No message tells of it: a license must be checked.
    pub fn assign(&self, user: &str, license: &str) {
        self.alter(user, |resident| {
            resident.licenses.insert(license.to_owned());
            None
        });
    }

    /// Withdraws a license.
    pub fn withdraw(&self, user: &str, license: &str) {
        self.alter(user, |resident| {
            resident.licenses.remove(license);
            None
        });
    }

    /// Sets a presence entry as the user or another App would; empty texts clear it.
    pub fn set_presence(&self, user: &str, contact: &str, activity: &str, note: &str) {
        let Some(options) = self.options() else { return };
        self.alter(user, |resident| {
            let open = contact != "tel:" || resident.user.registered;
            resident.entries.set(
                Entry {
                    open,
                    ..Entry::new(contact, activity, note)
                },
                options.clearing,
            );
            Some(Change::Presence {
                guid: resident.user.guid.clone(),
            })
        });
    }

    /// Lets the user's chat client come online or go offline, with the activity that the PBX derives from it.
    pub fn set_chat(&self, user: &str, online: bool, activity: &str) {
        self.alter(user, |resident| {
            resident.entries.set_chat(online, activity);
            Some(Change::Presence {
                guid: resident.user.guid.clone(),
            })
        });
    }

    /// Loses or regains the monitor of the user's presence (`PresenceState`).
    pub fn set_monitored(&self, user: &str, up: bool) {
        self.alter(user, |resident| {
            resident.monitored = up;
            Some(Change::Monitor {
                guid: resident.user.guid.clone(),
            })
        });
    }

    /// Returns what this PBX shows of a user, newest first.
    #[must_use]
    pub fn entries(&self, user: &str) -> Vec<Entry> {
        let Some(options) = self.options() else {
            return Vec::new();
        };
        self.estate().with(|domain| {
            domain
                .resident(user)
                .map(|resident| shown(resident, &options))
                .unwrap_or_default()
        })
    }

    /// Returns what this PBX shows of a user under one contact.
    #[must_use]
    pub fn entry(&self, user: &str, contact: &str) -> Option<Entry> {
        self.entries(user)
            .into_iter()
            .find(|entry| entry.contact == contact)
    }

    /// Blocks until the activity shown under one contact is as given; a missing entry counts as an empty activity.
    /// Returns whether it is so within `timeout`.
    #[must_use]
    pub fn wait_for_activity(&self, user: &str, contact: &str, activity: &str, timeout: Duration) -> bool {
        let Some(options) = self.options() else {
            return false;
        };
        self.estate().wait_until(timeout, |domain| {
            let entries = domain
                .resident(user)
                .map(|resident| shown(resident, &options))
                .unwrap_or_default();
            let entry = entries.iter().find(|entry| entry.contact == contact);
            entry.map_or("", |entry| entry.activity.as_str()) == activity
        })
    }

    fn alter(&self, user: &str, alter: impl FnOnce(&mut Resident) -> Option<Change>) {
        self.estate().with(|domain| {
            let Some(guid) = domain.directory.find(user) else {
                return;
            };
            let change = domain.directory.get_mut(&guid).and_then(alter);
            domain.tell(change.as_slice());
        });
    }
}

impl Domain {
    pub(super) fn resident(&self, user: &str) -> Option<&Resident> {
        self.directory
            .find(user)
            .and_then(|guid| self.directory.get(&guid))
    }

    fn put(&mut self, user: User) {
        let guid = user.guid.clone();
        let moves = self
            .directory
            .get(&guid)
            .is_some_and(|resident| resident.user.loc != user.loc);
        if moves {
            self.end_calls(&guid);
        }
        let change = match self.directory.put(user) {
            Some(before) => Change::Updated {
                guid,
                before: Box::new(before),
            },
            None => Change::Added { guid },
        };
        self.tell(&[change]);
    }
}
