//! `[pbx]`: the App objects at the PBXs.

mod dial;

use m365_presence::identity::PbxName;
use m365_presence::secret::Secret;

use crate::config::choice::choice;
use crate::config::problem::Refusal;
use crate::config::reader::Reader;

pub use dial::{Dial, PinnedCertificate};

/// Contacts that somebody else writes: the PBX itself and the Calendar app (pbx.md 3.2).
const TAKEN_CONTACTS: [&str; 4] = ["im:", "app:", "calendar:", "cal:"];

choice! {
    /// How a call in Teams is shown at the PBX.
    TeamsCalls {
        /// As the entry on-the-phone: display only.
        Entry = "entry",
        /// As a pseudo call, for which the PBX treats the user as busy.
        AlienCall = "alien-call",
    }
}

/// The App objects at the PBXs.
#[derive(Clone, Debug)]
pub struct Pbx {
    /// Last component of the App URL.
    pub app: String,
    /// The App object's password.
    pub password: Secret,
    /// The master PBX's name.
    pub master: PbxName,
    /// Contact of the presence entry that the connector owns at each user.
    pub presence_contact: String,
    /// How a call in Teams is shown at the PBX.
    pub teams_calls: TeamsCalls,
    /// License that a user needs, e.g. `App(innovaphone-microsoft365)`.
    pub license: String,
    /// Names (h323) of the users who see the lights in the PBX's client.
    pub administrators: Vec<String>,
    /// The PBXs that the connector dials; all others dial it.
    pub dial: Vec<Dial>,
}

pub(super) fn read(reader: &mut Reader) -> Option<Pbx> {
    let app = reader.parsed("pbx.app", app);
    reader.demand("pbx.password");
    let password = reader.secret("pbx.password");
    if password
        .as_ref()
        .is_some_and(|password| password.expose().trim() != password.expose())
    {
        let cause = "has a blank at its beginning or end, which is sent as it is";
        reader.warn(
            "pbx.password",
            cause,
            "make sure that the App object's password has it, too",
        );
    }
    reader.demand("pbx.master");
    let master = reader.parsed("pbx.master", pbx_name);
    let presence_contact = reader.parsed("pbx.presence_contact", presence_contact);
    if presence_contact.as_deref() == Some("tel:") {
        let cause = "is tel:, the entry of the user's own choice, which the connector would overwrite";
        reader.warn(
            "pbx.presence_contact",
            cause,
            "use \"teams:\" unless old phones must show the Teams presence",
        );
    }
    let teams_calls = reader.choice("pbx.teams_calls");
    let license = reader.parsed("pbx.license", license);
    let administrators = reader.list_or("pbx.administrators", &[]);
    let dial = dial::read(reader, password.as_ref());
    Some(Pbx {
        app: app?,
        password: password?,
        master: master?,
        presence_contact: presence_contact?,
        teams_calls: teams_calls?,
        license: license?,
        administrators: administrators?,
        dial: dial?,
    })
}

fn app(text: &str) -> Result<String, Refusal> {
    if let Some(last) = text.rsplit('/').next().filter(|last| *last != text) {
        let remedy = format!("use its last component: {:?}", last.trim_end_matches(".htm"));
        return Err(Refusal::with_remedy("is a whole URL or path", remedy));
    }
    if let Some(name) = text.strip_suffix(".htm") {
        return Err(Refusal::with_remedy("ends with .htm", format!("use {name:?}")));
    }
    if text.contains(char::is_whitespace) {
        return Err("has a blank in it, which no component of a URL has".into());
    }
    Ok(text.to_owned())
}

/// The PBX says its name in `PbxInfo`, and nothing else is ever compared with it (pbx.md 4).
fn pbx_name(text: &str) -> Result<PbxName, Refusal> {
    if text.contains("://") || text.contains(['/', ':']) {
        return Err("is an address, where the name of the PBX belongs".into());
    }
    match text.split_once('.') {
        Some((name, _)) if name.is_empty() || name.chars().all(|c| c.is_ascii_digit()) => {
            Err("is an IP address, where the name of the PBX belongs".into())
        }
        Some((name, _)) => Err(Refusal::with_remedy(
            "is a DNS name, where the name of the PBX belongs",
            format!("use the PBX Name of PBX > Config > General, probably {name:?}"),
        )),
        None => Ok(PbxName::new(text)),
    }
}

fn presence_contact(text: &str) -> Result<String, Refusal> {
    if TAKEN_CONTACTS
        .iter()
        .any(|taken| text.eq_ignore_ascii_case(taken))
    {
        return Err(
            "is written by the PBX or by another app, so that it cannot be the connector's own".into(),
        );
    }
    if text.contains(char::is_whitespace) {
        return Err("has a blank in it".into());
    }
    Ok(text.to_owned())
}

fn license(text: &str) -> Result<String, Refusal> {
    let name = text.strip_prefix("App(").and_then(|rest| rest.strip_suffix(')'));
    let fits = |name: &str| !name.is_empty() && !name.contains(['(', ')', ' ']);
    match name {
        Some(name) if fits(name) => Ok(text.to_owned()),
        _ => Err("has not the form App(name)".into()),
    }
}
