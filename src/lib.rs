//! The service.

pub mod cli;
pub mod config;
pub mod healthcheck;
pub mod log;
