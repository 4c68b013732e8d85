//! A PBX that we dial, because it does not dial us (pbx.md 1.5): TLS, login as the App object, then the conversation.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use actix_codec::Framed;
use actix_http::ws::{Codec, Frame, Item, Message};
use awc::error::{ConnectError, SendRequestError, WsClientError};
use awc::{BoxedSocket, Client, Connector};
use bytes::BytesMut;
use futures_util::future::LocalBoxFuture;
use futures_util::{SinkExt, StreamExt};
use m365_actors::pbx_session::Dialler;
use m365_pbx::{Approach, Progress, keep_alive};
use m365_presence::identity::PbxName;
use m365_presence::pbx::PbxIntroduction;
use m365_presence::ports::{DialEnd, DialledPbx};
use m365_presence::secret::Secret;
use rustls::{CertificateError, ClientConfig};
use tokio::time::{Instant, timeout, timeout_at};

use super::certificate::{NotAccepted, Trust, client_config};
use super::conversation::{Ended, converse};
use super::doorkeeper::Doorkeeper;
use super::wire::{Heard, LARGEST_MESSAGE, Stuck, WRITE_DEADLINE, Wire, in_time};

/// Longest time for name resolution, connection, TLS and the websocket's handshake.
const CONNECT: Duration = Duration::from_secs(15);

/// The login must be accepted or refused in this time.
const LOGIN_DEADLINE: Duration = Duration::from_secs(15);

/// A PBX whose App object may not use the API for it never answers the question for its name.
const NAME_DEADLINE: Duration = Duration::from_secs(5);

/// Where a PBX is dialled, and as whom.
#[derive(Clone, Debug)]
pub struct Destination {
    /// The websocket's address.
    pub url: String,
    /// The App object's name.
    pub object: String,
    /// Its password.
    pub password: Secret,
    /// The PBX's name, where it does not say it.
    pub pbx: Option<PbxName>,
    /// Whom it must prove to be.
    pub trust: Trust,
}

/// Dials one PBX.
pub struct DialledSocket {
    destination: Destination,
    tls: Arc<ClientConfig>,
    app: String,
    build: &'static str,
    doorkeeper: Doorkeeper,
}

impl DialledSocket {
    /// Prepares to dial. `app` and `build` are those of [`super::accepted::Doors`].
    ///
    /// # Errors
    /// Only where the cryptography offers no protocol version at all.
    pub fn new(
        destination: Destination,
        app: String,
        build: &'static str,
        doorkeeper: Doorkeeper,
    ) -> Result<Self, rustls::Error> {
        Ok(Self {
            tls: client_config(&destination.trust)?,
            destination,
            app,
            build,
            doorkeeper,
        })
    }

    async fn connect(&self) -> Result<Connection, DialEnd> {
        let connector = Connector::new()
            .rustls_0_23(Arc::clone(&self.tls))
            .timeout(CONNECT)
            .handshake_timeout(CONNECT);
        let client = Client::builder()
            .connector(connector)
            .disable_redirects()
            .disable_timeout()
            .finish();
        let handshake = client
            .ws(self.destination.url.as_str())
            .max_frame_size(LARGEST_MESSAGE)
            .connect();
        match timeout(CONNECT, handshake).await {
            Ok(Ok((_, socket))) => Ok(Connection {
                socket,
                pieces: BytesMut::new(),
            }),
            Ok(Err(error)) => Err(failure(&error)),
            Err(_) => Err(unreachable("no answer within 15 s")),
        }
    }

