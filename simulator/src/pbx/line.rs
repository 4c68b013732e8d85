//! The line from a PBX to its App: dials, and dials again with back-off when a connection has ended.

use std::time::Duration;

use actix_http::ws::{CloseCode, Frame as WireFrame, Message as WireMessage, ProtocolError};
use awc::Client;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::{sync::watch, time::timeout};

use super::{
    conversation::{Conversation, Ended},
    estate::Estate,
    frame::Frame,
    outbox::SharedFaults,
};
use crate::journal::Journal;

/// The largest message that is accepted, in bytes.
const LARGEST_MESSAGE: usize = 1 << 20;

/// How long the answer to a close frame is awaited.
const FAREWELL: Duration = Duration::from_millis(500);

/// What a PBX does about its line at present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Dial,
    Rest,
    Stop,
}

/// All that one line needs to know.
pub(crate) struct Line {
    pub(crate) estate: Estate,
    pub(crate) exchange: u64,
    pub(crate) url: String,
    pub(crate) back_off: (Duration, Duration),
    pub(crate) keep_alive: Option<Duration>,
    pub(crate) faults: SharedFaults,
    pub(crate) journal: Journal<Frame>,
    pub(crate) orders: watch::Receiver<Order>,
}

impl Line {
    /// Dials until it is told to stop. Back-off begins anew after a login that succeeded.
    pub(crate) async fn run(mut self) {
        let client = Client::builder().disable_timeout().finish();
        let (first, longest) = self.back_off;
        let mut wait = first;
        let mut forsaken = Vec::new();
        loop {
            let order = *self.orders.borrow_and_update();
            match order {
                Order::Stop => return,
                Order::Dial => {}
                Order::Rest => {
                    if self.orders.changed().await.is_err() {
                        return;
                    }
                    continue;
                }
            }
            let dialled = client
                .ws(self.url.clone())
                .max_frame_size(LARGEST_MESSAGE)
                .connect();
            let mut logged_in = false;
            let mut at_once = false;
            match timeout(Duration::from_secs(5), dialled).await {
                Ok(Ok((_, socket))) => {
                    let (mut sink, mut stream) = socket.split();
                    let Some((connection, outgoing)) =
                        self.estate.with(|domain| domain.connected(self.exchange))
                    else {
                        return;
                    };
                    let conversation = Conversation::new(&self, connection);
                    let ended = conversation.run(outgoing, &mut sink, &mut stream).await;
                    logged_in = self
                        .estate
                        .with(|domain| domain.disconnected(self.exchange, connection));
                    match ended {
                        Ended::Over => {}
                        Ended::Closing => say_farewell(&mut sink, &mut stream).await,
                        Ended::Forsaken => {
                            at_once = true;
                            forsaken.push((sink, stream));
                        }
                    }
                }
                Ok(Err(error)) => {
                    log::debug!(url = self.url.as_str(), error:% = error; "connector refused the pbx")
                }
                Err(_) => log::debug!(url = self.url.as_str(); "connector did not answer the pbx"),
            }
            if logged_in {
                wait = first;
            }
            if !at_once {
                // An order ends the pause early; the loop looks at it.
                timeout(wait, self.orders.changed()).await.ok();
                wait = wait.saturating_mul(2).min(longest);
            }
        }
    }
}

async fn say_farewell<Outward, Inward>(sink: &mut Outward, stream: &mut Inward)
where
    Outward: Sink<WireMessage, Error = ProtocolError> + Unpin,
    Inward: Stream<Item = Result<WireFrame, ProtocolError>> + Unpin,
{
    let farewell = async {
        sink.send(WireMessage::Close(Some(CloseCode::Normal.into())))
            .await
            .ok();
        while let Some(Ok(frame)) = stream.next().await {
            if matches!(frame, WireFrame::Close(_)) {
                return;
            }
        }
    };
    timeout(FAREWELL, farewell).await.ok();
}
