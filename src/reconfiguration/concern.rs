//! Whom a changed setting concerns: which actors are made anew, what is exchanged in place, what waits for a start.

use serde::Serialize;
use utoipa::ToSchema;

/// What is made of settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The actor of the sign-ins.
    TokenRefresh,
    /// The actor of the directory.
    UserSync,
    /// The actor of the licenses.
    LicenseCheck,
    /// The actor of the subscriptions.
    PresenceSubscription,
    /// The actor of the bulk reads.
    PresenceSweep,
    /// The actor of the notification keys.
    NotificationKeys,
    /// The actor of the notifications.
    WebhookIntake,
    /// The actor of the board.
    PresenceSync,
    /// The actors of the PBXs.
    PbxSessions,
    /// Who may open the management API; exchanged in place.
    ManagementTokens,
    /// The log; exchanged in place.
    Log,
    /// The process as a whole: takes effect at its next start.
    NextStart,
}

impl Part {
    /// The actor's name in the tree, for those that are one actor.
    pub fn actor(self) -> Option<&'static str> {
        match self {
            Self::TokenRefresh => Some("token-refresh"),
            Self::UserSync => Some("user-sync"),
            Self::LicenseCheck => Some("license-check"),
            Self::PresenceSubscription => Some("presence-subscription"),
            Self::PresenceSweep => Some("presence-sweep"),
            Self::NotificationKeys => Some("notification-keys"),
            Self::WebhookIntake => Some("webhook-intake"),
            Self::PresenceSync => Some("presence-sync"),
            Self::PbxSessions | Self::ManagementTokens | Self::Log | Self::NextStart => None,
        }
    }
}

/// Everybody who speaks with Microsoft.
const MICROSOFT: &[Part] = &[
    Part::TokenRefresh,
    Part::UserSync,
    Part::PresenceSubscription,
    Part::PresenceSweep,
    Part::WebhookIntake,
    Part::PresenceSync,
];

/// The rules by the beginning of the key; the first that fits holds.
const RULES: &[(&str, &[Part])] = &[
    ("management.token", &[Part::ManagementTokens]),
    ("management.viewer_token", &[Part::ManagementTokens]),
    ("management.", &[Part::NextStart]),
    ("public.url", &[Part::PresenceSubscription]),
    ("public.", &[Part::NextStart]),
    ("database.", &[Part::NextStart]),
    ("microsoft.teams_plans", &[Part::UserSync]),
    (
        "microsoft.communication_users",
        &[
            Part::TokenRefresh,
            Part::PresenceSubscription,
            Part::WebhookIntake,
        ],
    ),
    ("microsoft.client_secret", &[Part::TokenRefresh]),
    ("microsoft.client_certificate", &[Part::TokenRefresh]),
    ("microsoft.client_private_key", &[Part::TokenRefresh]),
    ("microsoft.", MICROSOFT),
    ("pbx.license", &[Part::LicenseCheck, Part::PbxSessions]),
    ("pbx.teams_calls", &[Part::PresenceSync]),
    // asked for anew at every look
    ("pbx.administrators", &[]),
    ("pbx.", &[Part::NextStart]),
    ("matching.", &[Part::UserSync]),
    (
        "sync.read",
        &[
            Part::PresenceSubscription,
            Part::PresenceSweep,
            Part::PresenceSync,
            Part::NotificationKeys,
        ],
    ),
    ("sync.", &[Part::PresenceSync]),
    ("timers.presence_subscription", &[Part::PresenceSubscription]),
    (
        "timers.user_subscription",
        &[Part::UserSync, Part::PresenceSubscription],
    ),
    ("timers.on_the_phone", &[Part::PresenceSync]),
    ("timers.sweep", &[Part::PresenceSubscription, Part::PresenceSweep]),
    ("timers.notification_key", &[Part::NotificationKeys]),
    ("mapping.", &[Part::PresenceSync]),
    ("log.", &[Part::Log]),
];

/// Whom a change of this key concerns; a key without a rule waits for the next start.
pub fn concerned(key: &str) -> &'static [Part] {
    let rule = RULES.iter().find(|(beginning, _)| key.starts_with(beginning));
    rule.map_or(&[Part::NextStart], |(_, parts)| *parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::single_keys;

    #[test]
    fn every_section_of_the_configuration_has_its_rule() {
        for facts in single_keys() {
            let ruled = RULES
                .iter()
                .any(|(beginning, _)| facts.key.starts_with(beginning));
            assert!(ruled, "{} concerns nobody", facts.key);
        }
    }

    #[test]
    fn a_changed_mapping_concerns_the_board_alone() {
        assert_eq!(concerned("mapping.teams_to_pbx.Busy"), [Part::PresenceSync]);
        assert_eq!(concerned("matching.microsoft"), [Part::UserSync]);
    }
}
