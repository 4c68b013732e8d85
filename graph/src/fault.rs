//! What Graph says when it refuses (graph.md 6.2).

use m365_presence::ports::GraphError;
use serde_json::Value;

use crate::http::{Answer, Unanswered};

/// Longest text of a refusal that is passed on.
const LONGEST_MESSAGE: usize = 500;

/// Code and text of an error body; both may be empty, for a 5xx may carry HTML or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) code: String,
    pub(crate) message: String,
}

impl Fault {
    /// Reads an error body of whatever shape. Where `error` has no code, the nearest nested one stands in.
    pub(crate) fn read(body: Option<&Value>) -> Self {
        let Some(error) = body.and_then(|body| member(body, "error")) else {
            return Self::default();
        };
        if let Some(code) = error.as_str() {
            return Self {
                code: clean(code),
                message: String::new(),
            };
        }
        Self {
            code: clean(nested_code(error).unwrap_or_default()),
            message: clean(
                member(error, "message")
                    .and_then(Value::as_str)
                    .unwrap_or_default(),
            ),
        }
    }
}

/// Reads a member by its name, compared without case, for `innerError` and `EncryptedContent` occur in two spellings
/// (graph.md 4.1, 6.2); null counts as absent.
pub(crate) fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let members = value.as_object()?;
    members
        .get(name)
        .or_else(|| {
            members
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
        })
        .filter(|value| !value.is_null())
}

/// The error for an answer that the caller has no better reading of.
pub(crate) fn refusal(answer: &Answer) -> GraphError {
    if let Some(retry_after) = answer.patience {
        return GraphError::Throttled { retry_after };
    }
    let fault = Fault::read(answer.json().as_ref());
    if let Some(retry_after) = answer.unreachable_for {
        return GraphError::Unreachable {
            detail: failing(answer.status, &fault),
            retry_after,
        };
    }
    log::info!(
        status = answer.status, code = fault.code.as_str(), request_id = answer.request_id.as_str();
        "graph does not grant a request"
    );
    status_error(answer.status, fault)
}

/// The error that a status stands for. A conflict of concurrent changes is worth a repeat (graph.md 6.2).
pub(crate) fn status_error(status: u16, fault: Fault) -> GraphError {
    let repeatable = status == 408 || fault.code.eq_ignore_ascii_case("Directory_ConcurrencyViolation");
    if (400..=499).contains(&status) && !repeatable {
        return GraphError::Refused {
            status,
            code: fault.code,
            message: fault.message,
        };
    }
    GraphError::Lost {
        detail: failing(status, &fault),
    }
}

fn failing(status: u16, fault: &Fault) -> String {
    match fault.code.as_str() {
        "" => format!("graph answers {status} without a reason"),
        code => format!("graph answers {status} {code}"),
    }
}

/// The error for a success without the content that it should have.
pub(crate) fn unreadable(what: &str) -> GraphError {
    GraphError::Lost {
        detail: format!("graph's answer is no {what}"),
    }
}

impl From<Unanswered> for GraphError {
    fn from(reason: Unanswered) -> Self {
        match reason {
            Unanswered::Patience(retry_after) => Self::Throttled { retry_after },
            Unanswered::Unreachable {
                detail, retry_after, ..
            } => Self::Unreachable { detail, retry_after },
            Unanswered::Lost(detail) => Self::Lost { detail },
        }
    }
}

fn nested_code(error: &Value) -> Option<&str> {
    let mut error = error;
    loop {
        match member(error, "code").and_then(Value::as_str) {
            Some(code) if !code.is_empty() => return Some(code),
            _ => error = member(error, "innerError")?,
        }
    }
}

fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(LONGEST_MESSAGE)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fault(code: &str, message: &str) -> Fault {
        Fault {
            code: code.to_owned(),
            message: message.to_owned(),
        }
    }

    #[test]
    fn a_code_is_found_in_both_spellings_and_nested() {
        for (body, expected) in [
            (json!({"error": {"code": "A", "message": "m"}}), fault("A", "m")),
            (
                json!({"error": {"code": "", "innererror": {"code": "B"}}}),
                fault("B", ""),
            ),
            (
                json!({"error": {"innerError": {"innererror": {"code": "C"}}, "message": 7}}),
                fault("C", ""),
            ),
            (
                json!({"Error": {"Code": "D", "Message": "two\r\nlines"}}),
                fault("D", "two  lines"),
            ),
            (json!({"error": "E"}), fault("E", "")),
            (json!({"error": []}), fault("", "")),
            (json!([1, 2]), fault("", "")),
        ] {
            assert_eq!(Fault::read(Some(&body)), expected, "{body}");
        }
        assert_eq!(Fault::read(None), Fault::default());
    }

    #[test]
    fn observed_errors_are_read() {
        let observed: Value =
            serde_json::from_str(include_str!("../tests/vectors/wire/graph-errors-observed.json")).unwrap();
        for (name, code) in [
            ("400 validation failed", "InvalidRequest"),
            ("404 unknown subscription", "ResourceNotFound"),
            ("401 no token", "InvalidAuthenticationToken"),
        ] {
            assert_eq!(Fault::read(Some(&observed[name]["body"])).code, code);
        }
    }

    #[test]
    fn a_status_tells_whether_a_repeat_helps() {
        assert!(matches!(
            status_error(403, Fault::default()),
            GraphError::Refused { status: 403, .. }
        ));
        for status in [302, 408, 500, 502, 504] {
            assert!(matches!(
                status_error(status, Fault::default()),
                GraphError::Lost { .. }
            ));
        }
        let conflict = fault("Directory_ConcurrencyViolation", "");
        assert!(matches!(status_error(409, conflict), GraphError::Lost { .. }));
    }
}
