//! A person at the PBX's client (myApps) who has opened the App: the client's side of a websocket to the App's service.
//!
//! It does what the page of an App does: asks whether its build is the current one, asks for a challenge, and logs in with
//! what the PBX has signed for the person (reference 1.3, 1.7). From then on it says what it is told to.

use std::{
    io::{Error, ErrorKind, Result},
    thread::{Builder, JoinHandle},
    time::{Duration, Instant},
};

use actix_http::ws::{Frame as WireFrame, Message as WireMessage};
use awc::Client;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};

use super::{
    frame::{Frame, Way},
    handle::Pbx,
    login::person_login,
    options::PbxOptions,
    user::User,
};
use crate::journal::Journal;

/// Frames that a window remembers.
const REMEMBERED: usize = 10_000;

/// How often the end of a window is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// How somebody opens the App.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Names the person, by guid, `h323` or `cn`.
    pub user: String,
    /// Names the App by the last component of its URL; that of the App object unless given.
    pub app: Option<String>,
    /// Signs with another password than the object's.
    pub password: Option<String>,
    /// Tells whether the PBX says that the person lacks the license; by the licenses that are assigned unless given.
    pub unlicensed: Option<bool>,
    /// Leaves `pbxObj` out, as a client that plays the PBX would.
    pub unmarked: bool,
    /// Answers no ping, as a client behind a broken network.
    pub deaf: bool,
}

impl Visit {
    /// Describes a person who opens the App as the PBX's client does it.
    #[must_use]
    pub fn of(user: &str) -> Self {
        Self {
            user: user.to_owned(),
            app: None,
            password: None,
            unlicensed: None,
            unmarked: false,
            deaf: false,
        }
    }
}

/// An open App, until it is dropped or the service closes it.
pub struct AppWindow {
    journal: Journal<Frame>,
    say: Option<UnboundedSender<String>>,
    thread: Option<JoinHandle<()>>,
}

/// Everything that the login needs.
struct Opening {
    options: PbxOptions,
    user: User,
    visit: Visit,
    app: String,
    unlicensed: bool,
}

impl Pbx {
    /// Lets a person open the App in the PBX's client; the window logs in by itself.
    ///
    /// # Errors
    /// There is no such person, or the system refused a thread.
    pub fn open_app(&self, visit: Visit) -> Result<AppWindow> {
        let opening = self
            .opening(visit)
            .ok_or_else(|| Error::from(ErrorKind::NotFound))?;
        let journal = Journal::new(REMEMBERED);
        let (say, said) = unbounded_channel();
        let record = journal.clone();
        let thread = Builder::new()
            .name(format!("app-{}", opening.user.h323))
            .spawn(move || actix_rt::System::new().block_on(converse(opening, said, record)))?;
        Ok(AppWindow {
            journal,
            say: Some(say),
            thread: Some(thread),
        })
    }

    fn opening(&self, visit: Visit) -> Option<Opening> {
        let mut options = self.options()?;
        let app = visit.app.clone().unwrap_or_else(|| options.app().to_owned());
        let (user, licensed) = self.estate().with(|domain| {
            let resident = domain.resident(&visit.user)?;
            Some((
                resident.user.clone(),
                resident.is_licensed(&format!("App({app})")),
            ))
        })?;
        if let Some(password) = &visit.password {
            options.password.clone_from(password);
        }
        let unlicensed = visit.unlicensed.unwrap_or(!licensed);
        Some(Opening {
            options,
            user,
            visit,
            app,
            unlicensed,
        })
    }
}

impl AppWindow {
    /// Returns the record of every message in either direction.
    #[must_use]
    pub fn journal(&self) -> &Journal<Frame> {
        &self.journal
    }

    /// Sends a message.
    pub fn say(&self, message: &Value) {
        if let Some(say) = &self.say {
            // a window that the service has closed says nothing any more
            say.send(message.to_string()).ok();
        }
    }

    /// Blocks until a received message, past or coming, is accepted; returns it, or `None` after `patience`.
    #[must_use]
    pub fn hears(&self, mut wanted: impl FnMut(&Value) -> bool, patience: Duration) -> Option<Value> {
        let received = |frame: &Frame| frame.way == Way::Received && wanted(&frame.message);
        let found = self.journal.wait_for(received, patience);
        found.map(|frame| frame.message)
    }

    /// Blocks until the service has closed the connection; returns whether it has within `patience`.
    #[must_use]
    pub fn is_closed_within(&self, patience: Duration) -> bool {
        let begun = Instant::now();
        while self.is_open() {
            if begun.elapsed() > patience {
                return false;
            }
            std::thread::sleep(LOOK);
        }
        true
    }

    /// Returns whether the connection stands, or is about to.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }
}

impl Drop for AppWindow {
    fn drop(&mut self) {
        self.say = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has already told so.
            thread.join().ok();
        }
    }
}

async fn converse(opening: Opening, mut said: UnboundedReceiver<String>, journal: Journal<Frame>) {
    let client = Client::builder().disable_timeout().finish();
    let dialled = client.ws(opening.options.websocket_url()).connect();
    let Ok(Ok((_, socket))) = timeout(Duration::from_secs(30), dialled).await else {
        return;
    };
    let (mut sink, mut stream) = socket.split();
    let page = format!(
        "{}.htm?lang=en&scheme=light",
        opening.options.url_of(&opening.app)
    );
    let mut outgoing = vec![
        json!({"mt": "CheckBuild", "url": page}).to_string(),
        json!({"mt": "AppChallenge"}).to_string(),
    ];
    loop {
        for text in outgoing.drain(..) {
            journal.record(Frame::new(Way::Sent, 1, &text));
            if sink.send(WireMessage::Text(text.into())).await.is_err() {
                return;
            }
        }
        let frame = tokio::select! {
            frame = stream.next() => frame,
            text = said.recv() => match text {
                Some(text) => {
                    outgoing.push(text);
                    continue;
                }
                None => {
                    // the person closes the App; the service need not agree
                    sink.send(WireMessage::Close(None)).await.ok();
                    return;
                }
            },
        };
        match frame {
            Some(Ok(WireFrame::Text(text))) => outgoing.extend(heard(&opening, &journal, &text)),
            Some(Ok(WireFrame::Ping(payload))) if !opening.visit.deaf => {
                if sink.send(WireMessage::Pong(payload)).await.is_err() {
                    return;
                }
            }
            Some(Ok(WireFrame::Close(_)) | Err(_)) | None => return,
            Some(Ok(_)) => {}
        }
    }
}

/// Notes what came, and answers a challenge with the login.
fn heard(opening: &Opening, journal: &Journal<Frame>, text: &Bytes) -> Option<String> {
    let frame = Frame::new(Way::Received, 1, &String::from_utf8_lossy(text));
    let challenge = (frame.mt() == "AppChallengeResult").then(|| frame.text("challenge").to_owned());
    journal.record(frame);
    let signed = person_login(
        &opening.options,
        &opening.user,
        &opening.app,
        opening.unlicensed,
        &challenge?,
    );
    let mut login = signed.ok()?;
    if opening.visit.unmarked {
        login.pbx_obj = None;
    }
    serde_json::to_string(&login).ok()
}
