//! Our own key pairs for resource data: made here, kept by the store, found by their id.
//!
//! What is current and what may be dropped is decided by [`m365_presence::rotation`]; here they are only made, kept at hand,
//! and found. A key is taken in only when it has signed its own certificate: for a damaged one Graph would refuse resource
//! data, or encrypt what nobody could read.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{OaepPrivateDecryptingKey, PrivateDecryptingKey};
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Datelike, TimeDelta, Utc};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use m365_presence::ports::{KeyError, KeyPairs, NotificationKey};
use m365_presence::secret::Secret;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd};
use zeroize::Zeroizing;

/// A certificate is valid for twice as long as any key is used.
const VALID: TimeDelta = TimeDelta::days(730);

/// Bytes before the content of a DER sequence whose length takes two bytes.
const HEADER: usize = 4;

/// And was valid already so long ago, whatever the reader's clock says.
const VALID_BEFORE: TimeDelta = TimeDelta::days(2);

struct Entry {
    certificate: String,
    key: Arc<OaepPrivateDecryptingKey>,
}

/// All our key pairs at hand, shared by the subscriptions that name them and the opener that decrypts with them.
#[derive(Default)]
pub struct KeyRing {
    entries: RefCell<BTreeMap<String, Entry>>,
    named: RefCell<BTreeSet<String>>,
}

impl KeyRing {
    /// The certificate of a key in base64, as a subscription carries it.
    pub(crate) fn certificate(&self, id: &str) -> Option<String> {
        let entries = self.entries.borrow();
        entries.get(id).map(|entry| entry.certificate.clone())
    }

    /// The private key that a genuine notification names.
    pub(super) fn find(&self, id: &str) -> Option<Arc<OaepPrivateDecryptingKey>> {
        let key = self
            .entries
            .borrow()
            .get(id)
            .map(|entry| Arc::clone(&entry.key))?;
        if !self.named.borrow().contains(id) {
            self.named.borrow_mut().insert(id.to_owned());
        }
        Some(key)
    }
}

impl KeyPairs for KeyRing {
    fn make(&self, now: DateTime<Utc>) -> LocalBoxFuture<'_, Result<NotificationKey, KeyError>> {
        async move {
            let made = tokio::task::spawn_blocking(move || generate_notification_key(now)).await;
            made.unwrap_or_else(|stopped| {
                Err(KeyError::NotMade {
                    cause: stopped.to_string(),
                })
            })
        }
        .boxed_local()
    }

    fn take_in(&self, key: &NotificationKey) -> Result<(), KeyError> {
        let entry = read(key).map_err(|cause| KeyError::Damaged {
            id: key.id.clone(),
            cause,
        })?;
        self.entries.borrow_mut().insert(key.id.clone(), entry);
        Ok(())
    }

    fn forget(&self, id: &str) {
        self.entries.borrow_mut().remove(id);
    }

    fn take_named(&self) -> BTreeSet<String> {
        self.named.take()
    }
}

fn read(key: &NotificationKey) -> Result<Entry, &'static str> {
    let unreadable = "its private key is not readable";
    let der = STANDARD
        .decode(key.private_key.expose())
        .map(Zeroizing::new)
        .map_err(|_| unreadable)?;
    let private = PrivateDecryptingKey::from_pkcs8(&der).map_err(|_| unreadable)?;
    let public: PublicKeyX509Der<'_> = private.public_key().as_der().map_err(|_| unreadable)?;
    if !is_signed_by(&key.certificate, public.as_ref(), private.key_size_bytes()) {
        return Err("its certificate is not the one that its private key has signed");
    }
    Ok(Entry {
        certificate: STANDARD.encode(&key.certificate),
        key: Arc::new(OaepPrivateDecryptingKey::new(private).map_err(|_| unreadable)?),
    })
}

