//! The connections to PBXs, whichever side dials.
//!
//! Two ways lead to the same conversation:
//!
//! ```text
//! a PBX dials /pbx  -> accepted: anteroom, challenge, login  -\
//!                                                              > conversation -> doorkeeper -> PbxSession
//! we dial a PBX     -> dialled: TLS, login, name of the PBX  -/
//! ```
//!
//! From the conversation on nobody needs to know who has dialled. Its task outlives the runs of the PBX's actor: it keeps
//! the login and the introduction, and attaches to one run after the other.

pub mod accepted;
mod anteroom;
pub mod certificate;
mod conversation;
pub mod dialled;
pub mod doorkeeper;
pub(crate) mod wire;
