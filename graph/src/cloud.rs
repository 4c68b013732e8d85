//! The four clouds that Microsoft runs, and their hosts (graph.md 1.1).

use std::str::FromStr;

use crate::endpoints::EndpointError;

/// A Microsoft cloud; each has sign-in and Graph hosts of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cloud {
    /// The worldwide cloud; GCC uses it too.
    #[default]
    Global,
    /// US Government L4 (GCC High).
    UsGovL4,
    /// US Government L5 (DoD).
    UsGovL5,
    /// Operated by 21Vianet in China.
    China,
}

impl Cloud {
    /// The spelling in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::UsGovL4 => "us-gov-l4",
            Self::UsGovL5 => "us-gov-l5",
            Self::China => "china",
        }
    }

    /// Where sign-ins go, and who issues v2 tokens.
    pub(crate) fn login_host(self) -> &'static str {
        match self {
            Self::Global => "https://login.microsoftonline.com",
            Self::UsGovL4 | Self::UsGovL5 => "https://login.microsoftonline.us",
            Self::China => "https://login.partner.microsoftonline.cn",
        }
    }

    /// Where Graph answers, and the name that scopes begin with.
    pub(crate) fn graph_host(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsGovL4 => "https://graph.microsoft.us",
            Self::UsGovL5 => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }

    /// Who issues v1 tokens.
    pub(crate) fn first_issuer_host(self) -> &'static str {
        match self {
            Self::Global | Self::UsGovL4 | Self::UsGovL5 => "https://sts.windows.net",
            Self::China => "https://sts.chinacloudapi.cn",
        }
    }
}

impl FromStr for Cloud {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Global, Self::UsGovL4, Self::UsGovL5, Self::China]
            .into_iter()
            .find(|cloud| cloud.as_str() == text)
            .ok_or_else(|| EndpointError::UnknownCloud {
                found: text.to_owned(),
            })
    }
}
