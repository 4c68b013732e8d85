//! From the first message of a connection to the PBX's introduction: challenge, login, `PbxInfo`.

use m365_presence::identity::PbxName;
use m365_presence::pbx::{PbxApi, PbxIntroduction};
use m365_presence::secret::Secret;
use serde_json::Value;

use crate::challenge::Challenge;
use crate::courtesy::Courtesy;
use crate::digest::Claim;
use crate::login::{LoggedIn, Login, Refusal, SessionKind, TurnedAway};
use crate::message::Message;
use crate::outbox::Outbox;
use crate::outgoing::Answer;

/// The way in for one connection: feed it each text message, send what it answers, act on the outcome.
///
/// It ends with [`Outcome::Introduced`], after which messages belong to a [`crate::Dialogue`]; with a user's
/// [`Outcome::Accepted`]; or with [`Outcome::Refused`], after which the caller sends the frames and closes. It holds no clock: the caller limits
/// how long a connection may stay here.
pub struct Doorway {
    courtesy: Courtesy,
    password: Secret,
    stage: Stage,
}

enum Stage {
    Login(Login),
    Inside(LoggedIn),
    Over,
}

/// What a message led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// More messages are needed.
    Waiting,
    /// The login was accepted just now; a PBX object's introduction follows. A user's messages belong to a
    /// [`crate::UserSession`] from now on.
    Accepted(LoggedIn),
    /// The PBX introduced itself: the conversation can begin.
    Introduced(PbxIntroduction),
    /// A stored password was checked and is another one than ours; nothing else follows from it.
    Unproven,
    /// The login failed, of somebody who claims to be of this kind: close after sending. Told once; later messages are
    /// not answered.
    Refused(Refusal, SessionKind),
}

/// The answer to one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// What must be sent now, in order.
    pub frames: Vec<String>,
    /// Where the connection stands.
    pub outcome: Outcome,
}

impl Doorway {
    /// Opens the way for one new connection. `password` is the App object's, `app` the last component of its URL,
    /// `build` the hexadecimal number under which this program's pages live, and `challenge` a fresh one.
    pub fn new(password: &Secret, app: &str, build: &str, challenge: Challenge) -> Self {
        Self {
            courtesy: Courtesy::new(app, build),
            password: password.clone(),
            stage: Stage::Login(Login::new(password, app, challenge)),
        }
    }

    /// Takes in one whole text message.
    pub fn receive(&mut self, text: &str) -> Response {
        let mut outbox = Outbox::default();
        let message = Message::parse(text);
        let check = message
            .as_ref()
            .filter(|message| message.kind() == "AppCheckLogin");
        let outcome = match (&mut self.stage, check) {
            (Stage::Over, _) => Outcome::Waiting,
            (_, Some(check)) => match check_login(check, &self.password, &mut outbox) {
                true => Outcome::Waiting,
                false => Outcome::Unproven,
            },
            (Stage::Login(login), None) => at_login(login, &self.courtesy, text, message, &mut outbox),
            (Stage::Inside(guest), None) => inside(guest, &self.courtesy, message, &mut outbox),
        };
        match &outcome {
            Outcome::Accepted(guest) => self.stage = Stage::Inside(guest.clone()),
            Outcome::Introduced(_) | Outcome::Refused(..) => self.stage = Stage::Over,
            Outcome::Waiting | Outcome::Unproven => {}
        }
        Response {
            frames: outbox.take(),
            outcome,
        }
    }
}

/// Before the login nothing is served but courtesies; what is unknown is tolerated (pbx.md 1.6, 1.7).
fn at_login(
    login: &mut Login,
    courtesy: &Courtesy,
    text: &str,
    message: Option<Message>,
    outbox: &mut Outbox,
) -> Outcome {
    let Some(message) = message else {
        let nobody = TurnedAway {
            refusal: Refusal::Malformed,
            claimed: SessionKind::PbxObject,
        };
        return refuse(nobody, &Message::default(), outbox);
    };
    match message.kind() {
        "AppChallenge" => {
            outbox.push(&Answer::AppChallengeResult {
                challenge: login.challenge().as_str(),
            });
            Outcome::Waiting
        }
        "AppLogin" => match login.judge(text) {
            Ok(guest) => {
                let (app, domain) = (&guest.app, &guest.domain);
                outbox.push(&Answer::AppLoginResult {
                    app,
                    domain,
                    ok: true,
                    error: None,
                });
                Outcome::Accepted(guest)
            }
            Err(turned_away) => refuse(turned_away, &message, outbox),
        },
        _ => {
            courtesy.answer_stranger(&message, outbox);
            Outcome::Waiting
        }
    }
}

