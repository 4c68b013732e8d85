//! The two listeners.

pub mod access;
pub(crate) mod access_log;
pub mod anteroom;
pub mod attempts;
pub mod doorkeeper;
pub mod management;
pub mod page;
pub mod pbx_socket;
pub mod problem;
pub mod public;
pub mod sessions;
pub mod tls;
