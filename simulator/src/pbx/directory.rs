//! The users of one estate, with all that the PBXs keep about them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{calls::Call, entries::Entries, user::User};

/// A user with all that belongs to the object.
#[derive(Clone, Debug)]
pub(crate) struct Resident {
    pub(crate) user: User,
    pub(crate) usn: u64,
    pub(crate) licenses: BTreeSet<String>,
    pub(crate) entries: Entries,
    pub(crate) calls: Vec<Call>,
    /// False while the monitor of the user's presence is lost.
    pub(crate) monitored: bool,
}

impl Resident {
    /// Counts the calls that occupy a channel.
    pub(crate) fn channels(&self) -> usize {
        self.calls.iter().filter(|call| call.occupies()).count()
    }

    /// Returns whether the user is on the phone.
    pub(crate) fn is_occupied(&self) -> bool {
        self.channels() > 0
    }

    /// Counts the calls that ring.
    pub(crate) fn alerts(&self) -> usize {
        self.calls.iter().filter(|call| call.rings()).count()
    }

    /// Returns whether a license covers the wanted one: `App(x)` also covers every name that starts with x.
    pub(crate) fn is_licensed(&self, wanted: &str) -> bool {
        let wanted = license_name(wanted);
        self.licenses
            .iter()
            .any(|held| wanted.starts_with(license_name(held)))
    }
}

fn license_name(license: &str) -> &str {
    license.strip_suffix(')').unwrap_or(license)
}

/// All users, found by guid, name, long name or number, listed in the order in which they were added.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    residents: HashMap<String, Resident>,
    order: BTreeMap<u64, String>,
    names: HashMap<String, String>,
    long_names: HashMap<String, String>,
    numbers: HashMap<String, String>,
    next: u64,
    usn: u64,
}

impl Directory {
    /// Adds a user, or replaces the user object with the same guid; returns what it was before.
    pub(crate) fn put(&mut self, user: User) -> Option<User> {
        self.usn = self.usn.saturating_add(1);
        let before = self
            .residents
            .get(&user.guid)
            .map(|resident| resident.user.clone());
        if let Some(before) = &before {
            self.forget_names(before);
        }
        let guid = user.guid.clone();
        self.names.insert(user.h323.to_lowercase(), guid.clone());
        self.long_names.insert(user.cn.clone(), guid.clone());
        self.numbers.insert(user.e164.clone(), guid.clone());
        if let Some(resident) = self.residents.get_mut(&guid) {
            resident.user = user;
            resident.usn = self.usn;
        } else {
            self.order.insert(self.next, guid.clone());
            self.next = self.next.saturating_add(1);
            let mut entries = Entries::default();
            entries.set_chat(false, "");
            let (licenses, calls) = (BTreeSet::new(), Vec::new());
            let resident = Resident {
                user,
                usn: self.usn,
                licenses,
                entries,
                calls,
                monitored: true,
            };
            self.residents.insert(guid, resident);
        }
        before
    }

    /// Removes a user.
    pub(crate) fn remove(&mut self, guid: &str) -> Option<Resident> {
        let resident = self.residents.remove(guid)?;
        self.order.retain(|_, kept| kept != guid);
        self.forget_names(&resident.user);
        Some(resident)
    }

    fn forget_names(&mut self, user: &User) {
        let indices = [
            (&mut self.names, user.h323.to_lowercase()),
            (&mut self.long_names, user.cn.clone()),
            (&mut self.numbers, user.e164.clone()),
        ];
        for (index, key) in indices {
            if index.get(&key) == Some(&user.guid) {
                index.remove(&key);
            }
        }
    }

    /// Finds the guid of a user by guid, name or long name.
    pub(crate) fn find(&self, user: &str) -> Option<String> {
        if self.residents.contains_key(user) {
            return Some(user.to_owned());
        }
        self.by_name(user).or_else(|| self.long_names.get(user).cloned())
    }

    pub(crate) fn by_name(&self, h323: &str) -> Option<String> {
        self.names.get(&h323.to_lowercase()).cloned()
    }

    pub(crate) fn by_long_name(&self, cn: &str) -> Option<String> {
        self.long_names.get(cn).cloned()
    }

    pub(crate) fn by_number(&self, e164: &str) -> Option<String> {
        self.numbers.get(e164).filter(|_| !e164.is_empty()).cloned()
    }

    pub(crate) fn get(&self, guid: &str) -> Option<&Resident> {
        self.residents.get(guid)
    }

    pub(crate) fn get_mut(&mut self, guid: &str) -> Option<&mut Resident> {
        self.residents.get_mut(guid)
    }

    /// Returns all users in the order in which they were added.
    pub(crate) fn residents(&self) -> impl Iterator<Item = &Resident> {
        self.order.values().filter_map(|guid| self.residents.get(guid))
    }
}
