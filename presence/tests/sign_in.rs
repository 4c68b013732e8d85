//! When a credential is presented again, and what follows a refusal.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use chrono::{DateTime, TimeDelta, Utc};
use m365_presence::light::AuthenticationCode as Code;
use m365_presence::secret::Secret;
use m365_presence::sign_in::{AfterRefresh, Beginning, Refusal, Trial, Way, after_refused_refresh};

fn noon() -> DateTime<Utc> {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}

fn digest(text: &str) -> Secret {
    Secret::new(text)
}

fn refusal(code: Code) -> Refusal {
    Refusal {
        code,
        aadsts: None,
        detail: "refused".to_owned(),
    }
}

/// An account's side of the story: which passwords reach Entra, when runs begin like this at these times, until it is
/// told whether they are right.
fn passwords(beginnings: &[(Beginning, i64)], answer: Option<Code>) -> usize {
    let mut trial: Option<Trial> = None;
    let mut sent = 0;
    for (beginning, minute) in beginnings {
        let now = noon() + minutes(*minute);
        let held = trial
            .as_ref()
            .and_then(|trial| trial.held_until(*beginning, &digest("a"), now));
        if held.is_some() {
            continue;
        }
        sent += 1;
        let counted = Trial::of_password(trial.as_ref(), digest("a"), now);
        trial = Some(match answer {
            Some(code) => Trial::refused(Some(&counted), digest("a"), now, refusal(code)),
            None => counted,
        });
    }
    sent
}

fn each_minute(beginning: Beginning) -> Vec<(Beginning, i64)> {
    (0..59).map(|minute| (beginning, minute)).collect()
}

#[test]
fn a_crash_never_repeats_what_was_refused_before_its_hold_is_over() {
    for code in [Code::WrongPassword, Code::AccountLocked] {
        assert_eq!(
            passwords(&each_minute(Beginning::Crash), Some(code)),
            1,
            "{code:?}"
        );
    }
    let trial = Trial::refused(None, digest("a"), noon(), refusal(Code::ConsentRequired));
    let held = trial.held_until(Beginning::Crash, &digest("a"), noon() + minutes(1));
    assert_eq!(held, Some(noon() + minutes(15)));
    assert_eq!(
        trial.held_until(Beginning::Crash, &digest("a"), noon() + minutes(15)),
        None
    );
}

#[test]
fn a_process_in_a_crash_loop_tries_a_wrong_password_twice_an_hour() {
    let starts = each_minute(Beginning::Process);
    assert_eq!(passwords(&starts, Some(Code::WrongPassword)), 2);
}

#[test]
fn passwords_whose_answer_nobody_lived_to_read_are_few() {
    for beginning in [Beginning::Process, Beginning::Crash, Beginning::Order] {
        // 0 to 5 each minute, then after 4, 16 and 60 minutes
        assert_eq!(passwords(&each_minute(beginning), None), 8, "{beginning:?}");
    }
}

#[test]
fn not_even_orders_lock_an_account() {
    assert_eq!(
        passwords(&each_minute(Beginning::Order), Some(Code::WrongPassword)),
        8
    );
}

#[test]
fn an_order_after_a_night_of_probes_tries_at_once() {
    let mut night: Vec<_> = (0..12).map(|hour| (Beginning::Crash, hour * 60)).collect();
    night.push((Beginning::Order, 11 * 60 + 20));
    assert_eq!(passwords(&night, Some(Code::WrongPassword)), 13);
}

#[test]
fn a_corrected_password_is_tried_at_once() {
    let trial = Trial::refused(None, digest("a"), noon(), refusal(Code::WrongPassword));
    assert_eq!(trial.held_until(Beginning::Crash, &digest("b"), noon()), None);
    let corrected = Trial::of_password(Some(&trial), digest("b"), noon());
    assert_eq!(corrected.passwords, 1);
}

#[test]
fn what_locks_nobody_is_tried_at_every_start_and_order() {
    let trial = Trial::refused(None, digest("a"), noon(), refusal(Code::AccountDisabled));
    for beginning in [Beginning::Process, Beginning::Order] {
        assert_eq!(trial.held_until(beginning, &digest("a"), noon()), None);
    }
}

#[test]
fn a_second_factor_that_is_demanded_says_that_the_password_was_right() {
    let mut trial = None;
    for _attempt in 0..5 {
        trial = Some(Trial::of_password(trial.as_ref(), digest("a"), noon()));
    }
    let told = Trial::refused(trial.as_ref(), digest("a"), noon(), refusal(Code::MfaRequired));
    assert_eq!(told.passwords, 0);
}

#[test]
fn a_clock_that_was_far_ahead_holds_no_longer_than_a_right_one() {
    let trial = Trial::refused(
        None,
        digest("a"),
        noon() + TimeDelta::days(400),
        refusal(Code::WrongPassword),
    );
    let held = trial.held_until(Beginning::Crash, &digest("a"), noon());
    assert_eq!(held, Some(noon() + minutes(60)));
}

#[test]
fn only_what_concerns_the_stored_sign_in_ends_it() {
    use AfterRefresh::{Hold, Password, Person};
    for (code, of_a_password, of_a_person) in [
        (Code::SignInRequired, Password, Person { dead: true }),
        (Code::MfaRequired, Password, Person { dead: false }),
        (Code::PasswordExpired, Password, Person { dead: false }),
        (Code::WrongClientSecret, Hold, Hold),
        (Code::WrongCertificate, Hold, Hold),
        (Code::UnknownTenant, Hold, Hold),
        (Code::AccountLocked, Hold, Hold),
        (Code::AccountDisabled, Hold, Hold),
        (Code::ConsentRequired, Hold, Hold),
        (Code::ConditionalAccess, Hold, Hold),
    ] {
        assert_eq!(
            after_refused_refresh(code, Way::Password),
            of_a_password,
            "{code:?}"
        );
        assert_eq!(after_refused_refresh(code, Way::Person), of_a_person, "{code:?}");
        assert_eq!(after_refused_refresh(code, Way::Proof), Hold);
    }
}
