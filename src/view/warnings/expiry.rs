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
