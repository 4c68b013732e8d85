//! What the management API shows, gathered from the actors.

pub mod licenses;
pub mod lights;
pub mod listing;
pub mod metrics;
pub mod newsroom;
pub mod overview;
pub mod sessions;
pub mod shards;
pub mod status;
pub mod subscriptions;
pub mod users;
pub mod warnings;
