//! What a PBX of the simulation can do wrong, or unusually. Everything here stays in force until it is changed back.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;

use super::message::Message;

/// The switches of one PBX's misbehaviour; the default is a PBX without any.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Splits texts longer than this many bytes into continuation frames, regardless of characters; a real one: 4096.
    pub fragment_above: Option<usize>,
    /// Holds every message back for this long; their order stays.
    pub delay: Option<Duration>,
    /// Closes the connection instead of sending its nth message, from 1: AppChallenge, AppLogin, PbxInfo, AppInfo.
    pub close_at_message: Option<u64>,
    /// Closes the connection instead of sending the nth row of a replication, from 1.
    pub close_at_row: Option<u64>,
    /// Sends every number as text.
    pub numbers_as_text: bool,
    /// Removes or replaces members of messages.
    pub distortions: Vec<Distortion>,
    /// Sends a message of an unknown `mt` before every message.
    pub unknown_messages: bool,
    /// Leaves requests with one of these `mt` without an answer and without effect.
    pub unanswered: BTreeSet<String>,
    /// Sends a live update of the table's first row before every row of the initial pull.
    pub interleaved_updates: bool,
    /// Sends every live ReplicateUpdate twice.
    pub doubled_updates: bool,
    /// Sends only the guid in ReplicateDel.
    pub bare_deletes: bool,
    /// Answers ReplicateStart with this error and no replication.
    pub replication_error: Option<String>,
    /// Answers SetPresence with this error and text, and changes nothing.
    pub presence_error: Option<(u32, String)>,
    /// Answers CheckAppLic of an unlicensed user without the member `ok`, instead of with `false`.
    pub unlicensed_without_ok: bool,
    /// Answers CheckAppLic for these users, by name, with an error in place of `ok`.
    pub license_errors: BTreeSet<String>,
    /// Answers CheckAppLic for users whom it does not know with an error, instead of with `ok` false.
    pub unknown_is_error: bool,
    /// Answers RCC Initialize with this error and no line states.
    pub lines_error: Option<String>,
    /// Tells the beginning, the change and the end of calls, and no UserInfo with the new count.
    pub uncounted_calls: bool,
    /// Writes the login digest in capitals.
    pub capital_digest: bool,
}

/// A change to one member of every message with a certain `mt`.
#[derive(Clone, Debug)]
pub struct Distortion {
    /// Names the messages, such as `PresenceUpdate`.
    pub mt: String,
    /// Names the member on the message's top level.
    pub member: String,
    /// Holds the value to send instead, of any type; `None` leaves the member out.
    pub value: Option<Value>,
}

impl Faults {
    pub(crate) fn distort(&self, message: &mut Message) {
        for distortion in &self.distortions {
            if distortion.mt == message.mt() {
                message.distort(&distortion.member, distortion.value.as_ref());
            }
        }
        if self.numbers_as_text {
            message.spell_numbers();
        }
    }
}

/// How a connection is cut by the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// A close frame, then the end of the connection.
    Close,
    /// The end of the TCP connection without a close frame.
    Abort,
    /// The connection stays open, but nothing is read or sent any more, until another cut.
    Silence,
    /// Like silence, but the PBX dials again at once, as after a change of its address.
    Forsake,
}
