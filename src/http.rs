//! The two listeners.

pub mod access;
pub(crate) mod access_log;
pub mod app_page;
pub mod attempts;
pub mod management;
pub mod page;
pub mod problem;
pub mod public;
pub mod room;
pub mod sessions;
pub mod tls;
