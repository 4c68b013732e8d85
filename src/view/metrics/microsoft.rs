//! The side of Microsoft: sign-ins, subscriptions, notifications and bulk reads.

use std::fmt;

use m365_presence::expiry::UNUSED_REFRESH_TOKEN;
use m365_presence::identity::Credential;
use m365_presence::light::AuthenticationCode;
use m365_presence::ports::SubscriptionKind;

use super::exposition::Sheet;
use super::{Scrape, size, timestamp, truth};

impl Scrape {
    pub(super) fn sign_ins(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        let Some(tokens) = &self.overview.token_refresh else {
            return Ok(());
        };
        let name = |credential: &Credential| credential.to_string();
        let each = || tokens.credentials.iter();
        sheet.gauges(
            "signed_in",
            "Whether a credential is signed in.",
            each().map(|key| {
                let signed_in = key.code == AuthenticationCode::Ok;
                ([("credential", name(&key.credential))], truth(signed_in))
            }),
        )?;
        sheet.gauges(
            "token_expiry_timestamp_seconds",
            "When the access token of a credential ends.",
            each().filter_map(|key| {
                let ends = timestamp(key.expires_at?);
                Some(([("credential", name(&key.credential))], ends))
            }),
        )?;
        sheet.gauges(
            "credential_expiry_timestamp_seconds",
            "When what a credential signs in with ends, as far as that is known.",
            each().flat_map(|key| {
                let stored = key
                    .refresh_granted_at
                    .map(|granted| granted + UNUSED_REFRESH_TOKEN);
                let ends = [
                    ("client_secret", key.client_secret_expires_at),
                    ("client_certificate", key.client_certificate_expires_at),
                    ("stored_sign_in", stored),
                ];
                let whose = name(&key.credential);
                ends.into_iter().filter_map(move |(kind, end)| {
                    Some((
                        [("credential", whose.clone()), ("kind", kind.to_owned())],
                        timestamp(end?),
                    ))
                })
            }),
        )?;
        sheet.counters(
            "sign_ins",
            "Sign-ins that succeeded.",
            each().map(|key| ([("credential", name(&key.credential))], key.sign_ins)),
        )
    }

    pub(super) fn subscriptions(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        let Some(status) = &self.overview.presence_subscription else {
            return Ok(());
        };
        let labels = |kind: &SubscriptionKind| match kind {
            SubscriptionKind::Users => [("kind", "users".to_owned()), ("account", String::new())],
            SubscriptionKind::Presence(account) => {
                [("kind", "presence".to_owned()), ("account", account.to_string())]
            }
        };
        let each = || status.subscriptions.iter();
        sheet.gauges(
            "subscription_users",
            "Users whom a subscription watches.",
            each().map(|one| (labels(&one.kind), size(one.users))),
        )?;
        sheet.gauges(
            "subscription_expiry_timestamp_seconds",
            "When a subscription ends unless it is renewed.",
            each().filter_map(|one| Some((labels(&one.kind), timestamp(one.expires_at?)))),
        )?;
        sheet.counters(
            "subscriptions_created",
            "Subscriptions that were created.",
            each().map(|one| (labels(&one.kind), one.created)),
        )?;
        sheet.counters(
            "subscriptions_renewed",
            "Renewals of subscriptions.",
            each().map(|one| (labels(&one.kind), one.renewed)),
        )?;
        sheet.counters(
            "notifications_missed",
            "Changes that no notification told and a bulk read found, by communication user.",
            each()
                .filter(|one| one.kind != SubscriptionKind::Users)
                .map(|one| (labels(&one.kind), one.missed)),
        )?;
        sheet.gauge(
            "subscription_overflow_users",
            "Licensed users beyond the capacity of the communication users.",
            size(status.overflow),
        )
    }

    pub(super) fn notifications(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        let Some(intake) = &self.overview.webhook_intake else {
            return Ok(());
        };
        sheet.gauge(
            "notification_bodies_waiting",
            "Bodies of notifications that wait to be opened.",
            size(intake.waiting),
        )?;
        sheet.counters(
            "notification_bodies",
            "Bodies of notifications that arrived, by what became of them at the door.",
            [("accepted", intake.accepted), ("turned_away", intake.turned_away)]
                .map(|(outcome, bodies)| ([("outcome", outcome)], bodies)),
        )?;
        sheet.counters(
            "notifications",
            "Verified notifications by what they tell.",
            [
                ("presence", intake.presence),
                ("presence_without_state", intake.hints),
                ("users", intake.users),
                ("lifecycle", intake.lifecycle),
            ]
            .map(|(kind, notices)| ([("kind", kind)], notices)),
        )?;
        sheet.counters(
            "notifications_discarded",
            "Notifications that were thrown away, by reason.",
            intake.discarded.iter().map(|(reason, notices)| {
                let reason = serde_json::to_value(reason).unwrap_or_default();
                (
                    [("reason", reason.as_str().unwrap_or_default().to_owned())],
                    *notices,
                )
            }),
        )
    }

    pub(super) fn reads(&self, sheet: &mut Sheet<'_>) -> fmt::Result {
        let Some(sweep) = &self.overview.presence_sweep else {
            return Ok(());
        };
        sheet.counters(
            "presence_reads",
            "Bulk reads of presence, by outcome.",
            [("answered", sweep.calls), ("failed", sweep.failures)]
                .map(|(outcome, calls)| ([("outcome", outcome)], calls)),
        )?;
        sheet.gauges(
            "read_users",
            "Users by how often they are read: hot ones every few seconds, idle ones as when polling, covered ones once a sweep.",
            [
                ("hot", sweep.hot),
                ("idle", sweep.idle),
                ("covered", sweep.watched.saturating_sub(sweep.uncovered)),
            ]
            .map(|(tempo, users)| ([("tempo", tempo)], size(users))),
        )?;
        if let Some(swept_at) = sweep.swept_at {
            sheet.gauge(
                "sweep_timestamp_seconds",
                "When the last full sweep ended.",
                timestamp(swept_at),
            )?;
        }
        Ok(())
    }
}
