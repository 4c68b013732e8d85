//! The writes of a life: taken, lost, throttled or answered.

use super::*;

impl Life {
    pub(super) fn write_teams(&mut self, user: usize, write: PresenceWrite) -> Result<(), Breach> {
        self.note(format!("  user {user} -> teams {:?}", write.change));
        let (mode, renewal) = (self.traits.mode, self.traits.renewal);
        self.conduct[user].leave(&write.change, self.now, mode, renewal)?;
        let account = account_of(&write.user);
        let takes = self.now + self.rng.i64(5..400);
        let answers = takes + self.rng.i64(5..600);
        let run = self.run;
        let outcome = if self.chance(self.traits.lost_writes) {
            let throttled = self.rng.bool();
            if !throttled && self.rng.bool() {
                self.plan(takes, Event::TeamsTakes(account, write.change));
            }
            Outcome::Failed {
                wait: throttled.then(|| std::time::Duration::from_secs(self.rng.u64(1..20))),
            }
        } else if self.chance(self.traits.refused_writes) {
            Outcome::Refused {
                message: "403 Forbidden".to_owned(),
                gone: false,
            }
        } else {
            self.plan(takes, Event::TeamsTakes(account, write.change));
            Outcome::Accepted
        };
        self.plan(answers, Event::TeamsAnswers { run, user, outcome });
        Ok(())
    }

    pub(super) fn write_entry(&mut self, mut write: EntryWrite) -> Result<(), Breach> {
        write.activity = self.sabotage.undisguise(&write.activity);
        self.note(format!(
            "  user {user} -> pbx {:?}",
            write.activity,
            user = user_of(&write.user)
        ));
        let user = user_of(&write.user);
        // a late notification may still be under way: it is delayed, and repeated to a connector that was down
        let delays = self.traits.longest_delay + 36_000;
        self.conduct[user].leave_entry(&write, delays, self.now)?;
        let takes = self.now + self.rng.i64(1..50);
        let (run, session) = (self.run, self.session);
        let answered = self.pbx_up && !self.chance(self.traits.lost_writes);
        if answered || (self.pbx_up && self.rng.bool()) {
            self.plan(
                takes,
                Event::PbxTakes {
                    run,
                    session,
                    user,
                    activity: write.activity,
                    answered,
                },
            );
        }
        if !answered {
            self.plan(
                takes + 50,
                Event::PbxAnswers {
                    run,
                    session,
                    user,
                    outcome: Outcome::Failed { wait: None },
                },
            );
        }
        Ok(())
    }
}
