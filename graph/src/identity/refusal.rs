//! Why Entra refuses: the table of graph.md 1.5.
//!
//! Classified by `error` first and by `error_codes` second, never by text, because texts change and are localised.

use std::time::Duration;

use m365_presence::light::AuthenticationCode as Code;
use m365_presence::ports::SignInError;
use serde_json::Value;

use super::aadsts;
use super::proof::Prover;
use super::registration::Attempt;
use super::text;
use crate::http::{Answer, Unanswered};

/// How long to wait when Entra sees us asking in a loop (50196).
const LOOP_PATIENCE: Duration = Duration::from_secs(300);

/// A refusal with what is needed to react to it.
#[derive(Debug)]
pub(super) struct Refusal {
    error: String,
    outcome: SignInError,
}

impl Refusal {
    /// Reads the answer to an attempt.
    pub(super) fn read(attempt: &Attempt<'_>, answer: &Answer) -> Self {
        let body = answer.json().unwrap_or_default();
        let error = text(&body, "error").unwrap_or_default().to_owned();
        let numbers = numbers(&body);
        let outcome = outcome(attempt, answer, &body, &error, &numbers);
        let expected = ["authorization_pending", "slow_down"].contains(&error.as_str());
        log::log!(
            if expected { log::Level::Debug } else { log::Level::Info },
            status = answer.status, error = error.as_str(), aadsts = numbers.first().copied().unwrap_or_default(),
            request_id = answer.request_id.as_str();
            "entra does not grant a sign-in"
        );
        Self { error, outcome }
    }

    pub(super) fn lost(who: &str, cause: &str) -> Self {
        Self::plain(SignInError::Lost {
            detail: format!("{who}: {cause}"),
        })
    }

    /// Something answered, but not as the sign-in service does.
    pub(super) fn unusable(who: &str, answer: &Answer) -> Self {
        let detail = format!(
            "{who}: the sign-in service answers {} without a usable reason",
            answer.status
        );
        Self::plain(match answer.unreachable_for {
            Some(retry_after) => SignInError::Unreachable {
                detail,
                retry_after,
                presented: true,
            },
            None => SignInError::Lost { detail },
        })
    }

    /// Our own key fails to sign.
    pub(super) fn unsigned(who: &str) -> Self {
        Self::plain(SignInError::Refused {
            code: Code::WrongCertificate,
            aadsts: None,
            detail: format!("{who}: the private key cannot sign"),
            claims: None,
        })
    }

    fn plain(outcome: SignInError) -> Self {
        Self {
            error: String::new(),
            outcome,
        }
    }

    /// OAuth's word for it.
    pub(super) fn error(&self) -> &str {
        &self.error
    }

    /// Tells whether the assertion is refused, which may be for its time.
    pub(super) fn is_about_the_proof(&self) -> bool {
        matches!(
            self.outcome,
            SignInError::Refused {
                code: Code::WrongCertificate,
                ..
            }
        )
    }

    pub(super) fn into_error(self) -> SignInError {
        self.outcome
    }
}

impl From<SignInError> for Refusal {
    fn from(outcome: SignInError) -> Self {
        Self::plain(outcome)
    }
}

impl From<Unanswered> for Refusal {
    fn from(reason: Unanswered) -> Self {
        Self::plain(match reason {
            Unanswered::Patience(retry_after) => SignInError::Throttled { retry_after },
            Unanswered::Unreachable {
                detail,
                retry_after,
                left,
            } => SignInError::Unreachable {
                detail,
                retry_after,
                presented: left,
            },
            Unanswered::Lost(detail) => SignInError::Lost { detail },
        })
    }
}

