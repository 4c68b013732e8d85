//! Which field of one side is compared with which of the other.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::pbx::PbxUser;
use crate::teams::TeamsUser;

/// A name that is none of the fields that matching may use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{found}' is no field to match by; allowed are {allowed}")]
pub struct UnknownField {
    /// What was given.
    pub found: String,
    /// The names that are allowed, separated by commas.
    pub allowed: String,
}

/// Gives a closed set of fields its names: as text, in configuration and in the API.
macro_rules! field_names {
    ($type:ident { $($variant:ident = $name:literal,)* }) => {
        impl $type {
            /// Every field of this side.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The name, as configured.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = UnknownField;

            fn from_str(name: &str) -> Result<Self, UnknownField> {
                let found = Self::ALL.iter().find(|field| field.as_str().eq_ignore_ascii_case(name.trim()));
                found.copied().ok_or_else(|| UnknownField {
                    found: name.to_owned(),
                    allowed: [$($name),*].join(", "),
                })
            }
        }

        impl TryFrom<String> for $type {
            type Error = UnknownField;

            fn try_from(name: String) -> Result<Self, UnknownField> {
                name.parse()
            }
        }

        impl From<$type> for String {
            fn from(field: $type) -> Self {
                field.as_str().to_owned()
            }
        }
    };
}

/// A field of a PBX user (pbx.md 2.5).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schema(rename_all = "lowercase")]
#[schema(description = "A field of a PBX user.")]
pub enum PbxField {
    /// Long Name.
    #[default]
    Cn,
    /// Name.
    H323,
}

field_names!(PbxField {
    Cn = "cn",
    H323 = "h323",
});

impl PbxField {
    /// The user's value, as it came.
    pub fn value(self, user: &PbxUser) -> &str {
        match self {
            Self::Cn => &user.cn,
            Self::H323 => &user.h323,
        }
    }

    /// What an administrator sees at the PBX, with the technical name.
    pub fn label(self) -> &'static str {
        match self {
            Self::Cn => "Long Name (cn)",
            Self::H323 => "Name (h323)",
        }
    }
}

/// A field of a Microsoft user (graph.md 2.1).
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schema(rename_all = "camelCase")]
#[schema(description = "A field of a Microsoft user.")]
pub enum MicrosoftField {
    /// Name shown in Teams.
    #[default]
    DisplayName,
    /// Primary mail address.
    Mail,
    /// Mail alias.
    MailNickname,
    /// Distinguished name of a synchronised on-premises account.
    OnPremisesDistinguishedName,
    /// SAM account name of a synchronised on-premises account.
    OnPremisesSamAccountName,
    /// Principal name of a synchronised on-premises account.
    OnPremisesUserPrincipalName,
    /// Sign-in name.
    UserPrincipalName,
}

field_names!(MicrosoftField {
    DisplayName = "displayName",
    Mail = "mail",
    MailNickname = "mailNickname",
    OnPremisesDistinguishedName = "onPremisesDistinguishedName",
    OnPremisesSamAccountName = "onPremisesSamAccountName",
    OnPremisesUserPrincipalName = "onPremisesUserPrincipalName",
    UserPrincipalName = "userPrincipalName",
});

impl MicrosoftField {
    /// The user's value, as it came; empty where Graph told `null`.
    pub fn value(self, user: &TeamsUser) -> &str {
        let value = match self {
            Self::DisplayName => &user.display_name,
            Self::Mail => &user.mail,
            Self::MailNickname => &user.mail_nickname,
            Self::OnPremisesDistinguishedName => &user.on_premises_distinguished_name,
            Self::OnPremisesSamAccountName => &user.on_premises_sam_account_name,
            Self::OnPremisesUserPrincipalName => &user.on_premises_user_principal_name,
            Self::UserPrincipalName => &user.user_principal_name,
        };
        value.as_deref().unwrap_or_default()
    }
}

/// How users are compared. The default is the concept's: Long Name against displayName.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(description = "How users are compared.")]
pub struct MatchRule {
    /// The field of the PBX.
    pub pbx: PbxField,
    /// The field of Microsoft.
    pub microsoft: MicrosoftField,
    /// Whether `@` and what follows is removed from the Microsoft value; never from the PBX's.
    pub strip_domain: bool,
}

impl MatchRule {
    /// What a PBX user is compared by; `None` when there is nothing to compare.
    pub fn pbx_key(&self, user: &PbxUser) -> Option<String> {
        key(self.pbx.value(user))
    }

    /// What a Microsoft user is compared by; `None` when there is nothing to compare.
    pub fn microsoft_key(&self, user: &TeamsUser) -> Option<String> {
        let value = self.microsoft.value(user);
        key(if self.strip_domain {
            without_domain(value)
        } else {
            value
        })
    }
}

impl fmt::Display for MatchRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let domain = if self.strip_domain { " without domain" } else { "" };
        write!(f, "{} = {}{domain}", self.pbx, self.microsoft)
    }
}

/// The form in which values are compared: trimmed and in lower case.
pub(super) fn key(value: &str) -> Option<String> {
    let value = value.trim().to_lowercase();
    (!value.is_empty()).then_some(value)
}

/// The part before the first `@`.
pub(super) fn without_domain(value: &str) -> &str {
    value.split_once('@').map_or(value, |(local, _)| local)
}
