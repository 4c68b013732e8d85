//! How an app registration proves itself: by a secret, or by a certificate with its key.

use std::path::PathBuf;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use m365_graph::judge_client_certificate;
use m365_presence::secret::Secret;

use super::unblanked;
use crate::config::pem;
use crate::config::problem::Refusal;
use crate::config::reader::Reader;

/// This machine's clock may be so far behind the one that a certificate was made by.
const SKEW: TimeDelta = TimeDelta::minutes(15);

/// How an app registration proves itself.
#[derive(Clone, Debug)]
pub enum AppCredential {
    /// By its secret.
    Secret {
        /// The secret's value.
        value: Secret,
        /// Its end, where the administrator has told it: Entra does not.
        expires_at: Option<DateTime<Utc>>,
    },
    /// By a certificate.
    Certificate {
        /// PEM file.
        certificate: PathBuf,
        /// PEM file.
        private_key: PathBuf,
        /// The end of the certificate.
        expires_at: DateTime<Utc>,
    },
}

/// Reads the proof of the section that begins like this; `None` where there is none, or one of no use.
pub(super) fn read(reader: &mut Reader, section: &str) -> Option<AppCredential> {
    let at = |key: &str| format!("{section}.{key}");
    let (secret, expires) = (at("client_secret"), at("client_secret_expires"));
    let (certificate, key) = (at("client_certificate"), at("client_private_key"));
    let by_certificate = reader.is_set(&certificate) || reader.is_set(&key);
    if by_certificate && reader.is_set(&secret) {
        let remedy = "remove either client_secret or client_certificate with client_private_key";
        reader.refuse(
            &secret,
            Refusal::with_remedy("is given beside a certificate", remedy),
        );
    }
    if reader.is_set(&expires) && !reader.is_set(&secret) {
        let remedy = "remove it: the end of a certificate is read off the certificate";
        reader.refuse(
            &expires,
            Refusal::with_remedy("is given without a client_secret", remedy),
        );
    }
    if by_certificate {
        return by_files(reader, &certificate, &key);
    }
    let expires_at = reader.parsed(&expires, end_of_secret);
    if expires_at.is_some_and(|end| end < Utc::now()) {
        let remedy = "create a new secret at App registrations > Certificates & secrets and enter its value and its end";
        reader.warn(
            &expires,
            "is in the past, so Entra will refuse the client_secret",
            remedy,
        );
    }
    let value = reader.parsed(&secret, unblanked)?;
    Some(AppCredential::Secret { value, expires_at })
}

/// Entra's portal shows a day; on that day it ends.
fn end_of_secret(text: &str) -> Result<DateTime<Utc>, Refusal> {
    let day = text.parse::<NaiveDate>().ok();
    day.and_then(|day| day.and_hms_opt(0, 0, 0))
        .map(|midnight| midnight.and_utc())
        .ok_or_else(|| "is no date".into())
}

fn by_files(reader: &mut Reader, certificate: &str, key: &str) -> Option<AppCredential> {
    let (certificate_file, key_file) = pem::pair(reader, certificate, key)?;
    // whoever has just read them can read them
    let (certificate_text, key_text) = (
        std::fs::read_to_string(&certificate_file).unwrap_or_default(),
        Secret::new(std::fs::read_to_string(&key_file).unwrap_or_default()),
    );
    match judge_client_certificate(&certificate_text, &key_text) {
        Ok(validity) => {
            judge_time(reader, certificate, validity.from, validity.until);
            Some(AppCredential::Certificate {
                certificate: certificate_file,
                private_key: key_file,
                expires_at: validity.until,
            })
        }
        Err(error) => {
            let path = if error.is_about_the_key() {
                key
            } else {
                certificate
            };
            reader.refuse(path, Refusal::with_remedy(error.to_string(), error.remedy()));
            None
        }
    }
}

fn judge_time(reader: &mut Reader, certificate: &str, from: DateTime<Utc>, until: DateTime<Utc>) {
    let now = Utc::now();
    if until <= now {
        let cause = format!(
            "holds a certificate that has expired on {}",
            until.format("%Y-%m-%d")
        );
        let remedy = "make a new pair, upload its certificate at App registrations > Certificates & secrets, and name it here";
        reader.refuse(certificate, Refusal::with_remedy(cause, remedy));
    } else if from > now + SKEW {
        let cause = format!(
            "holds a certificate that is not valid before {}",
            from.format("%Y-%m-%d %H:%M UTC")
        );
        let remedy = "wait until then, name another certificate, or set this machine's clock right";
        reader.refuse(certificate, Refusal::with_remedy(cause, remedy));
    }
}
