//! The PBX in a life: what it tells, in order, and when its session is lost.

use super::*;

impl Life {
    /// The PBX tells a user's whole picture, in order.
    pub(super) fn report(&mut self, user: usize) {
        let entries = self.extensions[user].picture();
        let calls = self.extensions[user].line_state();
        self.say(Event::PbxTells {
            session: self.session,
            user,
            said_at: self.now,
            entries,
            calls,
        });
    }

    /// One connection keeps the order of what it carries.
    pub(super) fn say(&mut self, event: Event) {
        self.pbx_free_at = self.pbx_free_at.max(self.now) + self.rng.i64(0..60);
        self.plan(self.pbx_free_at, event);
    }

    pub(super) fn tell_board(&mut self, user: usize) {
        let Some((said_at, entries, calls)) = self.cache.get(&user).cloned() else {
            return;
        };
        let Some(board) = self.board.as_mut() else { return };
        let told = oracle::told(&entries, calls, self.conduct[user].told.as_ref());
        self.conduct[user].tell(told, self.traits.mode, said_at);
        board.see_presence(&PBX.into(), &guid(user), &self.sabotage.disguise_entries(entries));
        board.see_calls(&PBX.into(), &guid(user), calls);
    }

    pub(super) fn lose_pbx(&mut self) {
        if !std::mem::replace(&mut self.pbx_up, false) {
            return;
        }
        self.session += 1;
        self.cache.clear();
        for conduct in &mut self.conduct {
            conduct.fresh = false;
        }
        if let Some(board) = &mut self.board {
            board.lose_pbx(&PBX.into());
            if self.sabotage == Sabotage::UnknownIsEmpty {
                for user in 0..USERS {
                    board.see_presence(&PBX.into(), &guid(user), &[]);
                    board.see_calls(&PBX.into(), &guid(user), 0);
                }
            }
        }
    }

    pub(super) fn regain_pbx(&mut self) {
        if std::mem::replace(&mut self.pbx_up, true) {
            return;
        }
        self.session += 1;
        if let Some(board) = &mut self.board {
            board.reach_pbx();
        }
        for user in 0..USERS {
            self.report(user);
        }
    }
}
