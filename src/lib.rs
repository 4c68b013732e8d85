//! The service: command line, configuration, HTTP, and the wiring of the rooms. No presence rule lives here.

pub mod assembly;
pub mod cli;
pub mod config;
pub mod demo;
pub mod diagnosis;
pub mod healthcheck;
pub mod heartbeat;
pub mod http;
pub mod keeping;
pub mod listening;
pub mod live;
pub mod log;
pub mod memory;
pub mod myapps;
pub mod office;
pub mod pbx_connection;
pub mod reconfiguration;
pub mod release;
pub mod serve;
pub mod standby;
pub mod support_bundle;
pub mod systemd;
pub mod view;
