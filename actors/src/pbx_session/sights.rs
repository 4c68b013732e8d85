//! What the PBX does not show of its users, concluded from its silence (pbx.md 3.1, 4).

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use actix::{Handler, Message, MessageResult};
use m365_presence::identity::PbxGuid;
use m365_presence::pbx::{PbxApi, PresenceEntry};
use m365_presence::ports::PbxOrder;
use m365_presence::visibility::{LineSight, Sight, Subscription};
use tokio::time::Instant;

use super::PbxSession;
use crate::supervision::Context;

/// A PBX tells a presence that may be seen well within this time; thousands are subscribed a hundred at a time.
const PATIENCE: Duration = Duration::from_secs(20);

/// Silent users who are subscribed anew at a time: a subscription that was lost on the way looks like one that nothing
/// allows, and of those there may be thousands.
const ASKED_ANEW: usize = 20;

/// Users whom the PBX may list as not allowed: more than any estate follows.
const MOST_LISTED: usize = 100_000;

/// The activity by which the PBX tells of a call (pbx.md 3.2).
const ON_THE_PHONE: &str = "on-the-phone";

/// Asks how the PBX shows these users, as far as this session follows them.
#[derive(Message)]
#[rtype(result = "Vec<(PbxGuid, Sight)>")]
pub struct GetSights(pub Vec<PbxGuid>);

/// Of whom nothing is told, since when, and what the PBX says of that.
#[derive(Default)]
pub(super) struct Silence {
    expected: HashMap<PbxGuid, Instant>,
    refused: BTreeMap<PbxGuid, String>,
    /// Guids and names, in lower case, of users whom the PBX lists.
    unallowed: BTreeSet<String>,
    /// Whether the PBX was asked which subscriptions nothing allows.
    asked: bool,
    /// On whom an on-the-phone entry was seen.
    phone_seen: HashSet<PbxGuid>,
    /// Who was subscribed anew last for being silent.
    asked_anew: Option<PbxGuid>,
}

impl Silence {
    /// All subscriptions are made anew.
    pub(super) fn begin(&mut self) {
        let phone_seen = std::mem::take(&mut self.phone_seen);
        *self = Self {
            phone_seen,
            ..Self::default()
        };
    }

    /// Another connection answers: it must be asked as well.
    pub(super) fn ask_anew(&mut self) {
        self.asked = false;
        self.unallowed.clear();
    }

    /// A user's presence is subscribed.
    pub(super) fn expect(&mut self, user: &PbxGuid) {
        self.refused.remove(user);
        self.expected.entry(user.clone()).or_insert_with(Instant::now);
    }

    pub(super) fn forget(&mut self, user: &PbxGuid) {
        self.expected.remove(user);
        self.refused.remove(user);
        self.phone_seen.remove(user);
    }

    /// A user's presence is told.
    pub(super) fn hear(&mut self, user: &PbxGuid, entries: &[PresenceEntry]) {
        self.excuse(user);
        let phone = |entry: &PresenceEntry| entry.activity.trim().eq_ignore_ascii_case(ON_THE_PHONE);
        if entries.iter().any(phone) {
            self.phone_seen.insert(user.clone());
        }
    }

    /// Of a user nothing is told for another reason than a missing right.
    pub(super) fn excuse(&mut self, user: &PbxGuid) {
        self.expected.remove(user);
        self.refused.remove(user);
    }

    pub(super) fn refuse(&mut self, user: &PbxGuid, message: &str) {
        self.refused.insert(user.clone(), message.to_owned());
    }

    /// The PBX lists subscriptions that nothing allows; those of others are none of our business.
    pub(super) fn note_unallowed(
        &mut self,
        user: &str,
        subscribers: &[String],
        pending: bool,
        app_objects: &[String],
    ) {
        let user = user.to_lowercase();
        if !pending {
            self.unallowed.remove(&user);
            return;
        }
        let is_ours = |subscriber: &String| {
            let name = subscriber.split('@').next().unwrap_or(subscriber);
            app_objects.iter().any(|object| object.eq_ignore_ascii_case(name))
        };
        let ours = subscribers.is_empty() || subscribers.iter().any(is_ours);
        if ours && self.unallowed.len() < MOST_LISTED {
            self.unallowed.insert(user);
        }
    }

    fn number_of_silent(&self) -> usize {
        let silent = |user: &&PbxGuid| self.refused.contains_key(*user) || self.lasts(user);
        self.expected.keys().filter(silent).count()
    }

