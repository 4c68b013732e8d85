//! What of ours stands on both sides, and what of it stays behind at an orderly end, and why.

use std::fmt;
use std::ops::AddAssign;

/// What of ours stands, piece by piece: a presence and a message in Teams, an entry and a call at the PBX.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remains {
    /// Pieces that an administrator does not let us touch.
    pub held_back: usize,
    /// Pieces whose last write the other side has refused.
    pub refused: usize,
    /// All others: they stand as wanted, or nobody has answered yet.
    pub unanswered: usize,
}

impl Remains {
    /// All of it.
    pub fn pieces(&self) -> usize {
        self.held_back + self.refused + self.unanswered
    }
}

impl AddAssign for Remains {
    fn add_assign(&mut self, other: Self) {
        self.held_back += other.held_back;
        self.refused += other.refused;
        self.unanswered += other.unanswered;
    }
}

/// What an orderly end has come to. Its text is one sentence for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Released {
    /// Pieces that were set before.
    pub set: usize,
    /// What stays behind.
    pub left: Remains,
}

impl Released {
    /// Whether nothing stays behind but what an administrator holds back.
    pub fn is_as_wanted(&self) -> bool {
        self.left.refused + self.left.unanswered == 0
    }

    /// Pieces that are released.
    pub fn pieces(&self) -> usize {
        self.set.saturating_sub(self.left.pieces())
    }
}

impl fmt::Display for Released {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.left.pieces() == 0 {
            return f.write_str("everything that was set is released");
        }
        write!(
            f,
            "{} of {} presences, messages, entries and calls that were set are released",
            self.pieces(),
            self.set
        )?;
        let reasons = [
            (
                self.left.held_back,
                "because an administrator holds their writes back",
            ),
            (self.left.refused, "because the other side refused their removal"),
            (
                self.left.unanswered,
                "because the other side did not answer in time",
            ),
        ];
        for (pieces, reason) in reasons.into_iter().filter(|(pieces, _)| *pieces > 0) {
            let stay = if pieces == 1 { "stays" } else { "stay" };
            write!(f, "; {pieces} {stay} {reason}")?;
        }
        f.write_str("; the next start goes on from there")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_released_and_what_stays_is_told_with_its_reason() {
        let told = |set, held_back, refused, unanswered| {
            let left = Remains {
                held_back,
                refused,
                unanswered,
            };
            Released { set, left }.to_string()
        };
        assert_eq!(told(7, 0, 0, 0), "everything that was set is released");
        assert_eq!(
            told(7, 1, 0, 0),
            "6 of 7 presences, messages, entries and calls that were set are released; 1 stays because an administrator \
             holds their writes back; the next start goes on from there"
        );
        assert!(told(7, 0, 2, 5).starts_with("0 of 7 "));
        assert!(told(7, 0, 2, 5).contains(
            "; 2 stay because the other side refused their removal; 5 stay because the other side did not answer in time; "
        ));
    }
}
