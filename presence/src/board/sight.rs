//! What Teams shows of one user, as far as we have seen it.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::claim::SETTLING;
use crate::teams::{Source, TeamsObservation, TeamsPresence, is_older_sequence};

/// No read is begun longer than this before another look that has been taken in: what is later still was noted by a clock
/// that has been set back since.
const SLOWEST_READ: TimeDelta = TimeDelta::minutes(5);

/// What Teams shows of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TeamsSight {
    /// The pair of the newest observation that was believed.
    pub presence: Option<TeamsPresence>,
    /// When that notification was received or that read begun.
    pub seen_at: Option<DateTime<Utc>>,
    /// Whether a read has been answered since the start, be it that Graph left the user out.
    pub read: bool,
    /// Whether the last read left the user out.
    pub missing: bool,
    /// The newest status message that was told.
    pub note: Option<String>,
    sequence: Option<String>,
    newest_read: Option<DateTime<Utc>>,
    newest_notice: Option<(DateTime<Utc>, TeamsPresence)>,
    doubted: Option<String>,
    /// Whether something without a number was believed since the last read with one: it may be newer than what a
    /// notification with a higher number tells.
    unnumbered: bool,
}

/// What became of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is the newest truth.
    Believed,
    /// It is the newest truth as far as we can tell; a read must confirm it.
    BelievedUnconfirmed,
    /// It is older than what we know.
    Old,
    /// It may be older than what we know: another read must tell.
    Doubted,
}

impl TeamsSight {
    /// Takes in an observation and says what became of it (DESIGN 5, order). `echo` tells whether it may be a late trace
    /// of what we have released: without a number that proves the opposite, it is not shown before a read confirms it.
    /// `with_note` tells whether its status message counts, too.
    pub(super) fn see(&mut self, observation: &TeamsObservation, echo: bool, with_note: bool) -> Verdict {
        let verdict = match observation.source {
            Source::Notified { received_at } => self.judge_notice(observation, received_at, echo),
            Source::Read { begun_at } => self.judge_read(observation, begun_at),
        };
        if matches!(verdict, Verdict::Believed | Verdict::BelievedUnconfirmed) {
            self.presence = Some(observation.presence.clone());
            self.seen_at = Some(match observation.source {
                Source::Notified { received_at } => received_at,
                Source::Read { begun_at } => begun_at,
            });
            let numbered = observation.sequence.is_some();
            match observation.source {
                Source::Read { .. } => self.unnumbered = !numbered,
                Source::Notified { .. } => self.unnumbered |= !numbered,
            }
            if numbered {
                self.sequence.clone_from(&observation.sequence);
            }
            if with_note && observation.note.is_some() {
                self.note.clone_from(&observation.note);
            }
            self.doubted = None;
        }
        verdict
    }

    /// Notes that a read left the user out.
    pub fn see_missing(&mut self) {
        self.read = true;
        self.missing = true;
    }

    fn judge_notice(
        &mut self,
        observation: &TeamsObservation,
        received_at: DateTime<Utc>,
        echo: bool,
    ) -> Verdict {
        if let (Some(new), Some(known)) = (&observation.sequence, &self.sequence)
            && is_older_sequence(new, known)
        {
            return Verdict::Old;
        }
        let newest = self.newest_notice.as_ref();
        let precedes = |newest: DateTime<Utc>| newest <= received_at || newest > received_at + SLOWEST_READ;
        if newest.is_none_or(|(newest, _)| precedes(*newest)) {
            self.newest_notice = Some((received_at, observation.presence.clone()));
        }
        let ordered = observation.sequence.is_some() && !self.unnumbered;
        match (ordered, echo) {
            (true, _) => Verdict::Believed,
            (false, true) => Verdict::Doubted,
            (false, false) => Verdict::BelievedUnconfirmed,
        }
    }

    fn judge_read(&mut self, observation: &TeamsObservation, begun_at: DateTime<Utc>) -> Verdict {
        let overtaken = |newest: DateTime<Utc>| newest > begun_at && newest <= begun_at + SLOWEST_READ;
        if self.newest_read.is_some_and(overtaken) {
            return Verdict::Old;
        }
        self.newest_read = Some(begun_at);
        let older = matches!(
            (&observation.sequence, &self.sequence),
            (Some(new), Some(known)) if is_older_sequence(new, known)
        );
        // a lower number is believed when the next read repeats it
        if older && self.doubted != observation.sequence {
            self.doubted.clone_from(&observation.sequence);
            return Verdict::Doubted;
        }
        // what was notified just now, not every read shows yet
        let too_early = |(notified_at, notified): &(DateTime<Utc>, TeamsPresence)| {
            overtaken(*notified_at)
                || (begun_at >= *notified_at
                    && begun_at < *notified_at + SETTLING
                    && *notified != observation.presence)
        };
        if observation.sequence.is_none() && self.newest_notice.as_ref().is_some_and(too_early) {
            return Verdict::Doubted;
        }
        self.read = true;
        self.missing = false;
        if older {
            // two reads may be late alike
            return Verdict::BelievedUnconfirmed;
        }
        Verdict::Believed
    }
}
