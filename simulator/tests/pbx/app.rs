//! An App service: accepts PBX connections on loopback and lets a test speak on each of them, blocking.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    time::Duration,
};

use actix_web::{
    App as Routes, HttpRequest, HttpResponse, HttpServer,
    web::{Data, Payload, get},
};
use actix_ws::{Item, Message};
use aws_lc_rs::digest::{SHA256, digest};
use futures_util::StreamExt;
use m365_simulator::pbx::{Pbx, PbxOptions, User};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const CHALLENGE: &str = "4711081547110815";

pub(crate) struct App {
    pub(crate) url: String,
    accepted: Receiver<Connection>,
}

pub(crate) struct Connection {
    pub(crate) path: String,
    inbound: Receiver<Inbound>,
    outbound: UnboundedSender<Order>,
}

enum Inbound {
    Text { text: String, parts: usize },
    Closed,
}

enum Order {
    Text(String),
    Ping,
    Close,
}

impl App {
    pub(crate) fn start() -> Self {
        let (accepting, accepted) = channel();
        let (bound, address) = channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    Routes::new()
                        .app_data(Data::new(accepting.clone()))
                        .default_service(get().to(accept))
                });
                let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
                bound.send(server.addrs()[0]).unwrap();
                server.run().await.unwrap();
            });
        });
        let address = address.recv().unwrap();
        Self {
            url: format!("http://{address}/pbx/innovaphone-microsoft365"),
            accepted,
        }
    }

    pub(crate) fn options(&self, name: &str) -> PbxOptions {
        let quick = (Duration::from_millis(20), Duration::from_millis(100));
        PbxOptions {
            back_off: quick,
            ..PbxOptions::new(name, &self.url)
        }
    }

    /// Starts a PBX with some users and logs it in.
    pub(crate) fn with_pbx(users: impl IntoIterator<Item = User>) -> (Self, Pbx, Connection) {
        let app = Self::start();
        let pbx = Pbx::start(app.options("master")).unwrap();
        pbx.add_users(users);
        let connection = app.logged_in();
        (app, pbx, connection)
    }

    pub(crate) fn accept(&self) -> Connection {
        self.accepted
            .recv_timeout(PATIENCE)
            .expect("the PBX did not dial")
    }

    /// Accepts the next connection, verifies its login and takes its introduction.
    pub(crate) fn logged_in(&self) -> Connection {
        let connection = self.accept();
        connection.log_in("secret");
        connection.receive_mt("PbxInfo");
        connection.receive_mt("AppInfo");
        connection
    }
}

impl Connection {
    pub(crate) fn send(&self, message: Value) {
        self.outbound.send(Order::Text(message.to_string())).unwrap();
    }

    pub(crate) fn ping(&self) {
        self.outbound.send(Order::Ping).unwrap();
    }

    pub(crate) fn close(&self) {
        self.outbound.send(Order::Close).unwrap();
    }

    /// Sends a request and returns the answer with the same source, skipping whatever comes in between.
    pub(crate) fn request(&self, message: Value) -> Value {
        let wanted = format!("{}Result", message["mt"].as_str().unwrap());
        let src = message["src"].clone();
        self.send(message);
        self.receive_where(|answer| answer["mt"] == wanted.as_str() && answer["src"] == src)
    }

    pub(crate) fn receive_mt(&self, mt: &str) -> Value {
        self.receive_where(|message| message["mt"] == mt)
    }

