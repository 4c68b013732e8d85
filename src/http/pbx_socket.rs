//! The websocket of a PBX's App object: login first, then frames to the PBX's actor.
//!
//! The task of a connection outlives the runs of the actor. It keeps the login and the introduction; when a run ends,
//! its channel closes and the task attaches to the next run. It waits for the acceptance of each frame, so a flood is
//! held at its own socket.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseReason, Closed, Session};
use futures_util::StreamExt;
use m365_actors::pbx_session::{Attach, ConnectionId, Detached, Outgoing, PbxSession, Received};
use m365_actors::supervision::Post;
use m365_pbx::{Challenge, Doorway, Outcome};
use m365_presence::identity::PbxName;
use m365_presence::pbx::PbxIntroduction;
use m365_presence::secret::Secret;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

use super::anteroom::{Anteroom, Place};
use super::doorkeeper::Doorkeeper;

/// Login and introduction must be over in this time.
const LOGIN_DEADLINE: Duration = Duration::from_secs(20);

/// A refused login is answered this late, to slow guessing down; a correct one is never delayed.
const REFUSAL_DELAY: Duration = Duration::from_millis(500);

/// A connection that is silent this long is asked for a sign of life.
const PING_AFTER: Duration = Duration::from_secs(15);

/// A connection that gives no sign of life for this long is dropped.
const DROP_AFTER: Duration = Duration::from_secs(45);

/// A peer that takes nothing for this long is dropped, so that what is meant for it cannot pile up.
const WRITE_DEADLINE: Duration = Duration::from_secs(10);

/// Largest message; the reference says to accept more than the 64 KiB that may be sent (pbx.md 1.1).
const LARGEST_MESSAGE: usize = 1024 * 1024;

/// Wait before a connection attaches again to an actor that is down.
const ATTACH_PAUSE: Duration = Duration::from_millis(200);

/// What the route needs.
#[derive(Clone)]
pub struct Doors {
    /// The App object's password.
    pub password: Secret,
    /// Last component of the App URL.
    pub app: String,
    /// The build number by which pages are versioned.
    pub build: &'static str,
    /// Finds or starts the actor of a PBX, and remembers refused logins.
    pub doorkeeper: Doorkeeper,
    anteroom: Anteroom,
    next_connection: Arc<AtomicU64>,
}

impl Doors {
    /// Makes the route's surroundings.
    pub fn new(password: Secret, app: String, build: &'static str, doorkeeper: Doorkeeper) -> Self {
        Self {
            password,
            app,
            build,
            doorkeeper,
            anteroom: Anteroom::default(),
            next_connection: Arc::default(),
        }
    }
}

/// Accepts a websocket.
pub(super) async fn open(
    request: HttpRequest,
    payload: web::Payload,
    doors: web::Data<Doors>,
) -> HttpResponse {
    if !request.headers().contains_key("upgrade") {
        return HttpResponse::NotFound().finish();
    }
    let Ok((response, session, stream)) = actix_ws::handle(&request, payload) else {
        return HttpResponse::BadRequest().finish();
    };
    let stream = stream
        .max_frame_size(LARGEST_MESSAGE)
        .aggregate_continuations()
        .max_continuation_size(LARGEST_MESSAGE);
    let doors = doors.into_inner();
    #[expect(
        clippy::disallowed_methods,
        reason = "the task belongs to its socket and ends with it"
    )]
    actix_web::rt::spawn(async move {
        let mut connection = Connection { session, stream };
        let (place, eviction) = doors.anteroom.enter();
        let introduction = tokio::select! {
            introduction = connection.log_in(&doors, place) => introduction,
            () = eviction.ordered() => None,
        };
        if let Some(introduction) = introduction {
            let id = doors.next_connection.fetch_add(1, Ordering::Relaxed);
            connection.converse(id, introduction, &doors.doorkeeper).await;
        }
        // the peer may have closed already, or take nothing any more
        let _closed = timeout(WRITE_DEADLINE, connection.session.close(None::<CloseReason>)).await;
    });
    response
}

/// The peer has closed, or takes nothing any more.
struct Stuck;

async fn in_time(written: impl Future<Output = Result<(), Closed>>) -> Result<(), Stuck> {
    match timeout(WRITE_DEADLINE, written).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Stuck),
    }
}

struct Connection {
    session: Session,
    stream: AggregatedMessageStream,
}

/// Why a conversation goes no further with a run of the actor.
enum Parting {
    /// The socket is closed, or another connection took its place.
    Over,
    /// The run of the actor has ended; this frame was not taken in by it.
    RunEnded(Option<String>),
}

