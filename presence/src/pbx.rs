//! What a PBX tells us about a person.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::identity::{PbxGuid, PbxName};

/// A user of the replicated user table (pbx.md 2.5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PbxUser {
    /// Object id.
    pub guid: PbxGuid,
    /// Name: the login id.
    pub h323: String,
    /// Long Name, unique in a PBX.
    pub cn: String,
    /// Name of the PBX where the user lives; empty while the table does not tell.
    pub home: PbxName,
}

/// One item of a user's presence; its contact is its key and names its source (pbx.md 3.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PresenceEntry {
    /// The source, e.g. `tel:` for the user's own choice.
    pub contact: String,
    /// The activity; empty means available.
    pub activity: String,
    /// Free text.
    pub note: String,
}

/// The APIs that an App object may use, as `PbxInfo` lists them (pbx.md 1.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[schema(description = "The APIs that an App object may use, as the PBX lists them.")]
pub enum PbxApi {
    /// Presence.
    PbxApi,
    /// The user table.
    PbxTableUsers,
    /// Licenses and configuration.
    PbxAdminApi,
    /// Line state.
    #[serde(rename = "RCC")]
    Rcc,
    /// Acting as a user.
    PbxImpersonation,
}

impl PbxApi {
    /// Every API that the connector may use.
    pub const ALL: [Self; 5] = [
        Self::PbxApi,
        Self::PbxTableUsers,
        Self::PbxAdminApi,
        Self::Rcc,
        Self::PbxImpersonation,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PbxApi => "PbxApi",
            Self::PbxTableUsers => "PbxTableUsers",
            Self::PbxAdminApi => "PbxAdminApi",
            Self::Rcc => "RCC",
            Self::PbxImpersonation => "PbxImpersonation",
        }
    }

    /// The name of the checkmark at the App object, which an administrator sets (pbx.md 6).
    pub fn checkmark(self) -> &'static str {
        match self {
            Self::PbxApi => "PbxApi (pbx)",
            Self::PbxTableUsers => "TableUsers (tableusers)",
            Self::PbxAdminApi => "Admin (admin)",
            Self::Rcc => "RCC (rcc)",
            Self::PbxImpersonation => "Impersonation (impersonation)",
        }
    }

    /// Reads the name on the wire; other APIs are none of ours.
    pub fn from_wire(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|api| api.as_str() == name)
    }
}

/// What a PBX says of itself and of the App object once its login was accepted (pbx.md 1.4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PbxIntroduction {
    /// The PBX's name.
    pub pbx: PbxName,
    /// The PBX's system name.
    pub domain: String,
    /// The App object's name: a PBX opens one connection per object.
    pub app_object: String,
    /// The APIs that the object's checkmarks allow.
    pub apis: Vec<PbxApi>,
    /// Whether the PBX has listed them. It does so only where it dials; where we do, they are assumed until it leaves
    /// one unanswered (pbx.md 1.5).
    pub apis_listed: bool,
    /// Firmware version, where told.
    pub version: Option<String>,
    /// License test mode: every user counts as licensed.
    pub test_mode: bool,
    /// Service licenses at the App object, where told.
    pub service_licenses: Option<u64>,
}
