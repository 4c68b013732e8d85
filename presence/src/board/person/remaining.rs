//! What of ours stands at one user, piece by piece.

use super::Person;
use crate::board::remains::Remains;
use crate::board::{PbxSight, Rules, Side};

impl Person {
    pub(in crate::board) fn remaining(&self, pbx: &PbxSight, rules: &Rules) -> Remains {
        let pieces = [
            (
                Side::Teams,
                self.side.is_clear(),
                self.side.hold.refusal().is_some(),
            ),
            (
                Side::TeamsNote,
                self.message.is_clear(),
                self.message.is_refused(),
            ),
            (
                Side::Pbx,
                self.entry.is_clear(),
                self.entry.hold.refusal().is_some(),
            ),
            (Side::PbxCall, self.alien.is_clear(pbx), self.alien.is_refused()),
        ];
        let mut remains = Remains::default();
        for (side, _clear, refused) in pieces.into_iter().filter(|(_, clear, _)| !clear) {
            if rules.restraint.of(&self.member, side).is_some() {
                remains.held_back += 1;
            } else if refused {
                remains.refused += 1;
            } else {
                remains.unanswered += 1;
            }
        }
        remains
    }
}
