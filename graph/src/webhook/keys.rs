//! Our own key pairs for resource data: made here, kept by the store, found by their id.
//!
//! A key outlives its certificate's use: a notification that Microsoft repeats for up to four hours may still name
//! it. So nothing is ever removed while the process runs; keys are few and small.

use std::cell::RefCell;
use std::sync::Arc;

use aws_lc_rs::rsa::{OaepPrivateDecryptingKey, PrivateDecryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Datelike, Utc};
use m365_presence::ports::NotificationKey;
use m365_presence::secret::Secret;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, RsaKeySize, date_time_ymd};
use zeroize::Zeroizing;

/// The certificate is only a carrier of the public key, so it lives longer than any installation.
const YEARS: i32 = 30;

/// Why there is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// A stored key does not parse.
    #[error("the stored notification key {id} is not readable")]
    Unreadable {
        /// Its id.
        id: String,
    },
    /// A new one could not be made.
    #[error("no notification key could be made: {cause}")]
    NotMade {
        /// What the cryptography says.
        cause: String,
    },
}

/// A certificate as a subscription carries it.
pub(crate) struct Certificate {
    pub(crate) id: String,
    pub(crate) base64: String,
}

struct Entry {
    id: String,
    certificate: String,
    created_at: DateTime<Utc>,
    key: Arc<OaepPrivateDecryptingKey>,
}

/// All our key pairs, shared by the subscriptions, which use the newest, and the opener, which uses any.
#[derive(Default)]
pub struct KeyRing {
    entries: RefCell<Vec<Entry>>,
}

impl KeyRing {
    /// Takes in stored keys, in any order.
    ///
    /// # Errors
    /// A key that does not parse.
    pub fn load(keys: &[NotificationKey]) -> Result<Self, KeyError> {
        let ring = Self::default();
        keys.iter().try_for_each(|key| ring.add(key))?;
        Ok(ring)
    }

    /// Takes in one more key.
    ///
    /// # Errors
    /// A key that does not parse.
    pub fn add(&self, key: &NotificationKey) -> Result<(), KeyError> {
        let unreadable = || KeyError::Unreadable { id: key.id.clone() };
        let der = STANDARD
            .decode(key.private_key.expose())
            .map(Zeroizing::new)
            .map_err(|_| unreadable())?;
        let private = PrivateDecryptingKey::from_pkcs8(&der).map_err(|_| unreadable())?;
        let entry = Entry {
            id: key.id.clone(),
            certificate: STANDARD.encode(&key.certificate),
            created_at: key.created_at,
            key: Arc::new(OaepPrivateDecryptingKey::new(private).map_err(|_| unreadable())?),
        };
        let mut entries = self.entries.borrow_mut();
        entries.retain(|known| known.id != entry.id);
        entries.push(entry);
        Ok(())
    }

    /// Tells whether there is no key yet, so that one must be made before a rich subscription.
    pub fn is_empty(&self) -> bool {
        self.entries.borrow().is_empty()
    }

    /// The certificate that new subscriptions name.
    pub(crate) fn newest(&self) -> Option<Certificate> {
        let entries = self.entries.borrow();
        let newest = entries.iter().max_by_key(|entry| entry.created_at)?;
        Some(Certificate {
            id: newest.id.clone(),
            base64: newest.certificate.clone(),
        })
    }

    pub(super) fn find(&self, id: &str) -> Option<Arc<OaepPrivateDecryptingKey>> {
        let entries = self.entries.borrow();
        entries
            .iter()
            .find(|entry| entry.id == id)
            .map(|entry| Arc::clone(&entry.key))
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
    params.not_before = date_time_ymd(now.year() - 1, 1, 1);
    params.not_after = date_time_ymd(now.year() + YEARS, 1, 1);
    let certificate = params.self_signed(&pair).map_err(not_made)?;
    Ok(NotificationKey {
        id: uuid::Uuid::new_v4().to_string(),
        certificate: certificate.der().to_vec(),
        private_key: Secret::new(STANDARD.encode(Zeroizing::new(pair.serialize_der()))),
        created_at: now,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_key_is_found_by_its_id_and_the_newest_is_named() {
        let old = generate_notification_key("2026-11-24T12:00:00Z".parse().unwrap()).unwrap();
        let new = generate_notification_key("2026-11-25T12:00:00Z".parse().unwrap()).unwrap();
        let ring = KeyRing::load(&[new.clone(), old.clone()]).unwrap();
        assert_eq!(ring.newest().unwrap().id, new.id);
        assert!(ring.find(&old.id).is_some() && ring.find("other").is_none());
    }

    #[test]
    fn an_unreadable_key_is_named() {
        let mut key = generate_notification_key(Utc::now()).unwrap();
        key.private_key = Secret::new("AAAA");
        assert_eq!(
            KeyRing::load(&[key.clone()]).err(),
            Some(KeyError::Unreadable { id: key.id })
        );
    }
}
