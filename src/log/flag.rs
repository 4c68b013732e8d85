//! The trace flags: what an administrator switches on, and which targets of the log that opens.
//!
//! They are the flags of the original product's traces (concept: troubleshooting), so that whoever knows those finds
//! them here. Each target belongs to one flag; the most specific target decides.

use log::LevelFilter;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use super::FOREIGN_LEVEL;

/// One trace flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ToSchema)]
pub enum TraceFlag {
    /// The actors, their supervisors and the rules.
    App,
    /// The store.
    Database,
    /// Every request to Microsoft.
    #[schema(rename = "HTTP client")]
    HttpClient,
    /// Certificates and handshakes.
    #[schema(rename = "TLS")]
    Tls,
    /// Connections that are opened and closed.
    #[schema(rename = "TCP")]
    Tcp,
    /// What is said with the PBXs.
    #[schema(rename = "App WebSocket")]
    AppWebSocket,
    /// Settings and where they come from.
    Config,
    /// Every request that is answered.
    Webserver,
}

impl TraceFlag {
    /// Every flag, in the concept's order.
    pub const ALL: [Self; 8] = [
        Self::App,
        Self::Database,
        Self::HttpClient,
        Self::Tls,
        Self::Tcp,
        Self::AppWebSocket,
        Self::Config,
        Self::Webserver,
    ];

    /// The name, as the concept spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::App => "App",
            Self::Database => "Database",
            Self::HttpClient => "HTTP client",
            Self::Tls => "TLS",
            Self::Tcp => "TCP",
            Self::AppWebSocket => "App WebSocket",
            Self::Config => "Config",
            Self::Webserver => "Webserver",
        }
    }

    /// Reads a name; case, blanks, dashes and underscores do not matter.
    pub fn parse(name: &str) -> Option<Self> {
        let plain = |name: &str| -> String {
            let letters = name.chars().filter(|c| !" -_".contains(*c));
            letters.flat_map(char::to_lowercase).collect()
        };
        let name = plain(name);
        Self::ALL.into_iter().find(|flag| plain(flag.name()) == name)
    }

    /// What the targets of its records begin with, and whether they are our own.
    pub(super) fn targets(self) -> &'static [(&'static str, Whose)] {
        use Whose::{Foreign, Ours};
        match self {
            Self::App => &[("m365_", Ours), ("supervisor", Ours)],
            Self::Database => &[("m365_store", Ours), ("database", Ours)],
            Self::HttpClient => &[("m365_graph", Ours)],
            Self::Tls => &[
                ("m365_graph::tls", Ours),
                ("m365_connector::http::tls", Ours),
                ("rustls", Foreign),
            ],
            Self::Tcp => &[("tcp", Ours), ("actix_server", Foreign), ("actix_tls", Foreign)],
            Self::AppWebSocket => &[
                ("m365_pbx", Ours),
                ("m365_actors::pbx_session", Ours),
                ("m365_connector::pbx_connection", Ours),
            ],
            Self::Config => &[
                ("m365_connector::config", Ours),
                ("m365_connector::reconfiguration", Ours),
            ],
            Self::Webserver => &[("m365_connector::http", Ours)],
        }
    }
}

impl Serialize for TraceFlag {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Who writes the records of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Crates of this project.
    Ours,
    /// Others, which may print what they send: they are never opened further than `debug`, and only by a flag.
    Foreign,
}

impl Whose {
    /// How far a target of this kind is opened at the configured level.
    pub(super) fn configured(self, level: LevelFilter) -> LevelFilter {
        match self {
            Self::Ours => level,
            Self::Foreign => level.min(FOREIGN_LEVEL),
        }
    }

    /// How far a target of this kind is opened by its flag.
    pub(super) fn flagged(self, level: LevelFilter) -> LevelFilter {
        match self {
            Self::Ours => level,
            Self::Foreign => level.min(LevelFilter::Debug),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_is_found_however_it_is_written() {
        for name in ["HTTP client", "http_client", "Http-Client", "HTTPCLIENT"] {
            assert_eq!(TraceFlag::parse(name), Some(TraceFlag::HttpClient), "{name}");
        }
        for flag in TraceFlag::ALL {
            assert_eq!(TraceFlag::parse(flag.name()), Some(flag));
        }
        assert_eq!(TraceFlag::parse("HTTP"), None);
    }
}