    /// Logs in, and learns who the PBX is.
    async fn log_in(&self, connection: &mut Connection) -> Result<PbxIntroduction, DialEnd> {
        let Destination {
            object,
            password,
            pbx,
            ..
        } = &self.destination;
        let mut approach = Approach::new(object, password, &self.app, self.build);
        say_all(connection, approach.greeting()).await?;
        let mut deadline = Instant::now() + LOGIN_DEADLINE;
        let mut admitted = false;
        loop {
            let text = match timeout_at(deadline, connection.hear()).await {
                Ok(Heard::Text(text)) => text,
                Ok(Heard::Ping(payload)) => {
                    connection.pong(&payload).await.map_err(|Stuck| stuck())?;
                    continue;
                }
                Ok(Heard::Sign) => continue,
                Ok(Heard::End(cause)) => {
                    let awaited = approach.awaited();
                    return Err(unreachable(&format!(
                        "instead of an answer to {awaited} the connection ended: {cause}"
                    )));
                }
                Err(_) if admitted => return self.named_by_settings(&mut approach),
                Err(_) => return Err(unreachable(&format!("it does not answer {}", approach.awaited()))),
            };
            let step = approach.receive(&text);
            say_all(connection, step.frames).await?;
            match step.progress {
                Progress::Waiting => {}
                Progress::Admitted => {
                    admitted = true;
                    deadline = Instant::now() + NAME_DEADLINE;
                }
                Progress::Arrived(introduction) => {
                    if let Some(configured) = pbx.as_ref().filter(|name| **name != introduction.pbx) {
                        log::warn!(
                            pbx = introduction.pbx.as_str(), configured = configured.as_str();
                            "the dialled pbx calls itself {}, not {configured} as its [[pbx.dial]] says", introduction.pbx
                        );
                    }
                    return Ok(introduction);
                }
                Progress::Nameless => return self.named_by_settings(&mut approach),
                Progress::Refused(words) => {
                    let cause = if words.is_empty() {
                        words
                    } else {
                        format!(": {words}")
                    };
                    return Err(DialEnd::Refused { cause });
                }
            }
        }
    }

    fn named_by_settings(&self, approach: &mut Approach) -> Result<PbxIntroduction, DialEnd> {
        let name = self.destination.pbx.clone();
        name.and_then(|name| approach.name(name)).ok_or(DialEnd::Nameless)
    }
}

impl DialledPbx for DialledSocket {
    fn converse(&self, reached: Box<dyn FnOnce(PbxName)>) -> LocalBoxFuture<'_, DialEnd> {
        Box::pin(async move {
            let mut connection = match self.connect().await {
                Ok(connection) => connection,
                Err(end) => return end,
            };
            let end = match self.log_in(&mut connection).await {
                Ok(introduction) => {
                    reached(introduction.pbx.clone());
                    match converse(
                        &mut connection,
                        introduction,
                        Dialler::Connector,
                        &self.doorkeeper,
                    )
                    .await
                    {
                        Ended::Over(cause) => DialEnd::Over { cause },
                        Ended::Replaced => DialEnd::Replaced,
                    }
                }
                Err(end) => end,
            };
            connection.close().await;
            end
        })
    }
}

fn unreachable(cause: &str) -> DialEnd {
    DialEnd::Unreachable {
        cause: cause.to_owned(),
    }
}

fn stuck() -> DialEnd {
    unreachable("it takes nothing")
}

async fn say_all(connection: &mut Connection, messages: Vec<String>) -> Result<(), DialEnd> {
    for message in messages {
        connection.say(message).await.map_err(|Stuck| stuck())?;
    }
    Ok(())
}

/// Why there is no connection, in words for an administrator.
fn failure(error: &WsClientError) -> DialEnd {
    match error {
        WsClientError::InvalidResponseStatus(status) => {
            unreachable(&format!("it answers {status}, as no PBX does at its websocket"))
        }
        WsClientError::SendRequest(SendRequestError::Connect(ConnectError::Io(error))) => {
            not_accepted(error).unwrap_or_else(|| unreachable(&error.to_string()))
        }
        WsClientError::SendRequest(SendRequestError::Connect(error)) => unreachable(&error.to_string()),
        WsClientError::SendRequest(error) => unreachable(&format!("what answers speaks no HTTP ({error})")),
        _ => unreachable("what answers is no websocket"),
    }
}

