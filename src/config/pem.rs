//! PEM files that the configuration names.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use m365_graph::Certificate;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use super::problem::Refusal;
use super::reader::Reader;

/// Reads the paths of a certificate and its private key: both or neither.
pub(super) fn pair(reader: &mut Reader, certificate: &str, private_key: &str) -> Option<(PathBuf, PathBuf)> {
    if reader.is_set(certificate) || reader.is_set(private_key) {
        reader.demand(certificate);
        reader.demand(private_key);
    }
    let chain = reader.parsed(certificate, self::certificate);
    let key = reader.parsed(private_key, |file| {
        holding(file, "PRIVATE KEY-----", "private key")
    });
    Some((chain?, key?))
}

/// Reads the paths of what a TLS listener shows: a certificate chain and the key of its first certificate. Returns also
/// when that certificate ends.
pub(super) fn tls_pair(
    reader: &mut Reader,
    certificate: &str,
    private_key: &str,
) -> Option<(PathBuf, PathBuf, DateTime<Utc>)> {
    let (chain_file, key_file) = pair(reader, certificate, private_key)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(&chain_file).and_then(Iterator::collect);
    let first = std::fs::read(&chain_file)
        .ok()
        .and_then(|pem| Certificate::from_pem(&pem));
    let (Ok(chain), Some(first)) = (chain, first) else {
        reader.refuse(certificate, "names a file whose certificate cannot be read");
        return None;
    };
    let Ok(key) = PrivateKeyDer::from_pem_file(&key_file) else {
        let remedy = "remove a passphrase with: openssl pkey -in encrypted.key -out tls.key";
        let cause = "names a file whose private key cannot be read, perhaps because it is encrypted";
        reader.refuse(private_key, Refusal::with_remedy(cause, remedy));
        return None;
    };
    if let Err(error) = CertifiedKey::from_der(chain, key, &rustls::crypto::aws_lc_rs::default_provider()) {
        let remedy = "name the key that the first certificate of the chain was made with";
        let cause = format!("names a private key that does not belong to the certificate: {error}");
        reader.refuse(private_key, Refusal::with_remedy(cause, remedy));
        return None;
    }
    let ends = first.validity().until;
    if ends <= Utc::now() {
        let cause = format!("has expired on {}, so nobody trusts it", ends.format("%Y-%m-%d"));
        reader.warn(certificate, cause, "renew the certificate");
    }
    Some((chain_file, key_file, ends))
}

/// Reads the path of a file with certificates.
pub(super) fn certificate(file: &str) -> Result<PathBuf, Refusal> {
    holding(file, "-----BEGIN CERTIFICATE-----", "certificate")
}

fn holding(file: &str, mark: &str, what: &str) -> Result<PathBuf, Refusal> {
    let text = std::fs::read(file).map_err(|error| {
        Refusal::with_remedy(
            format!("names a file that cannot be read: {error}"),
            "check the path, and that the connector's user may read the file",
        )
    })?;
    if text.windows(mark.len()).any(|part| part == mark.as_bytes()) {
        Ok(PathBuf::from(file))
    } else {
        Err(format!("names a file without a {what} in PEM format").into())
    }
}
