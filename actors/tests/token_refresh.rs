//! What one notices of the sign-ins.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod stage;

use m365_presence::identity::{Account, Credential};
use m365_presence::light::AuthenticationCode as Code;
use m365_presence::ports::{AccessToken, Rejected, SignInError};
use stage::entra::refused;
use stage::house::{House, play};
use stage::sign_in::{APP, WITH_ACCOUNT, WITH_PASSWORD, anna, rejected, status, token};
use stage::{minutes, pass, seconds};

#[test]
fn a_token_is_renewed_after_four_fifths_of_its_life() {
    play(
        0,
        |_| (),
        async |_, cast| {
            pass(minutes(47)).await;
            assert_eq!(cast.journal().count(APP), 1);
            pass(minutes(2)).await;
            assert_eq!(cast.journal().count(APP), 2);
            assert_eq!(status(&cast, &Credential::App).await.code, Code::Ok);
        },
    );
}

#[test]
fn many_askers_share_one_sign_in() {
    play(
        0,
        |house| house.entra.delay.set(seconds(3)),
        async |_, cast| {
            let askers = (0..50).map(|_| token(&cast, Credential::App, None));
            let tokens = futures_util::future::join_all(askers).await;
            assert!(
                tokens
                    .iter()
                    .all(|token| token.as_ref().unwrap().secret.expose() == "token-1")
            );
            assert_eq!(cast.journal().count(APP), 1);
        },
    );
}

#[test]
fn a_rejected_token_is_replaced_once() {
    play(
        0,
        |_| (),
        async |_, cast| {
            let first = token(&cast, Credential::App, None).await.unwrap();
            let askers = (0..20).map(|_| token(&cast, Credential::App, rejected(&first)));
            let tokens = futures_util::future::join_all(askers).await;
            let replaced = |token: &Result<AccessToken, _>| token.as_ref().unwrap().secret != first.secret;
            assert!(tokens.iter().all(replaced));
            token(&cast, Credential::App, rejected(&first)).await.unwrap();
            assert_eq!(cast.journal().count(APP), 2);
        },
    );
}

#[test]
fn a_refused_app_is_probed_every_quarter_of_an_hour_however_often_it_is_asked_for() {
    let refuse = |house: &mut House| house.entra.refuse(Credential::App, Code::WrongClientSecret);
    play(0, refuse, async |_, cast| {
        for _ in 0..29 {
            pass(seconds(30)).await;
            let refused = token(&cast, Credential::App, None).await;
            assert!(matches!(refused, Err(SignInError::Refused { .. })));
        }
        assert_eq!(cast.journal().count(APP), 1);
        pass(minutes(2)).await;
        assert_eq!(cast.journal().count(APP), 2);
        assert_eq!(
            status(&cast, &Credential::App).await.code,
            Code::WrongClientSecret
        );
    });
}

#[test]
fn a_wrong_password_is_probed_once_an_hour() {
    play(
        0,
        |house| house.entra.refuse(anna(), Code::WrongPassword),
        async |_, cast| {
            for _ in 0..59 {
                pass(minutes(1)).await;
                assert!(token(&cast, anna(), None).await.is_err());
            }
            assert_eq!(cast.journal().count(WITH_ACCOUNT), 1);
            pass(minutes(2)).await;
            assert_eq!(cast.journal().count(WITH_ACCOUNT), 2);
        },
    );
}

#[test]
fn one_refused_account_leaves_the_others_alone() {
    play(
        0,
        |house| house.entra.refuse(anna(), Code::MfaRequired),
        async |_, cast| {
            assert!(token(&cast, anna(), None).await.is_err());
            assert!(token(&cast, Credential::App, None).await.is_ok());
        },
    );
}

