//! The PBXs, in short for the status and in full for `GET /api/v1/sessions`.

use m365_actors::pbx_dialler::DialStatus;
use m365_presence::identity::PbxName;
use serde_json::{Value, json};

use super::overview::Overview;

/// Every PBX in short, also one that we dial and have not reached yet.
pub fn in_short(overview: &Overview, master: &PbxName) -> Vec<Value> {
    let sessions = overview.sessions.iter().map(|session| {
        json!({"pbx": session.pbx, "role": session.role, "state": session.state, "since": session.since})
    });
    let unreached = unreached(overview).filter(|dial| dial.pbx.is_some());
    sessions.chain(unreached.map(|dial| bare(dial, master))).collect()
}

/// Every PBX with its story; `dials` are our ways to it.
pub fn in_full(overview: &Overview, master: &PbxName) -> Vec<Value> {
    let sessions = overview.sessions.iter().map(|session| {
        let ways = overview.dials.iter();
        let ways: Vec<&DialStatus> = ways
            .filter(|dial| dial.pbx.as_ref() == Some(&session.pbx))
            .collect();
        with_dials(json!(session), &ways)
    });
    let unreached = unreached(overview).map(|dial| with_dials(bare(dial, master), &[dial]));
    sessions.chain(unreached).collect()
}

/// The dials to PBXs that have no session yet.
fn unreached(overview: &Overview) -> impl Iterator<Item = &DialStatus> {
    let known = |dial: &&DialStatus| {
        let mut sessions = overview.sessions.iter();
        sessions.any(|session| Some(&session.pbx) == dial.pbx.as_ref())
    };
    overview.dials.iter().filter(move |dial| !known(dial))
}

/// A PBX of which nothing is known but that we dial it; its name may be unknown, too.
fn bare(dial: &DialStatus, master: &PbxName) -> Value {
    let role = dial
        .pbx
        .as_ref()
        .map(|pbx| if pbx == master { "master" } else { "slave" });
    json!({"pbx": dial.pbx, "role": role, "state": "down", "since": dial.since})
}

fn with_dials(mut item: Value, dials: &[&DialStatus]) -> Value {
    if let Some(item) = item.as_object_mut() {
        item.insert("dials".to_owned(), json!(dials));
    }
    item
}
