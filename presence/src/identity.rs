//! The names by which either world calls its users, PBXs, accounts and subscriptions.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! name {
    ($(#[$meta:meta])* $type:ident, $description:literal, $normalise:expr) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(from = "String")]
        #[schema(value_type = String, description = $description)]
        pub struct $type(std::sync::Arc<str>);

        impl $type {
            /// Makes the name from its text in the form that comparisons need.
            pub fn new(text: impl AsRef<str>) -> Self {
                let normalise: fn(&str) -> String = $normalise;
                Self(normalise(text.as_ref()).into())
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $type {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }

        impl From<&str> for $type {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A Teams user's object id, in lower case (graph.md: OID).
    TeamsId,
    "A Teams user's object id, in lower case.",
    str::to_lowercase
);
name!(
    /// A PBX user's object id: 32 hexadecimal digits, in lower case (pbx.md 2.5).
    PbxGuid,
    "A PBX user's object id: 32 hexadecimal digits, in lower case.",
    str::to_lowercase
);
name!(
    /// A PBX's name, as `PbxInfo` and the column `loc` tell it; not its DNS name (pbx.md 4).
    PbxName,
    "A PBX's name; not its DNS name.",
    str::to_owned
);
name!(
    /// A communication user's sign-in name, in lower case.
    Account,
    "A communication user's sign-in name, in lower case.",
    str::to_lowercase
);
name!(
    /// A Graph subscription's id.
    SubscriptionId,
    "A Graph subscription's id.",
    str::to_owned
);

/// Whose sign-in a token stands for (graph.md 0: presence needs two tokens at once).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(description = "Whose sign-in a token stands for.")]
pub enum Credential {
    /// The app registration itself: reads users, sweeps and writes presence.
    App,
    /// A communication user: carries one presence subscription.
    Communication(Account),
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::App => f.write_str("the app registration"),
            Self::Communication(account) => write!(f, "{account}"),
        }
    }
}
