//! Decryption of resource data (graph.md 4.4): RSA-OAEP for the key, then the signature, and only then AES.

use std::sync::Arc;

use aws_lc_rs::cipher::{AES_256, DecryptionContext, PaddedBlockDecryptingKey, UnboundCipherKey};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::fault::member;

/// AES-256 is what Graph uses; a shorter key is somebody else's.
const KEY_LENGTH: usize = 32;

/// Encrypted content with the private key that belongs to it.
pub(super) struct Sealed {
    content: Value,
    private_key: Arc<OaepPrivateDecryptingKey>,
}

impl Sealed {
    pub(super) fn new(content: Value, private_key: Arc<OaepPrivateDecryptingKey>) -> Self {
        Self { content, private_key }
    }

    /// Decrypts and parses; `None` for whatever is wrong with it. Blocks for about a millisecond.
    pub(super) fn open(self) -> Option<Value> {
        let bytes = |name| STANDARD.decode(member(&self.content, name)?.as_str()?).ok();
        let (mut data, signature, data_key) = (bytes("data")?, bytes("dataSignature")?, bytes("dataKey")?);
        let mut buffer = Zeroizing::new(vec![0; self.private_key.min_output_size()]);
        let key = self
            .private_key
            .decrypt(&OAEP_SHA1_MGF1SHA1, &data_key, &mut buffer, None)
            .ok()?;
        let initial = key.first_chunk::<16>().filter(|_| key.len() == KEY_LENGTH)?;
        hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, key), &data, &signature).ok()?;
        let context = DecryptionContext::Iv128(FixedLength::from(initial));
        let cipher = PaddedBlockDecryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, key).ok()?).ok()?;
        let plain = cipher.decrypt(&mut data, context).ok()?;
        serde_json::from_slice(plain).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::rsa::PrivateDecryptingKey;
    use rustls::pki_types::PrivatePkcs8KeyDer;
    use rustls::pki_types::pem::PemObject;

    fn private_key() -> Arc<OaepPrivateDecryptingKey> {
        let pem = include_bytes!("../../tests/vectors/rich-notification/key.pem");
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem).unwrap();
        let key = PrivateDecryptingKey::from_pkcs8(der.secret_pkcs8_der()).unwrap();
        Arc::new(OaepPrivateDecryptingKey::new(key).unwrap())
    }

    fn vector() -> Value {
        serde_json::from_str(include_str!("../../tests/vectors/rich-notification/vector.json")).unwrap()
    }

    fn opened(content: &Value) -> Option<Value> {
        Sealed::new(content.clone(), private_key()).open()
    }

    #[test]
    fn microsofts_own_vector_opens_to_its_plain_text() {
        let plain: Value = serde_json::from_str(include_str!(
            "../../tests/vectors/rich-notification/plaintext.json"
        ))
        .unwrap();
        assert_eq!(opened(&vector()), Some(plain));
    }

    #[test]
    fn whatever_is_tampered_with_does_not_open() {
        for name in ["data", "dataKey", "dataSignature"] {
            let text = vector()[name].as_str().unwrap().to_owned();
            let mut bytes = STANDARD.decode(&text).unwrap();
            for place in [0, bytes.len() / 2, bytes.len() - 1] {
                bytes[place] ^= 1;
                let mut tampered = vector();
                tampered[name] = STANDARD.encode(&bytes).into();
                assert_eq!(opened(&tampered), None, "{name} at {place}");
                bytes[place] ^= 1;
            }
            for odd in [
                Value::Null,
                "".into(),
                "no base64!".into(),
                7.into(),
                text[..8].into(),
            ] {
                let mut tampered = vector();
                tampered[name] = odd;
                assert_eq!(opened(&tampered), None, "{name}");
            }
        }
    }
}
