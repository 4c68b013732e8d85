//! What the management API shows, gathered from the actors.

pub mod licenses;
pub mod lights;
pub mod metrics;
pub mod overview;
pub mod sessions;
pub mod status;
pub mod users;
pub mod warnings;
