//! A person's session after the login: courtesies, and the subscription to what the person may see.
//!
//! The messages are this app's own, in the shape that the protocol asks for (pbx.md 1.6):
//!
//! ```text
//! page> {"api":"Microsoft365","mt":"SubscribeState","src":"s"}
//! we>   {"api":"Microsoft365","mt":"SubscribeStateResult","src":"s"}     with "error":"busy" when there is no room
//! we>   {"api":"Microsoft365","mt":"State","src":"s","state":{..}}       at once, and whenever it changes
//! ```

use m365_presence::secret::Secret;
use serde_json::value::RawValue;

use crate::courtesy::Courtesy;
use crate::doorway::check_login;
use crate::message::Message;
use crate::outbox::Outbox;
use crate::outgoing::ToUser;

/// The API under which a person's page asks for its state.
const API: &str = "Microsoft365";

/// The session of one person: feed it each text message, send what it answers.
pub struct UserSession {
    courtesy: Courtesy,
    password: Secret,
    /// The `src` of the subscription, once there is one.
    subscription: Option<Option<String>>,
}

/// What a message led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errand {
    /// Nothing more than an answer.
    Courtesy,
    /// The page wants to be told the state, now and whenever it changes.
    Subscription,
    /// A stored password was checked and is another one than ours.
    Unproven,
}

/// The app by which administrators log in: who may open it at the PBX is an administrator of ours. Two Apps of one
/// service, the second one's name continued by `admin`, is how the vendor's own examples do it (pbx.md 5).
pub fn administrators_app(app: &str) -> String {
    format!("{app}admin")
}

impl UserSession {
    /// Begins after an accepted login; the members are those of [`crate::Doorway::new`].
    pub fn new(password: &Secret, app: &str, build: &str) -> Self {
        Self {
            courtesy: Courtesy::new(app, build),
            password: password.clone(),
            subscription: None,
        }
    }

    /// Takes in one whole text message: what must be sent now, and what it led to. What is unknown is passed over.
    pub fn receive(&mut self, text: &str) -> (Vec<String>, Errand) {
        let mut outbox = Outbox::default();
        let errand = Message::parse(text).map_or(Errand::Courtesy, |message| match message.kind() {
            "SubscribeState" => self.subscribe(message.src(), &mut outbox),
            "AppCheckLogin" if !check_login(&message, &self.password, &mut outbox) => Errand::Unproven,
            _ => {
                self.courtesy.answer(&message, &mut outbox);
                Errand::Courtesy
            }
        });
        (outbox.take(), errand)
    }

    fn subscribe(&mut self, src: Option<String>, outbox: &mut Outbox) -> Errand {
        outbox.push(&ToUser::SubscribeStateResult {
            api: API,
            src: src.as_deref(),
            error: None,
        });
        self.subscription = Some(src);
        Errand::Subscription
    }

    /// The message that tells the state; none before it is subscribed to.
    pub fn tell(&self, state: &RawValue) -> Vec<String> {
        let mut outbox = Outbox::default();
        if let Some(src) = &self.subscription {
            outbox.push(&ToUser::State {
                api: API,
                src: src.as_deref(),
                state,
            });
        }
        outbox.take()
    }

    /// The message that tells that there is no room for the session; close after sending.
    pub fn no_room() -> Vec<String> {
        let mut outbox = Outbox::default();
        outbox.push(&ToUser::SubscribeStateResult {
            api: API,
            src: None,
            error: Some("busy"),
        });
        outbox.take()
    }
}