#[test]
fn an_unreachable_sign_in_service_is_probed_often_at_first_and_then_less_often() {
    play(
        0,
        |house| house.entra.lose(Credential::App),
        async |_, cast| {
            pass(minutes(10)).await;
            let gaps = cast.journal().gaps(APP);
            let (young, old) = gaps.split_at(12);
            assert!(young.iter().all(|gap| *gap <= 5.5), "{young:?}");
            assert!(old.iter().all(|gap| *gap <= 30.5), "{old:?}");
            assert!(old.iter().rev().take(5).all(|gap| *gap > 15.0), "{old:?}");
            assert_eq!(status(&cast, &Credential::App).await.code, Code::Unreachable);
            cast.house.entra.recover();
            pass(seconds(31)).await;
            assert!(token(&cast, Credential::App, None).await.is_ok());
        },
    );
}

#[test]
fn patience_that_the_sign_in_service_asks_for_is_kept() {
    let throttle = |house: &mut House| {
        let error = SignInError::Throttled {
            retry_after: seconds(120),
        };
        house.entra.errors.borrow_mut().insert(Credential::App, error);
    };
    play(0, throttle, async |_, cast| {
        pass(seconds(110)).await;
        assert!(token(&cast, Credential::App, None).await.is_err());
        assert_eq!(cast.journal().count(APP), 1);
        pass(seconds(60)).await;
        assert_eq!(cast.journal().count(APP), 2);
    });
}

#[test]
fn a_token_that_is_still_good_is_handed_out_while_its_renewal_fails() {
    play(
        0,
        |_| (),
        async |_, cast| {
            pass(seconds(1)).await;
            cast.house.entra.lose(Credential::App);
            pass(minutes(55)).await;
            assert!(token(&cast, Credential::App, None).await.is_ok());
            pass(minutes(6)).await;
            assert!(token(&cast, Credential::App, None).await.is_err());
        },
    );
}

#[test]
fn a_token_that_is_born_dead_does_not_make_the_connector_storm() {
    play(
        0,
        |house| house.entra.life.set(seconds(0)),
        async |_, cast| {
            pass(seconds(60)).await;
            assert!(cast.journal().count(APP) <= 65);
        },
    );
}

#[test]
fn tokens_that_graph_rejects_again_and_again_are_replaced_a_few_times_only() {
    play(
        0,
        |_| (),
        async |_, cast| {
            for _ in 0..50 {
                let held = token(&cast, Credential::App, None).await.unwrap();
                token(&cast, Credential::App, rejected(&held)).await.unwrap();
            }
            assert_eq!(cast.journal().count(APP), 4);
            pass(minutes(2)).await;
            let old = token(&cast, Credential::App, None).await.unwrap();
            let fresh = token(&cast, Credential::App, rejected(&old)).await.unwrap();
            assert!(old.secret != fresh.secret, "an old token is replaced");
        },
    );
}

#[test]
fn what_graph_challenges_is_proven_by_the_next_token_only() {
    play(
        0,
        |_| (),
        async |_, cast| {
            let held = token(&cast, Credential::App, None).await.unwrap();
            let challenged = Rejected {
                token: held,
                claims: Some("{nbf}".to_owned()),
            };
            token(&cast, Credential::App, Some(challenged)).await.unwrap();
            pass(minutes(49)).await;
            let lines = cast.journal().lines(APP);
            assert_eq!(lines.len(), 3, "{lines:?}");
            assert!(lines[1].ends_with("proving {nbf}"), "{lines:?}");
            assert!(!lines[2].contains("proving"), "{lines:?}");
        },
    );
}

#[test]
fn a_light_stays_green_while_a_token_is_replaced() {
    play(
        0,
        |_| (),
        async |_, cast| {
            let held: AccessToken = token(&cast, Credential::App, None).await.unwrap();
            cast.house.entra.delay.set(seconds(5));
            let (fresh, seen) = futures_util::join!(token(&cast, Credential::App, rejected(&held)), async {
                pass(seconds(2)).await;
                status(&cast, &Credential::App).await.code
            });
            assert!(fresh.is_ok());
            assert_eq!(seen, Code::Ok);
        },
    );
}

