//! What ends by itself and must be renewed in time, as far as its end is known.

use chrono::{DateTime, Utc};
use m365_actors::token_refresh::CredentialStatus;
use m365_presence::expiry::{Nearness, UNUSED_REFRESH_TOKEN, nearness};
use m365_presence::identity::Credential;
use m365_presence::light::WarningCode;

use super::Warning;
use crate::view::overview::Overview;

pub(super) fn warnings(
    overview: &Overview,
    tls_certificate: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let tls = tls_certificate.map(|end| {
        (
            WarningCode::TlsCertificateExpiring,
            "the certificate of the public listener",
            end,
        )
    });
    warnings.extend(tls.and_then(|(code, what, end)| warning(code, "", what, end, now)));
    for status in overview
        .token_refresh
        .iter()
        .flat_map(|status| &status.credentials)
    {
        warnings.extend(of_credential(status, now));
    }
    warnings
}

fn of_credential(status: &CredentialStatus, now: DateTime<Utc>) -> Vec<Warning> {
    let whose = status.credential.to_string();
    let ends = [
        (
            WarningCode::ClientSecretExpiring,
            "client secret",
            status.client_secret_expires_at,
        ),
        (
            WarningCode::ClientCertificateExpiring,
            "client certificate",
            status.client_certificate_expires_at,
        ),
        (
            WarningCode::StoredSignInExpiring,
            "stored sign-in",
            status
                .refresh_granted_at
                .map(|granted| granted + UNUSED_REFRESH_TOKEN),
        ),
    ];
    let ending = ends
        .into_iter()
        .filter_map(|(code, what, end)| warning(code, &whose, &format!("the {what} of {whose}"), end?, now));
    ending.chain(another_person(status)).collect()
}

fn warning(
    code: WarningCode,
    subject: &str,
    what: &str,
    end: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<Warning> {
    let nearness = nearness(end, now)?;
    let day = end.format("%Y-%m-%d");
    let cause = match (nearness, (end - now).num_days()) {
        (Nearness::Over, _) => format!("{what} has ended on {day}"),
        (_, 0) => format!("{what} ends on {day}, within a day"),
        (_, 1) => format!("{what} ends on {day}, in a day"),
        (_, days) => format!("{what} ends on {day}, in {days} days"),
    };
    Some(Warning {
        urgent: nearness > Nearness::Near,
        daily: true,
        ..Warning::new(code, subject, &cause)
    })
}

/// With a device code anybody can sign in, and a browser likes to choose its usual account.
fn another_person(status: &CredentialStatus) -> Option<Warning> {
    let Credential::Communication(account) = &status.credential else {
        return None;
    };
    let name = status.signed_in_as.as_ref()?;
    (!name.eq_ignore_ascii_case(account.as_str())).then(|| {
        let cause = format!("{account} is signed in as {name}");
        Warning::new(WarningCode::SignedInAsAnother, account.as_str(), &cause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use m365_presence::light::AuthenticationCode;

    fn now() -> DateTime<Utc> {
        "2026-11-24T12:00:00Z".parse().unwrap()
    }

    /// A communication user who signed in with a code so many days ago.
    fn person(days: i64, name: &str) -> CredentialStatus {
        CredentialStatus {
            credential: Credential::Communication("presence@contoso.com".into()),
            code: AuthenticationCode::Ok,
            detail: String::new(),
            since: now(),
            expires_at: None,
            next_attempt_at: None,
            sign_ins: 1,
            signed_in_as: Some(name.to_owned()),
            permissions: None,
            refresh_granted_at: Some(now() - TimeDelta::days(days)),
            client_secret_expires_at: None,
            client_certificate_expires_at: None,
        }
    }

    fn codes(status: &CredentialStatus) -> Vec<(WarningCode, bool)> {
        let warnings = of_credential(status, now());
        warnings
            .iter()
            .map(|warning| (warning.code, warning.urgent))
            .collect()
    }

    #[test]
    fn a_stored_sign_in_that_is_not_used_is_warned_of() {
        let unused = |days| codes(&person(days, "Presence@Contoso.com"));
        assert_eq!(unused(0), []);
        assert_eq!(unused(59), []);
        assert_eq!(unused(60), [(WarningCode::StoredSignInExpiring, false)]);
        assert_eq!(unused(83), [(WarningCode::StoredSignInExpiring, true)]);
        assert_eq!(unused(200), [(WarningCode::StoredSignInExpiring, true)]);
        let told = of_credential(&person(70, "presence@contoso.com"), now());
        assert!(
            told[0]
                .detail
                .contains("presence@contoso.com ends on 2026-12-14, in 20 days"),
            "{}",
            told[0].detail
        );
    }

    #[test]
    fn somebody_else_is_named() {
        let told = of_credential(&person(0, "admin@contoso.com"), now());
        assert_eq!(told[0].code, WarningCode::SignedInAsAnother);
        assert!(told[0].detail.contains("is signed in as admin@contoso.com"));
    }
}