fn outcome(
    attempt: &Attempt<'_>,
    answer: &Answer,
    body: &Value,
    error: &str,
    numbers: &[u32],
) -> SignInError {
    let known = |row: u32| numbers.contains(&row);
    if let Some(retry_after) = answer.patience {
        return SignInError::Throttled { retry_after };
    }
    if error == "temporarily_unavailable" || known(90033) || known(90055) {
        // where nothing says for how long, the probes of an outage find its end
        return Refusal::unusable(attempt.who, answer).outcome;
    }
    if known(50196) {
        return SignInError::Throttled {
            retry_after: LOOP_PATIENCE,
        };
    }
    if error.is_empty() || error == "server_error" || !(400..=499).contains(&answer.status) {
        return Refusal::unusable(attempt.who, answer).outcome;
    }
    let row = numbers.iter().find_map(|number| aadsts::row(*number));
    let (code, cause) = match row {
        Some((_, code, cause)) if fits(error, *code) => (*code, *cause),
        _ => by_error(attempt, error, text(body, "suberror").unwrap_or_default()),
    };
    let aadsts = numbers.first().copied();
    let number = aadsts
        .map(|number| format!("AADSTS{number}, "))
        .unwrap_or_default();
    SignInError::Refused {
        code,
        aadsts,
        detail: format!("{}: {cause} ({number}{})", attempt.who, word(error)),
        claims: text(body, "claims").map(str::to_owned),
    }
}

/// Tells whether a number's row may speak under this `error`: what is wrong with the application is never read as
/// the fault of an account, nor the other way round.
fn fits(error: &str, code: Code) -> bool {
    let about_the_proof = matches!(
        code,
        Code::WrongClientSecret | Code::ClientSecretExpired | Code::WrongCertificate
    );
    match error {
        "invalid_client" => about_the_proof || code == Code::UnknownApp,
        "invalid_grant" | "interaction_required" => {
            !matches!(code, Code::WrongClientSecret | Code::ClientSecretExpired)
        }
        _ => true,
    }
}

/// The reading of an `error` whose number is unknown.
fn by_error(attempt: &Attempt<'_>, error: &str, suberror: &str) -> (Code, &'static str) {
    match (error, suberror) {
        ("invalid_client", _) if matches!(attempt.registration.prover, Some(Prover::Certificate { .. })) => {
            (Code::WrongCertificate, "the certificate is refused")
        }
        ("invalid_client", _) => (Code::WrongClientSecret, "the client secret is refused"),
        ("unauthorized_client", _) => (Code::UnknownApp, "the application is refused"),
        ("consent_required", _) | (_, "consent_required") => {
            (Code::ConsentRequired, "consent to the application is missing")
        }
        (_, "basic_action") | ("interaction_required", _) => (
            Code::MfaRequired,
            "the account has to do more than a password can",
        ),
        (_, "bad_token") => (Code::SignInRequired, "the stored sign-in was revoked"),
        ("login_required", _) => (Code::SignInRequired, "the account has to sign in"),
        ("access_denied", _) => (Code::ConditionalAccess, "a policy denies the access"),
        ("invalid_grant", _) if attempt.refreshes => (Code::SignInRequired, "the stored sign-in is refused"),
        _ => (Code::Refused, "the sign-in is refused"),
    }
}

/// `error_codes` as numbers, whatever stands there.
fn numbers(body: &Value) -> Vec<u32> {
    let codes = body
        .get("error_codes")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    codes
        .iter()
        .filter_map(|code| code.as_u64().or_else(|| code.as_str()?.parse().ok()))
        .filter_map(|code| u32::try_from(code).ok())
        .collect()
}

