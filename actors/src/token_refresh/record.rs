//! What outlives a run: refresh tokens, and the sign-ins that failed.

use std::rc::Rc;

use actix::{ActorFutureExt, AsyncContext, WrapFuture};
use m365_presence::identity::Credential;
use m365_presence::ports::SignInError;
use m365_presence::secret::Secret;
use m365_presence::sign_in::{SignInRecord, Trial, Way};

use super::TokenRefresh;
use crate::supervision::Context;

impl TokenRefresh {
    /// Reads what is remembered of all credentials, then begins with each.
    pub(super) fn recall(&mut self, ctx: &mut Context<Self>) {
        let store = Rc::clone(&self.dependencies.store);
        let persons: Vec<_> = self
            .keys
            .iter()
            .filter(|(_, key)| key.way == Way::Person)
            .filter_map(|(credential, _)| match credential {
                Credential::Communication(account) => Some(account.clone()),
                Credential::App => None,
            })
            .collect();
        let recalled = async move {
            let records = store.sign_in_records().await.unwrap_or_else(|error| {
                log::warn!("what is remembered of earlier sign-ins cannot be read: {error}");
                Vec::new()
            });
            let mut tokens = Vec::new();
            for account in persons {
                match store.refresh_token(&account).await {
                    Ok(token) => {
                        tokens.extend(token.map(|token| (Credential::Communication(account), token)))
                    }
                    Err(error) => {
                        log::warn!("the refresh token of a communication user cannot be read: {error}");
                    }
                }
            }
            (records, tokens)
        };
        ctx.spawn(recalled.into_actor(self).map(|(records, tokens), actor, ctx| {
            actor.remember(records, tokens);
            for credential in actor.keys.keys().cloned().collect::<Vec<_>>() {
                actor.begin(credential, ctx);
            }
        }));
    }

    fn remember(&mut self, records: Vec<SignInRecord>, tokens: Vec<(Credential, Secret)>) {
        for record in records {
            if let Some(key) = self.keys.get_mut(&record.credential) {
                key.granted_at = record.granted_at;
                key.trial = record.trial;
            }
        }
        for (credential, token) in tokens {
            if let Some(key) = self.keys.get_mut(&credential) {
                key.refresh = Some(token);
            }
        }
    }

    /// Signs in, unless that was refused shortly before this run began.
    fn begin(&mut self, credential: Credential, ctx: &mut Context<Self>) {
        let now = self.dependencies.clock.now();
        let digest = self.dependencies.identity.digest(&credential);
        let beginning = self.beginning;
        let Some(key) = self.keys.get_mut(&credential) else {
            return;
        };
        key.under_way = false;
        let held = key.trial.as_ref().and_then(|trial| {
            let until = trial.held_until(beginning, &digest, now)?;
            Some((error_of(&credential, trial), until))
        });
        match held {
            Some((error, until)) => {
                let wait = (until - now).to_std().unwrap_or_default();
                log::info!(
                    "the sign-in of {} is held over the restart, until {} UTC",
                    key.label,
                    until.format("%H:%M:%S")
                );
                self.wait_and_try(credential, &error, wait, ctx);
            }
            None => self.sign_in(credential, ctx),
        }
    }

    /// Stores the newest refresh token, or forgets it.
    pub(super) fn keep_refresh_token(&self, credential: &Credential, ctx: &mut Context<Self>) {
        let (Credential::Communication(account), Some(key)) = (credential.clone(), self.keys.get(credential))
        else {
            return;
        };
        let (store, refresh) = (Rc::clone(&self.dependencies.store), key.refresh.clone());
        let kept = async move { store.put_refresh_token(&account, refresh.as_ref()).await };
        ctx.spawn(kept.into_actor(self).map(|kept, _, _| {
            if let Err(error) = kept {
                log::warn!("a refresh token cannot be stored, the next start needs a new sign-in: {error}");
            }
        }));
    }

    pub(super) fn keep_record(&self, credential: &Credential, ctx: &mut Context<Self>) {
        let Some(key) = self.keys.get(credential) else {
            return;
        };
        let (store, record) = (Rc::clone(&self.dependencies.store), key.record(credential));
        let kept = async move { store.put_sign_in_record(&record).await };
        ctx.spawn(kept.into_actor(self).map(|kept, _, _| {
            if let Err(error) = kept {
                log::warn!("the outcome of a sign-in cannot be noted: {error}");
            }
        }));
    }
}

/// The failure that a trial ended with.
fn error_of(credential: &Credential, trial: &Trial) -> SignInError {
    match &trial.refusal {
        Some(refusal) => SignInError::Refused {
            code: refusal.code,
            aadsts: refusal.aadsts,
            detail: refusal.detail.clone(),
            claims: None,
        },
        None => SignInError::Lost {
            detail: format!(
                "{credential}: the password was sent {} times and no answer was read",
                trial.passwords
            ),
        },
    }
}
