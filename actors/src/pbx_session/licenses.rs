//! Rounds of license checks, the PBX's own counts, and who may have got or lost a license (pbx.md 5).

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use actix::{AsyncContext, Handler, ResponseFuture};
use m365_presence::identity::PbxGuid;
use m365_presence::licensing::{self, ListedLicense, Stock};
use m365_presence::ports::{LicenseAnswer, PbxOrder};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{CheckLicenses, LicenseRound, PbxSession, TABLE_PAUSE};
use crate::license_check::UsersAltered;
use crate::supervision::Context;

/// A round of license checks without an answer for this time ends with what was answered.
const LICENSE_DEADLINE: Duration = Duration::from_secs(5);

/// Who was answered with an error is asked once more after this.
const ASKED_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// The PBX's own counts are asked for once in this time, at the beginning of a round.
const COUNTED_EVERY: Duration = Duration::from_secs(60);

/// What a session knows of licenses.
#[derive(Default)]
pub(super) struct Licensing {
    round: Option<Round>,
    counted_at: Option<Instant>,
    stock: Option<Stock>,
    /// Users whose objects were reported as changed, until that is told.
    altered: BTreeSet<PbxGuid>,
}

/// A round of license checks that is under way.
struct Round {
    number: u64,
    checks: licensing::Round,
    names: HashMap<PbxGuid, String>,
    done: oneshot::Sender<LicenseRound>,
}

impl Licensing {
    /// Installed and assigned licenses, as the PBX counts them.
    pub(super) fn stock(&self) -> Option<Stock> {
        self.stock
    }
}

impl Handler<CheckLicenses> for PbxSession {
    type Result = ResponseFuture<LicenseRound>;

    fn handle(&mut self, message: CheckLicenses, ctx: &mut Self::Context) -> Self::Result {
        self.end_license_round();
        self.count_licenses();
        if self.conversations.test_mode() {
            self.send(ctx);
            let held = |(user, _)| LicenseAnswer { user, held: true };
            let round = LicenseRound {
                answers: message.0.into_iter().map(held).collect(),
                whole: true,
                ..LicenseRound::default()
            };
            return Box::pin(async move { round });
        }
        self.next_order += 1;
        let number = self.next_order;
        let (done, finding) = oneshot::channel();
        let names: HashMap<_, _> = message.0.iter().cloned().collect();
        self.licensing.round = Some(Round {
            number,
            checks: licensing::Round::of(names.keys().cloned()),
            names,
            done,
        });
        for (user, h323) in message.0 {
            if !self.check_license(user, h323) {
                self.end_license_round();
                break;
            }
        }
        self.end_license_round_if_over();
        self.watch_license_round(number, 0, ctx);
        self.send(ctx);
        Box::pin(async move { finding.await.unwrap_or_default() })
    }
}

impl PbxSession {
    /// Asks for one user; tells whether any connection may.
    fn check_license(&mut self, user: PbxGuid, h323: String) -> bool {
        let license = self.dependencies.license.clone();
        self.conversations
            .order(PbxOrder::CheckLicense { user, h323, license })
    }

    /// Takes in an answer that the present round waits for.
    pub(super) fn take_license(&mut self, answer: LicenseAnswer) {
        if let Some(round) = &mut self.licensing.round {
            round.checks.answered(answer.user, answer.held);
        }
        self.end_license_round_if_over();
    }

    /// Takes in an error in place of an answer; the first one of a user leads to another question.
    pub(super) fn take_license_failure(&mut self, user: PbxGuid, message: String, ctx: &mut Context<Self>) {
        self.note_refusal("a license check", &message);
        let Some(round) = &mut self.licensing.round else {
            return;
        };
        let waited = round.checks.doubts();
        round.checks.failed(user, message);
        if round.checks.doubts() && !waited {
            let number = round.number;
            ctx.run_later(ASKED_AGAIN_AFTER, move |actor, ctx| {
                actor.ask_doubted_again(number, ctx)
            });
        }
        self.end_license_round_if_over();
    }

