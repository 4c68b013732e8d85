//! The supervisor and the actors.

pub mod supervision;