#[test]
fn a_password_is_presented_once_and_its_refresh_token_from_then_on() {
    play(
        0,
        |_| (),
        async |_, cast| {
            pass(minutes(150)).await;
            let lines = cast.journal().lines(WITH_ACCOUNT);
            assert_eq!(lines.len(), 4, "{lines:?}");
            assert_eq!(lines[0], WITH_PASSWORD);
            assert!(
                lines[1..].iter().all(|line| line.contains("refresh-")),
                "{lines:?}"
            );
            assert_eq!(cast.house.shelf.refresh_tokens.borrow().len(), 0);
        },
    );
}

#[test]
fn a_revoked_session_falls_back_to_the_password_once() {
    play(
        0,
        |_| (),
        async |_, cast| {
            pass(seconds(1)).await;
            *cast.house.entra.refresh_error.borrow_mut() = Some(refused(Code::SignInRequired));
            pass(minutes(48)).await;
            let lines = cast.journal().lines(WITH_ACCOUNT);
            assert!(lines[1].contains("refresh-"), "{lines:?}");
            assert_eq!(lines[2], WITH_PASSWORD);
            assert_eq!(lines.len(), 3);
            assert_eq!(status(&cast, &anna()).await.code, Code::Ok);
        },
    );
}

#[test]
fn a_revoked_session_with_a_changed_password_is_held() {
    play(
        0,
        |_| (),
        async |_, cast| {
            pass(seconds(1)).await;
            cast.house.entra.refuse(anna(), Code::WrongPassword);
            *cast.house.entra.refresh_error.borrow_mut() = Some(refused(Code::SignInRequired));
            pass(minutes(48)).await;
            // the refresh token, and the password once
            assert_eq!(cast.journal().count(WITH_ACCOUNT), 3);
            pass(minutes(58)).await;
            assert_eq!(cast.journal().count(WITH_ACCOUNT), 3);
            assert_eq!(status(&cast, &anna()).await.code, Code::WrongPassword);
        },
    );
}

#[test]
fn many_askers_do_not_make_a_wrong_password_leave_twice() {
    let refuse = |house: &mut House| {
        house.entra.refuse(anna(), Code::WrongPassword);
        house.entra.delay.set(seconds(3));
    };
    play(0, refuse, async |_, cast| {
        for _ in 0..20 {
            let askers = (0..20).map(|_| token(&cast, anna(), None));
            let answers = futures_util::future::join_all(askers).await;
            assert!(
                answers
                    .iter()
                    .all(|answer| matches!(answer, Err(SignInError::Refused { .. })))
            );
            pass(seconds(30)).await;
        }
        assert_eq!(cast.journal().count(WITH_PASSWORD), 1);
    });
}

#[test]
fn a_password_is_not_sent_into_silence_again_and_again() {
    let silent = |house: &mut House| {
        house.entra.lose(anna());
        house.entra.is_deaf.set(true);
    };
    play(0, silent, async |_, cast| {
        pass(minutes(60)).await;
        assert_eq!(cast.journal().count(WITH_PASSWORD), 4);
        assert!(cast.journal().count("entra: greeted") > 100);
        assert_eq!(status(&cast, &anna()).await.code, Code::Unreachable);
        cast.house.entra.recover();
        cast.house.entra.is_deaf.set(false);
        pass(seconds(31)).await;
        assert_eq!(cast.journal().count(WITH_PASSWORD), 5);
        assert_eq!(status(&cast, &anna()).await.code, Code::Ok);
    });
}

#[test]
fn answers_to_passwords_that_are_swallowed_lock_no_account() {
    play(
        0,
        |house| house.entra.lose(anna()),
        async |_, cast| {
            pass(minutes(59)).await;
            assert_eq!(cast.journal().count(WITH_PASSWORD), 8);
            pass(minutes(60)).await;
            assert!(cast.journal().count(WITH_PASSWORD) <= 10);
        },
    );
}

#[test]
fn an_account_that_is_not_configured_gets_no_token() {
    play(
        0,
        |_| (),
        async |_, cast| {
            let stranger = Credential::Communication(Account::new("stranger@contoso.test"));
            assert!(token(&cast, stranger, None).await.is_err());
        },
    );
}
