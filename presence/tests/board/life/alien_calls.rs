//! Calls of the connector's at the PBX in a life: ordered from the session, which keeps them until its connection ends.

use super::*;

/// Longest time for which the PBX takes a dead connection for alive.
const HAUNTS: i64 = 200_000;

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Taken {
        run: u64,
        session: u64,
        user: usize,
        on: bool,
        answered: bool,
    },
    Answered {
        run: u64,
        session: u64,
        user: usize,
        on: bool,
        refused: bool,
    },
    Unanswered {
        run: u64,
        user: usize,
    },
    /// The PBX notices that a connection has ended, and that a call of ours on this user has with it.
    Noticed(usize),
}

impl Life {
    fn takes_alien_calls(&self) -> bool {
        !matches!(self.traits.alien_calls, AlienCalls::Off | AlienCalls::Impossible)
    }

    /// The session is there, with whatever it has put on users.
    pub(super) fn report_alien_calls(&mut self) {
        self.offer_alien_calls();
        let (ordered, now) = (self.ordered, time(self.now));
        let board = self.board.as_mut().unwrap();
        for (user, confirmed) in ordered.into_iter().enumerate() {
            if let Some(confirmed) = confirmed {
                board.see_alien_call(&PBX.into(), &guid(user), confirmed, now);
            }
        }
    }

    pub(super) fn offer_alien_calls(&mut self) {
        let (possible, now) = (self.pbx_up && self.takes_alien_calls(), time(self.now));
        if let Some(board) = &mut self.board {
            board.change_alien_calls(&PBX.into(), possible, now);
        }
    }

    /// Calls of ours end with their connection, at once or when the PBX notices.
    pub(super) fn lose_alien_calls(&mut self) {
        self.ordered = [None; USERS];
        for conduct in &mut self.conduct {
            conduct.lose_alien_call();
        }
        for user in 0..USERS {
            let stood = std::mem::take(&mut self.extensions[user].alien);
            if stood && self.traits.alien_calls == AlienCalls::Haunting {
                self.extensions[user].ghosts += 1;
                let notices = self.now + self.rng.i64(0..HAUNTS);
                self.plan(notices, Event::Alien(Step::Noticed(user)));
            }
        }
        self.offer_alien_calls();
    }

    pub(super) fn write_alien_call(&mut self, write: AlienCallWrite) -> Result<(), Breach> {
        let (user, on) = (user_of(&write.user), write.on);
        self.note(format!("  user {user} -> pbx alien call {on}"));
        let delays = self.traits.longest_delay + 36_000;
        self.conduct[user].leave_alien_call(on, delays, self.now)?;
        let (run, session) = (self.run, self.session);
        let at = self.now + self.rng.i64(1..50);
        let answered = self.pbx_up && !self.chance(self.traits.lost_writes);
        if self.pbx_up {
            if on || self.ordered[user].is_some() {
                self.ordered[user] = Some(false);
            }
            if answered || self.rng.bool() {
                let step = Step::Taken {
                    run,
                    session,
                    user,
                    on,
                    answered,
                };
                self.plan(at, Event::Alien(step));
            }
        }
        if !answered {
            self.plan(at + 50, Event::Alien(Step::Unanswered { run, user }));
        }
        Ok(())
    }

    pub(super) fn step_alien_call(&mut self, step: Step) {
        match step {
            Step::Taken {
                run,
                session,
                user,
                on,
                answered,
            } => {
                let refused = on && self.traits.alien_calls == AlienCalls::Refused;
                if session == self.session && self.pbx_up && !refused {
                    self.extensions[user].alien = on;
                }
                let answer = Event::Alien(Step::Answered {
                    run,
                    session,
                    user,
                    on,
                    refused,
                });
                let answered_first = self.rng.bool();
                if answered && answered_first {
                    self.say(answer.clone());
                }
                self.report(user);
                if answered && !answered_first {
                    self.say(answer);
                }
            }
            Step::Answered {
                run,
                session,
                user,
                on,
                refused,
            } => self.end_alien_call_write(run, session == self.session && self.pbx_up, user, on, refused),
            Step::Unanswered { run, user } => self.end_alien_call_write(run, false, user, false, false),
            Step::Noticed(user) => {
                self.extensions[user].ghosts -= 1;
                self.report(user);
            }
        }
    }

    fn end_alien_call_write(&mut self, run: u64, heard: bool, user: usize, on: bool, refused: bool) {
        if heard {
            self.ordered[user] = (on && !refused).then_some(true);
        }
        if run != self.run || self.board.is_none() {
            return;
        }
        let outcome = match (heard, refused) {
            (false, _) => Outcome::Failed { wait: None },
            (true, true) => Outcome::Refused {
                message: "no right".to_owned(),
                gone: false,
            },
            (true, false) => Outcome::Accepted,
        };
        self.conduct[user].answer_alien_call(&outcome);
        let now = time(self.now);
        let board = self.board.as_mut().unwrap();
        let change = board.alien_call_written(&guid(user), &outcome, now);
        self.store(change.into_iter().collect());
    }
}
