//! The sign-in by a person who enters a code.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod stage;

use std::rc::Rc;

use m365_actors::token_refresh::{CommunicationUser, ProofEnds};
use m365_presence::identity::{Account, Credential};
use m365_presence::light::AuthenticationCode as Code;
use m365_presence::ports::{DeviceSignIn, SignInError};
use m365_presence::sign_in::Way;
use stage::entra::refused;
use stage::house::{Cast, House, play, play_on};
use stage::people::ANNA;
use stage::shelf::Shelf;
use stage::sign_in::{anna, by_code, status, token};
use stage::{minutes, pass, seconds};

/// The next poll is answered so.
fn answer_poll(cast: &Cast, answer: Result<DeviceSignIn, SignInError>) {
    cast.house.entra.polls.borrow_mut().push_back(answer);
}

/// A person enters the code before the next poll.
fn enter_the_code(cast: &Cast) {
    answer_poll(cast, Ok(DeviceSignIn::Done(cast.house.entra.signed_in())));
}

#[test]
fn a_device_code_is_shown_and_polled_at_its_interval() {
    play(0, by_code, async |_, cast| {
        pass(seconds(31)).await;
        let shown = status(&cast, &anna()).await;
        assert_eq!(shown.code, Code::SignInRequired);
        assert!(shown.detail.contains("CODE-1") && shown.detail.contains("https://login.test/device"));
        assert_eq!(cast.journal().count("entra: poll"), 6);
        assert!(token(&cast, anna(), None).await.is_err());
        enter_the_code(&cast);
        pass(seconds(6)).await;
        assert!(token(&cast, anna(), None).await.is_ok());
        assert_eq!(status(&cast, &anna()).await.code, Code::Ok);
    });
}

#[test]
fn a_device_code_is_polled_five_seconds_slower_when_asked_to() {
    play(0, by_code, async |_, cast| {
        answer_poll(&cast, Ok(DeviceSignIn::SlowDown));
        pass(seconds(60)).await;
        let gaps = cast.journal().gaps("entra: poll");
        assert!(
            !gaps.is_empty() && gaps.iter().all(|gap| (9.9..10.5).contains(gap)),
            "{gaps:?}"
        );
    });
}

#[test]
fn an_expired_device_code_is_replaced() {
    play(0, by_code, async |_, cast| {
        answer_poll(&cast, Ok(DeviceSignIn::Expired));
        pass(seconds(8)).await;
        assert_eq!(cast.journal().count("entra: begin"), 2);
        assert!(status(&cast, &anna()).await.detail.contains("CODE-2"));
        // this one ends unheard: its time is over, and nobody says so
        pass(minutes(16)).await;
        assert!(status(&cast, &anna()).await.detail.contains("CODE-3"));
    });
}

/// A shelf on which a person has signed in.
fn signed_in_before() -> Rc<Shelf> {
    let shelf = Rc::new(Shelf::default());
    play_on(Rc::clone(&shelf), 0, by_code, async |_, cast| {
        pass(seconds(1)).await;
        enter_the_code(&cast);
        pass(seconds(10)).await;
    });
    shelf.journal.clear();
    shelf
}

#[test]
fn a_person_signs_in_once_for_all_starts() {
    let later = |house: &mut House| {
        by_code(house);
        house.entra.issued.set(10);
    };
    play_on(signed_in_before(), 0, later, async |_, cast| {
        pass(seconds(2)).await;
        assert_eq!(cast.journal().count("entra: begin"), 0);
        assert_eq!(
            cast.journal().count("entra: sign in anna@contoso.test refresh-"),
            1
        );
        assert!(token(&cast, anna(), None).await.is_ok());
        // the newest one is stored
        let kept = cast.house.shelf.refresh_tokens.borrow()[&Account::new(ANNA)].clone();
        assert_eq!(cast.journal().count("store: refresh token"), 1);
        pass(minutes(49)).await;
        let used = format!("entra: sign in anna@contoso.test {}", kept.expose());
        assert_eq!(cast.journal().count(&used), 1);
    });
}