/// Whether a certificate is one whole sequence that ends with a signature of this many bytes by this key over its first
/// member, as that of every self-signed certificate of an RSA key does.
fn is_signed_by(certificate: &[u8], public: &[u8], signature_length: usize) -> bool {
    let signed = || {
        let (content, rest) = sequence(certificate)?;
        let (members, _) = sequence(content)?;
        let message = content.get(..HEADER + members.len())?;
        let signature = content.get(content.len().checked_sub(signature_length)?..)?;
        let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
        (rest.is_empty() && key.verify(message, signature).is_ok()).then_some(())
    };
    signed().is_some()
}

/// The content of a DER sequence whose length takes two bytes, and what follows it.
fn sequence(der: &[u8]) -> Option<(&[u8], &[u8])> {
    match der {
        [0x30, 0x82, high, low, rest @ ..] => rest.split_at_checked(u16::from_be_bytes([*high, *low]).into()),
        _ => None,
    }
}

/// Makes a key pair for resource data: RSA 2048 with a self-signed certificate, whose issuer Graph does not check.
///
/// Blocks for some hundred milliseconds; call it on the blocking pool.
///
/// # Errors
/// Only when the cryptography fails.
pub fn generate_notification_key(now: DateTime<Utc>) -> Result<NotificationKey, KeyError> {
    let not_made = |error: rcgen::Error| KeyError::NotMade {
        cause: error.to_string(),
    };
    let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(not_made)?;
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "m365-connector notifications");
    if let (Some(begin), Some(end)) = (midnight(now - VALID_BEFORE), midnight(now + VALID)) {
        params.not_before = date_time_ymd(begin.0, begin.1, begin.2);
        params.not_after = date_time_ymd(end.0, end.1, end.2);
    }
    let certificate = params.self_signed(&pair).map_err(not_made)?;
    Ok(NotificationKey {
        id: uuid::Uuid::new_v4().to_string(),
        certificate: certificate.der().to_vec(),
        private_key: Secret::new(STANDARD.encode(Zeroizing::new(pair.serialize_der()))),
        created_at: now,
    })
}

fn midnight(at: DateTime<Utc>) -> Option<(i32, u8, u8)> {
    Some((at.year(), at.month().try_into().ok()?, at.day().try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made() -> NotificationKey {
        generate_notification_key("2024-02-29T12:00:00Z".parse().unwrap()).unwrap()
    }

    #[test]
    fn a_key_is_found_by_its_id_until_it_is_forgotten() {
        let (ring, key) = (KeyRing::default(), made());
        ring.take_in(&key).unwrap();
        assert!(ring.find(&key.id).is_some() && ring.find("other").is_none());
        assert_eq!(ring.certificate(&key.id), Some(STANDARD.encode(&key.certificate)));
        assert_eq!(ring.take_named(), BTreeSet::from([key.id.clone()]));
        assert!(ring.take_named().is_empty());
        ring.forget(&key.id);
        assert!(ring.find(&key.id).is_none() && ring.certificate(&key.id).is_none());
    }

    #[test]
    fn a_damaged_key_is_named_and_not_taken_in() {
        let (good, other) = (made(), made());
        let with_private = |text: &str| NotificationKey {
            private_key: Secret::new(text),
            ..good.clone()
        };
        let with_certificate = |der: &[u8]| NotificationKey {
            certificate: der.to_vec(),
            ..good.clone()
        };
        let mut cut = good.certificate.clone();
        cut.pop();
        let mut flipped = good.certificate.clone();
        flipped[100] ^= 1;
        for damaged in [
            with_private("AAAA"),
            with_private("no base64!"),
            with_private(""),
            with_private(other.private_key.expose()),
            with_certificate(&other.certificate),
            with_certificate(&cut),
            with_certificate(&flipped),
            with_certificate(&[]),
        ] {
            let ring = KeyRing::default();
            let refusal = ring.take_in(&damaged);
            assert!(
                matches!(&refusal, Err(KeyError::Damaged { id, .. }) if *id == good.id),
                "{refusal:?}"
            );
            assert!(ring.find(&good.id).is_none());
        }
    }
}
