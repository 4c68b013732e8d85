//! The side of Microsoft, as the running instance knows it: clock, sign-ins, permissions, directory, subscriptions.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use m365_actors::presence_subscription::SubscriptionStatus;
use m365_actors::token_refresh::CredentialStatus;
use m365_presence::identity::{Account, Credential};
use m365_presence::light::{AuthenticationCode, SubscriptionCode};
use m365_presence::matching::Directory;
use m365_presence::ports::SubscriptionKind;

use super::Finding;
use crate::view::overview::Overview;

const CLOCK: &str = "clock against Microsoft's";

/// A clock that is off by more is told; the connector itself reckons with any offset.
const TOLERABLE: TimeDelta = TimeDelta::seconds(60);

/// Compares this machine's clock with Microsoft's.
pub(super) fn clock(offset: Option<TimeDelta>) -> Finding {
    let Some(offset) = offset else {
        return Finding::skipped(CLOCK, "Microsoft has not answered yet, so its time is not known");
    };
    let seconds = offset.as_seconds_f64();
    let found = format!(
        "this machine is {:.1} s {}",
        seconds.abs(),
        if seconds > 0.0 { "behind" } else { "ahead" }
    );
    if offset.abs() <= TOLERABLE {
        return Finding::pass(CLOCK, found);
    }
    Finding::warn(CLOCK, found)
        .because("nothing keeps this machine's clock right; the connector reckons with the difference, others may not")
        .remedied_by("enable time synchronisation (NTP) on the host")
}

/// Tells how every sign-in stands.
pub(super) fn sign_ins(overview: &Overview) -> Vec<Finding> {
    let credentials = overview
        .token_refresh
        .iter()
        .flat_map(|status| &status.credentials);
    credentials.map(sign_in).collect()
}

fn sign_in(credential: &CredentialStatus) -> Finding {
    let check = format!("sign-in of {}", credential.credential);
    match credential.code {
        AuthenticationCode::Ok => Finding::pass(check, "signed in"),
        AuthenticationCode::Starting => Finding::skipped(check, "under way"),
        code => Finding::fail(check, code.as_str())
            .because(credential.detail.clone())
            .remedied_by(code.remedy()),
    }
}

/// Tells which permissions are missing and which are superfluous.
pub(super) fn permissions(overview: &Overview, writes: bool) -> Vec<Finding> {
    let credentials = overview
        .token_refresh
        .iter()
        .flat_map(|status| &status.credentials);
    let told = |key: &CredentialStatus| Some(permission(&key.credential, key.permissions.as_ref()?, writes));
    credentials.filter_map(told).collect()
}

/// Compares the permissions that Entra granted with those that are needed, by the names of the portal.
pub(super) fn permission(credential: &Credential, granted: &BTreeSet<String>, writes: bool) -> Finding {
    let (kind, needed): (_, &[&str]) = match credential {
        Credential::App if writes => ("application", &["User.Read.All", "Presence.ReadWrite.All"]),
        Credential::App => ("application", &["User.Read.All", "Presence.Read.All"]),
        Credential::Communication(_) => ("delegated", &["Presence.Read.All"]),
    };
    compare(credential, kind, needed, granted)
}

/// Permissions that every sign-in of a person carries, or that serve as well as a needed one.
const HARMLESS: &[&str] = &[
    "openid",
    "profile",
    "email",
    "offline_access",
    "User.Read",
    "Presence.Read.All",
];

fn compare<'a>(
    credential: &Credential,
    kind: &str,
    needed: &[&str],
    granted: impl IntoIterator<Item = &'a String>,
) -> Finding {
    let check = format!("permissions of {credential}");
    let granted: Vec<&str> = granted.into_iter().map(String::as_str).collect();
    let has = |name: &str| granted.iter().any(|known| known.eq_ignore_ascii_case(name));
    let missing: Vec<_> = needed.iter().filter(|name| !has(name)).copied().collect();
    let known = |name: &&str| {
        needed
            .iter()
            .chain(HARMLESS)
            .any(|known| known.eq_ignore_ascii_case(name))
    };
    let superfluous: Vec<_> = granted.iter().filter(|name| !known(name)).copied().collect();
    if !missing.is_empty() {
        return Finding::fail(check, format!("missing: {}", missing.join(", ")))
            .because("the app registration lacks the permission, or consent to it was not granted")
            .remedied_by(format!(
                "add the {kind} permission at App registrations > API permissions > Microsoft Graph, and grant admin consent"
            ));
    }
    if !superfluous.is_empty() {
        return Finding::warn(check, format!("more than is needed: {}", superfluous.join(", ")))
            .because("a stolen secret opens whatever is granted")
            .remedied_by("remove them at App registrations > API permissions, unless something else uses this registration");
    }
    Finding::pass(check, needed.join(", "))
}

