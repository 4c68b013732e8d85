//! What the PBX has refused or left unanswered, and when it is asked for again.
//!
//! A checkmark that an administrator sets at the App object takes effect without a new connection, so a refusal is not
//! for good. It is asked for again, slowly, and shown meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use m365_presence::identity::PbxGuid;
use m365_presence::pbx::PbxApi;
use m365_presence::ports::PbxOrder;
use tokio::time::Instant;

use super::PbxSession;
use crate::supervision::Context;

/// What was refused is asked for again after this.
pub(super) const REPEATED_AFTER: Duration = Duration::from_secs(60);

/// The first round of line states may take this long: a large PBX tells fifty users at a time (pbx.md 4).
const LINES_PATIENCE: Duration = Duration::from_secs(10 * 60);

/// Refusals that wait to be asked for again, and the last one's text.
#[derive(Default)]
pub(super) struct Refusals {
    last: Option<String>,
    /// Why the user table is not whole.
    table: Option<String>,
    /// How many rows had come when it was looked last.
    rows: Option<usize>,
    presence: BTreeSet<PbxGuid>,
    lines_asked_at: Option<Instant>,
    /// Why the line states are not whole.
    lines: Option<String>,
}

impl Refusals {
    /// The last refusal as one sentence.
    pub(super) fn last(&self) -> Option<&str> {
        self.last.as_deref()
    }

    /// Notes the last refusal; tells whether it differs from the one before.
    pub(super) fn note(&mut self, refusal: String) -> bool {
        let differs = self.last.as_ref() != Some(&refusal);
        self.last = Some(refusal);
        differs
    }

    pub(super) fn refuse_table(&mut self, message: &str) {
        self.table = Some(format!("and refuses its user table: {message}"));
    }

    /// The user table is whole.
    pub(super) fn complete_table(&mut self) {
        self.table = None;
        self.rows = None;
    }

    /// Why the user table is not whole; completes a sentence about the PBX.
    pub(super) fn table_trouble(&self) -> Option<&str> {
        self.table.as_deref()
    }

    /// Tells whether the table must be asked for anew: it was refused, or no row has come since the last look.
    fn table_is_stuck(&mut self, rows: usize) -> bool {
        if self.table.is_some() {
            return true;
        }
        let stuck = self.rows == Some(rows);
        if stuck {
            self.table = Some(format!("and its user table does not go on after {rows} rows"));
        }
        self.rows = Some(rows);
        stuck
    }

    pub(super) fn refuse_presence(&mut self, user: PbxGuid) {
        self.presence.insert(user);
    }

    pub(super) fn lines_asked(&mut self) {
        self.lines_asked_at = Some(Instant::now());
    }

    pub(super) fn refuse_lines(&mut self, message: &str) {
        self.lines = Some(format!("refuses its line states: {message}"));
    }

    /// The line states are whole.
    pub(super) fn complete_lines(&mut self) {
        self.lines = None;
    }

    /// Why the line states are not whole; completes a sentence about the PBX.
    pub(super) fn lines_trouble(&self) -> Option<&str> {
        self.lines.as_deref()
    }

    /// Tells whether the line states must be asked for anew: they were refused, or have not become whole for long.
    fn lines_are_stuck(&mut self) -> bool {
        let late = |asked_at: Instant| asked_at.elapsed() >= LINES_PATIENCE;
        if self.lines.is_none() && self.lines_asked_at.is_some_and(late) {
            self.lines = Some("does not end the first round of its line states".to_owned());
        }
        self.lines.is_some()
    }
}

impl PbxSession {
    /// Asks once more for what was refused, as far as it is still wanted.
    pub(super) fn repeat_refused(&mut self, ctx: &mut Context<Self>) {
        if !self.conversations.is_up() {
            return;
        }
        let replicates = self.is_master() && self.conversations.apis().contains(&PbxApi::PbxTableUsers);
        if let Some(rows) = self.followed.rows_arrived()
            && replicates
            && self.refusals.table_is_stuck(rows)
        {
            self.replicate_users();
        }
        let refused = std::mem::take(&mut self.refusals.presence);
        for (user, h323) in self.followed.subscribed() {
            if refused.contains(&user) {
                self.conversations
                    .order(PbxOrder::SubscribePresence { user, h323 });
            }
        }
        for (user, h323) in self.next_silent() {
            self.subscribe_anew(user, h323);
        }
        for api in self.conversations.unanswered() {
            self.try_again(api);
        }
        let serves_lines = self.conversations.apis().contains(&PbxApi::Rcc);
        if serves_lines && !self.followed.lines_complete() && self.refusals.lines_are_stuck() {
            self.follow_lines();
        }
        self.send(ctx);
    }

    /// Asks anew on an API that was left unanswered. Licenses are asked for by their own rounds anyway.
    fn try_again(&mut self, api: PbxApi) {
        match api {
            PbxApi::PbxTableUsers if self.is_master() => self.replicate_users(),
            PbxApi::Rcc => self.follow_lines(),
            PbxApi::PbxApi => {
                if let Some((user, h323)) = self.followed.subscribed().into_iter().next() {
                    self.conversations
                        .order(PbxOrder::SubscribePresence { user, h323 });
                }
            }
            PbxApi::PbxImpersonation => {
                // a channel alone tells: a call that is given up at once never stands
                if let Some((user, h323)) = self.followed.subscribed().into_iter().next() {
                    for on in [true, false] {
                        let (user, h323) = (user.clone(), h323.clone());
                        self.conversations
                            .order(PbxOrder::SetAlienCall { user, h323, on });
                    }
                }
            }
            PbxApi::PbxTableUsers | PbxApi::PbxAdminApi => {}
        }
    }
}