/// The PBX Manager asks whether the password that it has stored is ours (pbx.md 1.7). It proves its own by a digest
/// without `sip`, `guid`, `dn` and `info` over a challenge of its own, so the answer tells no more than a login would.
/// Tells whether it is.
pub(crate) fn check_login(check: &Message, password: &Secret, outbox: &mut Outbox) -> bool {
    let text = |name| check.object().text(name).unwrap_or_default();
    let claim = Claim {
        app: &text("app"),
        domain: &text("domain"),
        sip: "",
        guid: "",
        dn: "",
        info: None,
    };
    let ok = claim.is_proven_by(&text("digest"), &text("challenge"), password);
    outbox.push(&Answer::AppCheckLoginResult { src: check.src(), ok });
    ok
}

fn refuse(turned_away: TurnedAway, login: &Message, outbox: &mut Outbox) -> Outcome {
    let app = login.object().text("app").unwrap_or_default();
    let domain = login.object().text("domain").unwrap_or_default();
    let error = Some(turned_away.refusal.as_wire());
    outbox.push(&Answer::AppLoginResult {
        app: &app,
        domain: &domain,
        ok: false,
        error,
    });
    Outcome::Refused(turned_away.refusal, turned_away.claimed)
}

/// Between login and introduction; `AppInfo` may come before or after `PbxInfo` (pbx.md 1.4).
fn inside(guest: &LoggedIn, courtesy: &Courtesy, message: Option<Message>, outbox: &mut Outbox) -> Outcome {
    let Some(message) = message else {
        return Outcome::Waiting;
    };
    if message.kind() == "PbxInfo" && guest.kind == SessionKind::PbxObject {
        return introduction(guest, &message).map_or(Outcome::Waiting, Outcome::Introduced);
    }
    courtesy.answer(&message, outbox);
    Outcome::Waiting
}

/// How long a PBX's name may be; the PBX itself takes far fewer characters.
const LONGEST_NAME: usize = 100;

/// A name that can be shown and logged as it is; anything else names no PBX.
pub(crate) fn pbx_name(name: String) -> Option<PbxName> {
    let fits = name.chars().count() <= LONGEST_NAME && !name.chars().any(char::is_control);
    fits.then(|| PbxName::new(name))
}

/// The introduction of a PBX after this message, where it grants other APIs than before: a checkmark was set or removed at
/// the App object. Where the PBX did not list its APIs, there is nothing to compare.
pub fn introduced_anew(current: &PbxIntroduction, text: &str) -> Option<PbxIntroduction> {
    if !current.apis_listed || !text.contains("PbxInfo") {
        return None;
    }
    let message = Message::parse(text).filter(|message| message.kind() == "PbxInfo")?;
    let pbx = message.object().name("pbx").map(PbxName::new);
    let apis = apis(&message);
    let differs = pbx.is_none_or(|pbx| pbx == current.pbx) && apis != current.apis;
    differs.then(|| PbxIntroduction {
        apis,
        ..current.clone()
    })
}

/// The APIs that a `PbxInfo` lists and that are known here, in their order and each once.
fn apis(message: &Message) -> Vec<PbxApi> {
    let listed = message.object().member("apis").and_then(Value::as_array);
    let mut apis: Vec<PbxApi> = listed
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .filter_map(PbxApi::from_wire)
        .collect();
    apis.sort_unstable();
    apis.dedup();
    apis
}

/// Reads a `PbxInfo`; without the PBX's name it introduces nobody.
pub(crate) fn introduction(guest: &LoggedIn, message: &Message) -> Option<PbxIntroduction> {
    let info = message.object();
    Some(PbxIntroduction {
        pbx: pbx_name(info.name("pbx")?)?,
        domain: info.name("domain").unwrap_or_else(|| guest.domain.clone()),
        app_object: guest.app_object.clone(),
        apis: apis(message),
        apis_listed: true,
        version: info.name("version"),
        test_mode: guest.test_mode,
        service_licenses: guest.service_licenses,
    })
}
