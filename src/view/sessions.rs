//! The PBXs, in short for the status and in full for `GET /api/v1/sessions`.

use chrono::{DateTime, Utc};
use m365_actors::pbx_dialler::DialStatus;
use m365_actors::pbx_session::SessionStatus;
use m365_presence::identity::PbxName;
use serde::Serialize;
use utoipa::ToSchema;

use super::overview::Overview;

/// A PBX in short.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Session {
    /// The PBX's name; null for one that we dial and whose name is not known yet.
    pub pbx: Option<PbxName>,
    /// `master` or `slave`; null while its name is not known.
    #[schema(pattern = "^(master|slave)$")]
    pub role: Option<&'static str>,
    /// `up` or `down`.
    #[schema(pattern = "^(up|down)$")]
    pub state: &'static str,
    /// Since when.
    pub since: DateTime<Utc>,
}

impl Session {
    fn of(session: &SessionStatus) -> Self {
        Self {
            pbx: Some(session.pbx.clone()),
            role: Some(session.role),
            state: session.state,
            since: session.since,
        }
    }

    /// A PBX of which nothing is known but that we dial it.
    fn unreached(dial: &DialStatus, master: &PbxName) -> Self {
        let role = |pbx| if pbx == master { "master" } else { "slave" };
        Self {
            pbx: dial.pbx.clone(),
            role: dial.pbx.as_ref().map(role),
            state: "down",
            since: dial.since,
        }
    }
}

/// A PBX with its story.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum SessionInFull {
    /// A PBX that has been connected in this run.
    Known(Box<KnownSession>),
    /// A PBX that we dial and have not reached yet.
    Unreached(UnreachedSession),
}

/// A PBX that has been connected in this run.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct KnownSession {
    /// What its actor says.
    #[serde(flatten)]
    pub status: SessionStatus,
    /// Our ways to it; none where it dials.
    pub dials: Vec<DialStatus>,
}

/// A PBX that we dial and have not reached yet.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnreachedSession {
    /// The PBX's name, if it is configured.
    pub pbx: Option<PbxName>,
    /// `master` or `slave`; null while its name is not known.
    #[schema(pattern = "^(master|slave)$")]
    pub role: Option<&'static str>,
    /// `down`.
    #[schema(pattern = "^down$")]
    pub state: &'static str,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Our ways to it.
    pub dials: Vec<DialStatus>,
}

/// Every PBX in short, also one that we dial and have not reached yet.
pub fn in_short(overview: &Overview, master: &PbxName) -> Vec<Session> {
    let sessions = overview.sessions.iter().map(Session::of);
    let unreached = unreached(overview).filter(|dial| dial.pbx.is_some());
    sessions
        .chain(unreached.map(|dial| Session::unreached(dial, master)))
        .collect()
}

/// Every PBX with its story; `dials` are our ways to it.
pub fn in_full(overview: &Overview, master: &PbxName) -> Vec<SessionInFull> {
    let known = overview.sessions.iter().map(|session| {
        let ways = overview.dials.iter();
        let ways = ways.filter(|dial| dial.pbx.as_ref() == Some(&session.pbx));
        SessionInFull::Known(Box::new(KnownSession {
            status: session.clone(),
            dials: ways.cloned().collect(),
        }))
    });
    let unreached = unreached(overview).map(|dial| {
        let Session {
            pbx,
            role,
            state,
            since,
        } = Session::unreached(dial, master);
        SessionInFull::Unreached(UnreachedSession {
            pbx,
            role,
            state,
            since,
            dials: vec![dial.clone()],
        })
    });
    known.chain(unreached).collect()
}

/// The dials to PBXs that have no session yet.
fn unreached(overview: &Overview) -> impl Iterator<Item = &DialStatus> {
    let known = |dial: &&DialStatus| {
        let mut sessions = overview.sessions.iter();
        sessions.any(|session| Some(&session.pbx) == dial.pbx.as_ref())
    };
    overview.dials.iter().filter(move |dial| !known(dial))
}
