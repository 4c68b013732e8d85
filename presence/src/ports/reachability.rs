//! Whether Graph can be asked at all.

use futures_util::future::LocalBoxFuture;

/// Tells when Graph goes out of reach of the app, and when it is back.
///
/// Out of reach is the host as a whole, or the app without a token: not a single request that fails, nor a family of
/// endpoints that asks for patience.
pub trait Reachability {
    /// Resolves as soon as Graph is out of reach; at once, if it is.
    fn lost(&self) -> LocalBoxFuture<'_, ()>;

    /// Resolves as soon as Graph is within reach; at once, if it is.
    fn reached(&self) -> LocalBoxFuture<'_, ()>;
}
