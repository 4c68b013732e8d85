//! The line from a PBX to its App: dials, and dials again with back-off when a connection has ended.

use std::time::Duration;

use awc::Client;
use futures_util::StreamExt;
use tokio::time::timeout;

use super::{
    conversation::{Conversation, Ended, LARGEST_MESSAGE, say_farewell},
    dialogue::Origin,
    site::{Order, Site},
};

/// The line that one PBX dials.
pub(crate) struct Line {
    pub(crate) site: Site,
    pub(crate) url: String,
    /// Whether there is anything to dial.
    pub(crate) dials: bool,
    /// The first and the longest pause between two attempts.
    pub(crate) back_off: (Duration, Duration),
}

impl Line {
    /// Dials until it is told to stop. Back-off begins anew after a login that succeeded.
    pub(crate) async fn run(mut self) {
        let client = Client::builder().disable_timeout().finish();
        let (first, longest) = self.back_off;
        let mut wait = first;
        let mut forsaken = Vec::new();
        loop {
            let order = *self.site.orders.borrow_and_update();
            match order {
                Order::Stop => return,
                Order::Dial if self.dials => {}
                Order::Dial | Order::Rest => {
                    if self.site.orders.changed().await.is_err() {
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
                    let Some((connection, outgoing)) = self
                        .site
                        .estate
                        .with(|domain| domain.connected(self.site.exchange, Origin::Dialled))
                    else {
                        return;
                    };
                    let conversation = Conversation::new(self.site.clone(), connection);
                    let ended = conversation.run(outgoing, &mut sink, &mut stream).await;
                    logged_in = self
                        .site
                        .estate
                        .with(|domain| domain.disconnected(self.site.exchange, connection));
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
                timeout(wait, self.site.orders.changed()).await.ok();
                wait = wait.saturating_mul(2).min(longest);
            }
        }
    }
}
