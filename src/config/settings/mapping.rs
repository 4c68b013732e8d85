//! `[mapping]`: changes to the mapping tables, whose defaults live with the rules in the presence crate.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use m365_presence::mapping::{Meaning, PbxToTeams, Preferred, TeamsToPbx};

use crate::config::layer::Origin;
use crate::config::problem::Refusal;
use crate::config::reader::Reader;

const TEAMS_TO_PBX: &str = "mapping.teams_to_pbx";
const PBX_TO_TEAMS: &str = "mapping.pbx_to_teams";

/// Rows that replace or complement the default ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// Teams activity and PBX activity; `online` and an empty value show nothing at the PBX.
    pub teams_to_pbx: BTreeMap<String, String>,
    /// PBX activity and what [`Meaning::parse`] reads.
    pub pbx_to_teams: BTreeMap<String, String>,
}

pub(super) fn read(reader: &mut Reader) -> Mapping {
    let mapping = Mapping {
        teams_to_pbx: reader.rows(TEAMS_TO_PBX),
        pbx_to_teams: reader.rows(PBX_TO_TEAMS),
    };
    judge_teams_to_pbx(reader, &mapping.teams_to_pbx);
    judge_pbx_to_teams(reader, &mapping.pbx_to_teams);
    note_defaults(reader);
    mapping
}

/// Both worlds invent new words now and then, so an unknown one is remarked upon and taken.
fn judge_teams_to_pbx(reader: &mut Reader, rows: &BTreeMap<String, String>) {
    let known = TeamsToPbx::default();
    for (activity, value) in rows {
        if !known.rows().any(|(name, _)| name == activity) {
            let cause = format!("has the row {activity:?}, which is no known Teams activity");
            reader.warn(
                TEAMS_TO_PBX,
                cause,
                "check its spelling; the row works if Teams ever sends it",
            );
        }
        if !value.is_empty() && !is_pbx_activity(value) {
            let cause = format!("shows {value:?} for {activity}, which is no known PBX activity");
            reader.warn(
                TEAMS_TO_PBX,
                cause,
                "check its spelling; the PBX shows unknown activities as plain text",
            );
        }
    }
}

fn judge_pbx_to_teams(reader: &mut Reader, rows: &BTreeMap<String, String>) {
    for (activity, value) in rows {
        if !is_pbx_activity(activity) {
            let cause = format!("has the row {activity:?}, which is no known PBX activity");
            reader.warn(
                PBX_TO_TEAMS,
                cause,
                "check its spelling; the row works if the PBX ever sends it",
            );
        }
        if Meaning::parse(value).is_none() {
            let refusal = Refusal::with_allowed("is nothing that can be set in Teams", settable());
            reader.refuse_row(PBX_TO_TEAMS, activity, refusal);
        }
    }
}

fn is_pbx_activity(word: &str) -> bool {
    PbxToTeams::default()
        .rows()
        .any(|(activity, _)| activity.eq_ignore_ascii_case(word))
}

/// The accepted preferred states (graph.md 5.2), a call, and nothing.
fn settable() -> String {
    let states = Preferred::ALL.map(Preferred::as_str).join(", ");
    format!(
        "{states}, {}; online or \"\" clears",
        Meaning::OnThePhone.as_str()
    )
}

/// Notes the default rows that are in force beside the configured ones.
fn note_defaults(reader: &mut Reader) {
    for (key, value) in default_rows() {
        reader.note(key.clone(), format!("{value:?}"), Origin::Default);
    }
}

/// The rows of the default tables, by their whole keys.
pub(in crate::config) fn default_rows() -> &'static BTreeMap<String, String> {
    static ROWS: LazyLock<BTreeMap<String, String>> = LazyLock::new(list_default_rows);
    &ROWS
}

fn list_default_rows() -> BTreeMap<String, String> {
    let teams_to_pbx = TeamsToPbx::default();
    let teams_to_pbx = teams_to_pbx
        .rows()
        .map(|(activity, value)| (format!("{TEAMS_TO_PBX}.{activity}"), value.to_owned()));
    let pbx_to_teams = PbxToTeams::default();
    let pbx_to_teams = pbx_to_teams.rows().map(|(activity, meaning)| {
        let key = format!("{PBX_TO_TEAMS}.{activity}");
        (key, meaning.as_str().to_owned())
    });
    teams_to_pbx.chain(pbx_to_teams).collect()
}