    pub(crate) fn receive_where(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = serde_json::from_str(&self.receive_text().0).unwrap();
            if wanted(&message) {
                return message;
            }
        }
    }

    /// Returns the next text and the number of frames that it came in.
    pub(crate) fn receive_text(&self) -> (String, usize) {
        match self.inbound.recv_timeout(PATIENCE).expect("the PBX said nothing") {
            Inbound::Text { text, parts } => (text, parts),
            Inbound::Closed => panic!("the connection ended"),
        }
    }

    /// Returns whether nothing comes for a while.
    pub(crate) fn is_quiet_for(&self, while_waiting: Duration) -> bool {
        matches!(
            self.inbound.recv_timeout(while_waiting),
            Err(RecvTimeoutError::Timeout)
        )
    }

    /// Waits for the end of the connection, skipping what was still sent.
    pub(crate) fn wait_for_end(&self) {
        while let Inbound::Text { .. } = self
            .inbound
            .recv_timeout(PATIENCE)
            .expect("the connection did not end")
        {}
    }

    pub(crate) fn log_in(&self, password: &str) -> Login {
        self.receive_mt("AppChallenge");
        self.send(json!({"mt": "AppChallengeResult", "challenge": CHALLENGE}));
        let login = Login::parse(&self.receive_text().0);
        let ok = login.expected_digest(password) == login.digest;
        self.send(json!({"mt": "AppLoginResult", "app": login.app, "domain": "example.com", "ok": ok}));
        login
    }
}

/// What an AppLogin says, with the raw text of its info.
#[derive(Deserialize)]
pub(crate) struct Login {
    pub(crate) app: String,
    pub(crate) domain: String,
    pub(crate) sip: String,
    pub(crate) guid: String,
    pub(crate) dn: String,
    pub(crate) digest: String,
    pub(crate) info: Box<RawValue>,
}

impl Login {
    pub(crate) fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap()
    }

    pub(crate) fn expected_digest(&self, password: &str) -> String {
        let parts = [
            &self.app,
            &self.domain,
            &self.sip,
            &self.guid,
            &self.dn,
            self.info.get(),
            CHALLENGE,
            password,
        ];
        let hash = digest(&SHA256, parts.join(":").as_bytes());
        hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

async fn accept(
    request: HttpRequest,
    body: Payload,
    accepting: Data<Sender<Connection>>,
) -> actix_web::Result<HttpResponse> {
    let (response, mut session, stream) = actix_ws::handle(&request, body)?;
    let mut stream = stream.max_frame_size(1 << 20);
    let (hear, inbound) = channel();
    let (outbound, mut orders) = unbounded_channel();
    let path = request.path().to_owned();
    accepting
        .send(Connection {
            path,
            inbound,
            outbound,
        })
        .ok();
    actix_web::rt::spawn(async move {
        let (mut collected, mut parts) = (Vec::new(), 0);
        loop {
            let message = tokio::select! {
                message = stream.next() => message,
                order = orders.recv() => {
                    let sent = match order {
                        Some(Order::Text(text)) => session.text(text).await,
                        Some(Order::Ping) => session.ping(b"?").await,
                        Some(Order::Close) | None => {
                            session.clone().close(None).await.ok();
                            break;
                        }
                    };
                    if sent.is_err() {
                        break;
                    }
                    continue;
                }
            };
            let last = match message {
                Some(Ok(Message::Text(text))) => {
                    collected.extend_from_slice(text.as_bytes());
                    true
                }
                Some(Ok(Message::Continuation(Item::FirstText(part) | Item::Continue(part)))) => {
                    collected.extend_from_slice(&part);
                    false
                }
                Some(Ok(Message::Continuation(Item::Last(part)))) => {
                    collected.extend_from_slice(&part);
                    true
                }
                Some(Ok(Message::Pong(_))) => {
                    collected.extend_from_slice(br#"{"mt":"test-pong"}"#);
                    true
                }
                Some(Ok(Message::Close(_))) => {
                    session.clone().close(None).await.ok();
                    break;
                }
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => break,
            };
            parts += 1;
            if last {
                let text = String::from_utf8(std::mem::take(&mut collected)).unwrap();
                hear.send(Inbound::Text {
                    text,
                    parts: std::mem::take(&mut parts),
                })
                .ok();
            }
        }
        hear.send(Inbound::Closed).ok();
    });
    Ok(response)
}

pub(crate) fn alice() -> User {
    let emails = vec!["alice@example.com".to_owned()];
    User {
        e164: "201".to_owned(),
        emails,
        ..User::new("alice", "Alice Müller", "master")
    }
}

pub(crate) fn bob() -> User {
    User {
        e164: "202".to_owned(),
        h323_email: true,
        ..User::new("bob", "Bob Baker", "master")
    }
}
