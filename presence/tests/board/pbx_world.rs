//! The PBX as pbx.md 3 and 4 describe it, for one user: entries newest first, calls, and how a call is told.

use m365_presence::pbx::PresenceEntry;

/// The contact that the connector owns.
pub const OURS: &str = "teams:";

/// How the PBX tells of calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneStyle {
    /// An on-the-phone item takes the place of the user's own.
    Hiding,
    /// An on-the-phone item comes before the user's own.
    Added,
    /// Only the number of calls tells.
    CallsOnly,
}

/// One user object.
#[derive(Clone, Debug)]
pub struct Extension {
    /// Contact and activity, newest first.
    pub entries: Vec<(&'static str, String)>,
    pub calls: u32,
    /// A call of the connector's, which stands for a call in Teams.
    pub alien: bool,
    /// Such calls of dead connections that the PBX takes for alive.
    pub ghosts: u32,
    phone_style: PhoneStyle,
    keeps_empty: bool,
    ours_visible: bool,
}

impl Extension {
    pub fn new(phone_style: PhoneStyle, keeps_empty: bool, ours_visible: bool) -> Self {
        Self {
            entries: vec![("im:", String::new())],
            calls: 0,
            alien: false,
            ghosts: 0,
            phone_style,
            keeps_empty,
            ours_visible,
        }
    }

    /// Overwrites the item of a contact, which becomes the newest.
    pub fn set(&mut self, contact: &'static str, activity: &str) {
        self.entries.retain(|(key, _)| *key != contact);
        if !activity.is_empty() || self.keeps_empty {
            self.entries.insert(0, (contact, activity.to_owned()));
        }
    }

    /// What the connector shows, empty for nothing.
    pub fn ours(&self) -> &str {
        if self.alien {
            "on-the-phone"
        } else {
            self.our_entry()
        }
    }

    /// The activity of the connector's entry, empty when there is none.
    pub fn our_entry(&self) -> &str {
        let own = self.entries.iter().find(|(contact, _)| *contact == OURS);
        own.map_or("", |(_, activity)| activity)
    }

    /// The list that the PBX sends.
    pub fn picture(&self) -> Vec<PresenceEntry> {
        let entry = |contact: &str, activity: &str| PresenceEntry {
            contact: contact.to_owned(),
            activity: activity.to_owned(),
            note: String::new(),
        };
        let on_the_phone = self.line_state() > 0 && self.phone_style != PhoneStyle::CallsOnly;
        let hidden = on_the_phone && self.phone_style == PhoneStyle::Hiding;
        let phone = on_the_phone.then(|| entry("tel:", "on-the-phone"));
        let stored = self
            .entries
            .iter()
            .filter(|(contact, _)| (*contact != "tel:" || !hidden) && (*contact != OURS || self.ours_visible))
            .map(|(contact, activity)| entry(contact, activity));
        phone.into_iter().chain(stored).collect()
    }

    /// The number of calls that line state tells.
    pub fn line_state(&self) -> u32 {
        self.calls + self.own_calls()
    }

    /// How many of them are the connector's.
    pub fn own_calls(&self) -> u32 {
        self.ghosts + u32::from(self.alien)
    }
}
