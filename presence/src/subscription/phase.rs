//! How a subscription fares, for the light.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::light::SubscriptionCode;

/// How a subscription fares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// It is not known yet what is wanted.
    Starting,
    /// Nothing is wanted.
    Idle,
    /// It is being made for the first time, or after it was lost.
    Creating,
    /// It lives as wanted.
    Live,
    /// It lived, and is being made anew for other users or another notification URL.
    Replacing,
    /// Its notifications do not arrive; it is being made anew.
    Deaf,
    /// One that cannot be deleted must end first.
    WaitingForExpiry {
        /// Its end, as Graph returned it.
        until: DateTime<Utc>,
    },
    /// Graph says that there is one already, and shows none.
    Obstructed,
    /// Microsoft could not reach the notification URL.
    UrlUnreachable {
        /// Graph's text.
        message: String,
    },
    /// The notification URL answered wrongly.
    UrlRejected {
        /// Graph's text.
        message: String,
    },
    /// Graph does not accept as many users.
    TooManyUsers,
    /// Graph does not let this account subscribe.
    Forbidden {
        /// Graph's text.
        message: String,
    },
    /// The last request brought no answer.
    Unanswered,
}

impl Phase {
    /// The light's code.
    pub fn code(&self) -> SubscriptionCode {
        match self {
            Self::Starting | Self::Creating => SubscriptionCode::Starting,
            Self::Idle => SubscriptionCode::NoLicensedUsers,
            // a routine change is no trouble; when it fails, the phase of that failure follows
            Self::Live | Self::Replacing => SubscriptionCode::Ok,
            Self::Deaf => SubscriptionCode::Deaf,
            Self::WaitingForExpiry { .. } | Self::Obstructed => SubscriptionCode::WaitingForExpiry,
            Self::UrlUnreachable { .. } => SubscriptionCode::NotificationUrlUnreachable,
            Self::UrlRejected { .. } => SubscriptionCode::NotificationUrlRejected,
            Self::TooManyUsers => SubscriptionCode::TooManyUsers,
            Self::Forbidden { .. } => SubscriptionCode::Forbidden,
            Self::Unanswered => SubscriptionCode::Unreachable,
        }
    }
}