#[test]
fn a_person_is_asked_anew_when_the_stored_sign_in_has_ended() {
    let ended = |house: &mut House| {
        by_code(house);
        *house.entra.refresh_error.borrow_mut() = Some(refused(Code::SignInRequired));
    };
    play_on(signed_in_before(), 0, ended, async |_, cast| {
        pass(seconds(2)).await;
        assert!(cast.house.shelf.refresh_tokens.borrow().is_empty());
        assert!(status(&cast, &anna()).await.detail.contains("CODE-1"));
    });
}

#[test]
fn a_wrong_client_secret_costs_no_person_another_sign_in() {
    let wrong = |house: &mut House| {
        by_code(house);
        *house.entra.refresh_error.borrow_mut() = Some(refused(Code::WrongClientSecret));
    };
    play_on(signed_in_before(), 0, wrong, async |_, cast| {
        pass(seconds(2)).await;
        assert_eq!(status(&cast, &anna()).await.code, Code::WrongClientSecret);
        *cast.house.entra.refresh_error.borrow_mut() = None;
        pass(minutes(16)).await;
        assert_eq!(cast.journal().count("entra: begin"), 0);
        assert!(token(&cast, anna(), None).await.is_ok());
    });
}

#[test]
fn the_detail_says_why_a_person_must_sign_in_again() {
    let ended = |house: &mut House| {
        by_code(house);
        *house.entra.refresh_error.borrow_mut() = Some(SignInError::Refused {
            code: Code::SignInRequired,
            aadsts: Some(50173),
            detail: "anna@contoso.test: the session was revoked (AADSTS50173, invalid_grant)".to_owned(),
            claims: None,
        });
    };
    play_on(signed_in_before(), 0, ended, async |_, cast| {
        pass(seconds(2)).await;
        let shown = status(&cast, &anna()).await;
        assert_eq!(shown.code, Code::SignInRequired);
        assert!(
            shown.detail.contains("CODE-1")
                && shown
                    .detail
                    .ends_with("because the session was revoked (AADSTS50173, invalid_grant)"),
            "{}",
            shown.detail
        );
        // the reason stays while nobody comes
        pass(minutes(16)).await;
        let shown = status(&cast, &anna()).await.detail;
        assert!(shown.contains("CODE-2") && shown.contains("revoked"), "{shown}");
    });
}

#[test]
fn a_declined_code_is_replaced_and_the_detail_says_so() {
    play(0, by_code, async |_, cast| {
        answer_poll(&cast, Ok(DeviceSignIn::Declined));
        pass(seconds(6)).await;
        let shown = status(&cast, &anna()).await.detail;
        assert!(shown.contains("CODE-2") && shown.contains("declined"), "{shown}");
    });
}

#[test]
fn codes_that_are_declined_again_and_again_make_no_storm() {
    play(0, by_code, async |_, cast| {
        for _ in 0..100 {
            answer_poll(&cast, Ok(DeviceSignIn::Declined));
        }
        pass(minutes(60)).await;
        let codes = cast.journal().count("entra: begin");
        assert!((8..=14).contains(&codes), "{codes} codes");
        assert_eq!(status(&cast, &anna()).await.code, Code::SignInRequired);
    });
}

#[test]
fn a_person_whom_a_policy_refuses_gets_a_new_code() {
    play(0, by_code, async |_, cast| {
        answer_poll(&cast, Err(refused(Code::ConditionalAccess)));
        pass(seconds(6)).await;
        let shown = status(&cast, &anna()).await;
        assert_eq!(shown.code, Code::SignInRequired);
        assert!(
            shown.detail.contains("CODE-2") && shown.detail.contains("because refused"),
            "{}",
            shown.detail
        );
        enter_the_code(&cast);
        pass(seconds(6)).await;
        assert_eq!(status(&cast, &anna()).await.code, Code::Ok);
    });
}

#[test]
fn a_wrong_client_secret_ends_the_polls_and_is_held() {
    play(0, by_code, async |_, cast| {
        answer_poll(&cast, Err(refused(Code::WrongClientSecret)));
        pass(minutes(14)).await;
        assert_eq!(status(&cast, &anna()).await.code, Code::WrongClientSecret);
        assert_eq!(cast.journal().count("entra: begin"), 1);
        assert_eq!(cast.journal().count("entra: poll"), 1);
        pass(minutes(2)).await;
        assert_eq!(cast.journal().count("entra: begin"), 2);
    });
}

