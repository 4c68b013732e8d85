//! The PBX in a life: what it tells, in order, and when its session is lost.

use super::*;

impl Life {
    /// The PBX tells a user's whole picture, in order.
    pub(super) fn report(&mut self, user: usize) {
        self.say(Event::PbxTells {
            session: self.session,
            user,
            said_at: self.now,
            picture: self.picture(user),
        });
    }

    pub(super) fn picture(&self, user: usize) -> Picture {
        let extension = &self.extensions[user];
        Picture {
            entries: extension.picture(),
            calls: self.traits.lines.then(|| extension.line_state()),
            ours: extension.own_calls(),
        }
    }

    /// One connection keeps the order of what it carries.
    pub(super) fn say(&mut self, event: Event) {
        self.pbx_free_at = self.pbx_free_at.max(self.now) + self.rng.i64(0..60);
        self.plan(self.pbx_free_at, event);
    }

    /// What the connector should make of it.
    pub(super) fn told(&self, user: usize, picture: &Picture) -> oracle::Told {
        let before = self.conduct[user].told.as_ref();
        oracle::told(
            &picture.entries,
            picture.calls.unwrap_or_default(),
            picture.ours,
            before,
        )
    }

    pub(super) fn tell_board(&mut self, user: usize) {
        let Some((said_at, picture)) = self.cache.get(&user).cloned() else {
            return;
        };
        if self.board.is_none() {
            return;
        }
        let told = self.told(user, &picture);
        self.conduct[user].tell(told, self.traits.mode, said_at);
        let entries = self.sabotage.disguise_entries(picture.entries);
        let board = self.board.as_mut().unwrap();
        board.see_presence(&PBX.into(), &guid(user), &entries);
        if let Some(calls) = picture.calls {
            board.see_calls(&PBX.into(), &guid(user), calls);
        }
    }

    pub(super) fn lose_pbx(&mut self) {
        if !std::mem::replace(&mut self.pbx_up, false) {
            return;
        }
        self.session += 1;
        self.cache.clear();
        self.lose_alien_calls();
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
        self.offer_alien_calls();
        for user in 0..USERS {
            self.report(user);
        }
    }
}
