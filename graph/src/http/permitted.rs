//! The body of a write, which leaves only while this instance is the active one.
//!
//! Head and body of a request go to the socket together, right after the body was asked for. So this is the last moment
//! at which a write can still be kept back: a process that is stopped while it waits for a place or a connection, and
//! goes on when another instance is active, writes nothing any more. A request without a body offers no such moment: the
//! deletion of a subscription is asked about before it has a connection.

use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use awc::body::{BodySize, MessageBody};
use bytes::Bytes;
use m365_presence::tenure::Permit;

/// This instance is not the active one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this instance is not the active one, and writes nothing")]
pub(super) struct Unpermitted;

/// A body of known length that asks for the permit when it is asked for.
pub(super) struct Permitted {
    text: Bytes,
    permit: Rc<dyn Permit>,
}

impl Permitted {
    pub(super) fn new(text: Bytes, permit: Rc<dyn Permit>) -> Self {
        Self { text, permit }
    }
}

impl MessageBody for Permitted {
    type Error = Unpermitted;

    fn size(&self) -> BodySize {
        self.text.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Unpermitted>>> {
        if !self.permit.is_granted() {
            return Poll::Ready(Some(Err(Unpermitted)));
        }
        let next = Pin::new(&mut self.text).poll_next(context);
        next.map_err(|never: Infallible| match never {})
    }
}