    /// Asks once more, by the guid: the name may have become another one.
    fn ask_doubted_again(&mut self, number: u64, ctx: &mut Context<Self>) {
        let Some(round) = self
            .licensing
            .round
            .as_mut()
            .filter(|round| round.number == number)
        else {
            return;
        };
        for user in round.checks.ask_again() {
            self.check_license(user, String::new());
        }
        self.send(ctx);
    }

    fn end_license_round_if_over(&mut self) {
        if self
            .licensing
            .round
            .as_ref()
            .is_some_and(|round| round.checks.is_over())
        {
            self.end_license_round();
        }
    }

    /// Ends the present round, if any, with what was answered.
    pub(super) fn end_license_round(&mut self) {
        let Some(round) = self.licensing.round.take() else {
            return;
        };
        if !round.checks.is_over() {
            // what was not answered by now holds no place in the window any more
            self.conversations.order(PbxOrder::DropLicenseChecks);
        }
        let finding = round.checks.end();
        let named = |user: PbxGuid| {
            let h323 = round.names.get(&user).cloned().unwrap_or_default();
            (user, h323)
        };
        let round_told = LicenseRound {
            answers: finding.answers,
            whole: finding.whole,
            faulty: finding.faulty.into_iter().map(named).collect(),
            fault: finding.fault,
        };
        // who asked may be gone by now
        let _gone = round.done.send(round_told);
    }

    /// Ends a round that no answer has reached for a while; a long one is as good as its last answer is young.
    fn watch_license_round(&self, number: u64, taken: usize, ctx: &mut Context<Self>) {
        ctx.run_later(LICENSE_DEADLINE, move |actor, ctx| {
            let Some(round) = actor
                .licensing
                .round
                .as_ref()
                .filter(|round| round.number == number)
            else {
                return;
            };
            let now_taken = round.checks.taken();
            if now_taken == taken {
                actor.end_license_round();
            } else {
                actor.watch_license_round(number, now_taken, ctx);
            }
        });
    }

    /// Asks for the PBX's own counts, unless they are young.
    fn count_licenses(&mut self) {
        let young = |at: &Instant| at.elapsed() < COUNTED_EVERY;
        if !self.licensing.counted_at.as_ref().is_some_and(young)
            && self.conversations.order(PbxOrder::ListLicenses)
        {
            self.licensing.counted_at = Some(Instant::now());
        }
    }

    /// Takes in the PBX's own counts; a PBX in test mode has none.
    pub(super) fn take_license_list(&mut self, listed: &[ListedLicense]) {
        self.licensing.stock =
            (!self.conversations.test_mode()).then(|| Stock::of(&self.dependencies.license, listed));
    }

    /// Another connection, or none, checks licenses from now on.
    pub(super) fn begin_licensing(&mut self) {
        self.end_license_round();
        self.licensing.counted_at = None;
        self.licensing.stock = None;
    }

    /// Notes that the PBX reported changes of users, or that some may have been missed: a license may be among them, of
    /// which no message tells.
    pub(super) fn note_altered(&mut self, users: impl IntoIterator<Item = PbxGuid>, ctx: &mut Context<Self>) {
        if !self.is_master() || !self.followed.table_complete() {
            return;
        }
        let first = self.licensing.altered.is_empty();
        self.licensing.altered.extend(users);
        if first && !self.licensing.altered.is_empty() {
            ctx.run_later(TABLE_PAUSE, |actor, ctx| {
                let altered = UsersAltered(std::mem::take(&mut actor.licensing.altered));
                let told = actor.dependencies.license_check.ask(altered);
                ctx.spawn(actix::fut::wrap_future::<_, Self>(async move {
                    // when it is back, it asks for everybody
                    let _down = told.await;
                }));
            });
        }
    }
}