/// Tells whether the directory was read, and whether each communication user has what it needs there.
pub(super) fn directory(
    overview: &Overview,
    directory: Option<&Directory>,
    accounts: &[Account],
) -> Vec<Finding> {
    const CHECK: &str = "directory of Microsoft";
    let Some(status) = &overview.user_sync else {
        return vec![Finding::skipped(CHECK, "its actor is being restarted")];
    };
    let mut findings = vec![match &status.last_failure {
        Some(failure) => Finding::fail(CHECK, "the users cannot be read")
            .because(failure.clone())
            .remedied_by("see the sign-in and the permissions of the app registration"),
        None if !status.teams_known => Finding::skipped(CHECK, "being read for the first time"),
        None => Finding::pass(CHECK, format!("{} users may be matched", status.counts.teams)),
    }];
    let Some(directory) = directory else {
        return findings;
    };
    let users = || {
        directory
            .entries()
            .iter()
            .filter_map(|entry| entry.teams.as_ref())
    };
    for account in accounts {
        let check = format!("Teams license of {account}");
        let found = users().find(|user| {
            let name = user.user_principal_name.as_deref();
            name.is_some_and(|name| Account::new(name) == *account)
        });
        findings.push(match found {
            None => Finding::warn(check, "the account is not among the users of the directory")
                .because("it may sign in by another name than its user principal name")
                .remedied_by("set username to the User principal name shown in the Entra admin centre"),
            Some(user) if user.teams_plan => Finding::pass(check, "assigned"),
            Some(_) => Finding::fail(check, "none is assigned")
                .because("Microsoft grants presence subscriptions to users of Teams only")
                .remedied_by(SubscriptionCode::NoTeamsLicense.remedy()),
        });
    }
    findings
}

/// Tells how every subscription stands.
pub(super) fn subscriptions(overview: &Overview) -> Vec<Finding> {
    const CHECK: &str = "presence subscriptions";
    let Some(status) = &overview.presence_subscription else {
        return vec![Finding::skipped(CHECK, "their actor is being restarted")];
    };
    if status.polling {
        return vec![Finding::pass(CHECK, "none are wanted: presence is read in bulk")];
    }
    status.subscriptions.iter().map(subscription).collect()
}

fn subscription(status: &SubscriptionStatus) -> Finding {
    let check = match &status.kind {
        SubscriptionKind::Users => "subscription of the directory's users".to_owned(),
        SubscriptionKind::Presence(account) => format!("presence subscription of {account}"),
    };
    match status.code {
        SubscriptionCode::Ok => {
            let end = status
                .expires_at
                .map(|end| end.format("%H:%M:%S UTC").to_string())
                .unwrap_or_default();
            Finding::pass(check, format!("alive until {end}, {} users", status.users))
        }
        SubscriptionCode::Starting | SubscriptionCode::NoLicensedUsers | SubscriptionCode::Polling => {
            Finding::skipped(check, status.detail.clone())
        }
        code => Finding::fail(check, code.as_str())
            .because(status.detail.clone())
            .remedied_by(code.remedy()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::Outcome;

    fn compared(granted: &[&str]) -> Finding {
        let granted: Vec<String> = granted.iter().map(|name| (*name).to_owned()).collect();
        compare(
            &Credential::App,
            "application",
            &["User.Read.All", "Presence.ReadWrite.All"],
            &granted,
        )
    }

    #[test]
    fn missing_and_superfluous_permissions_are_named_as_in_the_portal() {
        assert_eq!(
            compared(&["User.Read.All", "Presence.ReadWrite.All"]).outcome,
            Outcome::Pass
        );
        assert_eq!(
            compared(&["user.read.all", "Presence.ReadWrite.All", "openid"]).outcome,
            Outcome::Pass
        );
        let missing = compared(&["User.Read.All"]);
        assert_eq!(
            (missing.outcome, missing.found.as_str()),
            (Outcome::Fail, "missing: Presence.ReadWrite.All")
        );
        let more = compared(&["User.Read.All", "Presence.ReadWrite.All", "Mail.Read"]);
        assert_eq!(
            (more.outcome, more.found.as_str()),
            (Outcome::Warn, "more than is needed: Mail.Read")
        );
    }

    #[test]
    fn a_clock_is_judged_by_the_minute() {
        assert_eq!(clock(Some(TimeDelta::seconds(-59))).outcome, Outcome::Pass);
        assert_eq!(clock(Some(TimeDelta::seconds(-61))).outcome, Outcome::Warn);
        assert!(
            clock(Some(TimeDelta::seconds(600)))
                .found
                .contains("600.0 s behind")
        );
        assert_eq!(clock(None).outcome, Outcome::Skipped);
    }
}