fn not_accepted(error: &std::io::Error) -> Option<DialEnd> {
    let tls = error.get_ref()?.downcast_ref::<rustls::Error>()?;
    let rustls::Error::InvalidCertificate(refused) = tls else {
        return None;
    };
    let mut cause = String::new();
    match refused {
        CertificateError::Other(other) => match other.0.downcast_ref::<NotAccepted>() {
            Some(refusal) => write!(cause, "{refusal}"),
            None => write!(cause, "shows a certificate that is not accepted: {other}"),
        },
        _ => write!(cause, "shows a certificate that cannot be used: {tls}"),
    }
    .ok()?;
    Some(DialEnd::Untrusted { cause })
}

struct Connection {
    socket: Framed<BoxedSocket, Codec>,
    /// The pieces of a message whose end has not come yet.
    pieces: BytesMut,
}

impl Connection {
    /// Adds a piece to a message; none when the message grows too large.
    fn add(&mut self, piece: &[u8]) -> Option<()> {
        if self.pieces.len() + piece.len() > LARGEST_MESSAGE {
            return None;
        }
        self.pieces.extend_from_slice(piece);
        Some(())
    }

    /// Takes in a piece of a text message (pbx.md 1.1: vendor clients part whatever exceeds 4096 bytes).
    fn take_piece(&mut self, piece: Item) -> Heard {
        let too_large = || Heard::End("a message was larger than 1 MiB".to_owned());
        match piece {
            Item::FirstText(bytes) => {
                self.pieces.clear();
                self.add(&bytes).map_or_else(too_large, |()| Heard::Sign)
            }
            // no API uses binary messages: its pieces are joined like any, and its text means nothing to anybody
            Item::FirstBinary(_) => {
                self.pieces.clear();
                Heard::Sign
            }
            Item::Continue(bytes) => self.add(&bytes).map_or_else(too_large, |()| Heard::Sign),
            Item::Last(bytes) => match self.add(&bytes) {
                Some(()) => text(&self.pieces.split()),
                None => too_large(),
            },
        }
    }
}

fn text(bytes: &[u8]) -> Heard {
    match std::str::from_utf8(bytes) {
        Ok(text) => Heard::Text(text.to_owned()),
        Err(_) => Heard::End("a message was not UTF-8".to_owned()),
    }
}

impl Wire for Connection {
    async fn hear(&mut self) -> Heard {
        match self.socket.next().await {
            Some(Ok(Frame::Text(bytes))) => text(&bytes),
            Some(Ok(Frame::Continuation(piece))) => self.take_piece(piece),
            Some(Ok(Frame::Ping(payload))) => Heard::Ping(payload.to_vec()),
            Some(Ok(Frame::Pong(_) | Frame::Binary(_))) => Heard::Sign,
            Some(Ok(Frame::Close(_))) => Heard::End("the PBX closed it".to_owned()),
            Some(Err(error)) => Heard::End(error.to_string()),
            None => Heard::End("it broke".to_owned()),
        }
    }

    async fn say(&mut self, message: String) -> Result<(), Stuck> {
        in_time(self.socket.send(Message::Text(message.into()))).await
    }

    async fn pong(&mut self, payload: &[u8]) -> Result<(), Stuck> {
        in_time(self.socket.send(Message::Pong(payload.to_vec().into()))).await
    }

    /// Pings the websocket and, as the vendor's clients do, the AppWebsocket: which one a firmware answers is not
    /// documented (pbx.md 1.7).
    async fn beat(&mut self) -> Result<(), Stuck> {
        in_time(self.socket.send(Message::Ping(Default::default()))).await?;
        for message in keep_alive() {
            self.say(message).await?;
        }
        Ok(())
    }

    async fn close(&mut self) {
        // the PBX may have closed already, or take nothing any more
        let _closed = timeout(WRITE_DEADLINE, self.socket.send(Message::Close(None))).await;
    }
}
