//! What a PBX does not show of a user to the connector's App object, why, and what an administrator must grant there
//! (pbx.md 3.1, 4).
//!
//! A PBX tells of missing rights by silence: a subscription that nothing allows stays pending, an entry that may not be
//! seen is left out, and a user without access to the App is missing among the line states. So what is missing is
//! concluded from what should have been told by now.

use serde::Serialize;
use utoipa::ToSchema;

/// How far a user's presence subscription has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subscription {
    /// It was ordered a moment ago.
    Fresh,
    /// The PBX has told nothing for longer than an answer takes.
    Silent,
    /// The PBX says that nothing allows it.
    Unallowed,
    /// The PBX refuses it.
    Refused {
        /// The PBX's text.
        message: String,
    },
    /// The presence has been told.
    Told,
}

/// What is known of a user's calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LineSight {
    /// They are told, or will be in a moment.
    Told,
    /// The App object may not use RCC.
    NoRight,
    /// The PBX does not tell them.
    Refused {
        /// Why; completes a sentence about the PBX.
        why: String,
    },
    /// The PBX tells of others, and leaves this user out.
    Unlisted,
    /// The PBX where the user lives is not connected.
    HomeAway,
}

/// How a PBX's session sees one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The App objects through which it looks.
    pub app_objects: Vec<String>,
    /// The user's Name at the PBX.
    pub h323: String,
    /// The presence subscription.
    pub subscription: Subscription,
    /// The calls.
    pub lines: LineSight,
    /// Whether an on-the-phone entry was ever seen, so that the right to see it is there.
    pub phone_entry_seen: bool,
}

/// What is not visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unseen {
    /// The presence as a whole.
    Presence,
    /// The entries: what the user chose, and our own.
    Entries,
    /// Whether the user is on the phone.
    OnThePhone,
}

impl Unseen {
    /// Everything that may be not visible.
    pub const ALL: [Self; 3] = [Self::Presence, Self::Entries, Self::OnThePhone];

    /// The stable spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Presence => "presence",
            Self::Entries => "entries",
            Self::OnThePhone => "on_the_phone",
        }
    }
}

/// One thing that is not visible of a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Hidden {
    /// What.
    pub what: Unseen,
    /// Why, as far as it can be concluded: one sentence without a full stop.
    pub cause: String,
    /// What an administrator does at the PBX: one sentence without a full stop.
    pub remedy: String,
}

/// What is not visible of a user. `entry_unseen` tells that the PBX has taken an entry of ours and does not show it.
pub fn hidden(sight: &Sight, entry_unseen: bool) -> Vec<Hidden> {
    let entries = || {
        (sight.subscription == Subscription::Told && entry_unseen).then(|| Hidden {
            what: Unseen::Entries,
            cause: "the PBX has taken the connector's entry and does not show it, so what the user chooses is not shown either".to_owned(),
            remedy: grant(sight, "Presence"),
        })
    };
    let found = [presence(sight).or_else(entries), on_the_phone(sight)];
    found.into_iter().flatten().collect()
}

fn presence(sight: &Sight) -> Option<Hidden> {
    let cause = match &sight.subscription {
        Subscription::Fresh | Subscription::Told => return None,
        Subscription::Silent => {
            "the PBX tells nothing of this user's presence, as it does where no visibility allows it"
                .to_owned()
        }
        Subscription::Unallowed => {
            "the PBX says that no visibility allows the connector to see this user's presence".to_owned()
        }
        Subscription::Refused { message } => format!("the PBX refuses this user's presence: {message}"),
    };
    Some(Hidden {
        what: Unseen::Presence,
        cause,
        remedy: grant(sight, "Online, Presence and On the phone"),
    })
}

fn on_the_phone(sight: &Sight) -> Option<Hidden> {
    if sight.phone_entry_seen || sight.subscription == Subscription::Fresh {
        return None;
    }
    let by_entry = grant(sight, "On the phone");
    let (why, remedy) = match &sight.lines {
        LineSight::Told => return None,
        LineSight::NoRight => (
            "the App object may not use RCC".to_owned(),
            format!("set the checkmark RCC (rcc) at PBX > Objects > {}, or {by_entry}", objects(sight)),
        ),
        LineSight::Refused { why } => (format!("the PBX {why}"), by_entry),
        LineSight::Unlisted => (
            "the PBX leaves the user out of its line states, as it does with users who have no access to the App".to_owned(),
            format!(
                "give the user access to the App at PBX > Objects > {} > Apps, or {by_entry}",
                sight.h323
            ),
        ),
        LineSight::HomeAway => (
            "the PBX where the user lives is not connected".to_owned(),
            format!("let the App object of that PBX connect, or {by_entry}"),
        ),
    };
    Some(Hidden {
        what: Unseen::OnThePhone,
        cause: format!("{why}, and no on-the-phone entry of the user has been seen so far"),
        remedy,
    })
}

/// The sentence that an administrator needs at the PBX.
fn grant(sight: &Sight, rights: &str) -> String {
    format!(
        "grant {rights} to {}, or to @ for everybody, at PBX > Objects > {} > Visibility or in the user's template",
        objects(sight),
        sight.h323
    )
}

fn objects(sight: &Sight) -> String {
    if sight.app_objects.is_empty() {
        return "the App object".to_owned();
    }
    sight.app_objects.join(" and ")
}
