//! The end of a life: both sides against the oracle.

use super::*;

impl Life {
    pub(super) fn check_converged(&self) -> Result<(), Breach> {
        let wrong = |text: String| {
            Err(Breach {
                rule: Rule::Converged,
                text,
            })
        };
        for user in 0..USERS {
            let Some(account) = self.pairing[user] else {
                continue;
            };
            let (world, pbx, conduct) = (
                &self.accounts[account],
                &self.extensions[user],
                &self.conduct[user],
            );
            if conduct.is_busy() {
                return wrong(format!("a write for user {user} was never answered"));
            }
            let told = self.told(user, &self.picture(user));
            let blocks = self.traits.mode == OnThePhone::DoNotDisturb;
            if world.app.is_some() != (told.on_the_phone && !blocks) {
                return wrong(format!(
                    "the session of account {account} is {:?}, told {told:?}",
                    world.app
                ));
            }
            let ours = world
                .slot
                .filter(|slot| slot.by == By::Connector)
                .map(|slot| slot.pair);
            let wish = oracle::wish(&told, blocks);
            // a choice that a call hides from Teams is no new state of the PBX
            let unchanged = conduct.filled_at_change == Some(conduct.choice_changes)
                || world.taken_at > conduct.choice_changed_at
                || (blocks && told.on_the_phone)
                // where a call takes the slot, which choice came first is not known before a read shows the one in teams
                || (blocks && world.taken_at <= conduct.recognised_at && conduct.choice_changed_at <= conduct.recognised_at)
                || conduct.uncertain;
            let taken = world.taken && unchanged;
            // what the user chose like the connector nobody can tell apart
            let alike = world.slot.map(|slot| slot.pair) == wish;
            if ours != wish && !alike && !(wish.is_some() && ours.is_none() && taken) {
                return wrong(format!(
                    "account {account} carries {:?}, but {told:?} means {wish:?}",
                    world.slot
                ));
            }
            let (pair, by_us) = world.effective();
            let shown = oracle::entry_for(pair);
            let held = wish.map(oracle::entry_for) == Some(shown)
                || (world.app.is_some() && shown == "on-the-phone");
            let right = (!by_us && pbx.ours() == shown) || ((by_us || held) && pbx.ours().is_empty());
            if !right {
                return wrong(format!(
                    "user {user} has our entry {:?}, but teams shows {pair:?}, ours: {by_us}",
                    pbx.ours()
                ));
            }
            let as_call = [AlienCalls::Taken, AlienCalls::Haunting].contains(&self.traits.alien_calls);
            // who telephones at the pbx is busy there already
            let by_entry = pbx.our_entry() == "on-the-phone" && as_call && !told.on_the_phone;
            if by_entry || (pbx.alien && !pbx.our_entry().is_empty()) {
                return wrong(format!(
                    "user {user} has the alien call {} beside the entry {:?}",
                    pbx.alien,
                    pbx.our_entry()
                ));
            }
        }
        self.check_nobody_else()
    }

    pub(super) fn check_nobody_else(&self) -> Result<(), Breach> {
        for index in 0..USERS {
            let left_in_teams = !self.pairing.contains(&Some(index)) && self.carries_ours(index);
            let left_at_pbx = self.pairing[index].is_none() && !self.extensions[index].ours().is_empty();
            if left_in_teams || left_at_pbx {
                let text = format!(
                    "something of ours is left with {index}, who left: {:?}",
                    self.accounts[index].slot
                );
                return Err(Breach {
                    rule: Rule::Converged,
                    text,
                });
            }
        }
        Ok(())
    }

    pub(super) fn carries_ours(&self, account: usize) -> bool {
        let world = &self.accounts[account];
        world.app.is_some() || world.slot.is_some_and(|slot| slot.by == By::Connector)
    }

    pub(super) fn check_released(&self) -> Result<(), Breach> {
        let board = self.board.as_ref().unwrap();
        let left: Vec<usize> = (0..USERS)
            .filter(|user| self.carries_ours(*user) || !self.extensions[*user].ours().is_empty())
            .collect();
        if left.is_empty() && board.is_empty() && self.ledger.is_empty() {
            return Ok(());
        }
        let text = format!(
            "left behind: {left:?}, board empty: {}, ledger {:?}",
            board.is_empty(),
            self.ledger.keys()
        );
        Err(Breach {
            rule: Rule::Released,
            text,
        })
    }
}
