//! Teams in a life: its notifications, and the reads that the connector orders.

use super::*;

impl Life {
    pub(super) fn tell_teams(&mut self, account: usize) {
        let Some(shown) = self.accounts[account].note(self.now) else {
            return;
        };
        if self.chance(self.traits.drops) {
            return;
        }
        let copies = if self.chance(self.traits.duplicates) { 2 } else { 1 };
        for _ in 0..copies {
            let delay = if self.rng.u8(0..3) == 0 {
                self.rng.i64(0..=self.traits.longest_delay)
            } else {
                self.rng.i64(50..400)
            };
            self.plan(self.now + delay, Event::Notice(account, shown));
        }
    }

    pub(super) fn observation(&self, account: usize, shown: Shown, source: Source) -> TeamsObservation {
        let numbered = match source {
            Source::Notified { .. } => self.traits.numbered_notices,
            Source::Read { .. } => self.traits.numbered_reads,
        };
        TeamsObservation {
            note: None,
            user: teams(account),
            presence: self.sabotage.disguise(shown.pair),
            sequence: numbered.then(|| shown.number.to_string()),
            source,
        }
    }

    pub(super) fn notify(&mut self, account: usize, shown: Shown) {
        if self.board.is_none() {
            self.plan(self.now + 5_000, Event::Notice(account, shown));
            return;
        }
        self.see_teams(
            account,
            shown,
            Source::Notified {
                received_at: time(self.now),
            },
        );
    }

    pub(super) fn see_teams(&mut self, account: usize, shown: Shown, source: Source) {
        let observation = self.observation(account, shown, source);
        let now = time(self.now);
        let board = self.board.as_mut().unwrap();
        let (verdict, changes) = board.see_teams(&observation, now);
        let owner = board
            .people()
            .find(|(member, _)| member.teams == teams(account))
            .map(|(member, _)| user_of(&member.pbx.guid));
        if let Some(user) = owner
            && matches!(verdict, Some(Verdict::Believed | Verdict::BelievedUnconfirmed))
        {
            let begun = match source {
                Source::Read { begun_at } => Some((begun_at - time(0)).num_milliseconds()),
                Source::Notified { .. } => None,
            };
            self.conduct[user].believe(shown, begun, self.now);
        }
        self.note(format!("  account {account} shows {:?}: {verdict:?}", shown.pair));
        self.store(changes);
    }

    pub(super) fn begin_read(&mut self) {
        self.gathering = false;
        if self.board.is_none() {
            return;
        }
        let begun = self.now;
        let latency = [30, 200, 4_000][self.rng.usize(0..3)];
        let asked: Vec<usize> = std::mem::take(&mut self.waiting).into_iter().collect();
        let taken = begun + self.rng.i64(0..=latency);
        self.plan(
            taken,
            Event::ReadTaken {
                run: self.run,
                begun,
                asked,
                answered: begun + latency,
            },
        );
    }

    /// Teams looks up what it shows; a change needs up to a second until every read shows it.
    pub(super) fn take_read(&mut self, begun: i64, asked: &[usize], answered: i64) {
        let mut answers = Vec::new();
        for account in asked {
            let at = self.now - self.rng.i64(0..900);
            let shown = self.accounts[*account].at(at);
            let missing = self.chance(0.02);
            answers.push((*account, Some(shown).filter(|_| !missing)));
        }
        let lost = self.chance(self.traits.lost_reads);
        self.plan(
            answered,
            Event::ReadAnswered {
                run: self.run,
                begun,
                answers,
                lost,
            },
        );
    }

    pub(super) fn end_read(&mut self, begun: i64, answers: &[(usize, Option<Shown>)], lost: bool) {
        for (account, shown) in answers {
            match shown {
                _ if lost => {
                    self.waiting.insert(*account);
                }
                Some(shown) => self.see_teams(
                    *account,
                    *shown,
                    Source::Read {
                        begun_at: time(begun),
                    },
                ),
                None => self
                    .board
                    .as_mut()
                    .unwrap()
                    .miss_teams(&teams(*account), time(begun)),
            }
        }
        if lost {
            let wait = self.rng.i64(1_000..5_000);
            self.gather(wait);
        }
    }

    pub(super) fn gather(&mut self, wait: i64) {
        if !self.gathering && !self.waiting.is_empty() {
            self.gathering = true;
            self.plan(self.now + wait, Event::ReadBegins(self.run));
        }
    }

    pub(super) fn sweep(&mut self) {
        if self.board.is_none() {
            return;
        }
        self.waiting.extend(self.pairing.iter().flatten());
        self.gather(50);
        self.plan(self.now + SWEEP, Event::Sweep(self.run));
    }
}
