//! The address of a database: `postgres://user:password@host:port/database?sslmode=…`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use m365_presence::secret::Secret;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use url::form_urlencoded;

/// Where a database is and how it is reached. It holds the password, hence its `Debug` tells no more than its name.
///
/// It is displayed as `database at host:port`, which is how errors and the log name it.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresAddress {
    /// As tokio-postgres takes it, TLS apart.
    pub(super) config: Config,
    /// How far TLS is demanded.
    pub(super) protection: Protection,
    /// PEM file of the roots to trust instead of the machine's.
    pub(super) root_certificate: Option<PathBuf>,
    /// PEM files of the client's certificate and private key.
    pub(super) client_certificate: Option<(PathBuf, PathBuf)>,
}

/// How far TLS is demanded, in the words of libpq's `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    /// No TLS.
    Disable,
    /// TLS when the server offers it, without a look at its certificate.
    Prefer,
    /// TLS, without a look at the certificate.
    Require,
    /// TLS with a certificate of a trusted root, for whatever name.
    VerifyCa,
    /// TLS with a certificate of a trusted root for the host's name.
    VerifyFull,
}

/// What is wrong with an address; each text continues the words "the address".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Something else than `postgres://`.
    #[error("does not begin with postgres://")]
    Scheme,
    /// No host in it.
    #[error("names no host")]
    NoHost,
    /// No database in it.
    #[error("names no database behind the host: append /connector, or whatever it is called")]
    NoDatabase,
    /// No user in it.
    #[error("names no user before the host")]
    NoUser,
    /// An unknown `sslmode`.
    #[error("has an unknown sslmode; it is one of disable, prefer, require, verify-ca, verify-full")]
    Mode,
    /// One of the client's two files is missing.
    #[error("has only one of sslcert and sslkey; they come together")]
    HalfCertificate,
    /// Anything else, in the words of whoever reads it.
    #[error(
        "cannot be read: {0}; write '@', ':', '/', '?', '#' and '%' in names and passwords as %40, %3A, %2F, %3F, %23 and %25"
    )]
    Form(String),
}

impl PostgresAddress {
    /// Reads an address. A password that is given apart prevails over one within.
    ///
    /// # Errors
    /// What is wrong with it; no error repeats a password.
    pub fn parse(text: &str, password: Option<&Secret>) -> Result<Self, AddressError> {
        if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
            return Err(AddressError::Scheme);
        }
        let (place, query) = text.split_once('?').unwrap_or((text, ""));
        let mut address = Self {
            config: Config::new(),
            protection: Protection::Prefer,
            root_certificate: None,
            client_certificate: None,
        };
        let (mut certificate, mut key) = (None, None);
        let mut rest = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(query.replace('+', "%2B").as_bytes()) {
            match name.as_ref() {
                "sslmode" => address.protection = value.parse()?,
                // libpq's word for the machine's own roots
                "sslrootcert" if value == "system" => {}
                "sslrootcert" => address.root_certificate = Some(PathBuf::from(value.as_ref())),
                "sslcert" => certificate = Some(PathBuf::from(value.as_ref())),
                "sslkey" => key = Some(PathBuf::from(value.as_ref())),
                _ => {
                    rest.append_pair(&name, &value);
                }
            }
        }
        address.client_certificate = match (certificate, key) {
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (None, None) => None,
            _ => return Err(AddressError::HalfCertificate),
        };
        // the reader of addresses knows %20, not the '+' of forms
        let rest = rest.finish().replace('+', "%20");
        let text = if rest.is_empty() {
            place.to_owned()
        } else {
            format!("{place}?{rest}")
        };
        address.config = Config::from_str(&text).map_err(|error| AddressError::Form(words(&error)))?;
        address.complete(password)
    }

    /// The password, where one is given.
    pub fn password(&self) -> Option<Secret> {
        let password = self.config.get_password()?;
        Some(Secret::new(String::from_utf8_lossy(password)))
    }

    fn complete(mut self, password: Option<&Secret>) -> Result<Self, AddressError> {
        if self.config.get_hosts().is_empty() && self.config.get_hostaddrs().is_empty() {
            return Err(AddressError::NoHost);
        }
        let odd =
            |host: &Host| matches!(host, Host::Tcp(name) if name.is_empty() || name.contains(['@', ' ']));
        if self.config.get_hosts().iter().any(odd) {
            return Err(AddressError::Form("its host is no name".to_owned()));
        }
        if self.config.get_dbname().is_none_or(str::is_empty) {
            return Err(AddressError::NoDatabase);
        }
        if self.config.get_user().is_none_or(str::is_empty) {
            return Err(AddressError::NoUser);
        }
        if let Some(password) = password {
            self.config.password(password.expose());
        }
        if self.config.get_application_name().is_none() {
            self.config.application_name("m365-connector");
        }
        self.config.ssl_mode(match self.protection {
            Protection::Disable => SslMode::Disable,
            Protection::Prefer => SslMode::Prefer,
            Protection::Require | Protection::VerifyCa | Protection::VerifyFull => SslMode::Require,
        });
        Ok(self)
    }

    /// Whether a stranger between this machine and the server could read along or answer in its place.
    pub fn is_exposed(&self) -> bool {
        let verified = matches!(self.protection, Protection::VerifyCa | Protection::VerifyFull);
        !verified && self.config.get_hosts().iter().any(|host| !is_here(host))
    }

    /// The name of the database.
    pub fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or_default()
    }
}

