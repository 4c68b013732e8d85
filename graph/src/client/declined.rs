//! Why Graph declines to create a subscription (graph.md 3.2).

use m365_presence::ports::Created;

/// What a refused create means: by status, and by text only what nothing else tells apart, for Graph gives most of
/// these the same code.
pub(super) fn declined(status: u16, message: String, rich: bool) -> Option<Created> {
    let text = message.to_ascii_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
    match status {
        409 => Some(Created::Conflict),
        401 | 403 => Some(Created::Forbidden { message }),
        413 => Some(Created::TooManyUsers),
        400 if text.contains("notificationurl") => Some(Created::UrlRejected { message }),
        400 if says(&["validation request", "notification endpoint", "validationtoken"]) => {
            Some(if says(&ANSWERED) {
                Created::UrlRejected { message }
            } else {
                Created::UrlUnreachable { message }
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

    fn name(status: u16, message: &str, rich: bool) -> String {
        match declined(status, message.to_owned(), rich) {
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
            (400, "encryptionCertificate is not valid", "RichRefused"),
            (422, "", "error"),
        ] {
            assert_eq!(name(status, message, true), expected, "{message}");
        }
        assert_eq!(name(400, "encryptionCertificate is not valid", false), "error");
    }
}
