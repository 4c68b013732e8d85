//! One websocket, seen alike from both sides.

use std::future::Future;
use std::time::Duration;

use tokio::time::timeout;

/// A connection that is silent this long is asked for a sign of life.
pub(crate) const BEAT_AFTER: Duration = Duration::from_secs(15);

/// A connection that gives no sign of life for this long is dropped.
pub(crate) const DROP_AFTER: Duration = Duration::from_secs(45);

/// A peer that takes nothing for this long is dropped, so that what is meant for it cannot pile up.
pub(crate) const WRITE_DEADLINE: Duration = Duration::from_secs(10);

/// Largest message in bytes; the reference says to accept more than the 64 KiB that may be sent (pbx.md 1.1).
pub(crate) const LARGEST_MESSAGE: usize = 1024 * 1024;

/// What came over a websocket.
pub(crate) enum Heard {
    /// A whole text message.
    Text(String),
    /// A ping, which wants this back.
    Ping(Vec<u8>),
    /// A sign of life without a meaning.
    Sign,
    /// The end, and how it came.
    End(String),
}

/// The peer has closed, or takes nothing any more.
#[derive(Debug)]
pub(crate) struct Stuck;

/// A websocket after its handshake.
pub(crate) trait Wire {
    /// The next of what comes. Nothing is lost when the future is dropped.
    async fn hear(&mut self) -> Heard;

    /// Sends a text message.
    async fn say(&mut self, message: String) -> Result<(), Stuck>;

    /// Answers a ping.
    async fn pong(&mut self, payload: &[u8]) -> Result<(), Stuck>;

    /// Asks for a sign of life.
    async fn beat(&mut self) -> Result<(), Stuck>;

    /// Says farewell, as far as the peer takes it.
    async fn close(&mut self);
}

/// Bounds a write.
pub(crate) async fn in_time<Failure>(
    written: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Stuck> {
    match timeout(WRITE_DEADLINE, written).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Stuck),
    }
}
