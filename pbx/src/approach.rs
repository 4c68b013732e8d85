//! From the first message to a PBX that we have dialled to knowing who it is (pbx.md 1.3, 1.5).
//!
//! Logged in are we here, as one of the PBX's App objects. No `PbxInfo` follows in this direction, so the PBX is asked
//! for its name. Which APIs the object may use, it does not tell either: all are assumed, and the conversation finds
//! out. A `PbxInfo` that comes nevertheless prevails.

use m365_presence::identity::{PbxGuid, PbxName};
use m365_presence::pbx::{PbxApi, PbxIntroduction};
use m365_presence::secret::Secret;

use crate::courtesy::Courtesy;
use crate::digest::Claim;
use crate::doorway::{introduction, pbx_name};
use crate::login::{LoggedIn, SessionKind};
use crate::message::Message;
use crate::outbox::Outbox;
use crate::outgoing::Greeting;

/// The `src` of the question for the PBX's name.
const NAME_SRC: &str = "name";

/// How many characters of a PBX's refusal are told.
const REFUSAL_LENGTH: usize = 120;

/// The way in at a PBX that we have dialled: send what it says, feed it each text message.
///
/// It ends with [`Progress::Arrived`], after which messages belong to a [`crate::Dialogue`], or with
/// [`Progress::Refused`]. It holds no clock: the caller limits how long each stage may take.
pub struct Approach {
    courtesy: Courtesy,
    object: String,
    password: Secret,
    stage: Stage,
}

enum Stage {
    /// The challenge is awaited.
    Challenging,
    /// The answer to the login is awaited.
    LoggingIn,
    /// The PBX's name is awaited.
    Asking(LoggedIn),
    Over,
}

/// What a message led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More messages are needed.
    Waiting,
    /// The login was accepted just now.
    Admitted,
    /// The PBX is known: the conversation can begin.
    Arrived(PbxIntroduction),
    /// The login is accepted, and the PBX does not say its name; [`Approach::name`] goes on with another one.
    Nameless,
    /// The PBX refuses the login, with this text of its own; empty where it gave none. Close.
    Refused(String),
}

/// The answer to one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What must be sent now, in order.
    pub frames: Vec<String>,
    /// Where the connection stands.
    pub progress: Progress,
}

impl Approach {
    /// Prepares to log in as the App object of this name, with its password. `app` and `build` are those of
    /// [`crate::Doorway::new`].
    pub fn new(object: &str, password: &Secret, app: &str, build: &str) -> Self {
        Self {
            courtesy: Courtesy::new(app, build),
            object: object.to_owned(),
            password: password.clone(),
            stage: Stage::Challenging,
        }
    }

    /// What is said first.
    pub fn greeting(&self) -> Vec<String> {
        said(&Greeting::AppChallenge)
    }

    /// What the PBX has not answered yet, in words for an administrator.
    pub fn awaited(&self) -> &'static str {
        match self.stage {
            Stage::Challenging => "the question for a challenge",
            Stage::LoggingIn => "the login",
            Stage::Asking(_) => "the question for its name",
            Stage::Over => "nothing",
        }
    }

    /// Takes in one whole text message. What is unknown is passed over (pbx.md 1.6).
    pub fn receive(&mut self, text: &str) -> Step {
        let mut outbox = Outbox::default();
        let progress = match Message::parse(text) {
            Some(message) if !self.courtesy.answer(&message, &mut outbox) => {
                self.take_in(&message, &mut outbox)
            }
            _ => Progress::Waiting,
        };
        Step {
            frames: outbox.take(),
            progress,
        }
    }

    fn take_in(&mut self, message: &Message, outbox: &mut Outbox) -> Progress {
        match (&self.stage, message.kind()) {
            (Stage::Challenging, "AppChallengeResult") => {
                let Some(challenge) = message.object().text("challenge") else {
                    return Progress::Waiting;
                };
                outbox.push(&Greeting::AppLogin {
                    app: &self.object,
                    digest: &self.digest(&challenge),
                });
                self.stage = Stage::LoggingIn;
                Progress::Waiting
            }
            (Stage::LoggingIn, "AppLoginResult") if message.object().flag("ok") => {
                outbox.push(&Greeting::GetPbxConfig {
                    api: PbxApi::PbxAdminApi,
                    src: NAME_SRC,
                });
                self.stage = Stage::Asking(self.guest(message));
                Progress::Admitted
            }
            (Stage::Challenging | Stage::LoggingIn, "AppLoginResult") => {
                self.stage = Stage::Over;
                let refusal = message.object().refusal().unwrap_or_default();
                Progress::Refused(refusal.chars().take(REFUSAL_LENGTH).collect())
            }
            (Stage::Asking(guest), "PbxInfo") => self.arrived(introduction(guest, message)),
            (Stage::Asking(_), "GetPbxConfigResult") if message.belongs_to(NAME_SRC) => {
                match message.object().name("loc").and_then(pbx_name) {
                    Some(name) => {
                        let introduction = self.name(name);
                        self.arrived(introduction)
                    }
                    None => Progress::Nameless,
                }
            }
            _ => Progress::Waiting,
        }
    }

    /// Goes on with a name that the PBX has not said itself; nothing before the login was accepted.
    pub fn name(&mut self, pbx: PbxName) -> Option<PbxIntroduction> {
        let Stage::Asking(guest) = std::mem::replace(&mut self.stage, Stage::Over) else {
            return None;
        };
        Some(PbxIntroduction {
            pbx,
            domain: guest.domain,
            app_object: guest.app_object,
            apis: PbxApi::ALL.to_vec(),
            apis_listed: false,
            version: None,
            test_mode: guest.test_mode,
            service_licenses: guest.service_licenses,
        })
    }

    fn arrived(&mut self, introduction: Option<PbxIntroduction>) -> Progress {
        let Some(introduction) = introduction else {
            return Progress::Waiting;
        };
        self.stage = Stage::Over;
        Progress::Arrived(introduction)
    }

    fn digest(&self, challenge: &str) -> String {
        let claim = Claim {
            app: &self.object,
            domain: "",
            sip: "",
            guid: "",
            dn: "",
            info: None,
        };
        claim.digest(challenge, &self.password)
    }

    /// We ourselves, as whom the PBX has let in.
    fn guest(&self, result: &Message) -> LoggedIn {
        LoggedIn {
            kind: SessionKind::PbxObject,
            app: self.object.clone(),
            domain: result.object().text("domain").unwrap_or_default(),
            app_object: self.object.clone(),
            sip: self.object.clone(),
            guid: PbxGuid::new(""),
            unlicensed: false,
            test_mode: false,
            service_licenses: None,
        }
    }
}

/// What the side that has dialled says when nothing else is said for a while (pbx.md 1.7).
pub fn keep_alive() -> Vec<String> {
    said(&Greeting::KeepAlive)
}

fn said(greeting: &Greeting<'_>) -> Vec<String> {
    let mut outbox = Outbox::default();
    outbox.push(greeting);
    outbox.take()
}
