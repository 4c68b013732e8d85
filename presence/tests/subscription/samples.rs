//! Subscriptions to play with.

use chrono::{DateTime, TimeDelta, Utc};
use m365_presence::identity::TeamsId;
use m365_presence::ports::GraphSubscription;
use m365_presence::secret::Secret;
use m365_presence::subscription::{Terms, Watch};

pub(crate) const URL: &str = "https://connector.example.com/graph/notifications";
pub(crate) const CERTIFICATE: &str = "key-1";

/// So many minutes after the start.
pub(crate) fn at(minutes: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::minutes(minutes)
}

pub(crate) fn presence(numbers: impl IntoIterator<Item = u32>) -> Watch {
    Watch::Presence(
        numbers
            .into_iter()
            .map(|number| TeamsId::new(format!("user-{number}")))
            .collect(),
    )
}

/// The concept's timer of ten minutes.
pub(crate) fn terms() -> Terms {
    Terms {
        period: std::time::Duration::from_mins(10),
        notification_url: URL.to_owned(),
        certificates: vec![CERTIFICATE.to_owned()],
        client_state: Secret::new("ours"),
        client_state_used: false,
        rich: true,
    }
}

/// The concept's timer of sixty minutes.
pub(crate) fn directory_terms() -> Terms {
    Terms {
        period: std::time::Duration::from_mins(60),
        rich: false,
        ..terms()
    }
}

/// A subscription as Graph lists it: without its client state.
pub(crate) fn watching(id: &str, watch: &Watch, url: &str, expires_at: DateTime<Utc>) -> GraphSubscription {
    let resource = match watch {
        Watch::Directory => "/users".to_owned(),
        Watch::Presence(users) => {
            let ids: Vec<String> = users.iter().map(|user| format!("'{user}'")).collect();
            format!("/communications/presences?$filter=id in ({})", ids.join(","))
        }
    };
    GraphSubscription {
        id: id.into(),
        resource,
        notification_url: url.to_owned(),
        expires_at,
        client_state: None,
        certificate_id: Some(CERTIFICATE.to_owned()),
    }
}
