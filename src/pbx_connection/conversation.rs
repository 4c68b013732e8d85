//! A connection in conversation with its PBX's actor, one run of it after the other.
//!
//! When a run ends, its channel closes and the task attaches to the next run. The task waits for the acceptance of each
//! message, so a flood is held at its own socket, and every connection has at most one message at the actors.

use std::borrow::Cow;
use std::time::Duration;

use m365_actors::pbx_session::{Attach, ConnectionId, Dialler, Outgoing, PbxSession, Received};
use m365_actors::supervision::Post;
use m365_presence::identity::PbxName;
use m365_presence::pbx::PbxIntroduction;
use serde::Deserialize;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::doorkeeper::Doorkeeper;
use super::wire::{BEAT_AFTER, DROP_AFTER, Heard, Wire};

/// Wait before a connection attaches again to an actor that is down.
const ATTACH_PAUSE: Duration = Duration::from_millis(200);

/// How often it is looked whether this instance is still the active one.
const LOOK: Duration = Duration::from_secs(1);

/// An instance that may not write for this time leaves the PBX to another one, which may be active by then.
const YIELD_AFTER: Duration = Duration::from_secs(3);

/// Why such a connection is over.
const NOT_ACTIVE: &str = "this instance is not the active one any more";

/// How a conversation ended.
pub(super) enum Ended {
    /// The connection is over, for this cause.
    Over(String),
    /// Another connection of the same App object took its place.
    Replaced,
}

/// Why a conversation goes no further with a run of the actor.
enum Parting {
    Ended(Ended),
    /// The run has ended; this message was not taken in by it.
    RunEnded(Option<String>),
    /// The PBX grants other APIs than before; what this connection was told so far goes by the old ones.
    IntroducedAnew(PbxIntroduction, mpsc::UnboundedReceiver<Outgoing>),
}

/// Attaches to one run of the PBX's actor after the other until the connection ends. The actor learns of the end by the
/// end of the channel that it was given.
pub(super) async fn converse(
    wire: &mut impl Wire,
    mut introduction: PbxIntroduction,
    dialled_by: Dialler,
    doorkeeper: &Doorkeeper,
) -> Ended {
    let pbx = introduction.pbx.clone();
    let Some(actor) = doorkeeper.session_of(&pbx).await else {
        log::error!(pbx = pbx.as_str(); "pbx {pbx} cannot be served: its session does not start");
        return Ended::Over("its session does not start".to_owned());
    };
    let mut connection = doorkeeper.next_connection();
    let mut unheard = None;
    let mut earlier: Option<mpsc::UnboundedReceiver<Outgoing>> = None;
    loop {
        let (outgoing, frames) = mpsc::unbounded_channel();
        let attach = Attach {
            connection,
            introduction: introduction.clone(),
            dialled_by,
            outgoing,
        };
        if actor.ask(attach).await.is_err() {
            tokio::time::sleep(ATTACH_PAUSE).await;
            continue;
        }
        if earlier.take().is_some_and(|mut frames| is_abandoned(&mut frames)) {
            return abandoned();
        }
        let talk = Talk {
            introduction: &introduction,
            connection,
            actor: &actor,
            doorkeeper,
        };
        match talk.with_run(wire, frames, unheard.take()).await {
            Parting::Ended(ended) => return ended,
            Parting::RunEnded(message) => unheard = message,
            Parting::IntroducedAnew(anew, frames) => {
                log::info!(pbx = pbx.as_str(); "pbx {pbx} grants other apis than before; it is asked anew");
                introduction = anew;
                connection = doorkeeper.next_connection();
                earlier = Some(frames);
            }
        }
    }
}

/// Records that a message has passed, and of what kind it was. What it holds stays out of the log: names, numbers and
/// digests stand there.
fn trace(direction: &str, pbx: &PbxName, message: &str) {
    if !log::log_enabled!(log::Level::Debug) {
        return;
    }
    let kind: Kind = serde_json::from_str(message).unwrap_or_default();
    log::debug!(
        pbx = pbx.as_str(), mt = kind.mt, api = kind.api, src = kind.src, bytes = message.len();
        "a message went {direction}"
    );
}