/// `error` as far as it is a word, for it is shown.
fn word(error: &str) -> String {
    error
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        .take(60)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::aadsts::ROWS;
    use crate::identity::registration::Registration;
    use bytes::Bytes;
    use chrono::DateTime;
    use m365_presence::identity::Credential;
    use serde_json::json;

    fn answer(status: u16, body: &Value) -> Answer {
        raw(status, body.to_string().into_bytes())
    }

    fn raw(status: u16, body: Vec<u8>) -> Answer {
        Answer {
            status,
            retry_after: None,
            patience: None,
            unreachable_for: None,
            request_id: String::new(),
            claims: None,
            sent_at: DateTime::UNIX_EPOCH,
            body: Bytes::from(body),
        }
    }

    fn read(status: u16, body: &Value) -> SignInError {
        read_as(false, &answer(status, body))
    }

    fn read_as(refreshes: bool, answer: &Answer) -> SignInError {
        let registration = Registration {
            client_id: String::new(),
            prover: None,
        };
        let attempt = Attempt {
            credential: Credential::App,
            who: "presence@contoso.com",
            registration: &registration,
            refreshes,
        };
        Refusal::read(&attempt, answer).into_error()
    }

    fn code(status: u16, error: &str, number: u32) -> Option<Code> {
        match read(status, &json!({"error": error, "error_codes": [number]})) {
            SignInError::Refused { code, aadsts, .. } => {
                assert_eq!(aadsts, Some(number));
                Some(code)
            }
            _ => None,
        }
    }

    #[test]
    fn every_row_is_told_with_its_number_and_the_account() {
        for (number, expected, cause) in ROWS {
            let error = match expected {
                Code::WrongClientSecret | Code::ClientSecretExpired => "invalid_client",
                Code::UnknownApp => "unauthorized_client",
                _ => "invalid_grant",
            };
            let body = json!({"error": error, "error_codes": [number], "error_description": "secret"});
            let SignInError::Refused { code, detail, .. } = read(400, &body) else {
                panic!("{number} is not a refusal");
            };
            assert_eq!(code, *expected, "{number}");
            assert_eq!(
                detail,
                format!("presence@contoso.com: {cause} (AADSTS{number}, {error})")
            );
        }
    }

    #[test]
    fn error_prevails_over_a_number_that_contradicts_it() {
        assert_eq!(code(401, "invalid_client", 50126), Some(Code::WrongClientSecret));
        assert_eq!(code(400, "invalid_grant", 7000215), Some(Code::Refused));
        assert_eq!(code(401, "invalid_client", 500133), Some(Code::WrongCertificate));
    }

    #[test]
    fn unknown_numbers_fall_back_to_the_error() {
        assert_eq!(code(400, "interaction_required", 1), Some(Code::MfaRequired));
        assert_eq!(code(400, "consent_required", 1), Some(Code::ConsentRequired));
        assert_eq!(code(400, "unauthorized_client", 1), Some(Code::UnknownApp));
        assert_eq!(code(400, "access_denied", 1), Some(Code::ConditionalAccess));
        assert_eq!(code(400, "invalid_grant", 1), Some(Code::Refused));
    }

    #[test]
    fn an_unknown_refusal_of_a_stored_sign_in_asks_for_another_sign_in() {
        let body = json!({"error": "invalid_grant", "error_codes": [1], "claims": "{}"});
        match read_as(true, &answer(400, &body)) {
            SignInError::Refused { code, claims, .. } => {
                assert_eq!((code, claims.as_deref()), (Code::SignInRequired, Some("{}")));
            }
            other => panic!("not refused: {other:?}"),
        }
    }

    #[test]
    fn recorded_refusals_are_read() {
        for (vector, expected) in [
            (
                include_str!("../../tests/vectors/entra/rec-ropc-wrong-password.json"),
                Code::WrongPassword,
            ),
            (
                include_str!("../../tests/vectors/entra/rec-client-secret-wrong.json"),
                Code::WrongClientSecret,
            ),
        ] {
            let recorded: Value = serde_json::from_str(vector).unwrap();
            let status = u16::try_from(recorded["response"]["status"].as_u64().unwrap()).unwrap();
            let SignInError::Refused { code, .. } = read(status, &recorded["response"]["body"]) else {
                panic!("not a refusal");
            };
            assert_eq!(code, expected);
        }
    }

    #[test]
    fn a_busy_service_is_not_a_refusal() {
        for (status, error, number) in [
            (503, "temporarily_unavailable", 1),
            (400, "temporarily_unavailable", 1),
            (400, "invalid_request", 90033),
        ] {
            let body = json!({"error": error, "error_codes": [number]});
            assert!(matches!(read(status, &body), SignInError::Lost { .. }));
        }
    }

    #[test]
    fn who_asks_in_a_loop_is_to_wait() {
        let body = json!({"error": "invalid_grant", "error_codes": [50196]});
        assert!(matches!(read(400, &body), SignInError::Throttled { .. }));
    }

    #[test]
    fn html_nothing_and_wrong_types_are_lost() {
        for body in [
            "<html>503</html>",
            "",
            "[]",
            "null",
            r#"{"error":7}"#,
            r#"{"error":"#,
        ] {
            for status in [302, 400, 404, 500, 502] {
                let refusal = read_as(false, &raw(status, body.as_bytes().to_vec()));
                assert!(matches!(refusal, SignInError::Lost { .. }), "{status} {body}");
            }
        }
    }
}
