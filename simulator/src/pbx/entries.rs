//! The presence of one user: entries keyed by the contact that set them, newest first (reference 3.2).

use serde_json::{Value, json};

/// What one source says about a user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Names the source, such as `tel:` for the user's own choice; the key of the entry.
    pub contact: String,
    /// Tells whether the user can be reached through this contact; `open` or `closed` on the wire.
    pub open: bool,
    /// Holds the activity, free text; empty when available.
    pub activity: String,
    /// Holds the note, free text; left out on the wire when empty.
    pub note: String,
}

impl Entry {
    /// Describes an open entry.
    #[must_use]
    pub fn new(contact: &str, activity: &str, note: &str) -> Self {
        Self {
            contact: contact.to_owned(),
            open: true,
            activity: activity.to_owned(),
            note: note.to_owned(),
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let status = if self.open { "open" } else { "closed" };
        let mut item = json!({"contact": self.contact, "status": status, "activity": self.activity});
        if let (false, Some(members)) = (self.note.is_empty(), item.as_object_mut()) {
            members.insert("note".to_owned(), Value::from(self.note.clone()));
        }
        item
    }

    fn says_nothing(&self) -> bool {
        self.activity.is_empty() && self.note.is_empty()
    }
}

/// What becomes of an entry that is set to neither an activity nor a note; the reference does not tell (3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clearing {
    /// The entry leaves the list.
    #[default]
    Drop,
    /// An empty entry stays in the list, as the newest.
    Empty,
}

/// All entries of one user.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entries {
    newest_first: Vec<Entry>,
}

impl Entries {
    /// Sets the entry of one contact and makes it the newest.
    pub(crate) fn set(&mut self, entry: Entry, clearing: Clearing) {
        self.newest_first.retain(|kept| kept.contact != entry.contact);
        if clearing == Clearing::Empty || !entry.says_nothing() {
            self.newest_first.insert(0, entry);
        }
    }

    /// Sets the chat entry, which stays in the list even when it says nothing.
    pub(crate) fn set_chat(&mut self, open: bool, activity: &str) {
        self.set(
            Entry {
                open,
                ..Entry::new("im:", activity, "")
            },
            Clearing::Empty,
        );
    }

    /// Returns what a subscriber sees, with the on-the-phone entry put in as described.
    pub(crate) fn shown(&self, visibility: Visibility, phone: Option<&OnThePhone>) -> Vec<Entry> {
        let mut shown: Vec<Entry> = if visibility.presence {
            self.newest_first.clone()
        } else {
            Vec::new()
        };
        if !visibility.note {
            shown.iter_mut().for_each(|entry| entry.note.clear());
        }
        if let (true, Some(phone)) = (visibility.on_the_phone, phone) {
            shown.retain(|entry| entry.contact != phone.contact);
            let entry = Entry::new(&phone.contact, "on-the-phone", "");
            match phone.position {
                Position::First => shown.insert(0, entry),
                Position::Last => shown.push(entry),
            }
        }
        shown
    }
}

/// How a PBX shows that a user has calls; the reference names neither contact nor place (3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnThePhone {
    /// Names the contact of the generated entry; it hides what the user set under the same contact.
    pub contact: String,
    /// Places the entry in the list.
    pub position: Position,
}

impl Default for OnThePhone {
    fn default() -> Self {
        Self {
            contact: "tel:".to_owned(),
            position: Position::First,
        }
    }
}

/// Where the on-the-phone entry stands in the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Position {
    /// It is the first entry, the one that clients display.
    #[default]
    First,
    /// It is the last entry.
    Last,
}

/// What a user grants the App object to see (reference 3.1); a subscription without any right stays pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visibility {
    /// Grants the entries.
    pub presence: bool,
    /// Grants the notes of the entries.
    pub note: bool,
    /// Grants the on-the-phone entry; the right `otf`.
    pub on_the_phone: bool,
}

impl Visibility {
    /// Grants everything.
    pub const FULL: Self = Self {
        presence: true,
        note: true,
        on_the_phone: true,
    };

    pub(crate) fn is_none(self) -> bool {
        !self.presence && !self.on_the_phone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contacts(entries: &[Entry]) -> Vec<&str> {
        entries.iter().map(|entry| entry.contact.as_str()).collect()
    }

    #[test]
    fn the_newest_entry_stands_first_and_replaces_its_own_contact_only() {
        let mut entries = Entries::default();
        for (contact, activity) in [("tel:", "busy"), ("teams:", "away"), ("tel:", "dnd")] {
            entries.set(Entry::new(contact, activity, ""), Clearing::Drop);
        }
        let shown = entries.shown(Visibility::FULL, None);
        assert_eq!(contacts(&shown), ["tel:", "teams:"]);
        assert_eq!(shown[0].activity, "dnd");
    }

    #[test]
    fn a_cleared_entry_is_dropped_or_kept_empty() {
        for (clearing, left) in [(Clearing::Drop, 0), (Clearing::Empty, 1)] {
            let mut entries = Entries::default();
            entries.set(Entry::new("teams:", "away", ""), clearing);
            entries.set(Entry::new("teams:", "", ""), clearing);
            assert_eq!(entries.shown(Visibility::FULL, None).len(), left);
        }
    }

    #[test]
    fn on_the_phone_hides_the_entry_of_its_contact_and_needs_its_own_right() {
        let mut entries = Entries::default();
        entries.set(Entry::new("tel:", "busy", ""), Clearing::Drop);
        entries.set(Entry::new("teams:", "away", "train"), Clearing::Drop);
        let last = OnThePhone {
            position: Position::Last,
            ..OnThePhone::default()
        };
        let shown = entries.shown(Visibility::FULL, Some(&last));
        assert_eq!(contacts(&shown), ["teams:", "tel:"]);
        assert_eq!(shown[1].activity, "on-the-phone");
        let unseen = Visibility {
            on_the_phone: false,
            note: false,
            ..Visibility::FULL
        };
        let shown = entries.shown(unseen, Some(&last));
        assert_eq!(shown[1].activity, "busy");
        assert!(shown[0].note.is_empty());
    }
}
