//! The adapters against small servers on real sockets that play Microsoft as the reference describes it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    missing_docs
)]

mod desk;
mod device_code;
mod directory;
mod garbage;
mod hostile;
mod notification;
mod patience;
mod presence;
mod sign_in;
mod stored_sign_in;
mod subscription;
mod support;
mod transport;
