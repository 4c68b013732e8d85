//! Encryption of single values.
//!
//! A sealed value is one byte of version, a nonce of 12 bytes drawn for it, and AES-256-GCM's ciphertext with its tag
//! of 16 bytes. The table and the row's key are authenticated with it: a value that was copied to another row, for
//! example an old token into another account's row, does not open.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::error::Unspecified;
use m365_presence::secret::Secret;
use zeroize::Zeroizing;

use crate::error::Failure;
use crate::key::EncryptionKey;

/// The form of a sealed value; another form gets another number.
const VERSION: u8 = 1;

/// Where a sealed value stands: its table and the columns of its row's key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    table: &'static str,
    key: &'a [&'a str],
}

impl<'a> Place<'a> {
    /// Names a place.
    pub(crate) const fn new(table: &'static str, key: &'a [&'a str]) -> Self {
        Self { table, key }
    }

    /// Spells the place so that no two places are spelled alike: each part is preceded by its length.
    fn authenticated(self) -> Aad<String> {
        let parts = std::iter::once(&self.table).chain(self.key);
        Aad::from(parts.map(|part| format!("{}:{part}", part.len())).collect())
    }
}

/// Seals and opens values under one key.
pub(crate) struct Cipher(RandomizedNonceKey);

impl Cipher {
    /// Makes the cipher.
    pub(crate) fn new(key: &EncryptionKey) -> Result<Self, Unspecified> {
        RandomizedNonceKey::new(&AES_256_GCM, key.bytes()).map(Self)
    }

    /// Encrypts a secret for its place.
    pub(crate) fn seal(&self, place: Place<'_>, secret: &Secret) -> Result<Vec<u8>, Failure> {
        let refused = |_unspecified| Failure::Sealed { table: place.table };
        let mut ciphertext = secret.expose().as_bytes().to_vec();
        let nonce = self
            .0
            .seal_in_place_append_tag(place.authenticated(), &mut ciphertext)
            .map_err(refused)?;
        Ok([&[VERSION], nonce.as_ref().as_slice(), &ciphertext].concat())
    }

    /// Decrypts what was sealed for this place.
    pub(crate) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Secret, Failure> {
        self.try_open(place, sealed)
            .ok_or(Failure::Sealed { table: place.table })
    }

    fn try_open(&self, place: Place<'_>, sealed: &[u8]) -> Option<Secret> {
        let (nonce, ciphertext) = sealed.strip_prefix(&[VERSION])?.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut ciphertext = Zeroizing::new(ciphertext.to_vec());
        let plaintext = self
            .0
            .open_in_place(nonce, place.authenticated(), &mut ciphertext)
            .ok()?;
        std::str::from_utf8(plaintext).ok().map(Secret::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "presence1@example.com";

    fn place() -> Place<'static> {
        Place::new("refresh_tokens", &[ACCOUNT])
    }

    fn cipher(byte: &str) -> Cipher {
        Cipher::new(&byte.repeat(32).parse().unwrap()).unwrap()
    }

    #[test]
    fn a_value_opens_in_its_place_and_nowhere_else() {
        let cipher = cipher("5a");
        let secret = Secret::new("p&ä*(+ ) %='!~#");
        let sealed = cipher.seal(place(), &secret).unwrap();
        assert_eq!(cipher.open(place(), &sealed).unwrap(), secret);

        let elsewhere = [
            Place::new("client_states", &[ACCOUNT]),
            Place::new("refresh_tokens", &["presence2@example.com"]),
            Place::new("refresh_tokens", &[ACCOUNT, ""]),
        ];
        for place in elsewhere {
            assert!(
                matches!(cipher.open(place, &sealed), Err(Failure::Sealed { .. })),
                "{place:?}"
            );
        }
    }

    #[test]
    fn a_changed_or_shortened_value_does_not_open() {
        let cipher = cipher("5a");
        let sealed = cipher.seal(place(), &Secret::new("token")).unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(cipher.open(place(), &changed).is_err(), "byte {at}");
            assert!(cipher.open(place(), &sealed[..at]).is_err(), "length {at}");
        }
    }

    #[test]
    fn the_same_secret_is_never_sealed_alike_and_opens_with_its_key_only() {
        let secret = Secret::new("token");
        let sealed = cipher("5a").seal(place(), &secret).unwrap();
        assert_ne!(sealed, cipher("5a").seal(place(), &secret).unwrap());
        assert!(cipher("5b").open(place(), &sealed).is_err());
    }
}
