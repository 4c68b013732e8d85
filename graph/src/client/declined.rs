//! Why Graph declines to create a subscription (graph.md 3.2).

use m365_presence::ports::Created;

/// What a refused create means: by status, and by text only what nothing else tells apart, for Graph gives most of
/// these the same code. `body` is the whole answer, for details and inner errors often say more than the message does.
/// `rich` tells whether resource data was asked for.
pub(super) fn declined(status: u16, message: String, body: &str, rich: bool) -> Option<Created> {
    let text = message.to_ascii_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
    match status {
        409 => Some(Created::Conflict),
        413 => Some(Created::TooManyUsers),
        400 if text.contains("notificationurl") => Some(Created::UrlRejected { message }),
        400 if says(&["validation request", "notification endpoint", "validationtoken"]) => {
            Some(if says(&ANSWERED) {
                Created::UrlRejected { message }
            } else {
                Created::UrlUnreachable { message }
            })
        }
        400 | 403 | 405 | 422 if rich && names_resource_data(body) => Some(Created::RichRefused {
            message,
            certain: true,
        }),
        401 | 403 => Some(Created::Forbidden { message }),
        400 if says(&["too many", "number of users", "maximum number"])
            || text
                .split(|c: char| !c.is_ascii_alphanumeric())
                .any(|word| word == "650") =>
        {
            Some(Created::TooManyUsers)
        }
        400 | 422 if rich && !says(&OTHER_PARTS) => Some(Created::RichRefused {
            message,
            certain: false,
        }),
        _ => None,
    }
}

/// Whether an answer speaks of resource data, of its encryption or of the certificate for it, in whatever spelling.
fn names_resource_data(body: &str) -> bool {
    let letters: String = body
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    [
        "resourcedata",
        "certificate",
        "encrypt",
        "richnotification",
        "richsubscription",
    ]
    .iter()
    .any(|phrase| letters.contains(phrase))
}

/// Parts of a subscription that are refused for their own sake, with resource data or without.
const OTHER_PARTS: [&str; 5] = ["expiration", "changetype", "clientstate", "tlsversion", "$filter"];

/// Words by which Graph tells that the endpoint did answer, but wrongly. Without them it says the same of an endpoint
/// that nobody could reach and of one that answers nonsense; the first is by far the more frequent.
const ANSWERED: [&str; 5] = [
    "status code is",
    "match",
    "content-type",
    "content type",
    "response body",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn name(status: u16, message: &str, body: &str, rich: bool) -> String {
        match declined(status, message.to_owned(), body, rich) {
            Some(Created::RichRefused { certain, .. }) if certain => "RichRefused".to_owned(),
            Some(Created::RichRefused { .. }) => "perhaps RichRefused".to_owned(),
            Some(created) => format!("{created:?}")
                .split(' ')
                .next()
                .unwrap_or_default()
                .to_owned(),
            None => "error".to_owned(),
        }
    }

    #[test]
    fn a_declined_create_is_told_apart() {
        for (status, message, expected) in [
            (409, "A subscripton already exists.", "Conflict"),
            (409, "", "Conflict"),
            (
                403,
                "The request is not authorized for this user or application.",
                "Forbidden",
            ),
            (
                400,
                "Notification endpoint must respond with 200 OK to validation request.",
                "UrlUnreachable",
            ),
            (
                400,
                "Subscription validation request timed out.",
                "UrlUnreachable",
            ),
            (
                400,
                "Subscription validation request failed. HTTP status code is 'NotFound'.",
                "UrlRejected",
            ),
            (
                400,
                "Response must exactly match validationToken query parameter.",
                "UrlRejected",
            ),
            (400, "Invalid 'notificationUrl': it must be https.", "UrlRejected"),
            (400, "Reason: too many users", "TooManyUsers"),
            (400, "Reason: the limit is 650", "TooManyUsers"),
            (
                400,
                "Reason: Expiration time is beyond allowed max '01:00:00'.",
                "error",
            ),
            (400, "Invalid 'changeType' attribute: 'created'.", "error"),
            (418, "", "error"),
        ] {
            assert_eq!(name(status, message, message, true), expected, "{message}");
        }
    }

    #[test]
    fn a_refusal_of_resource_data_is_known_by_what_it_names() {
        for (status, message, expected) in [
            (
                400,
                "The 'encryptionCertificate' property is not valid.",
                "RichRefused",
            ),
            (
                400,
                "includeResourceData is not supported for this resource.",
                "RichRefused",
            ),
            (
                400,
                "Resource data is not supported for communications/presences.",
                "RichRefused",
            ),
            (
                400,
                "Rich notifications are not enabled for this tenant.",
                "RichRefused",
            ),
            (
                400,
                "Operation: Create; Exception: [Status Code: BadRequest; Reason: Encryption is not available.]",
                "RichRefused",
            ),
            (
                422,
                "Certificate key size must be at least 2048 bits.",
                "RichRefused",
            ),
            (
                403,
                "This application may not receive resource data.",
                "RichRefused",
            ),
            (
                403,
                "The request is not authorized for this user or application.",
                "Forbidden",
            ),
            (401, "certificate", "Forbidden"),
            (400, "Bad request.", "perhaps RichRefused"),
            (400, "", "perhaps RichRefused"),
            (422, "", "perhaps RichRefused"),
            (404, "", "error"),
        ] {
            assert_eq!(name(status, message, message, true), expected, "{message}");
            assert!(
                !name(status, message, message, false).contains("Rich"),
                "{message}"
            );
        }
        let inner = r#"{"error":{"code":"BadRequest","details":[{"target":"includeResourceData"}]}}"#;
        assert_eq!(name(400, "", inner, true), "RichRefused");
    }
}
