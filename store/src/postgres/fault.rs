//! What can be wrong with a server, from the words of whoever noticed it.

use std::error::Error;

use tokio_postgres::error::SqlState;

use crate::error::Fault;

impl Fault {
    /// Classifies why a connection could not be made.
    pub(super) fn of_connecting(error: &tokio_postgres::Error) -> Self {
        let detail = chain(error);
        let Some(code) = error.code() else {
            return if is_about_tls(error) {
                Self::Tls { detail }
            } else {
                Self::Unreachable { detail }
            };
        };
        if *code == SqlState::INVALID_PASSWORD {
            Self::WrongPassword
        } else if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION {
            // a client without TLS where pg_hba.conf wants it gets this, too
            Self::NotAdmitted { detail }
        } else if *code == SqlState::INVALID_CATALOG_NAME {
            Self::NoSuchDatabase
        } else if *code == SqlState::TOO_MANY_CONNECTIONS {
            Self::NoRoom
        } else if *code == SqlState::CANNOT_CONNECT_NOW || code.code().starts_with("08") {
            Self::Unreachable { detail }
        } else if *code == SqlState::INSUFFICIENT_PRIVILEGE {
            Self::NoRight { detail }
        } else {
            Self::Other { detail }
        }
    }
}

fn is_about_tls(error: &tokio_postgres::Error) -> bool {
    let text = error.to_string();
    text.contains("TLS")
        || text.contains("tls")
        || error
            .source()
            .is_some_and(|source| source.to_string().contains("TLS"))
}

/// An error with its causes, each said once.
pub(super) fn chain(error: &tokio_postgres::Error) -> String {
    if let Some(told) = error.as_db_error() {
        return told.message().to_owned();
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}
