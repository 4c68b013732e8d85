//! What keeps notifications from being as good as they could be.

use chrono::{DateTime, Utc};
use m365_actors::notification_keys;
use m365_presence::light::WarningCode;
use m365_presence::ports::SubscriptionKind;

use super::Warning;
use crate::view::overview::Overview;

pub(super) fn warnings(overview: &Overview) -> Vec<Warning> {
    let refused = refusals(overview);
    refused
        .into_iter()
        .chain(without_tokens(overview))
        .chain(overdue(overview, Utc::now()))
        .collect()
}

/// One per account whose subscription Graph gives no resource data.
fn refusals(overview: &Overview) -> Vec<Warning> {
    let subscriptions = overview.presence_subscription.iter();
    subscriptions
        .flat_map(|status| &status.subscriptions)
        .filter_map(|status| {
            let SubscriptionKind::Presence(account) = &status.kind else {
                return None;
            };
            let text = status.resource_data_refusal.as_ref()?;
            let said = if text.is_empty() {
                "without saying why".to_owned()
            } else {
                format!("saying: {text}")
            };
            let cause =
                format!("graph refuses notifications with resource data for one communication user, {said}");
            Some(Warning::new(
                WarningCode::ResourceDataRefused,
                account.as_str(),
                &cause,
            ))
        })
        .collect()
}

fn without_tokens(overview: &Overview) -> Option<Warning> {
    let since = overview.webhook_intake.as_ref()?.without_tokens_since?;
    let cause = format!(
        "since {} encrypted notifications come without validation tokens, so that nothing proves that microsoft sent them",
        since.format("%Y-%m-%dT%H:%M:%SZ")
    );
    Some(Warning::new(WarningCode::ValidationTokensMissing, "", &cause))
}

fn overdue(overview: &Overview, now: DateTime<Utc>) -> Option<Warning> {
    let status = overview.notification_keys.as_ref()?;
    let failure = status.last_failure.as_ref()?;
    let is_due = |key: &notification_keys::KeyStatus| key.replace_at.is_none_or(|at| at <= now);
    let current = status.keys.iter().find(|key| key.current);
    current.is_none_or(is_due).then(|| {
        let cause = format!("the key pair for encrypted notifications cannot be replaced: {failure}");
        Warning::new(WarningCode::NotificationKeyOverdue, "", &cause)
    })
}
