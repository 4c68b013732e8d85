//! `[[pbx.dial]]`: the PBXs that the connector dials, because they do not dial it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use m365_presence::identity::PbxName;
use m365_presence::secret::Secret;

use super::pbx_name;
use crate::config::problem::Refusal;
use crate::config::reader::Reader;
use crate::config::{address, pem};

const DIALS: &str = "pbx.dial";

/// Path of a PBX's own websocket (pbx.md 1.5).
const PATH: &str = "/PBX0/APPS/websocket";

/// Hexadecimal digits of a SHA-256 fingerprint, and of a SHA-1 one, which is often shown beside it.
const SHA_256_DIGITS: usize = 64;
const SHA_1_DIGITS: usize = 40;

/// A PBX that is dialled.
#[derive(Clone, Debug)]
pub struct Dial {
    /// The websocket's address.
    pub url: String,
    /// The App object's name.
    pub object: String,
    /// Its password.
    pub password: Secret,
    /// The PBX's name, where it does not say it.
    pub pbx: Option<PbxName>,
    /// What its certificate is recognised by; `None` when an authority vouches for it.
    pub certificate: Option<PinnedCertificate>,
}

/// What a certificate is recognised by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PinnedCertificate {
    /// Its SHA-256 fingerprint.
    Fingerprint([u8; 32]),
    /// A PEM file with it, or with the authority that has signed it.
    File(PathBuf),
}

pub(super) fn read(reader: &mut Reader, usual_password: Option<&Secret>) -> Option<Vec<Dial>> {
    let indices = reader.indices(DIALS);
    let sections = indices.iter().map(|index| format!("{DIALS}.{index}"));
    let mut seen = BTreeMap::new();
    let dials: Vec<_> = sections
        .map(|section| {
            let dial = dial(reader, &section, usual_password)?;
            refuse_twin(reader, &mut seen, &section, &dial);
            Some(dial)
        })
        .collect();
    dials.into_iter().collect()
}

/// Two connections as the same App object would take each other's place for ever.
fn refuse_twin(
    reader: &mut Reader,
    seen: &mut BTreeMap<(String, String), String>,
    section: &str,
    dial: &Dial,
) {
    let place = (dial.url.to_lowercase(), dial.object.to_lowercase());
    if let Some(first) = seen.insert(place, section.to_owned()) {
        let cause = format!("is the same App object of the same PBX as in {first}");
        let refusal = Refusal::with_remedy(cause, "remove one of the two sections");
        reader.refuse(&format!("{section}.object"), refusal);
    }
}

fn dial(reader: &mut Reader, section: &str, usual_password: Option<&Secret>) -> Option<Dial> {
    let at = |key: &str| format!("{section}.{key}");
    let url = place(reader, &at("host"), &at("url"));
    reader.demand(&at("object"));
    let object = reader.text(&at("object"));
    let password = if reader.is_set(&at("password")) {
        reader.secret(&at("password"))
    } else {
        usual_password.cloned()
    };
    let pbx = reader.parsed(&at("pbx"), pbx_name);
    let certificate = reader.parsed(&at("certificate"), certificate);
    let is_plain = url.as_ref().is_some_and(|url| url.starts_with("ws:"));
    if is_plain && certificate.is_some() {
        let remedy = "remove it, or dial wss://";
        reader.refuse(
            &at("certificate"),
            Refusal::with_remedy("is given for an address without TLS", remedy),
        );
    }
    let judged = |key: &str, found: bool| found || !reader.is_set(&at(key));
    if !judged("pbx", pbx.is_some()) || !judged("certificate", certificate.is_some()) {
        return None;
    }
    Some(Dial {
        url: url?,
        object: object?,
        password: password?,
        pbx,
        certificate,
    })
}

/// Where the PBX is: its host, or the whole address where that is an unusual one.
fn place(reader: &mut Reader, host: &str, url: &str) -> Option<String> {
    if !reader.is_set(url) {
        reader.demand(host);
        return reader.parsed(host, |text| {
            address::host(text).map(|host| format!("wss://{host}{PATH}"))
        });
    }
    if reader.is_set(host) {
        let remedy = "keep host for the usual address wss://HOST/PBX0/APPS/websocket, url for any other one";
        reader.refuse(url, Refusal::with_remedy("is given beside host", remedy));
    }
    reader.parsed(url, address::websocket)
}

fn certificate(text: &str) -> Result<PinnedCertificate, Refusal> {
    let bare = text
        .strip_prefix("sha256:")
        .or(text.strip_prefix("SHA256:"))
        .unwrap_or(text);
    let digits: String = bare.chars().filter(|c| !matches!(c, ':' | ' ' | '-')).collect();
    let hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    match digits.len() {
        SHA_256_DIGITS if hexadecimal => bytes(&digits)
            .map(PinnedCertificate::Fingerprint)
            .ok_or_else(|| "is no fingerprint".into()),
        SHA_1_DIGITS if hexadecimal => Err(Refusal::with_remedy(
            "is a SHA-1 fingerprint, which can be forged",
            "use the SHA-256 fingerprint: openssl x509 -noout -fingerprint -sha256 -in pbx.crt",
        )),
        _ => pem::certificate(text).map(PinnedCertificate::File),
    }
}

fn bytes(digits: &str) -> Option<[u8; 32]> {
    let bytes = (0..digits.len()).step_by(2).map(|at| {
        let pair = digits.get(at..at + 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    bytes.collect::<Option<Vec<u8>>>()?.try_into().ok()
}
