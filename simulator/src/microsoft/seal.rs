//! Locks the content of rich notifications exactly as the service does (reference 4.4): a random key per notification,
//! under the subscriber's certificate; AES-256-CBC whose first vector is the key's first half; a signature by the same key.

use aws_lc_rs::{
    cipher::{AES_256, EncryptionContext, PaddedBlockEncryptingKey, UnboundCipherKey},
    error::Unspecified,
    hmac,
    iv::FixedLength,
    rand,
    rsa::{OAEP_SHA1_MGF1SHA1, OaepPublicEncryptingKey, PublicEncryptingKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::subscription::Lock;

/// Returns the `encryptedContent` for a plain text.
pub(super) fn seal(lock: &Lock, plaintext: &str) -> Result<Value, Unspecified> {
    let mut key = [0_u8; 32];
    rand::fill(&mut key)?;
    let public_key = PublicEncryptingKey::from_der(&lock.public_key).map_err(|_| Unspecified)?;
    let oaep = OaepPublicEncryptingKey::new(public_key)?;
    let mut room = vec![0_u8; oaep.ciphertext_size()];
    let data_key = oaep.encrypt(&OAEP_SHA1_MGF1SHA1, &key, &mut room, None)?;
    let vector = key.first_chunk::<16>().ok_or(Unspecified)?;
    let mut data = plaintext.as_bytes().to_vec();
    PaddedBlockEncryptingKey::cbc_pkcs7(UnboundCipherKey::new(&AES_256, &key)?)?
        .less_safe_encrypt(&mut data, EncryptionContext::Iv128(FixedLength::from(vector)))?;
    let signature = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &data);
    Ok(json!({
        "data": STANDARD.encode(&data),
        "dataSignature": STANDARD.encode(signature),
        "dataKey": STANDARD.encode(data_key),
        "encryptionCertificateId": lock.certificate_id,
        "encryptionCertificateThumbprint": lock.thumbprint,
    }))
}