#[test]
fn a_second_factor_that_a_policy_demands_is_proven_with_a_code_and_the_old_sign_in_is_tried_again() {
    let demanded = |house: &mut House| {
        by_code(house);
        *house.entra.refresh_error.borrow_mut() = Some(SignInError::Refused {
            code: Code::MfaRequired,
            aadsts: Some(50076),
            detail: "anna@contoso.test: multi-factor authentication is required".to_owned(),
            claims: Some("{mfa}".to_owned()),
        });
    };
    play_on(signed_in_before(), 0, demanded, async |_, cast| {
        pass(seconds(2)).await;
        assert_eq!(
            cast.journal().lines("entra: begin"),
            ["entra: begin anna@contoso.test proving {mfa}"]
        );
        assert_eq!(status(&cast, &anna()).await.code, Code::SignInRequired);
        assert_eq!(
            cast.house.shelf.refresh_tokens.borrow().len(),
            1,
            "it may live again"
        );
        // the policy is taken back, and the code runs out unheard
        *cast.house.entra.refresh_error.borrow_mut() = None;
        pass(minutes(16)).await;
        assert_eq!(status(&cast, &anna()).await.code, Code::Ok);
        assert_eq!(cast.journal().count("entra: begin"), 1);
    });
}

#[test]
fn two_persons_sign_in_side_by_side() {
    let two = |house: &mut House| {
        house.accounts = ["anna@contoso.test", "bob@contoso.test"]
            .map(|name| CommunicationUser {
                account: Account::new(name),
                way: Way::Person,
                ends: ProofEnds::default(),
            })
            .to_vec();
    };
    play(0, two, async |_, cast| {
        pass(seconds(2)).await;
        let bob = Credential::Communication(Account::new("bob@contoso.test"));
        let (first, second) = (status(&cast, &anna()).await, status(&cast, &bob).await);
        assert!(
            first.detail.contains("anna@") && first.detail.contains("CODE-1"),
            "{}",
            first.detail
        );
        assert!(
            second.detail.contains("bob@") && second.detail.contains("CODE-2"),
            "{}",
            second.detail
        );
    });
}

#[test]
fn who_entered_the_code_is_told() {
    play(0, by_code, async |_, cast| {
        *cast.house.entra.person.borrow_mut() = Some("admin@contoso.test".to_owned());
        enter_the_code(&cast);
        pass(seconds(6)).await;
        let shown = status(&cast, &anna()).await;
        assert_eq!(
            (shown.code, shown.signed_in_as.as_deref()),
            (Code::Ok, Some("admin@contoso.test"))
        );
    });
}

#[test]
fn a_sign_in_is_never_lost_because_entra_is_away() {
    let away = |house: &mut House| {
        by_code(house);
        house.entra.lose(anna());
    };
    let shelf = signed_in_before();
    play_on(Rc::clone(&shelf), 0, away, async |_, cast| {
        pass(minutes(600)).await;
        assert_eq!(status(&cast, &anna()).await.code, Code::Unreachable);
        assert_eq!(cast.journal().count("entra: begin"), 0);
        cast.house.entra.recover();
        pass(seconds(31)).await;
        assert_eq!(status(&cast, &anna()).await.code, Code::Ok);
    });
    assert_eq!(shelf.refresh_tokens.borrow().len(), 1);
}

#[test]
fn short_lived_tokens_are_refreshed_in_time() {
    let short = |house: &mut House| {
        by_code(house);
        house.entra.life.set(seconds(10));
    };
    play_on(signed_in_before(), 0, short, async |_, cast| {
        pass(seconds(1)).await;
        for _ in 0..120 {
            assert!(token(&cast, anna(), None).await.is_ok());
            pass(seconds(1)).await;
        }
        let refreshed = cast.journal().count("entra: sign in anna");
        assert!(
            (15..=16).contains(&refreshed),
            "{refreshed} refreshes in two minutes"
        );
    });
}
