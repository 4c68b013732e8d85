//! innovaphone PBXs, as an App sees them: they dial its websocket, log in as an App object and serve API requests.
//!
//! A [`Pbx`] runs on its own thread and is steered through its handle from any other, also from tests without a
//! runtime. Several PBXs of one domain share an [`Estate`]: users, licenses and presence are the estate's, so that a
//! presence set at the master shows for a user who lives on a slave, while calls exist at the user's home PBX only.
//!
//! ```text
//! Pbx ──orders──> Estate (directory, one lock) ──changes──> Dialogue ──messages──> Outbox ──> Line ──> App
//!                                     ^──────────requests───────────────────────────────────────┘
//! ```
//!
//! The wire behaviour is the reference's, section by section: `login` (1.3), `dialogue` (1.4 to 1.7), `endpoint` (1.5), its
//! `replication` (2), `presence` (3), `impersonation` (3.4), `lines` (4) and `administration` (5, 6). Where the reference
//! leaves something open, [`PbxOptions`] chooses; what goes wrong on purpose stands in [`Faults`].

mod app_window;
mod calls;
mod client;
mod conversation;
mod dialogue;
mod directory;
mod endpoint;
mod entries;
mod estate;
mod faults;
mod frame;
mod handle;
mod line;
mod login;
mod message;
mod options;
mod outbox;
mod people;
mod self_signed;
mod site;
mod telephony;
mod user;

pub use app_window::{AppWindow, Visit};
pub use calls::{CallId, Direction, Peer, Phase};
pub use endpoint::Endpoint;
pub use entries::{Clearing, Entry, OnThePhone, Position, Visibility};
pub use estate::Estate;
pub use faults::{Cut, Distortion, Faults};
pub use frame::{Frame, Way};
pub use handle::Pbx;
pub use login::{Identity, session_key};
pub use options::{PbxOptions, Role, Setting};
pub use self_signed::SelfSigned;
pub use user::User;
