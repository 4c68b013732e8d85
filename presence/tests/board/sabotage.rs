//! Takes one rule away at the board's door, to prove that the property would notice.

use std::collections::BTreeMap;

use m365_presence::mapping::TeamsToPbx;
use m365_presence::pbx::PresenceEntry;
use m365_presence::ports::LedgerRow;
use m365_presence::teams::TeamsPresence;

use crate::oracle::Pair;
use crate::pbx_world::OURS;

/// Before every word of Teams and of our entries, where the board must not recognise its own.
const MASK: &str = "masked-";

/// Which rule is taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sabotage {
    None,
    /// Teams speaks in other words than the board does, so no claim explains anything.
    NoEcho,
    /// Whenever the user takes the slot back, the PBX seems to change to and fro.
    NoOverride,
    /// A lost PBX session is told as a user without any entry or call.
    UnknownIsEmpty,
    /// Nothing is remembered over a restart.
    NoLedger,
    /// A row of the ledger tells nothing of what its intent was to replace.
    OneClaimPerRow,
}

impl Sabotage {
    pub fn disguise(self, pair: Pair) -> TeamsPresence {
        if self == Self::NoEcho {
            TeamsPresence::new(pair.0, format!("{MASK}{}", pair.1))
        } else {
            TeamsPresence::new(pair.0, pair.1)
        }
    }

    pub fn disguise_mapping(self, mapping: TeamsToPbx) -> TeamsToPbx {
        if self != Self::NoEcho {
            return mapping;
        }
        let masked = mapping.rows().map(|(activity, value)| {
            let value = if value == "online" {
                String::new()
            } else {
                format!("{MASK}{value}")
            };
            (format!("{MASK}{activity}"), value)
        });
        let masked: BTreeMap<String, String> = masked.collect();
        mapping.with_overrides(&masked)
    }

    pub fn disguise_entries(self, mut entries: Vec<PresenceEntry>) -> Vec<PresenceEntry> {
        if self == Self::NoEcho {
            for entry in entries
                .iter_mut()
                .filter(|entry| entry.contact == OURS && !entry.activity.is_empty())
            {
                entry.activity.insert_str(0, MASK);
            }
        }
        entries
    }

    pub fn cut(self, mut row: LedgerRow) -> LedgerRow {
        if self == Self::OneClaimPerRow {
            row.replaces.clear();
        }
        row
    }

    pub fn undisguise(self, activity: &str) -> String {
        activity.trim_start_matches(MASK).to_owned()
    }
}
