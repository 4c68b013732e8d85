//! The people of a life, and everything else that happens by itself.

use super::*;

impl Life {
    pub(super) fn draw_events(&mut self) {
        for user in 0..USERS {
            self.act(user, 0);
            self.report(user);
            for _ in 0..self.rng.usize(4..16) {
                let at = self.rng.i64(0..TURMOIL);
                self.act(user, at);
            }
        }
        let start = self.rng.i64(0..2_000);
        self.plan(start, Event::Start);
        for _ in 0..self.traits.pbx_losses {
            let at = self.rng.i64(0..TURMOIL);
            self.plan(at, Event::PbxLost);
            let back = at + self.rng.i64(10..120_000);
            self.plan(back, Event::PbxBack);
        }
        for _ in 0..self.traits.restarts {
            let at = self.rng.i64(2_000..TURMOIL);
            self.plan(at, Event::Crash);
        }
        for _ in 0..self.traits.roster_changes {
            let at = self.rng.i64(2_000..TURMOIL);
            self.plan(at, Event::Roster);
        }
    }

    /// Often several acts follow each other closely, as people do.
    pub(super) fn act(&mut self, user: usize, at: i64) {
        let pick = |rng: &mut Rng, pairs: &[Pair]| pairs[rng.usize(0..pairs.len())];
        let mut at = at;
        for _ in 0..self.rng.usize(1..4) {
            let act = match self.rng.u8(0..8) {
                0..3 => {
                    Act::Client(Some(pick(&mut self.rng, &CLIENT_PAIRS)).filter(|_| self.rng.u8(0..5) > 0))
                }
                3 => {
                    Act::Prefer(Some(pick(&mut self.rng, &PREFERRED_PAIRS)).filter(|_| self.rng.u8(0..3) > 0))
                }
                4..6 => {
                    let contact = if self.rng.u8(0..4) == 0 {
                        "calendar:"
                    } else {
                        "tel:"
                    };
                    Act::Choose(contact, CHOICES[self.rng.usize(0..CHOICES.len())])
                }
                _ => Act::Calls(self.rng.u32(0..3).min(1)),
            };
            self.plan(at, Event::Act(user, act));
            at += [20, 700, 3_000, 20_000][self.rng.usize(0..4)];
        }
    }

    pub(super) fn do_act(&mut self, user: usize, act: &Act) {
        match act {
            Act::Client(pair) => self.accounts[user].client = *pair,
            Act::Prefer(pair) => self.accounts[user].choose(*pair, self.now),
            Act::Choose(contact, activity) => self.extensions[user].set(contact, activity),
            Act::Calls(calls) => self.extensions[user].calls = *calls,
        }
        match act {
            Act::Client(_) | Act::Prefer(_) => self.tell_teams(user),
            Act::Choose(..) | Act::Calls(_) => self.report(user),
        }
    }
}
