//! What the management API shows, gathered from the actors.

pub mod licenses;
pub mod lights;
pub mod metrics;
pub mod newsroom;
pub mod overview;
pub mod sessions;
pub mod shards;
pub mod status;
pub mod users;
pub mod warnings;
