//! The key under which secrets are encrypted, and where it comes from.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Length of a key: AES-256.
pub(crate) const KEY_BYTES: usize = 32;

/// Permission bits of group and others.
const NOT_THE_OWNER: u32 = 0o077;

/// A key of 32 bytes: masked when printed, wiped when dropped.
///
/// Its text form is 64 hexadecimal digits or the base64 of 32 bytes, in either alphabet, padded or not; white space
/// around it is ignored.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct EncryptionKey([u8; KEY_BYTES]);

/// Where the key comes from.
#[derive(Clone, Debug)]
pub enum KeySource {
    /// Beside the database, drawn when there is no database yet: `FILE.key` with mode 0600, or a row of the server's
    /// table `meta`.
    Beside,
    /// A file that the administrator provides.
    File(PathBuf),
    /// Given itself, for example by an environment variable.
    Given(EncryptionKey),
}

/// Why there is no usable key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The text is no key.
    #[error(
        "an encryption key is 64 hexadecimal digits or the base64 of 32 bytes; make one with `openssl rand -hex 32`"
    )]
    Form,
    /// The file's text is no key.
    #[error("the key file {} holds no key: {error}", path.display(), error = KeyError::Form)]
    FileForm {
        /// The key file.
        path: PathBuf,
    },
    /// Others may read the key that stands beside the database.
    #[error("the key file {path} may be read by others than its owner; run `chmod 600 {path}`", path = path.display())]
    Exposed {
        /// The key file.
        path: PathBuf,
    },
    /// The key of an existing database is gone.
    #[error(
        "the key file {key} is missing, but the database {database} holds secrets encrypted with it; restore the key \
         file from a backup. If it is lost, move the database away to start anew. That loses the client states, the \
         sign-ins by device code (each communication user must sign in again), the notification keys, and the record \
         of what was set: entries at the PBX stay until they are set again",
        key = path.display(), database = database.display()
    )]
    Missing {
        /// The key file.
        path: PathBuf,
        /// The database.
        database: PathBuf,
    },
    /// The key of an existing database on a server is not given.
    #[error(
        "the secrets in the database {database} are encrypted with a key of its own; give it as database.key, the \
         same to every instance"
    )]
    NotGiven {
        /// The database.
        database: String,
    },
    /// The key file cannot be read or written.
    #[error("the key file {} cannot be used: {error}; check its path and its owner", path.display())]
    File {
        /// The key file.
        path: PathBuf,
        /// The system's words.
        error: io::Error,
    },
    /// The system gave no random bytes.
    #[error("the system gives no random bytes to draw an encryption key from; restart it")]
    NoRandomness,
}

impl EncryptionKey {
    /// Draws a key.
    pub fn draw() -> Result<Self, KeyError> {
        let mut bytes = [0; KEY_BYTES];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_unspecified| KeyError::NoRandomness)?;
        Ok(Self(bytes))
    }

    /// Returns the bytes, for the cipher.
    pub(crate) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }

    /// Returns the text form, for where it is kept.
    pub(crate) fn hexadecimal(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(m365_presence::secret::MASK)
    }
}

impl FromStr for EncryptionKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.trim();
        let bytes = from_hexadecimal(text)
            .or_else(|| from_base64(text))
            .ok_or(KeyError::Form)?;
        let bytes = Zeroizing::new(bytes);
        let key = <[u8; KEY_BYTES]>::try_from(bytes.as_slice()).map_err(|_length| KeyError::Form)?;
        Ok(Self(key))
    }
}

fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    if text.len() != 2 * KEY_BYTES || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

fn from_base64(text: &str) -> Option<Vec<u8>> {
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [&alphabet::STANDARD, &alphabet::URL_SAFE]
        .into_iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, lenient).decode(text).ok())
}

