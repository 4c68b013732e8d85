//! The sign-in by a person: a code is shown and polled until somebody has entered it (graph.md 1.2).

use std::rc::Rc;
use std::time::Duration;

use actix::{ActorFutureExt, AsyncContext, WrapFuture};
use chrono::{DateTime, TimeDelta, Utc};
use m365_presence::identity::Credential;
use m365_presence::light::AuthenticationCode;
use m365_presence::ports::{DeviceCode, DeviceSignIn, SignInError};
use m365_presence::sign_in::helps_to_sign_in_anew;

use super::TokenRefresh;
use super::key::{Key, Means, Standing, without_name};
use crate::supervision::Context;

/// Added to the poll interval when Entra says that we ask too often (graph.md 1.2), or does not answer.
const SLOWER: Duration = Duration::from_secs(5);

/// An interval does not grow beyond this because polls are lost.
const SLOWEST: Duration = Duration::from_secs(30);

/// The second code in a row that follows one which ended before its time waits this long, each further one twice as
/// long as the one before.
const NEXT_CODE: Duration = Duration::from_secs(5);

/// No code waits longer for its turn: what the shortest-lived code lives unless Entra says otherwise.
const LATEST_CODE: Duration = Duration::from_secs(15 * 60);

impl TokenRefresh {
    /// Asks for a code that a person must enter, and shows it.
    pub(super) fn begin_device_sign_in(&mut self, credential: Credential, ctx: &mut Context<Self>) {
        let (Credential::Communication(account), Some(key)) =
            (credential.clone(), self.keys.get(&credential))
        else {
            return;
        };
        let identity = Rc::clone(&self.dependencies.identity);
        let claims = key.claims.clone();
        let begun = async move { identity.begin_device_sign_in(&account, claims.as_deref()).await };
        ctx.spawn(begun.into_actor(self).map(move |begun, actor, ctx| match begun {
            Ok(code) => {
                actor.show(&credential, &code);
                actor.poll_device_sign_in(credential, code, ctx);
            }
            Err(error) => actor.fail(credential, Means::Person, &error, ctx),
        }));
    }

    /// Shows a code in the light and in the log.
    fn show(&mut self, credential: &Credential, code: &DeviceCode) {
        let now = self.dependencies.clock.now();
        let Some(key) = self.keys.get_mut(credential) else {
            return;
        };
        let way_in = format!(
            "sign in at {} with the code {} before {} UTC",
            code.verification_uri,
            code.user_code,
            code.expires_at.format("%H:%M")
        );
        let because = key
            .why
            .as_ref()
            .map(|why| format!(", because {why}"))
            .unwrap_or_default();
        log::warn!("{} must {way_in}{because}", key.label);
        key.under_way = false;
        key.next_attempt_at = Some(code.expires_at);
        key.ask_for_a_person(format!("{credential} must {way_in}{because}"), now);
    }

    fn poll_device_sign_in(&mut self, credential: Credential, code: DeviceCode, ctx: &mut Context<Self>) {
        let Some(generation) = self.keys.get(&credential).map(|key| key.generation) else {
            return;
        };
        ctx.run_later(code.interval, move |actor, ctx| {
            let Credential::Communication(account) = credential.clone() else {
                return;
            };
            if actor.is_of_the_past(&credential, generation) {
                return;
            }
            let identity = Rc::clone(&actor.dependencies.identity);
            let asked = code.clone();
            let poll = async move { identity.poll_device_sign_in(&account, &asked).await };
            ctx.spawn(poll.into_actor(actor).map(move |answer, actor, ctx| {
                if !actor.is_of_the_past(&credential, generation) {
                    actor.follow(credential, code, answer, ctx);
                }
            }));
        });
    }

    /// Does what the answer to a poll asks for.
    fn follow(
        &mut self,
        credential: Credential,
        code: DeviceCode,
        answer: Result<DeviceSignIn, SignInError>,
        ctx: &mut Context<Self>,
    ) {
        let is_over = self.dependencies.clock.now() >= code.expires_at;
        match answer {
            Ok(DeviceSignIn::Done(signed_in)) => self.succeed(credential, signed_in, ctx),
            Ok(DeviceSignIn::Declined) => {
                self.replace_code(credential, "the last code was declined".to_owned(), ctx);
            }
            Err(error) if refuses_a_person(&error) => {
                self.replace_code(credential, without_name(&error), ctx)
            }
            Err(error @ SignInError::Refused { .. }) => self.fail(credential, Means::Person, &error, ctx),
            Ok(DeviceSignIn::Expired) => self.next_code(credential, ctx),
            _ if is_over => self.next_code(credential, ctx),
            Ok(DeviceSignIn::Pending) => self.poll_device_sign_in(credential, code, ctx),
            Ok(DeviceSignIn::SlowDown) => {
                let interval = code.interval + SLOWER;
                self.poll_device_sign_in(credential, DeviceCode { interval, ..code }, ctx);
            }
            Err(SignInError::Lost { .. }) => {
                let interval = code.interval.max((code.interval + SLOWER).min(SLOWEST));
                self.poll_device_sign_in(credential, DeviceCode { interval, ..code }, ctx);
            }
            Err(SignInError::Throttled { retry_after } | SignInError::Unreachable { retry_after, .. }) => {
                let interval = code.interval.max(retry_after);
                self.poll_device_sign_in(credential, DeviceCode { interval, ..code }, ctx);
            }
        }
    }

    /// Follows a code that nobody has entered in its time. What was refused may be granted by now, and costs nobody
    /// another look at a browser.
    fn next_code(&mut self, credential: Credential, ctx: &mut Context<Self>) {
        if let Some(key) = self.keys.get_mut(&credential) {
            key.codes_cut_short = 0;
            key.refresh = key.aside.take();
        }
        self.sign_in(credential, ctx);
    }

    /// Follows a code that ended before its time: the first at once, further ones later and later.
    fn replace_code(&mut self, credential: Credential, why: String, ctx: &mut Context<Self>) {
        let now = self.dependencies.clock.now();
        let Some(key) = self.keys.get_mut(&credential) else {
            return;
        };
        let earlier = key.codes_cut_short;
        key.codes_cut_short += 1;
        log::info!("the sign-in of {} with a code failed: {why}", key.label);
        key.why = Some(why);
        let Some(doublings) = earlier.checked_sub(1) else {
            self.sign_in(credential, ctx);
            return;
        };
        let wait = NEXT_CODE
            .saturating_mul(2_u32.saturating_pow(doublings))
            .min(LATEST_CODE);
        let next = TimeDelta::from_std(wait).map_or(now, |wait| now + wait);
        let because = key.why.clone().unwrap_or_default();
        key.next_attempt_at = Some(next);
        let detail = format!(
            "{credential} must sign in with a code, the next of which follows at {} UTC, because {because}",
            next.format("%H:%M:%S")
        );
        key.ask_for_a_person(detail, now);
        self.wake_after(wait, credential, ctx);
    }
}

impl Key {
    fn ask_for_a_person(&mut self, detail: String, now: DateTime<Utc>) {
        let error = SignInError::Refused {
            code: AuthenticationCode::SignInRequired,
            aadsts: None,
            detail,
            claims: None,
        };
        self.stand(Standing::Failed(error.clone()), now);
        self.answer(&Err(error));
    }
}

fn refuses_a_person(error: &SignInError) -> bool {
    matches!(error, SignInError::Refused { code, .. } if helps_to_sign_in_anew(*code))
}
