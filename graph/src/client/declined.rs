//! Why Graph declines to create a subscription (graph.md 3.2).

use m365_presence::ports::Created;

use crate::fault::Fault;

/// What a refused create means: by status, then code; by text only what nothing else tells apart (graph.md 3.2).
pub(super) fn declined(status: u16, fault: Fault, rich: bool) -> Option<Created> {
    let message = fault.message;
    let text = message.to_ascii_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
    match status {
        409 if !fault.code.eq_ignore_ascii_case("Directory_ConcurrencyViolation") => Some(Created::Conflict),
        401 | 403 => Some(Created::Forbidden { message }),
        413 => Some(Created::TooManyUsers),
        400 if says(&[
            "validation request",
            "notification endpoint",
            "notificationurl",
            "validationtoken",
        ]) =>
        {
            Some(if says(&UNREACHABLE) {
                Created::UrlUnreachable { message }
            } else {
                Created::UrlRejected { message }
            })
        }
        400 if rich && says(&["encryptioncertificate", "includeresourcedata", "resource data"]) => {
            Some(Created::RichRefused { message })
        }
        400 if says(&["too many", "number of users", "maximum number"])
            || text
                .split(|c: char| !c.is_ascii_alphanumeric())
                .any(|word| word == "650") =>
        {
            Some(Created::TooManyUsers)
        }
        _ => None,
    }
}

/// Words by which Graph tells that it got no answer at all, rather than a wrong one.
const UNREACHABLE: [&str; 12] = [
    "timed out",
    "timeout",
    "unreachable",
    "could not be reached",
    "not reachable",
    "unable to connect",
    "connection",
    "could not be resolved",
    "not be resolved",
    "certificate",
    "ssl",
    "tls",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn declined_with(status: u16, code: &str, message: &str, rich: bool) -> String {
        let fault = Fault {
            code: code.to_owned(),
            message: message.to_owned(),
        };
        let outcome = declined(status, fault, rich).map(|created| format!("{created:?}"));
        let named = outcome.unwrap_or_else(|| "error".to_owned());
        named.split([' ', '{']).next().unwrap_or_default().to_owned()
    }

    #[test]
    fn a_declined_create_is_told_apart() {
        let wrapped = |reason: &str| format!("Operation: Create; Exception: [Status Code: {reason}]");
        for (status, code, message, expected) in [
            (409, "ExtensionError", wrapped("Conflict; Reason: A subscripton already exists."), "Conflict"),
            (409, "", String::new(), "Conflict"),
            (403, "ExtensionError", wrapped("Forbidden; Reason: not authorized"), "Forbidden"),
            (400, "InvalidRequest", "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.".to_owned(), "UrlRejected"),
            (400, "InvalidRequest", "Subscription validation request failed. HTTP status code is 'NotFound'.".to_owned(), "UrlRejected"),
            (400, "InvalidRequest", "Subscription validation request timed out.".to_owned(), "UrlUnreachable"),
            (400, "ExtensionError", wrapped("BadRequest; Reason: too many users, 650 at most"), "TooManyUsers"),
            (400, "ExtensionError", wrapped("BadRequest; Reason: beyond allowed max '01:00:00'."), "error"),
            (400, "InvalidRequest", "Invalid 'changeType' attribute: 'created'.".to_owned(), "error"),
            (400, "InvalidRequest", "encryptionCertificate is not valid".to_owned(), "RichRefused"),
            (500, "", String::new(), "error"),
        ] {
            assert_eq!(declined_with(status, code, &message, true), expected, "{message}");
        }
        assert_eq!(
            declined_with(400, "InvalidRequest", "encryptionCertificate is not valid", false),
            "error"
        );
    }
}
