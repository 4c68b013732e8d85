//! One connection of a PBX, from the handshake to its end: carries texts between the socket and the dialogue.

use std::{
    cell::Cell,
    convert::Infallible,
    sync::PoisonError,
    time::{Duration, Instant},
};

use actix_http::ws::{CloseCode, Frame as WireFrame, Item, Message as WireMessage, ProtocolError};
use bytes::{Bytes, BytesMut};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::{
    sync::mpsc::UnboundedReceiver,
    time::{sleep, timeout},
};

use super::{
    faults::Cut,
    frame::{Frame, Way},
    message::Message,
    outbox::{Action, Outgoing},
    site::{Order, Site},
};

/// The largest message that is accepted, in bytes.
pub(crate) const LARGEST_MESSAGE: usize = 1 << 20;

/// How long the answer to a close frame is awaited.
const FAREWELL: Duration = Duration::from_millis(500);

/// How a connection came to its end.
pub(crate) enum Ended {
    /// The connection is over.
    Over,
    /// The connection is to be closed properly.
    Closing,
    /// The connection is to be kept, mute and deaf, while another one is made.
    Forsaken,
}

/// A connection that stands. Speaking and listening run side by side, so that neither waits for the other.
pub(crate) struct Conversation {
    site: Site,
    connection: u64,
    /// The test has made the connection half-open.
    silent: Cell<bool>,
    heard: Cell<Instant>,
}

impl Conversation {
    pub(crate) fn new(site: Site, connection: u64) -> Self {
        Self {
            site,
            connection,
            silent: Cell::new(false),
            heard: Cell::new(Instant::now()),
        }
    }

    /// Runs the connection to its end.
    pub(crate) async fn run<Outward, Inward>(
        &self,
        outgoing: UnboundedReceiver<Outgoing>,
        sink: &mut Outward,
        stream: &mut Inward,
    ) -> Ended
    where
        Outward: Sink<WireMessage, Error = ProtocolError> + Unpin,
        Inward: Stream<Item = Result<WireFrame, ProtocolError>> + Unpin,
    {
        let mut orders = self.site.orders.clone();
        let ordered = async {
            // Without a handle nobody gives orders any more, which is an order to stop.
            orders.wait_for(|order| *order != Order::Dial).await.ok();
            Ended::Closing
        };
        tokio::select! {
            ended = self.speak(outgoing, sink) => ended,
            ended = self.listen(stream) => ended,
            ended = self.keep_alive() => ended,
            ended = ordered => ended,
        }
    }

    async fn speak<Outward>(&self, mut outgoing: UnboundedReceiver<Outgoing>, sink: &mut Outward) -> Ended
    where
        Outward: Sink<WireMessage, Error = ProtocolError> + Unpin,
    {
        while let Some(Outgoing { due, action }) = outgoing.recv().await {
            if let Some(due) = due {
                sleep(due.saturating_duration_since(Instant::now())).await;
            }
            let sent = match action {
                Action::Cut(Cut::Abort) => return Ended::Over,
                Action::Cut(Cut::Close) if self.silent.get() => return Ended::Over,
                Action::Cut(Cut::Close) => return Ended::Closing,
                Action::Cut(Cut::Forsake) => return Ended::Forsaken,
                Action::Cut(Cut::Silence) => {
                    self.silent.set(true);
                    Ok(())
                }
                Action::Text(_) | Action::Pong(_) if self.silent.get() => Ok(()),
                Action::Pong(payload) => sink.send(WireMessage::Pong(payload)).await,
                Action::Text(text) => {
                    self.site
                        .journal
                        .record(Frame::new(Way::Sent, self.connection, &text));
                    let limit = self.fragment_limit();
                    send(sink, text, limit).await
                }
            };
            if sent.is_err() {
                return Ended::Over;
            }
        }
        Ended::Over
    }

    async fn listen<Inward>(&self, stream: &mut Inward) -> Ended
    where
        Inward: Stream<Item = Result<WireFrame, ProtocolError>> + Unpin,
    {
        let mut parts = BytesMut::new();
        while let Some(Ok(frame)) = stream.next().await {
            if self.silent.get() {
                std::future::pending::<Infallible>().await;
            }
            self.heard.set(Instant::now());
            let text = match frame {
                WireFrame::Text(text) => text,
                WireFrame::Continuation(Item::FirstText(part) | Item::Continue(part)) => {
                    parts.extend_from_slice(&part);
                    continue;
                }
                WireFrame::Continuation(Item::Last(part)) => {
                    parts.extend_from_slice(&part);
                    parts.split().freeze()
                }
                WireFrame::Ping(payload) => {
                    self.answer_ping(payload);
                    continue;
                }
                WireFrame::Close(_) => return Ended::Closing,
                WireFrame::Binary(_) | WireFrame::Pong(_) | WireFrame::Continuation(Item::FirstBinary(_)) => {
                    continue;
                }
            };
            let text = String::from_utf8_lossy(&text);
            self.site
                .journal
                .record(Frame::new(Way::Received, self.connection, &text));
            self.site
                .estate
                .with(|domain| domain.received(self.site.exchange, self.connection, &text));
        }
        if self.silent.get() {
            std::future::pending::<Infallible>().await;
        }
        Ended::Over
    }

    fn answer_ping(&self, payload: Bytes) {
        self.site.estate.with(|domain| {
            if let Some(dialogue) = domain.dialogue_mut(self.site.exchange, self.connection) {
                dialogue.outbox().pong(payload);
            }
        });
    }

    /// Sends KeepAlive, and gives the connection up when nothing is heard for two intervals.
    async fn keep_alive(&self) -> Ended {
        let Some(interval) = self.site.keep_alive else {
            return std::future::pending().await;
        };
        loop {
            sleep(interval).await;
            if self.heard.get().elapsed() > interval.saturating_mul(2) && !self.silent.get() {
                return Ended::Over;
            }
            self.site.estate.with(|domain| {
                if let Some(dialogue) = domain.dialogue_mut(self.site.exchange, self.connection) {
                    dialogue.outbox().send(Message::new("KeepAlive"));
                }
            });
        }
    }

    fn fragment_limit(&self) -> Option<usize> {
        self.site
            .faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .fragment_above
    }
}

/// Sends a text in one frame, or in several when it is longer than the limit.
async fn send<Outward>(sink: &mut Outward, text: String, limit: Option<usize>) -> Result<(), ProtocolError>
where
    Outward: Sink<WireMessage, Error = ProtocolError> + Unpin,
{
    let Some(limit) = limit.filter(|limit| *limit > 0 && text.len() > *limit) else {
        return sink.send(WireMessage::Text(text.into())).await;
    };
    let mut rest = Bytes::from(text);
    sink.feed(WireMessage::Continuation(Item::FirstText(rest.split_to(limit))))
        .await?;
    while rest.len() > limit {
        sink.feed(WireMessage::Continuation(Item::Continue(rest.split_to(limit))))
            .await?;
    }
    sink.send(WireMessage::Continuation(Item::Last(rest))).await
}

/// Closes a connection properly, with a little patience for the other side's answer.
pub(crate) async fn say_farewell<Outward, Inward>(sink: &mut Outward, stream: &mut Inward)
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
