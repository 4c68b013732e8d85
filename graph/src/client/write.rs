//! What a presence write looks like on the wire, and which of them are legal (graph.md 5.2).

use std::time::Duration;

use chrono::{DateTime, Utc};
use m365_presence::ports::{GraphError, PresenceChange, PresenceWrite};
use m365_presence::teams::TeamsPresence;
use serde_json::{Value, json};

use crate::endpoints::segment;

/// The pairs that `setPresence` takes.
const SESSION_PAIRS: [(&str, &str); 5] = [
    ("Available", "Available"),
    ("Busy", "InACall"),
    ("Busy", "InAConferenceCall"),
    ("Away", "Away"),
    ("DoNotDisturb", "Presenting"),
];

/// The pairs that `setUserPreferredPresence` takes.
const PREFERRED_PAIRS: [(&str, &str); 6] = [
    ("Available", "Available"),
    ("Busy", "Busy"),
    ("DoNotDisturb", "DoNotDisturb"),
    ("BeRightBack", "BeRightBack"),
    ("Away", "Away"),
    ("Offline", "OffWork"),
];

/// Bounds of a session's lifetime, in minutes: PT5M to PT4H.
const SESSION_MINUTES: (u64, u64) = (5, 240);

/// Bounds of a preferred presence's lifetime, in minutes; the upper one only keeps the number small.
const PREFERRED_MINUTES: (u64, u64) = (5, 366 * 24 * 60);

/// A write as a request: `POST path` with a body.
#[derive(Debug, PartialEq)]
pub(super) struct WireWrite {
    /// Relative to the version, as `$batch` wants it.
    pub(super) path: String,
    pub(super) body: Value,
}

/// Makes the request for a write.
///
/// # Errors
/// `Refused` for a pair that Graph would refuse; it never leaves.
pub(super) fn wire(write: &PresenceWrite, client_id: &str) -> Result<WireWrite, GraphError> {
    let (action, body) = match &write.change {
        PresenceChange::SetSession { presence, lifetime } => {
            let (availability, activity) = legal(&SESSION_PAIRS, presence)?;
            let body = json!({
                "sessionId": client_id,
                "availability": availability,
                "activity": activity,
                "expirationDuration": duration(*lifetime, SESSION_MINUTES),
            });
            ("setPresence", body)
        }
        PresenceChange::ClearSession => ("clearPresence", json!({ "sessionId": client_id })),
        PresenceChange::SetPreferred { presence, lifetime } => {
            let (availability, activity) = legal(&PREFERRED_PAIRS, presence)?;
            let body = json!({
                "availability": availability,
                "activity": activity,
                "expirationDuration": duration(*lifetime, PREFERRED_MINUTES),
            });
            ("setUserPreferredPresence", body)
        }
        PresenceChange::ClearPreferred => ("clearUserPreferredPresence", json!({})),
        PresenceChange::SetMessage { message, until } => {
            let body = json!({ "statusMessage": {
                "message": { "content": message.as_str(), "contentType": "text" },
                "expiryDateTime": { "dateTime": wall_clock(*until), "timeZone": "UTC" },
            }});
            ("setStatusMessage", body)
        }
        PresenceChange::ClearMessage => {
            let body = json!({ "statusMessage": { "message": { "content": "", "contentType": "text" } } });
            ("setStatusMessage", body)
        }
    };
    Ok(WireWrite {
        path: format!("/users/{}/presence/{action}", segment(write.user.as_str())),
        body,
    })
}

/// Tells whether a status means that the write holds: any 2xx, and 404 when what was to be cleared does not exist.
pub(super) fn holds(write: &PresenceWrite, status: u16) -> bool {
    (200..=299).contains(&status) || (status == 404 && write.change == PresenceChange::ClearSession)
}

fn legal(
    pairs: &[(&'static str, &'static str)],
    presence: &TeamsPresence,
) -> Result<(&'static str, &'static str), GraphError> {
    pairs
        .iter()
        .find(|(availability, activity)| {
            availability.eq_ignore_ascii_case(&presence.availability)
                && activity.eq_ignore_ascii_case(&presence.activity)
        })
        .copied()
        .ok_or_else(|| GraphError::Refused {
            status: 400,
            code: "IllegalPair".to_owned(),
            message: format!(
                "{}/{} cannot be set this way, so it was not sent",
                presence.availability, presence.activity
            ),
        })
}

/// Spells a time without its zone, as a `dateTimeTimeZone` wants it.
fn wall_clock(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.6f").to_string()
}