    fn lasts(&self, user: &PbxGuid) -> bool {
        self.expected
            .get(user)
            .is_some_and(|since| since.elapsed() >= PATIENCE)
    }
}

impl Handler<GetSights> for PbxSession {
    type Result = MessageResult<GetSights>;

    fn handle(&mut self, message: GetSights, _ctx: &mut Self::Context) -> Self::Result {
        let users = message.0.into_iter();
        MessageResult(
            users
                .filter_map(|user| self.sight_of(&user).map(|sight| (user, sight)))
                .collect(),
        )
    }
}

impl PbxSession {
    /// Asks the PBX once which subscriptions nothing allows, when there is reason to ask.
    pub(super) fn ask_why_silent(&mut self, ctx: &mut Context<Self>) {
        let silent = self.silence.number_of_silent() > 0;
        if silent && !self.silence.asked && self.conversations.apis().contains(&PbxApi::PbxAdminApi) {
            self.silence.asked = true;
            self.conversations.order(PbxOrder::MonitorUnallowed);
            self.send(ctx);
        }
    }

    /// The next silent users to subscribe anew, all in turn; those of whom the PBX has said why are none.
    pub(super) fn next_silent(&mut self) -> Vec<(PbxGuid, String)> {
        let mut silent = self.followed.subscribed();
        silent.retain(|(user, h323)| matches!(self.subscription_of(user, h323), Subscription::Silent));
        let turn = silent
            .iter()
            .position(|(user, _)| Some(user) > self.silence.asked_anew.as_ref())
            .unwrap_or_default();
        silent.rotate_left(turn);
        silent.truncate(ASKED_ANEW);
        self.silence.asked_anew = silent.last().map(|(user, _)| user.clone());
        silent
    }

    /// Of how many users the PBX tells nothing.
    pub(super) fn presences_hidden(&self) -> usize {
        self.silence.number_of_silent()
    }

    /// Of how many users neither a line state nor an entry has told the calls.
    pub(super) fn calls_hidden(&self) -> usize {
        let rcc = self.may_follow_lines();
        let hides = |user: &&PbxGuid| {
            !self.silence.phone_seen.contains(*user)
                && (self.silence.lasts(user) || !self.silence.expected.contains_key(*user))
                && self.lines_of(user, rcc) != LineSight::Told
        };
        self.followed.users().filter(hides).count()
    }

    /// How the PBX shows a user, where that can be told: it is connected, and the user is followed here.
    fn sight_of(&self, user: &PbxGuid) -> Option<Sight> {
        if !self.conversations.is_up() {
            return None;
        }
        let h323 = self.followed.name_of(user)?;
        Some(Sight {
            app_objects: self.conversations.app_objects(),
            subscription: self.subscription_of(user, &h323),
            lines: self.lines_of(user, self.may_follow_lines()),
            phone_entry_seen: self.silence.phone_seen.contains(user),
            h323,
        })
    }

    fn subscription_of(&self, user: &PbxGuid, h323: &str) -> Subscription {
        if let Some(message) = self.silence.refused.get(user) {
            let message = message.clone();
            return Subscription::Refused { message };
        }
        if !self.silence.expected.contains_key(user) {
            return Subscription::Told;
        }
        let long_name = self.followed.user(user).map(|user| user.cn.to_lowercase());
        let names = [Some(user.to_string()), Some(h323.to_lowercase()), long_name];
        let listed = |name: &String| self.silence.unallowed.contains(name);
        if names.iter().flatten().any(listed) {
            return Subscription::Unallowed;
        }
        if self.silence.lasts(user) {
            Subscription::Silent
        } else {
            Subscription::Fresh
        }
    }

    fn may_follow_lines(&self) -> bool {
        self.conversations.apis().contains(&PbxApi::Rcc)
    }

    fn lines_of(&self, user: &PbxGuid, rcc: bool) -> LineSight {
        if !self.followed.is_resident(user) {
            let sessions = &self.dependencies.sessions;
            let home = self.followed.user(user).map(|user| &user.home);
            // whether the home itself may tell of calls is its own session's matter
            return if home.is_some_and(|home| sessions.reach(home).connected) {
                LineSight::Told
            } else {
                LineSight::HomeAway
            };
        }
        if !rcc {
            return LineSight::NoRight;
        }
        if let Some(why) = self.refusals.lines_trouble() {
            return LineSight::Refused { why: why.to_owned() };
        }
        if self.followed.leaves_out(user) {
            LineSight::Unlisted
        } else {
            LineSight::Told
        }
    }
}