impl FromStr for Protection {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Ok(match text {
            "disable" => Self::Disable,
            "allow" | "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return Err(AddressError::Mode),
        })
    }
}

fn is_here(host: &Host) -> bool {
    match host {
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
        }
    }
}

/// An error with its cause; tokio-postgres repeats names of parameters, never values.
fn words(error: &tokio_postgres::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => source.to_string(),
        None => error.to_string(),
    }
}

impl fmt::Display for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at ", self.database())?;
        let ports = self.config.get_ports();
        for (number, host) in self.config.get_hosts().iter().enumerate() {
            if number > 0 {
                f.write_str(", ")?;
            }
            let port = ports.get(number).or(ports.first()).unwrap_or(&5432);
            match host {
                Host::Tcp(name) => write!(f, "{name}:{port}")?,
                Host::Unix(folder) => write!(f, "{}/.s.PGSQL.{port}", folder.display())?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for PostgresAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> PostgresAddress {
        PostgresAddress::parse(text, None).unwrap()
    }

    #[test]
    fn an_address_is_named_without_user_and_password() {
        for (text, name) in [
            (
                "postgres://u:p%40ss@db.example.com/connector",
                "connector at db.example.com:5432",
            ),
            (
                "postgresql://u@10.0.0.1:6000/c?sslmode=require",
                "c at 10.0.0.1:6000",
            ),
            (
                "postgres://u@%2Frun%2Fpostgresql/c",
                "c at /run/postgresql/.s.PGSQL.5432",
            ),
            (
                "postgres://u:p@/c?host=/run/postgresql&port=5433",
                "c at /run/postgresql/.s.PGSQL.5433",
            ),
            ("postgres://u@a:1,b:2/c", "c at a:1, b:2"),
            ("postgres://u:p@[::1]:5432/c", "c at ::1:5432"),
        ] {
            let address = read(text);
            assert_eq!(address.to_string(), name, "{text}");
            assert_eq!(format!("{address:?}"), format!("PostgresAddress({name})"));
        }
    }

    #[test]
    fn a_password_of_its_own_prevails_over_that_of_the_address() {
        let address =
            PostgresAddress::parse("postgres://u:within@h/c", Some(&Secret::new("p@/ss%"))).unwrap();
        assert_eq!(address.config.get_password(), Some("p@/ss%".as_bytes()));
        let address = read("postgres://u:p%40%2Fss%25@h/c");
        assert_eq!(address.config.get_password(), Some("p@/ss%".as_bytes()));
    }

    #[test]
    fn tls_is_read_in_the_words_of_libpq() {
        assert_eq!(read("postgres://u@h/c").protection, Protection::Prefer);
        let address = read(
            "postgres://u@h/c?sslmode=verify-full&sslrootcert=/etc/ca%20x.pem&connect_timeout=7&\
             sslcert=/c.pem&sslkey=/k.pem&options=-c%20search_path%3Dpresence",
        );
        assert_eq!(address.protection, Protection::VerifyFull);
        assert_eq!(address.root_certificate, Some(PathBuf::from("/etc/ca x.pem")));
        assert_eq!(
            address.client_certificate,
            Some((PathBuf::from("/c.pem"), PathBuf::from("/k.pem")))
        );
        assert_eq!(address.config.get_options(), Some("-c search_path=presence"));
        assert!(!address.is_exposed());
        assert!(read("postgres://u@db.example.com/c?sslmode=require").is_exposed());
        assert!(!read("postgres://u@127.0.0.1/c").is_exposed());
        assert!(!read("postgres://u@%2Frun/c").is_exposed());
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for (text, error) in [
            ("mysql://u:hidden@h/c", "does not begin"),
            ("postgres://u:hidden@/c", "names no host"),
            ("postgres://u:hidden@h", "names no database"),
            ("postgres://u:hidden@h/", "names no database"),
            ("postgres://h/c", "names no user"),
            ("postgres://u:hidden@h/c?sslmode=maybe", "unknown sslmode"),
            ("postgres://u:hidden@h/c?sslcert=/c.pem", "come together"),
            ("postgres://u:hidden@h:port/c", "%40"),
            ("postgres://u:hid@den@h/c", "%40"),
            ("postgres://u:hidden@h/c?sslmod=require", "sslmod"),
        ] {
            let told = PostgresAddress::parse(text, None).unwrap_err().to_string();
            assert!(told.contains(error), "{text}: {told}");
            assert!(!told.contains("hid"), "{told}");
        }
    }
}