impl Connection {
    /// Leads the peer through login and introduction; `None` when the connection must end.
    async fn log_in(&mut self, doors: &Doors, place: Place) -> Option<PbxIntroduction> {
        let challenge = Challenge::draw()
            .inspect_err(|error| log::error!("no challenge can be drawn for a pbx: {error}"))
            .ok()?;
        let mut doorway = Doorway::new(&doors.password, &doors.app, doors.build, challenge);
        let mut place = Some(place);
        let mut deadline = Some(Instant::now() + LOGIN_DEADLINE);
        loop {
            let text = self.next_text(deadline).await?;
            let response = doorway.receive(&text);
            if let Outcome::Refused(refusal) = &response.outcome {
                doors.doorkeeper.refused(*refusal);
                tokio::time::sleep(REFUSAL_DELAY).await;
            }
            for frame in response.frames {
                self.write(frame).await.ok()?;
            }
            match response.outcome {
                Outcome::Waiting => {}
                Outcome::Accepted(guest) => {
                    place = None;
                    // a person's client never introduces a PBX and may stay as long as it gives signs of life
                    if guest.kind == m365_pbx::SessionKind::User {
                        deadline = None;
                    }
                }
                Outcome::Introduced(introduction) => {
                    drop(place);
                    return Some(introduction);
                }
                Outcome::Refused(_) => return None,
            }
        }
    }

    /// The next text message before the deadline, or as long as signs of life come.
    async fn next_text(&mut self, deadline: Option<Instant>) -> Option<String> {
        loop {
            let until = deadline.unwrap_or_else(|| Instant::now() + DROP_AFTER);
            match timeout_at(until, self.stream.next()).await.ok()?? {
                Ok(AggregatedMessage::Text(text)) => return Some(text.to_string()),
                Ok(AggregatedMessage::Ping(payload)) => self.pong(&payload).await.ok()?,
                Ok(AggregatedMessage::Pong(_) | AggregatedMessage::Binary(_)) => {}
                Ok(AggregatedMessage::Close(_)) | Err(_) => return None,
            }
        }
    }

    async fn write(&mut self, frame: String) -> Result<(), Stuck> {
        in_time(self.session.text(frame)).await
    }

    async fn ping(&mut self) -> Result<(), Stuck> {
        in_time(self.session.ping(b"")).await
    }

    async fn pong(&mut self, payload: &[u8]) -> Result<(), Stuck> {
        in_time(self.session.pong(payload)).await
    }

    /// Attaches to one run of the actor after the other until the socket closes.
    async fn converse(&mut self, id: ConnectionId, introduction: PbxIntroduction, doorkeeper: &Doorkeeper) {
        let pbx: PbxName = introduction.pbx.clone();
        let Some(actor) = doorkeeper.session_of(&pbx).await else {
            log::error!(pbx = pbx.as_str(); "pbx {pbx} cannot be served: its session does not start");
            return;
        };
        let mut unheard = None;
        loop {
            let (outgoing, frames) = mpsc::unbounded_channel();
            let attach = Attach {
                connection: id,
                introduction: introduction.clone(),
                outgoing,
            };
            if actor.ask(attach).await.is_err() {
                tokio::time::sleep(ATTACH_PAUSE).await;
                continue;
            }
            match self.converse_with_run(id, &actor, frames, unheard.take()).await {
                Parting::Over => break,
                Parting::RunEnded(frame) => unheard = frame,
            }
        }
        // an actor that is down has forgotten the connection anyway
        let _forgotten = actor.ask(Detached { connection: id }).await;
    }

    async fn converse_with_run(
        &mut self,
        id: ConnectionId,
        actor: &Post<PbxSession>,
        mut frames: mpsc::UnboundedReceiver<Outgoing>,
        unheard: Option<String>,
    ) -> Parting {
        if let Some(text) = unheard
            && !matches!(actor.ask(Received { connection: id, text }).await, Ok(true))
        {
            return Parting::RunEnded(None);
        }
        let mut heard_at = Instant::now();
        let mut ping = tokio::time::interval(PING_AFTER);
        loop {
            tokio::select! {
                outgoing = frames.recv() => match outgoing {
                    Some(Outgoing::Frame(frame)) => {
                        if self.write(frame).await.is_err() {
                            return Parting::Over;
                        }
                    }
                    Some(Outgoing::Close) => return Parting::Over,
                    None => return Parting::RunEnded(None),
                },
                message = self.stream.next() => {
                    heard_at = Instant::now();
                    match message {
                        Some(Ok(AggregatedMessage::Text(text))) => {
                            let text = text.to_string();
                            let accepted = actor.ask(Received { connection: id, text: text.clone() }).await;
                            if !matches!(accepted, Ok(true)) {
                                return Parting::RunEnded(Some(text));
                            }
                        }
                        Some(Ok(AggregatedMessage::Ping(payload))) => {
                            if self.pong(&payload).await.is_err() {
                                return Parting::Over;
                            }
                        }
                        Some(Ok(AggregatedMessage::Pong(_) | AggregatedMessage::Binary(_))) => {}
                        Some(Ok(AggregatedMessage::Close(_)) | Err(_)) | None => return Parting::Over,
                    }
                }
                _ = ping.tick() => {
                    if heard_at.elapsed() > DROP_AFTER || self.ping().await.is_err() {
                        return Parting::Over;
                    }
                }
            }
        }
    }
}
