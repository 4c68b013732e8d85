//! The connector as its users know it: the real binary between a simulated Microsoft cloud and simulated PBXs.
//!
//! Every test builds its own [`world`], changes something on one side and waits for what somebody would notice on the
//! other. Nothing waits for a moment in time: conditions are awaited with a wide margin, so a slow machine makes these
//! tests slow and not red. Where nothing must happen, a quiet period is short and errs on the green side.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stderr,
    clippy::print_stdout,
    missing_docs
)]

mod actors;
mod alien_calls;
mod api_description;
mod app_objects;
mod bad_database;
mod basic_notifications;
#[path = "../../store/tests/stage/cable.rs"]
mod cable;
mod certificates;
mod claims;
mod clock;
mod clouds;
mod codes;
mod database;
mod deliveries;
mod demo;
mod device_code;
mod diagnosis;
mod dialling;
mod echo;
mod ending;
mod events;
mod hostile_pbx;
mod hostile_socket;
mod hostile_webhook;
mod joiners_and_leavers;
mod keeping;
mod later_choice;
mod licenses;
mod lifecycle_notices;
mod line_states;
mod log;
mod lost_microsoft;
mod management;
mod metrics;
mod modes;
mod myapps;
mod notes;
mod notes_to_teams;
mod notification_keys;
mod on_the_phone;
mod outage;
mod outage_sign_in;
mod outage_subscription;
mod page_sessions;
mod pbx_connections;
mod pbx_to_teams;
mod peculiar_pbx;
#[path = "../../store/tests/stage/postgres.rs"]
mod postgres;
mod probes;
mod refusals;
mod restart;
mod restart_elsewhere;
mod restraint;
mod secrets;
mod settings;
mod shards;
mod shards_in_trouble;
mod sign_in;
mod standby;
mod standby_figures;
mod standby_resumes;
mod start;
mod support_bundle;
mod systemd;
mod teams_to_pbx;
mod timeline;
mod unrest;
mod unwritable_database;
mod user_list;
mod visibility;
mod world;
