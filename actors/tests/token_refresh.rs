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

use std::rc::Rc;

use m365_actors::token_refresh::{CommunicationUser, CredentialStatus, GetStatus, GetToken};
use m365_presence::identity::{Account, Credential};
use m365_presence::light::AuthenticationCode as Code;
use m365_presence::ports::{AccessToken, DeviceSignIn, SignInError};
use stage::entra::refused;
use stage::house::{Cast, House, play, play_on, restart};
use stage::people::ANNA;
use stage::shelf::Shelf;
use stage::{minutes, pass, seconds};

const APP: &str = "entra: sign in the app";
const WITH_ACCOUNT: &str = "entra: sign in anna";

fn anna() -> Credential {
    Credential::Communication(Account::new(ANNA))
}

fn by_code(house: &mut House) {
    house.accounts = vec![CommunicationUser {
        account: Account::new(ANNA),
        device_code: true,
    }];
}

async fn token(
    cast: &Cast,
    credential: Credential,
    rejected: Option<AccessToken>,
) -> Result<AccessToken, SignInError> {
    let ask = GetToken { credential, rejected };
    cast.token_refresh.ask(ask).await.unwrap()
}

async fn status(cast: &Cast, credential: &Credential) -> CredentialStatus {
    let status = cast.token_refresh.ask(GetStatus).await.unwrap();
    let of = |status: &CredentialStatus| status.credential == *credential;
    status.credentials.into_iter().find(of).unwrap()
}

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
            let askers = (0..20).map(|_| token(&cast, Credential::App, Some(first.clone())));
            let tokens = futures_util::future::join_all(askers).await;
            let replaced = |token: &Result<AccessToken, _>| token.as_ref().unwrap().secret != first.secret;
            assert!(tokens.iter().all(replaced));
            token(&cast, Credential::App, Some(first)).await.unwrap();
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
fn a_restart_forgets_what_was_held() {
    play(
        0,
        |house| house.entra.refuse(anna(), Code::WrongPassword),
        async |stage, cast| {
            pass(seconds(5)).await;
            cast.house.entra.recover();
            restart(stage, "token-refresh").await;
            assert!(token(&cast, anna(), None).await.is_ok());
            assert_eq!(status(&cast, &anna()).await.code, Code::Ok);
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
fn a_device_code_is_shown_and_polled_at_its_interval() {
    play(0, by_code, async |_, cast| {
        pass(seconds(31)).await;
        let shown = status(&cast, &anna()).await;
        assert_eq!(shown.code, Code::SignInRequired);
        assert!(shown.detail.contains("CODE-1") && shown.detail.contains("https://login.test/device"));
        assert_eq!(cast.journal().count("entra: poll"), 6);
        assert!(token(&cast, anna(), None).await.is_err());
        let signed_in = cast.house.entra.signed_in();
        cast.house
            .entra
            .polls
            .borrow_mut()
            .push_back(DeviceSignIn::Done(signed_in));
        pass(seconds(6)).await;
        assert!(token(&cast, anna(), None).await.is_ok());
        assert_eq!(status(&cast, &anna()).await.code, Code::Ok);
    });
}

#[test]
fn a_device_code_is_polled_five_seconds_slower_when_asked_to() {
    play(0, by_code, async |_, cast| {
        cast.house
            .entra
            .polls
            .borrow_mut()
            .push_back(DeviceSignIn::SlowDown);
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
        cast.house.entra.polls.borrow_mut().push_back(DeviceSignIn::Ended);
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
        let signed_in = cast.house.entra.signed_in();
        cast.house
            .entra
            .polls
            .borrow_mut()
            .push_back(DeviceSignIn::Done(signed_in));
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
