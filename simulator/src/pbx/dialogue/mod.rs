//! The PBX's side of one connection, without the socket: texts go in, messages go out through the [`Outbox`].
//!
//! On a connection that it dialled, the PBX logs in (`AppChallenge`, `AppLogin`), introduces itself (`PbxInfo`, `AppInfo`)
//! and from then on answers API requests, provided that the API is ticked at the App object (reference 1.3, 1.4, 1.6). On
//! one that it accepted, the other side logs in as the App object, and no introduction follows (1.5). When something
//! changes in the estate, [`Dialogue::tell`] turns it into the indications that this connection has asked for.

mod administration;
mod entrance;
mod impersonation;
mod lines;
mod presence;
mod replication;

use serde_json::{Value, json};

use super::{
    calls::{Call, Step},
    directory::Directory,
    faults::Faults,
    login::Login,
    message::{Message, Request},
    options::PbxOptions,
    outbox::Outbox,
    user::User,
};
use entrance::{Granted, Stage};
use impersonation::Channels;
use lines::Lines;
use presence::Subscriptions;
pub(crate) use presence::shown;
use replication::Replications;

/// Something that happened in the estate and may concern any connection.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Added {
        guid: String,
    },
    Updated {
        guid: String,
        before: Box<User>,
    },
    Removed {
        user: Box<User>,
    },
    Presence {
        guid: String,
    },
    Monitor {
        guid: String,
    },
    Call {
        guid: String,
        call: Box<Call>,
        step: Step,
    },
}

/// What a request may read and alter besides its own connection.
pub(crate) struct Ground<'a> {
    pub(crate) directory: &'a mut Directory,
    pub(crate) options: &'a PbxOptions,
    pub(crate) faults: Faults,
    pub(crate) next_call: &'a mut u64,
    /// Collects what the request changed, to be told to every connection after the answer.
    pub(crate) changes: Vec<Change>,
}

/// Who opened a connection, and thereby logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The PBX did.
    Dialled,
    /// The App did, or a script.
    Accepted,
}

/// How the login on a connection went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is not over yet.
    #[default]
    Underway,
    /// The App has let the PBX in.
    LoggedIn,
    /// The PBX has let the other side in, as the App object.
    Admitted,
    /// The PBX has refused the other side.
    Rejected,
}

/// The state of one connection.
#[derive(Debug)]
pub(crate) struct Dialogue {
    origin: Origin,
    outbox: Outbox,
    stage: Stage,
    /// The APIs that may be used here: the object's checkmarks, or fewer on behalf of a user.
    granted: Granted,
    replications: Replications,
    subscriptions: Subscriptions,
    lines: Lines,
    channels: Channels,
}

impl Dialogue {
    /// Begins the dialogue, on a dialled connection with the challenge request.
    pub(crate) fn begin(origin: Origin, mut outbox: Outbox, options: &PbxOptions) -> Self {
        let stage = match origin {
            Origin::Accepted => Stage::Awaiting,
            Origin::Dialled => {
                if let Some(url) = &options.check_build {
                    outbox.send(Message::new("CheckBuild").with("url", url.clone()));
                }
                outbox.send(Message::new("AppChallenge"));
                Stage::Challenging
            }
        };
        Self {
            origin,
            outbox,
            stage,
            granted: Granted::Everything,
            replications: Replications::default(),
            subscriptions: Subscriptions::default(),
            lines: Lines::default(),
            channels: Channels::default(),
        }
    }

    /// Returns whether the PBX has logged in on this connection.
    pub(crate) fn is_logged_in(&self) -> bool {
        self.origin == Origin::Dialled && self.stage == Stage::Open
    }

    pub(crate) fn standing(&self) -> Standing {
        match (self.origin, &self.stage) {
            (Origin::Dialled, Stage::Open) => Standing::LoggedIn,
            (Origin::Accepted, Stage::Open) => Standing::Admitted,
            (Origin::Accepted, Stage::Refused) => Standing::Rejected,
            _ => Standing::Underway,
        }
    }

    pub(crate) fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// Takes one text of the other side.
    pub(crate) fn receive(&mut self, text: &str, ground: &mut Ground<'_>) {
        let Some(request) = Request::parse(text) else {
            return;
        };
        if request.mt == "KeepAlive" {
            self.outbox.send(Message::new("KeepAliveResult"));
            return;
        }
        match &self.stage {
            Stage::Challenging if request.mt == "AppChallengeResult" => self.log_in(&request, ground.options),
            Stage::LoggingIn if request.mt == "AppLoginResult" => self.open(&request, ground.options),
            Stage::Awaiting if request.mt == "AppChallenge" => self.challenge(),
            Stage::Challenged(challenge) if request.mt == "AppLogin" => {
                let login = Login::verify(text, challenge, ground.options);
                self.admit(login, ground.options);
            }
            Stage::Open => self.serve(&request, ground),
            Stage::Challenging
            | Stage::LoggingIn
            | Stage::Awaiting
            | Stage::Challenged(_)
            | Stage::Refused => {}
        }
    }

    fn serve(&mut self, request: &Request, ground: &mut Ground<'_>) {
        if ground.faults.unanswered.contains(&request.mt) {
            return;
        }
        let (api, channel) = match request.api.split_once('.') {
            Some((api, _)) => match self.channels.user(&request.api) {
                Some(guid) => (api, Some(guid)),
                None => return,
            },
            None => (request.api.as_str(), None),
        };
        let ticked = if channel.is_some() {
            "PbxImpersonation"
        } else {
            api
        };
        if !ground.options.apis.iter().any(|listed| listed == ticked) || !self.granted.covers(api) {
            return;
        }
        match (api, channel) {
            ("PbxTableUsers", None) => self.replications.serve(request, ground, &mut self.outbox),
            ("PbxApi", Some(guid)) if request.mt.ends_with("AlienCall") => {
                self.channels.serve_call(request, &guid, ground, &mut self.outbox);
            }
            ("PbxApi", channel) => {
                self.subscriptions
                    .serve(request, channel.as_deref(), ground, &mut self.outbox);
            }
            ("RCC", None) => self.lines.serve(request, ground, &mut self.outbox),
            ("PbxAdminApi", None) if request.mt == "MonitorUnallowed" => {
                self.subscriptions
                    .monitor_unallowed(request, ground, &mut self.outbox);
            }
            ("PbxAdminApi", None) => administration::serve(request, ground, &mut self.outbox),
            ("PbxImpersonation", None) => self.channels.serve(request, ground, &mut self.outbox),
            _ => {}
        }
    }

    /// Indicates a change to whoever asked for it on this connection.
    pub(crate) fn tell(&mut self, change: &Change, directory: &Directory, options: &PbxOptions) {
        self.replications
            .tell(change, directory, options, &mut self.outbox);
        self.subscriptions
            .tell(change, directory, options, &mut self.outbox);
        self.lines.tell(change, directory, options, &mut self.outbox);
    }

    /// Ends what lives only as long as the connection: the alien calls that it put on users.
    pub(crate) fn end(&mut self, ground: &mut Ground<'_>) {
        self.channels.end(ground);
    }
}

/// Completes a failed answer of the PBX's own API, whose errors are a number and a text.
fn numbered_error(answer: Message, text: &str) -> Message {
    answer.with("error", 1).with("errorText", text)
}

fn peer(call: &Call) -> Value {
    json!({"e164": call.peer.e164, "h323": call.peer.h323, "dn": call.peer.dn})
}
