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
}

/// Attaches to one run of the PBX's actor after the other until the connection ends. The actor learns of the end by the
/// end of the channel that it was given.
pub(super) async fn converse(
    wire: &mut impl Wire,
    introduction: PbxIntroduction,
    dialled_by: Dialler,
    doorkeeper: &Doorkeeper,
) -> Ended {
    let pbx = introduction.pbx.clone();
    let Some(actor) = doorkeeper.session_of(&pbx).await else {
        log::error!(pbx = pbx.as_str(); "pbx {pbx} cannot be served: its session does not start");
        return Ended::Over("its session does not start".to_owned());
    };
    let connection = doorkeeper.next_connection();
    let mut unheard = None;
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
        match converse_with_run(wire, &pbx, connection, &actor, frames, unheard.take(), doorkeeper).await {
            Parting::Ended(ended) => return ended,
            Parting::RunEnded(message) => unheard = message,
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

async fn converse_with_run(
    wire: &mut impl Wire,
    pbx: &PbxName,
    connection: ConnectionId,
    actor: &Post<PbxSession>,
    mut frames: mpsc::UnboundedReceiver<Outgoing>,
    unheard: Option<String>,
    doorkeeper: &Doorkeeper,
) -> Parting {
    let over = |cause: &str| Parting::Ended(Ended::Over(cause.to_owned()));
    if let Some(text) = unheard
        && !matches!(
            actor
                .ask(Received {
                    connection,
                    text: text.clone()
                })
                .await,
            Ok(true)
        )
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
                Some(Outgoing::Frame(frame)) if m365_pbx::sets_presence(&frame) && !doorkeeper.is_active() => {
                    return over(NOT_ACTIVE);
                }
                Some(Outgoing::Frame(frame)) => {
                    trace("to the pbx", pbx, &frame);
                    if wire.say(frame).await.is_err() {
                        return over("it took nothing any more");
                    }
                }
                Some(Outgoing::Close) => return Parting::Ended(Ended::Replaced),
                Some(Outgoing::Abandon) => return abandoned(),
                None => return Parting::RunEnded(None),
            },
            heard = wire.hear() => {
                heard_at = Instant::now();
                match heard {
                    Heard::Text(text) => {
                        trace("from the pbx", pbx, &text);
                        let accepted = actor.ask(Received { connection, text: text.clone() }).await;
                        if !matches!(accepted, Ok(true)) {
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
                if doorkeeper.is_active() {
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

/// The run has not taken this message in. What it left for the connection to do is done first.
fn part(frames: &mut mpsc::UnboundedReceiver<Outgoing>, text: String) -> Parting {
    let left = std::iter::from_fn(|| frames.try_recv().ok());
    if left.into_iter().any(|outgoing| outgoing == Outgoing::Abandon) {
        return abandoned();
    }
    Parting::RunEnded(Some(text))
}

/// Calls of ours stand on the connection, and whoever could end them is gone: they end with it.
fn abandoned() -> Parting {
    Parting::Ended(Ended::Over("what was set on it ends with it alone".to_owned()))
}
