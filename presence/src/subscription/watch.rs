//! What a subscription watches, and for how long it is asked.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::identity::TeamsId;

/// A presence subscription must not reach further than 60 minutes (graph.md 3.1); a minute is left for the way.
const PRESENCE_LONGEST: Duration = Duration::from_mins(59);

/// Shorter lives are not worth asking for: Graph raises them to 45 minutes anyway.
const SHORTEST: Duration = Duration::from_mins(15);

/// A directory subscription must not reach further than this (graph.md 3.1); an hour is left for the way.
const DIRECTORY_LONGEST: Duration = Duration::from_mins(41_760 - 60);

/// A directory subscription outlives two renewals by this.
const DIRECTORY_SPARE: Duration = Duration::from_mins(10);

/// What a subscription watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watch {
    /// The users of the directory.
    Directory,
    /// The presence of these users.
    Presence(BTreeSet<TeamsId>),
}

impl Watch {
    /// Reads a subscription's resource as Graph spells it; `None` when it is of neither kind.
    pub fn from_resource(resource: &str) -> Option<Self> {
        let resource = resource
            .trim()
            .trim_start_matches('/')
            .to_lowercase()
            .replace("%27", "'");
        let (path, query) = resource.split_once('?').unwrap_or((&resource, ""));
        if path == "users" {
            return Some(Self::Directory);
        }
        let rest = path.strip_prefix("communications/presences")?;
        let users = match rest.strip_prefix('/') {
            Some(user) => BTreeSet::from([TeamsId::new(user)]),
            None => quoted(query).chain(quoted(rest)).map(TeamsId::new).collect(),
        };
        Some(Self::Presence(users))
    }

    /// Tells whether both are of one kind, so that one subscription can stand in the way of the other.
    pub fn same_kind(&self, other: &Self) -> bool {
        matches!(
            (self, other),
            (Self::Directory, Self::Directory) | (Self::Presence(_), Self::Presence(_))
        )
    }

    /// The users of a presence subscription; none for the directory.
    pub fn users(&self) -> impl Iterator<Item = &TeamsId> {
        match self {
            Self::Directory => None,
            Self::Presence(users) => Some(users),
        }
        .into_iter()
        .flatten()
    }

    /// How long a life to ask for when it is renewed once a `period`.
    pub(super) fn lifetime(&self, period: Duration) -> Duration {
        match self {
            Self::Presence(_) => period.saturating_mul(3).clamp(SHORTEST, PRESENCE_LONGEST),
            Self::Directory => {
                let two_renewals = period.saturating_mul(2).saturating_add(DIRECTORY_SPARE);
                two_renewals.clamp(SHORTEST, DIRECTORY_LONGEST)
            }
        }
    }
}

/// The texts between single quotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('\'').skip(1).step_by(2)
}