/// What tells of which kind a message is.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Kind<'a> {
    #[serde(borrow)]
    mt: Cow<'a, str>,
    #[serde(borrow)]
    api: Cow<'a, str>,
    #[serde(borrow)]
    src: Cow<'a, str>,
}

/// One connection with one run of the actor.
struct Talk<'a> {
    introduction: &'a PbxIntroduction,
    connection: ConnectionId,
    actor: &'a Post<PbxSession>,
    doorkeeper: &'a Doorkeeper,
}

impl Talk<'_> {
    async fn with_run(
        &self,
        wire: &mut impl Wire,
        mut frames: mpsc::UnboundedReceiver<Outgoing>,
        unheard: Option<String>,
    ) -> Parting {
        let over = |cause: &str| Parting::Ended(Ended::Over(cause.to_owned()));
        let pbx = &self.introduction.pbx;
        if let Some(text) = unheard
            && !self.is_taken_in(&text).await
        {
            return part(&mut frames, text);
        }
        let mut heard_at = Instant::now();
        let mut beat = tokio::time::interval(BEAT_AFTER);
        let mut look = tokio::time::interval(LOOK);
        let mut active_at = Instant::now();
        loop {
            tokio::select! {
                outgoing = frames.recv() => match outgoing {
                    // asked as late as possible: the process may have been stopped since the actor asked
                    Some(Outgoing::Frame(frame))
                        if m365_pbx::sets_presence(&frame) && !self.doorkeeper.is_active() =>
                    {
                        return over(NOT_ACTIVE);
                    }
                    Some(Outgoing::Frame(frame)) => {
                        trace("to the pbx", pbx, &frame);
                        if wire.say(frame).await.is_err() {
                            return over("it took nothing any more");
                        }
                    }
                    Some(Outgoing::Close) => return Parting::Ended(Ended::Replaced),
                    Some(Outgoing::Abandon) => return Parting::Ended(abandoned()),
                    None => return Parting::RunEnded(None),
                },
                heard = wire.hear() => {
                    heard_at = Instant::now();
                    match heard {
                        Heard::Text(text) => {
                            trace("from the pbx", pbx, &text);
                            if let Some(anew) = m365_pbx::introduced_anew(self.introduction, &text) {
                                return Parting::IntroducedAnew(anew, frames);
                            }
                            if !self.is_taken_in(&text).await {
                                return part(&mut frames, text);
                            }
                        }
                        Heard::Ping(payload) => {
                            if wire.pong(&payload).await.is_err() {
                                return over("it took nothing any more");
                            }
                        }
                        Heard::Sign => {}
                        Heard::End(cause) => return over(&cause),
                    }
                }
                _ = look.tick() => {
                    if self.doorkeeper.is_active() {
                        active_at = Instant::now();
                    } else if active_at.elapsed() > YIELD_AFTER {
                        return over(NOT_ACTIVE);
                    }
                }
                _ = beat.tick() => {
                    if heard_at.elapsed() > DROP_AFTER {
                        return over("it gave no sign of life for 45 s");
                    }
                    if wire.beat().await.is_err() {
                        return over("it took nothing any more");
                    }
                }
            }
        }
    }

    /// Gives a message to the run and waits until it is taken in; false when the run has ended.
    async fn is_taken_in(&self, text: &str) -> bool {
        let received = Received {
            connection: self.connection,
            text: text.to_owned(),
        };
        matches!(self.actor.ask(received).await, Ok(true))
    }
}

/// The run has not taken this message in. What it left for the connection to do is done first.
fn part(frames: &mut mpsc::UnboundedReceiver<Outgoing>, text: String) -> Parting {
    if is_abandoned(frames) {
        return Parting::Ended(abandoned());
    }
    Parting::RunEnded(Some(text))
}

/// Whether what is left to be sent ends with the order to abandon the connection.
fn is_abandoned(frames: &mut mpsc::UnboundedReceiver<Outgoing>) -> bool {
    let left = std::iter::from_fn(|| frames.try_recv().ok());
    left.into_iter().any(|outgoing| outgoing == Outgoing::Abandon)
}

/// Calls of ours stand on the connection, and whoever could end them is gone: they end with it.
fn abandoned() -> Ended {
    Ended::Over("what was set on it ends with it alone".to_owned())
}
