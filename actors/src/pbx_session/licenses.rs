//! Rounds of license checks (pbx.md 5).

use std::collections::HashSet;
use std::time::Duration;

use actix::{AsyncContext, Handler, ResponseFuture};
use m365_presence::identity::PbxGuid;
use m365_presence::ports::{LicenseAnswer, PbxOrder};
use tokio::sync::oneshot;

use super::{CheckLicenses, LicenseRound, PbxSession};
use crate::supervision::Context;

/// A round of license checks without an answer for this time ends with what was answered.
const LICENSE_DEADLINE: Duration = Duration::from_secs(5);

/// A round of license checks that is under way.
pub(super) struct Round {
    number: u64,
    open: HashSet<PbxGuid>,
    answers: Vec<LicenseAnswer>,
    done: oneshot::Sender<LicenseRound>,
}

impl Handler<CheckLicenses> for PbxSession {
    type Result = ResponseFuture<LicenseRound>;

    fn handle(&mut self, message: CheckLicenses, ctx: &mut Self::Context) -> Self::Result {
        if self.conversations.test_mode() {
            let held = |(user, _)| LicenseAnswer { user, held: true };
            let round = LicenseRound {
                answers: message.0.into_iter().map(held).collect(),
                whole: true,
            };
            return Box::pin(async move { round });
        }
        self.next_order += 1;
        let number = self.next_order;
        let mut open = HashSet::new();
        for (user, h323) in message.0 {
            let order = PbxOrder::CheckLicense {
                user: user.clone(),
                h323,
                license: self.dependencies.license.clone(),
            };
            if !self.conversations.order(order) {
                return Box::pin(async { LicenseRound::default() });
            }
            open.insert(user);
        }
        let (done, round) = oneshot::channel();
        let before = self.license_round.replace(Round {
            number,
            open,
            answers: Vec::new(),
            done,
        });
        if let Some(before) = before {
            before.end();
        }
        self.end_license_round_if_whole();
        self.watch_license_round(number, 0, ctx);
        self.send(ctx);
        Box::pin(async move { round.await.unwrap_or_default() })
    }
}

impl PbxSession {
    fn end_license_round_if_whole(&mut self) {
        if let Some(round) = self.license_round.take_if(|round| round.open.is_empty()) {
            round.end();
        }
    }

    /// Takes in an answer that the present round waits for.
    pub(super) fn take_license(&mut self, answer: LicenseAnswer) {
        if let Some(round) = &mut self.license_round
            && round.open.remove(&answer.user)
        {
            round.answers.push(answer);
        }
        self.end_license_round_if_whole();
    }

    /// Ends a round that no answer has reached for a while; a long one is as good as its last answer is young.
    fn watch_license_round(&self, number: u64, answered: usize, ctx: &mut Context<Self>) {
        ctx.run_later(LICENSE_DEADLINE, move |actor, ctx| {
            let Some(round) = actor.license_round.take_if(|round| round.number == number) else {
                return;
            };
            if round.answers.len() == answered {
                round.end();
                return;
            }
            let answered = round.answers.len();
            actor.license_round = Some(round);
            actor.watch_license_round(number, answered, ctx);
        });
    }
}

impl Round {
    /// Tells what was answered.
    pub(super) fn end(self) {
        let round = LicenseRound {
            whole: self.open.is_empty(),
            answers: self.answers,
        };
        // who asked may be gone by now
        let _gone = self.done.send(round);
    }
}
