//! The sign-in by a person: a code is shown and polled until somebody has entered it (graph.md 1.2).

use std::rc::Rc;
use std::time::Duration;

use actix::{ActorFutureExt, AsyncContext, WrapFuture};
use m365_presence::identity::Credential;
use m365_presence::light::AuthenticationCode;
use m365_presence::ports::{DeviceCode, DeviceSignIn, SignInError};

use super::TokenRefresh;
use crate::supervision::Context;

/// Added to the poll interval when Entra says that we ask too often (graph.md 1.2).
const SLOWER: Duration = Duration::from_secs(5);

impl TokenRefresh {
    /// Asks for a code that a person must enter, and shows it.
    pub(super) fn begin_device_sign_in(&mut self, credential: Credential, ctx: &mut Context<Self>) {
        let Credential::Communication(account) = credential.clone() else {
            return;
        };
        let identity = Rc::clone(&self.dependencies.identity);
        let begun = async move { identity.begin_device_sign_in(&account).await };
        ctx.spawn(begun.into_actor(self).map(move |begun, actor, ctx| match begun {
            Ok(code) => {
                let Some(key) = actor.keys.get_mut(&credential) else {
                    return;
                };
                let detail = format!(
                    "{credential} must sign in at {} with the code {}",
                    code.verification_uri, code.user_code
                );
                log::warn!(
                    "a communication user must sign in at {} with the code {}",
                    code.verification_uri,
                    code.user_code
                );
                let error = SignInError::Refused {
                    code: AuthenticationCode::SignInRequired,
                    aadsts: None,
                    detail,
                };
                let now = actor.dependencies.clock.now();
                if key.code(now) != AuthenticationCode::SignInRequired {
                    key.since = now;
                }
                key.last_error = Some(error.clone());
                key.next_attempt_at = Some(code.expires_at);
                key.under_way = false;
                for waiting in key.waiting.drain(..) {
                    let _gone = waiting.send(Err(error.clone()));
                }
                actor.poll_device_sign_in(credential, code, ctx);
            }
            Err(error) => actor.take_in(credential, Err(error), ctx),
        }));
    }

    fn poll_device_sign_in(&mut self, credential: Credential, code: DeviceCode, ctx: &mut Context<Self>) {
        let Some(generation) = self.keys.get(&credential).map(|key| key.generation) else {
            return;
        };
        ctx.run_later(code.interval, move |actor, ctx| {
            let Credential::Communication(account) = credential.clone() else {
                return;
            };
            if actor
                .keys
                .get(&credential)
                .is_none_or(|key| key.generation != generation)
            {
                return;
            }
            let identity = Rc::clone(&actor.dependencies.identity);
            let asked = code.clone();
            let poll = async move { identity.poll_device_sign_in(&account, &asked).await };
            ctx.spawn(poll.into_actor(actor).map(move |answer, actor, ctx| {
                let is_over = actor.dependencies.clock.now() >= code.expires_at;
                if is_over && !matches!(answer, Ok(DeviceSignIn::Done(_))) {
                    actor.sign_in(credential, ctx);
                    return;
                }
                let slower = DeviceCode {
                    interval: code.interval + SLOWER,
                    ..code.clone()
                };
                match answer {
                    Ok(DeviceSignIn::Done(signed_in)) => actor.take_in(credential, Ok(signed_in), ctx),
                    Ok(DeviceSignIn::Pending) => actor.poll_device_sign_in(credential, code, ctx),
                    Ok(DeviceSignIn::SlowDown)
                    | Err(SignInError::Lost { .. } | SignInError::Throttled { .. }) => {
                        actor.poll_device_sign_in(credential, slower, ctx);
                    }
                    Ok(DeviceSignIn::Ended) => actor.sign_in(credential, ctx),
                    Err(error) => actor.take_in(credential, Err(error), ctx),
                }
            }));
        });
    }
}
