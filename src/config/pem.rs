//! PEM files that the configuration names.

use std::path::PathBuf;

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
