//! The connector itself: the board and its writes, the PBX sessions, the supervision tree.

use std::fmt;

use m365_actors::pbx_session::SessionStatus;
use m365_actors::presence_sync::BOUNDS;
use m365_actors::supervision::{NodeSnapshot, NodeState};
use m365_presence::board::ClaimState;
use m365_presence::identity::PbxName;

use m365_store::Condition;

use super::exposition::Sheet;
use super::{Scrape, float, size, truth};

impl Scrape {
    pub(super) fn board(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        let Some(sync) = &self.overview.presence_sync else {
            return Ok(());
        };
        sheet.counters(
            "observations",
            "Looks at Teams by where they came from; outdated ones were older than what was known.",
            [
                ("notified", sync.notified),
                ("read", sync.read),
                ("outdated", sync.outdated),
            ]
            .map(|(source, looks)| ([("source", source)], looks)),
        )?;
        let writes = [
            (["teams", "accepted"], sync.teams_accepted),
            (["teams", "failed"], sync.teams_failed),
            (["teams", "refused"], sync.teams_refused),
            (["pbx", "accepted"], sync.entries_accepted),
            (["pbx", "failed"], sync.entries_failed),
            (["pbx", "refused"], sync.entries_refused),
        ];
        sheet.counters(
            "writes",
            "Presence writes by side and outcome; failed ones are repeated.",
            writes.map(|([side, outcome], count)| ([("side", side), ("outcome", outcome)], count)),
        )?;
        sheet.gauges(
            "claims",
            "Users for whom something is or should be set in Teams, by how it stands.",
            ClaimState::ALL.map(|state| {
                let users = sync.claims.get(&state).copied().unwrap_or_default();
                ([("state", state.as_str())], size(users))
            }),
        )?;
        let times = &sync.hop_times;
        sheet.histograms(
            "hop_seconds",
            "How long each hop of a change took: from the listener to the board, to the decision, to the write, to the answer.",
            &BOUNDS,
            [
                ("received_to_opened", &times.received_to_opened),
                ("opened_to_decided", &times.opened_to_decided),
                ("decided_to_written", &times.decided_to_written),
                ("written_to_confirmed", &times.written_to_confirmed),
            ]
            .map(|(hop, time)| ([("hop", hop)], time)),
        )?;
        sheet.counter(
            "echoes_suppressed",
            "Looks at Teams that showed nothing but what was set there for the PBX, and went no further.",
            sync.echoes,
        )?;
        sheet.gauge(
            "divergent_users",
            "Users of whom a side does not show what was decided, because a write waits, is under way, or was refused.",
            size(sync.divergent),
        )?;
        let held = [
            (["teams", "flapping"], sync.held_by_flapping.teams),
            (["teams", "budget"], sync.held_by_budget),
            (["pbx", "flapping"], sync.held_by_flapping.pbx),
        ];
        sheet.counters(
            "writes_held",
            "States that waited for their turn because a user's state changed too often, by side and brake.",
            held.map(|([side, brake], count)| ([("side", side), ("brake", brake)], count)),
        )?;
        sheet.counter(
            "transitions_lost",
            "Transitions of the timeline that could not be stored.",
            sync.transitions_lost,
        )?;
        sheet.gauge(
            "writes_waiting",
            "Presence writes to Teams that wait for their turn.",
            size(sync.teams_waiting),
        )?;
        sheet.gauge(
            "writes_allowed_per_second",
            "Presence writes to Teams a second that are allowed at this time.",
            sync.teams_rate,
        )?;
        sheet.counters(
            "states_without_mapping",
            "Looks at Teams whose pair has no row in the mapping.",
            sync.unmapped
                .iter()
                .map(|(pair, looks)| ([("pair", pair.clone())], *looks)),
        )
    }

    pub(super) fn pbxs(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        let each = || self.overview.sessions.iter();
        sheet.gauges(
            "pbx_up",
            "Whether a PBX is connected.",
            each().map(|one| {
                let labels = [("pbx", one.pbx.to_string()), ("role", one.role.to_owned())];
                (labels, truth(one.state == "up"))
            }),
        )?;
        let pbx = |pbx: &PbxName| [("pbx", pbx.to_string())];
        sheet.gauges(
            "pbx_users",
            "Users of the replicated table of a PBX.",
            each().map(|one| (pbx(&one.pbx), size(one.users))),
        )?;
        let stock = |one: &SessionStatus| one.licenses.map(|stock| (one.pbx.clone(), stock));
        sheet.gauges(
            "pbx_licenses_installed",
            "Licenses that are installed at a PBX, by its own count.",
            each()
                .filter_map(stock)
                .map(|(name, stock)| (pbx(&name), float(stock.installed))),
        )?;
        sheet.gauges(
            "pbx_licenses_assigned",
            "Licenses that are assigned to users of a PBX, by its own count.",
            each()
                .filter_map(stock)
                .map(|(name, stock)| (pbx(&name), float(stock.used))),
        )?;
        sheet.counters(
            "pbx_messages_received",
            "Messages received from a PBX.",
            each().map(|one| (pbx(&one.pbx), one.frames_received)),
        )?;
        sheet.counters(
            "pbx_messages_sent",
            "Messages sent to a PBX.",
            each().map(|one| (pbx(&one.pbx), one.frames_sent)),
        )?;
        sheet.gauge(
            "client_sessions",
            "People who have the app open in the PBX's client.",
            size(self.client_sessions),
        )?;
        sheet.counters(
            "pbx_logins_refused",
            "PBX connections that were turned away, by reason.",
            self.refused_logins
                .iter()
                .map(|(reason, count)| ([("reason", *reason)], *count)),
        )
    }

    pub(super) fn database(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        let unsaved = match &self.overview.database {
            Condition::Ok => None,
            Condition::Away { unsaved, .. } => Some(*unsaved),
        };
        sheet.gauge(
            "database_up",
            "Whether the database takes what it is given.",
            truth(unsaved.is_none()),
        )?;
        sheet.gauge(
            "database_rows_waiting",
            "Rows that are kept in memory until the database takes them.",
            size(unsaved.unwrap_or_default()),
        )
    }

    pub(super) fn actors(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        let each = || self.tree.iter();
        let name = |node: &NodeSnapshot| [("actor", node.name.clone())];
        sheet.gauges(
            "actor_up",
            "Whether an actor is running.",
            each().map(|node| (name(node), truth(node.state == NodeState::Running))),
        )?;
        sheet.counters(
            "actor_restarts",
            "Restarts of an actor, by reason of the end before.",
            each().flat_map(|node| {
                let restarts = [
                    ("bug", node.restarts.bug),
                    ("lost", node.restarts.lost),
                    ("refused", node.restarts.refused),
                    ("ordered", node.restarts.ordered),
                ];
                restarts.map(|(reason, count)| {
                    (
                        [("actor", node.name.clone()), ("reason", reason.to_owned())],
                        count,
                    )
                })
            }),
        )?;
        sheet.gauges(
            "actor_mailbox_depth",
            "Messages that wait in an actor's mailbox.",
            each().map(|node| (name(node), size(node.mailbox_depth))),
        )?;
        sheet.counters(
            "actor_messages_undelivered",
            "Messages that found an actor's mailbox full.",
            each().map(|node| (name(node), node.undelivered)),
        )
    }
}