/// Spells a lifetime in whole hours or minutes, rounded up and kept within Graph's bounds.
fn duration(lifetime: Duration, (shortest, longest): (u64, u64)) -> String {
    let minutes = lifetime.as_secs().div_ceil(60).clamp(shortest, longest);
    if minutes.is_multiple_of(60) {
        format!("PT{}H", minutes / 60)
    } else {
        format!("PT{minutes}M")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use m365_presence::identity::TeamsId;
    use proptest::prelude::*;

    fn write(change: PresenceChange) -> PresenceWrite {
        PresenceWrite {
            user: TeamsId::new("OID"),
            change,
            renewal: false,
        }
    }

    fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(60 * minutes)
    }

    #[test]
    fn the_writes_of_a_presence_are_spelt_as_documented() {
        let call = write(PresenceChange::SetSession {
            presence: TeamsPresence::new("busy", "inACall"),
            lifetime: minutes(10),
        });
        let spelt = wire(&call, "APP").unwrap();
        assert_eq!(spelt.path, "/users/oid/presence/setPresence");
        assert_eq!(
            spelt.body,
            json!({"sessionId": "APP", "availability": "Busy", "activity": "InACall", "expirationDuration": "PT10M"})
        );
        let away = write(PresenceChange::SetPreferred {
            presence: TeamsPresence::new("Away", "Away"),
            lifetime: minutes(7 * 24 * 60),
        });
        let spelt = wire(&away, "APP").unwrap();
        assert_eq!(spelt.path, "/users/oid/presence/setUserPreferredPresence");
        assert_eq!(spelt.body["expirationDuration"], "PT168H");
        assert_eq!(
            wire(&write(PresenceChange::ClearSession), "APP").unwrap().body,
            json!({"sessionId": "APP"})
        );
        assert_eq!(
            wire(&write(PresenceChange::ClearPreferred), "APP").unwrap().body,
            json!({})
        );
    }

    #[test]
    fn lifetimes_are_whole_minutes_within_bounds() {
        for (seconds, expected) in [
            (0, "PT5M"),
            (301, "PT6M"),
            (3600, "PT1H"),
            (5400, "PT90M"),
            (u64::MAX, "PT4H"),
        ] {
            assert_eq!(duration(Duration::from_secs(seconds), SESSION_MINUTES), expected);
        }
        assert_eq!(duration(minutes(24 * 60), PREFERRED_MINUTES), "PT24H");
    }

    #[test]
    fn an_illegal_pair_never_leaves() {
        for (availability, activity) in [("Busy", "Busy"), ("DoNotDisturb", "DoNotDisturb"), ("", "")] {
            let presence = TeamsPresence::new(availability, activity);
            let set = write(PresenceChange::SetSession {
                presence,
                lifetime: minutes(5),
            });
            assert!(matches!(
                wire(&set, "APP"),
                Err(GraphError::Refused { status: 400, .. })
            ));
        }
        for (availability, activity) in [("Busy", "InACall"), ("Offline", "Offline")] {
            let presence = TeamsPresence::new(availability, activity);
            let set = write(PresenceChange::SetPreferred {
                presence,
                lifetime: minutes(5),
            });
            assert!(matches!(
                wire(&set, "APP"),
                Err(GraphError::Refused { status: 400, .. })
            ));
        }
    }

    /// Graph's words for availability and activity (graph.md 5.1), and some that it does not know.
    const WORDS: [&str; 22] = [
        "Available",
        "AvailableIdle",
        "AvailableInactive",
        "Away",
        "BeRightBack",
        "Busy",
        "BusyIdle",
        "DoNotDisturb",
        "Focusing",
        "InACall",
        "InAConferenceCall",
        "InAMeeting",
        "Inactive",
        "Offline",
        "OffWork",
        "OutOfOffice",
        "Presenting",
        "PresenceUnknown",
        "UrgentInterruptionsOnly",
        "busy",
        " Busy",
        "",
    ];

    /// What Graph takes, written down a second time: `session`, `preferred`, availability and activity.
    fn graph_takes(session: bool, availability: &str, activity: &str) -> bool {
        let pair = format!("{availability}/{activity}").to_lowercase();
        let both = ["available/available", "away/away"];
        let own: &[&str] = if session {
            &[
                "busy/inacall",
                "busy/inaconferencecall",
                "donotdisturb/presenting",
            ]
        } else {
            &[
                "busy/busy",
                "donotdisturb/donotdisturb",
                "berightback/berightback",
                "offline/offwork",
            ]
        };
        both.contains(&pair.as_str()) || own.contains(&pair.as_str())
    }

    proptest! {
        #[test]
        fn whatever_is_asked_for_only_what_graph_takes_leaves(
            session in any::<bool>(),
            availability in prop::sample::select(&WORDS[..]),
            activity in prop::sample::select(&WORDS[..]),
            seconds in prop_oneof![0..30_000_u64, any::<u64>()],
        ) {
            let (presence, lifetime) = (TeamsPresence::new(availability, activity), Duration::from_secs(seconds));
            let change = if session {
                PresenceChange::SetSession { presence, lifetime }
            } else {
                PresenceChange::SetPreferred { presence, lifetime }
            };
            match wire(&write(change), "APP") {
                Err(GraphError::Refused { status: 400, .. }) => {
                    prop_assert!(!graph_takes(session, availability, activity));
                }
                Err(other) => prop_assert!(false, "{other}"),
                Ok(spelt) => {
                    prop_assert!(graph_takes(session, availability, activity));
                    let said = |member: &str| spelt.body[member].as_str().unwrap().to_owned();
                    prop_assert!(graph_takes(session, &said("availability"), &said("activity")));
                    let life = said("expirationDuration");
                    let (number, unit) = life.strip_prefix("PT").unwrap().split_at(life.len() - 3);
                    let minutes = number.parse::<u64>().unwrap() * if unit == "H" { 60 } else { 1 };
                    let most = if session { 240 } else { 366 * 24 * 60 };
                    prop_assert!((5..=most).contains(&minutes), "{life}");
                    prop_assert!(minutes == most || minutes * 60 >= seconds, "{life} for {seconds} s");
                }
            }
        }
    }

    #[test]
    fn clearing_what_is_not_there_is_success() {
        assert!(holds(&write(PresenceChange::ClearSession), 404));
        assert!(!holds(&write(PresenceChange::ClearPreferred), 404));
    }
}
