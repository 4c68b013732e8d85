//! The rules that a life is judged by: the invariants of a connector, for one user.

/// Which rule was broken, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    pub rule: Rule,
    pub text: String,
}

/// The rules that a life is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// At most one write per user and side under way.
    OneAtATime,
    /// No write without a state that asks for it.
    Justified,
    /// No accepted write again without a reason.
    NoRepeat,
    /// Nothing that we wrote comes back as a write.
    NoEcho,
    /// What the user was seen to have chosen after us stays.
    LaterChoice,
    /// A lease outlasts its renewal, and not by much.
    Lease,
    /// Every write stands in the timeline, and an administrator is told what became of it.
    Told,
    /// Both sides equal the oracle in the end.
    Converged,
    /// Nothing of ours is left after a release.
    Released,
}

pub type Check = Result<(), Breach>;

/// Answers a breach of this rule unless it holds.
pub fn ensure(holds: bool, rule: Rule, text: impl FnOnce() -> String) -> Check {
    if holds {
        Ok(())
    } else {
        Err(Breach { rule, text: text() })
    }
}