impl KeySource {
    /// Fetches the key for a database. `encrypted` tells whether the database holds secrets already, so that a missing
    /// key is not replaced.
    pub(crate) fn fetch(&self, database: &Path, encrypted: bool) -> Result<EncryptionKey, KeyError> {
        match self {
            Self::Given(key) => Ok(key.clone()),
            Self::File(path) => {
                if readable_by_others(path)? {
                    // Secrets that a container platform mounts are often readable by a group, on purpose.
                    log::warn!(path:% = path.display(); "key file may be read by others than its owner");
                }
                read(path)
            }
            Self::Beside => {
                let path = beside(database);
                if !path.exists() {
                    if encrypted {
                        return Err(KeyError::Missing {
                            path,
                            database: database.to_owned(),
                        });
                    }
                    return draw_into(&path);
                }
                if readable_by_others(&path)? {
                    log::warn!(path:% = path.display(); "key file refused, others than its owner may read it");
                    return Err(KeyError::Exposed { path });
                }
                read(&path)
            }
        }
    }

    /// Names the source for a person, e.g. "the key file connector.db.key".
    pub(crate) fn describe(&self, database: &Path) -> String {
        match self {
            Self::Beside => format!("the key file {}", beside(database).display()),
            Self::File(path) => format!("the key file {}", path.display()),
            Self::Given(_) => "the given encryption key".to_owned(),
        }
    }
}

/// The file beside the database that holds its key.
fn beside(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(".key");
    path.into()
}

fn readable_by_others(path: &Path) -> Result<bool, KeyError> {
    let attributes = fs::metadata(path).map_err(|error| file_error(path, error))?;
    Ok(attributes.permissions().mode() & NOT_THE_OWNER != 0)
}

fn read(path: &Path) -> Result<EncryptionKey, KeyError> {
    let text = fs::read(path)
        .map(Zeroizing::new)
        .map_err(|error| file_error(path, error))?;
    let form = || KeyError::FileForm {
        path: path.to_owned(),
    };
    std::str::from_utf8(&text)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(form)
}

/// Draws a key into a new file: whole and on disk before it gets its name, so that a crash leaves no half key.
fn draw_into(path: &Path) -> Result<EncryptionKey, KeyError> {
    let key = EncryptionKey::draw()?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    write_durably(Path::new(&draft), path, &key).map_err(|error| file_error(path, error))?;
    log::info!(path:% = path.display(); "drew the encryption key of the database, keep a copy apart from it");
    Ok(key)
}

fn write_durably(draft: &Path, path: &Path, key: &EncryptionKey) -> io::Result<()> {
    match fs::remove_file(draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)?;
    file.write_all(key.hexadecimal().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::rename(draft, path)?;
    path.parent()
        .map_or(Ok(()), |directory| File::open(directory)?.sync_all())
}

fn file_error(path: &Path, error: io::Error) -> KeyError {
    KeyError::File {
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEXADECIMAL: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";

    #[test]
    fn a_key_is_read_in_each_form_that_is_offered() {
        let base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        for text in [
            HEXADECIMAL,
            base64,
            &format!("{base64}="),
            &format!(" {HEXADECIMAL}\r\n"),
        ] {
            let key: EncryptionKey = text.parse().unwrap();
            assert_eq!(key.bytes().to_vec(), (0..32).collect::<Vec<u8>>());
        }
        let url_safe: EncryptionKey = "__________________________________________8".parse().unwrap();
        assert_eq!(url_safe.bytes(), &[0xff; 32]);
    }

    #[test]
    fn a_text_of_another_form_is_told_which_form_is_needed() {
        for text in [
            "",
            "secret",
            &HEXADECIMAL[1..],
            "AAECAwQFBgcICQoLDA0ODw==",
            "ü".repeat(32).as_str(),
        ] {
            let error = text.parse::<EncryptionKey>().unwrap_err().to_string();
            assert!(
                error.contains("64 hexadecimal digits or the base64 of 32 bytes"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_key_is_not_printed() {
        let key: EncryptionKey = HEXADECIMAL.parse().unwrap();
        assert_eq!(format!("{:?}", KeySource::Given(key)), "Given(********)");
    }
}
