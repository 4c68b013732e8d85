//! What a session says of itself.

use std::collections::BTreeMap;

use actix::{Handler, Message, MessageResult};
use chrono::{DateTime, Utc};
use m365_presence::identity::PbxName;
use m365_presence::licensing::Stock;
use m365_presence::pbx::PbxApi;
use serde::Serialize;
use utoipa::ToSchema;

use super::{ConnectionStatus, PbxSession};

/// What a session is like.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SessionStatus {
    /// The PBX's name.
    pub pbx: PbxName,
    /// `master` or `slave`.
    #[schema(pattern = "^(master|slave)$")]
    pub role: &'static str,
    /// `up` or `down`.
    #[schema(pattern = "^(up|down)$")]
    pub state: &'static str,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Whether it has been up in this run.
    pub has_been_up: bool,
    /// App objects that are connected.
    pub app_objects: Vec<String>,
    /// Their connections one by one.
    pub connections: Vec<ConnectionStatus>,
    /// Firmware version, where told.
    pub version: Option<String>,
    /// APIs that the connected App objects may use.
    pub apis: Vec<PbxApi>,
    /// APIs that are needed and not allowed.
    pub missing_apis: Vec<PbxApi>,
    /// License test mode.
    pub test_mode: bool,
    /// Service licenses at the App object, where told.
    pub service_licenses: Option<u64>,
    /// The PBX's own counts of our license, once told; in test mode there is none.
    pub licenses: Option<Stock>,
    /// Users of the replicated table.
    pub users: usize,
    /// Whether the table is whole.
    pub users_complete: bool,
    /// Why the table is not whole, where that is no matter of a moment.
    pub table_trouble: Option<String>,
    /// Users whose presence is followed here.
    pub followed: usize,
    /// Users whose presence has been told.
    pub told: usize,
    /// Users of whose presence the PBX tells nothing, or whose subscription it refuses.
    pub presence_hidden: usize,
    /// Users who live here and of whose calls neither a line state nor an entry has told.
    pub calls_hidden: usize,
    /// Whether the line states are whole.
    pub lines_complete: bool,
    /// Why they are not, where that is known; completes a sentence about the PBX.
    pub lines_trouble: Option<String>,
    /// Text messages received in this run.
    pub frames_received: u64,
    /// Text messages sent in this run.
    pub frames_sent: u64,
    /// Messages that had no use, by type.
    pub ignored: BTreeMap<String, u64>,
    /// The last refusal of the PBX, if any.
    pub refusal: Option<String>,
}

/// Asks for the status.
#[derive(Message)]
#[rtype(result = "SessionStatus")]
pub struct GetStatus;

impl Handler<GetStatus> for PbxSession {
    type Result = MessageResult<GetStatus>;

    fn handle(&mut self, _message: GetStatus, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(SessionStatus {
            pbx: self.dependencies.pbx.clone(),
            role: if self.is_master() { "master" } else { "slave" },
            state: if self.conversations.is_up() { "up" } else { "down" },
            since: self.since,
            has_been_up: self.has_been_up,
            app_objects: self.conversations.app_objects(),
            connections: self.conversations.statuses(),
            version: self.conversations.version(),
            apis: self.conversations.apis(),
            missing_apis: self.conversations.missing(self.is_master()),
            test_mode: self.conversations.test_mode(),
            service_licenses: self.conversations.service_licenses(),
            licenses: self.licensing.stock(),
            users: self.followed.table_len(),
            users_complete: self.followed.table_complete(),
            table_trouble: self.refusals.table_trouble().map(str::to_owned),
            followed: self.followed.len(),
            told: self.followed.told(),
            presence_hidden: self.presences_hidden(),
            calls_hidden: self.calls_hidden(),
            lines_complete: self.followed.lines_complete(),
            lines_trouble: self.refusals.lines_trouble().map(str::to_owned),
            frames_received: self.conversations.received,
            frames_sent: self.conversations.sent,
            ignored: self.conversations.ignored.clone(),
            refusal: self.refusals.last().map(str::to_owned),
        })
    }
}
