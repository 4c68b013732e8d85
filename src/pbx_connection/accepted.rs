//! The websocket that a PBX's App object dials, and a person's client too: login first, then the conversation.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use actix_ws::{AggregatedMessage, AggregatedMessageStream, CloseReason, Session};
use futures_util::StreamExt;
use m365_actors::pbx_session::Dialler;
use m365_pbx::{Challenge, Doorway, Outcome, SessionKind, UserSession, administrators_app};
use m365_presence::pbx::PbxIntroduction;
use m365_presence::secret::Secret;
use tokio::time::{Instant, timeout, timeout_at};

use super::anteroom::{Anteroom, Place};
use super::conversation::converse;
use super::doorkeeper::Doorkeeper;
use super::wire::{Heard, LARGEST_MESSAGE, Stuck, WRITE_DEADLINE, Wire, in_time};
use crate::myapps::attendance::attend;
use crate::myapps::{Visitor, Visitors};

/// Login and introduction must be over in this time.
const LOGIN_DEADLINE: Duration = Duration::from_secs(20);

/// A refused login is answered this late, to slow guessing down; a correct one is never delayed.
const REFUSAL_DELAY: Duration = Duration::from_millis(500);

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
    /// Who has the app open in the PBX's client.
    pub visitors: Visitors,
    anteroom: Anteroom,
}

impl Doors {
    /// Makes the route's surroundings.
    pub fn new(
        password: Secret,
        app: String,
        build: &'static str,
        doorkeeper: Doorkeeper,
        visitors: Visitors,
    ) -> Self {
        Self {
            password,
            app,
            build,
            doorkeeper,
            visitors,
            anteroom: Anteroom::default(),
        }
    }
}

/// Accepts a websocket.
pub(crate) async fn open(
    request: HttpRequest,
    payload: web::Payload,
    doors: web::Data<Doors>,
) -> HttpResponse {
    if !request.headers().contains_key("upgrade") {
        return HttpResponse::NotFound().finish();
    }
    if !doors.doorkeeper.is_active() {
        // the PBX dials again, and finds the active instance
        return HttpResponse::ServiceUnavailable().finish();
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
        let admitted = tokio::select! {
            admitted = connection.log_in(&doors, place) => admitted,
            () = eviction.ordered() => None,
        };
        match admitted {
            Some(Admitted::Pbx(introduction)) => {
                converse(&mut connection, introduction, Dialler::Pbx, &doors.doorkeeper).await;
            }
            Some(Admitted::Person(visitor)) => {
                let session = UserSession::new(&doors.password, &doors.app, doors.build);
                attend(&mut connection, session, visitor, &doors.visitors).await;
            }
            None => {}
        }
        connection.close().await;
    });
    response
}

/// Who is past the login.
enum Admitted {
    Pbx(PbxIntroduction),
    Person(Visitor),
}

struct Connection {
    session: Session,
    stream: AggregatedMessageStream,
}

impl Connection {
    /// Leads the peer through the login, and a PBX to its introduction; `None` when the connection must end.
    async fn log_in(&mut self, doors: &Doors, place: Place) -> Option<Admitted> {
        let challenge = Challenge::draw()
            .inspect_err(|error| log::error!("no challenge can be drawn for a pbx: {error}"))
            .ok()?;
        let mut doorway = Doorway::new(&doors.password, &doors.app, doors.build, challenge);
        let mut place = Some(place);
        let deadline = Instant::now() + LOGIN_DEADLINE;
        loop {
            let text = self.next_text(deadline).await?;
            let response = doorway.receive(&text);
            if let Outcome::Refused(refusal, claimed) = &response.outcome {
                doors.doorkeeper.refused(*refusal, *claimed);
            }
            if matches!(response.outcome, Outcome::Refused(..) | Outcome::Unproven) {
                tokio::time::sleep(REFUSAL_DELAY).await;
            }
            for frame in response.frames {
                self.say(frame).await.ok()?;
            }
            match response.outcome {
                Outcome::Waiting | Outcome::Unproven => {}
                Outcome::Accepted(guest) if guest.kind == SessionKind::User => {
                    let visitor = Visitor::of(&guest, &administrators_app(&doors.app));
                    return Some(Admitted::Person(visitor));
                }
                Outcome::Accepted(_) => place = None,
                Outcome::Introduced(introduction) => {
                    drop(place);
                    return Some(Admitted::Pbx(introduction));
                }
                Outcome::Refused(..) => return None,
            }
        }
    }

    /// The next text message before the deadline.
    async fn next_text(&mut self, deadline: Instant) -> Option<String> {
        loop {
            match timeout_at(deadline, self.hear()).await.ok()? {
                Heard::Text(text) => return Some(text),
                Heard::Ping(payload) => self.pong(&payload).await.ok()?,
                Heard::Sign => {}
                Heard::End(_) => return None,
            }
        }
    }
}

impl Wire for Connection {
    async fn hear(&mut self) -> Heard {
        match self.stream.next().await {
            Some(Ok(AggregatedMessage::Text(text))) => Heard::Text(text.to_string()),
            Some(Ok(AggregatedMessage::Ping(payload))) => Heard::Ping(payload.to_vec()),
            Some(Ok(AggregatedMessage::Pong(_) | AggregatedMessage::Binary(_))) => Heard::Sign,
            Some(Ok(AggregatedMessage::Close(_))) => Heard::End("the PBX closed it".to_owned()),
            Some(Err(error)) => Heard::End(error.to_string()),
            None => Heard::End("it broke".to_owned()),
        }
    }

    async fn say(&mut self, message: String) -> Result<(), Stuck> {
        in_time(self.session.text(message)).await
    }

    async fn pong(&mut self, payload: &[u8]) -> Result<(), Stuck> {
        in_time(self.session.pong(payload)).await
    }

    async fn beat(&mut self) -> Result<(), Stuck> {
        in_time(self.session.ping(b"")).await
    }

    async fn close(&mut self) {
        // the peer may have closed already, or take nothing any more
        let _closed = timeout(WRITE_DEADLINE, self.session.clone().close(None::<CloseReason>)).await;
    }
}
