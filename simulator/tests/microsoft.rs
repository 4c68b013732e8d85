//! Talks to the simulated Microsoft cloud over real HTTP and holds it against the documentation.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    missing_docs,
    unreachable_pub
)]

mod microsoft {
    mod delivery;
    mod discovery;
    mod presence;
    mod rich;
    mod shapes;
    mod sign_in;
    mod stage;
    mod subscriptions;
    mod trouble;
    mod users;
}
