//! The course of a sign-in: what is presented, what the outcome means, and when the next one follows.

use std::rc::Rc;
use std::time::Duration;

use actix::{ActorFutureExt, AsyncContext, WrapFuture};
use chrono::TimeDelta;
use m365_presence::identity::Credential;
use m365_presence::ports::{Presented, SignInError, SignedIn};
use m365_presence::sign_in::{AfterRefresh, Refusal, Trial, UNANSWERED, Way, after_refused_refresh, hold};

use super::TokenRefresh;
use super::key::{Means, without_name};
use crate::supervision::Context;

/// A token is renewed when this part of its life is over (DESIGN 3).
const RENEWED_AFTER: f64 = 0.8;

/// Two sign-ins of a credential are at least this far apart, however short its tokens live.
const SHORTEST_LIFE: Duration = Duration::from_secs(1);

impl TokenRefresh {
    /// Begins a sign-in unless one is under way already.
    pub(super) fn sign_in(&mut self, credential: Credential, ctx: &mut Context<Self>) {
        let Some(key) = self.keys.get_mut(&credential).filter(|key| !key.under_way) else {
            return;
        };
        key.under_way = true;
        key.generation += 1;
        match key.means() {
            Means::Person => self.begin_device_sign_in(credential, ctx),
            Means::Password => self.present_password(credential, ctx),
            means @ (Means::Refresh | Means::Proof) => self.present(credential, means, ctx),
        }
    }

    fn present(&mut self, credential: Credential, means: Means, ctx: &mut Context<Self>) {
        let Some(key) = self.keys.get(&credential) else {
            return;
        };
        let identity = Rc::clone(&self.dependencies.identity);
        let (whose, refresh, claims) = (credential.clone(), key.refresh.clone(), key.claims.clone());
        let attempt = async move {
            let presented = Presented {
                refresh: refresh.as_ref(),
                claims: claims.as_deref(),
            };
            identity.sign_in(&whose, presented).await
        };
        ctx.spawn(
            attempt
                .into_actor(self)
                .map(move |outcome, actor, ctx| match outcome {
                    Ok(signed_in) => actor.succeed(credential, signed_in, ctx),
                    Err(error) => actor.fail(credential, means, &error, ctx),
                }),
        );
    }

    /// Presents a password. It is counted before it leaves, because nobody may live to read the answer; and it is not
    /// sent into silence again and again, because it may be the wrong one that is taken in there.
    fn present_password(&mut self, credential: Credential, ctx: &mut Context<Self>) {
        let now = self.dependencies.clock.now();
        let Some(key) = self.keys.get(&credential) else {
            return;
        };
        let digest = self.dependencies.identity.digest(&credential);
        let counted = Trial::of_password(key.trial.as_ref(), digest, now);
        let needs_a_sign_of_life = key
            .trial
            .as_ref()
            .is_some_and(|trial| trial.refusal.is_none() && trial.passwords >= UNANSWERED);
        let mut record = key.record(&credential);
        record.trial = Some(counted.clone());
        let (identity, store) = (
            Rc::clone(&self.dependencies.identity),
            Rc::clone(&self.dependencies.store),
        );
        let (whose, claims) = (credential.clone(), key.claims.clone());
        let attempt = async move {
            if needs_a_sign_of_life && let Err(error) = identity.greet().await {
                return (None, Err(error));
            }
            if let Err(error) = store.put_sign_in_record(&record).await {
                log::warn!("a sign-in by password cannot be noted: {error}");
            }
            let presented = Presented {
                refresh: None,
                claims: claims.as_deref(),
            };
            (Some(counted), identity.sign_in(&whose, presented).await)
        };
        ctx.spawn(
            attempt
                .into_actor(self)
                .map(move |(counted, outcome), actor, ctx| {
                    // a busy service says so before it looks at a password, and nobody looks at what did not leave
                    let unread = matches!(
                        outcome,
                        Err(SignInError::Throttled { .. } | SignInError::Unreachable { presented: false, .. })
                    );
                    let has_counted = counted.filter(|_| !unread);
                    if let (Some(key), Some(counted)) = (actor.keys.get_mut(&credential), has_counted) {
                        key.trial = Some(counted);
                    }
                    match outcome {
                        Ok(signed_in) => actor.succeed(credential, signed_in, ctx),
                        Err(error) => actor.fail(credential, Means::Password, &error, ctx),
                    }
                }),
        );
    }

    /// Takes in a token, and what is to be kept of the sign-in.
    pub(super) fn succeed(&mut self, credential: Credential, signed_in: SignedIn, ctx: &mut Context<Self>) {
        let now = self.dependencies.clock.now();
        let Some(key) = self.keys.get_mut(&credential) else {
            return;
        };
        key.under_way = false;
        let wait = signed_in
            .access
            .lifetime
            .mul_f64(RENEWED_AFTER)
            .max(SHORTEST_LIFE);
        key.next_attempt_at = TimeDelta::from_std(wait).ok().map(|wait| now + wait);
        key.succeed(&signed_in, now);
        let had_failed = key.trial.take().is_some();
        let newer = signed_in
            .refresh
            .filter(|newer| Some(newer) != key.refresh.as_ref());
        let is_kept = newer.is_some() && key.way == Way::Person;
        if newer.is_some() {
            key.refresh = newer;
        }
        if is_kept {
            key.granted_at = Some(now);
        }
        key.name_who_signed_in(&credential, signed_in.signed_in_as);
        key.answer(&Ok(signed_in.access));
        if is_kept {
            self.keep_refresh_token(&credential, ctx);
        }
        if is_kept || had_failed {
            self.keep_record(&credential, ctx);
        }
        self.wake_after(wait, credential, ctx);
    }

    /// Takes in that a sign-in failed, and decides what follows.
    pub(super) fn fail(
        &mut self,
        credential: Credential,
        means: Means,
        error: &SignInError,
        ctx: &mut Context<Self>,
    ) {
        let Some(key) = self.keys.get_mut(&credential) else {
            return;
        };
        key.under_way = false;
        match error {
            SignInError::Refused { code, .. } if means == Means::Refresh => {
                match after_refused_refresh(*code, key.way) {
                    AfterRefresh::Hold => self.hold_back(credential, error, ctx),
                    next => self.give_up_stored_sign_in(credential, next, error, ctx),
                }
            }
            SignInError::Refused { .. } => self.hold_back(credential, error, ctx),
            SignInError::Throttled { .. } => {
                let wait = key.outage.fail(error.wait());
                self.wait_and_try(credential, error, wait, ctx);
            }
            SignInError::Lost { .. } | SignInError::Unreachable { .. } => {
                let silence = match (&key.trial, means) {
                    (Some(trial), Means::Password) if trial.refusal.is_none() => trial.pause_in_silence(),
                    _ => Duration::ZERO,
                };
                let wait = key.outage.fail(error.wait()).max(silence);
                self.wait_and_try(credential, error, wait, ctx);
            }
        }
    }

    /// Holds a refused credential: a slow probe, and no other attempt whoever asks.
    fn hold_back(&mut self, credential: Credential, error: &SignInError, ctx: &mut Context<Self>) {
        let SignInError::Refused {
            code, aadsts, detail, ..
        } = error
        else {
            return;
        };
        let now = self.dependencies.clock.now();
        let digest = self.dependencies.identity.digest(&credential);
        if let Some(key) = self.keys.get_mut(&credential) {
            let refusal = Refusal {
                code: *code,
                aadsts: *aadsts,
                detail: detail.clone(),
            };
            key.trial = Some(Trial::refused(key.trial.as_ref(), digest, now, refusal));
        }
        self.keep_record(&credential, ctx);
        self.wait_and_try(credential, error, hold(*code), ctx);
    }

    /// Goes on without a refresh token that was refused: with the password, once, or with a person.
    fn give_up_stored_sign_in(
        &mut self,
        credential: Credential,
        next: AfterRefresh,
        error: &SignInError,
        ctx: &mut Context<Self>,
    ) {
        let Some(key) = self.keys.get_mut(&credential) else {
            return;
        };
        let refused = key.refresh.take();
        key.why = Some(without_name(error));
        if let SignInError::Refused {
            claims: Some(claims), ..
        } = error
        {
            key.claims = Some(claims.clone());
        }
        log::info!(
            "the stored sign-in of {} is refused: {}",
            key.label,
            without_name(error)
        );
        match next {
            AfterRefresh::Person { dead: false } => key.aside = refused,
            AfterRefresh::Person { dead: true } => {
                key.granted_at = None;
                self.keep_refresh_token(&credential, ctx);
            }
            AfterRefresh::Hold | AfterRefresh::Password => {}
        }
        self.sign_in(credential, ctx);
    }

    /// Shows a failure, answers who waits, and tries again later.
    pub(super) fn wait_and_try(
        &mut self,
        credential: Credential,
        error: &SignInError,
        wait: Duration,
        ctx: &mut Context<Self>,
    ) {
        let now = self.dependencies.clock.now();
        if let Some(key) = self.keys.get_mut(&credential) {
            key.next_attempt_at = TimeDelta::from_std(wait).ok().map(|wait| now + wait);
            key.fail(error, now);
            key.answer(&Err(error.until_next(wait)));
        }
        self.wake_after(wait, credential, ctx);
    }

    pub(super) fn wake_after(&mut self, wait: Duration, credential: Credential, ctx: &mut Context<Self>) {
        let Some(generation) = self.keys.get(&credential).map(|key| key.generation) else {
            return;
        };
        ctx.run_later(wait, move |actor, ctx| {
            if !actor.is_of_the_past(&credential, generation) {
                actor.sign_in(credential, ctx);
            }
        });
    }

    /// Tells whether another sign-in has begun since a timer was set.
    pub(super) fn is_of_the_past(&self, credential: &Credential, generation: u64) -> bool {
        self.keys
            .get(credential)
            .is_none_or(|key| key.generation != generation)
    }
}
