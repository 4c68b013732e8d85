//! Why a run ended, and where.

use std::fmt;
use std::panic::Location;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

/// A text about an end is cut to this many characters.
const LONGEST_TEXT: usize = 200;

/// Why a run ended. The reason decides what happens next, see [`super::verdict`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExitReason {
    /// A panic, a broken invariant, no answer to the watchdog, or a stop without a reason.
    Bug {
        /// What was found.
        text: String,
    },
    /// Something outside could not be reached or did not answer.
    Lost {
        /// What was lost.
        text: String,
    },
    /// Something outside said no, and will say no again until a person changes something.
    Refused {
        /// What was said.
        text: String,
        /// How careful the next attempt must be.
        refusal: Refusal,
    },
    /// Somebody ordered the end: an administrator, a supervisor, the process.
    Ordered,
}

/// How careful the attempt after a refusal must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing gets worse by asking again.
    Plain,
    /// A password was wrong: accounts lock when it is tried too often.
    Password,
}

/// The kinds of reasons, for counting and for display.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExitKind {
    /// See [`ExitReason::Bug`].
    Bug,
    /// See [`ExitReason::Lost`].
    Lost,
    /// See [`ExitReason::Refused`].
    Refused,
    /// See [`ExitReason::Ordered`].
    Ordered,
}

impl ExitReason {
    /// Says that the actor itself is wrong.
    pub fn bug(text: impl fmt::Display) -> Self {
        Self::Bug { text: cut(text) }
    }

    /// Says that something outside is away.
    pub fn lost(text: impl fmt::Display) -> Self {
        Self::Lost { text: cut(text) }
    }

    /// Says that something outside refuses.
    pub fn refused(text: impl fmt::Display) -> Self {
        Self::Refused {
            text: cut(text),
            refusal: Refusal::Plain,
        }
    }

    /// Says that something outside refuses a password.
    pub fn wrong_password(text: impl fmt::Display) -> Self {
        Self::Refused {
            text: cut(text),
            refusal: Refusal::Password,
        }
    }

    /// Returns the kind.
    pub fn kind(&self) -> ExitKind {
        match self {
            Self::Bug { .. } => ExitKind::Bug,
            Self::Lost { .. } => ExitKind::Lost,
            Self::Refused { .. } => ExitKind::Refused,
            Self::Ordered => ExitKind::Ordered,
        }
    }

    /// Returns the text, at most 200 characters; empty for an ordered end.
    pub fn text(&self) -> &str {
        match self {
            Self::Bug { text } | Self::Lost { text } | Self::Refused { text, .. } => text,
            Self::Ordered => "",
        }
    }
}

impl fmt::Display for ExitReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ordered => write!(formatter, "{}", self.kind()),
            _ => write!(formatter, "{}: {}", self.kind(), self.text()),
        }
    }
}

impl fmt::Display for ExitKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Bug => "bug",
            Self::Lost => "lost",
            Self::Refused => "refused",
            Self::Ordered => "ordered",
        })
    }
}

/// What an actor was doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Rebuilding itself for the next run (`Supervised::restarting`).
    Restart,
    /// Starting (`Actor::started`).
    Start,
    /// Handling the message of this type.
    Message(&'static str),
    /// Polling a future of its context.
    Future,
    /// Running a timer of its context.
    Timer,
    /// Stopping (`Actor::stopping`, `Actor::stopped`).
    Stop,
}

impl fmt::Display for Step {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Restart => formatter.write_str("restart"),
            Self::Start => formatter.write_str("start"),
            Self::Message(name) => write!(formatter, "handler of {}", last_segment(name)),
            Self::Future => formatter.write_str("future"),
            Self::Timer => formatter.write_str("timer"),
            Self::Stop => formatter.write_str("stop"),
        }
    }
}

/// Where a run ended: the step, and the line of code where that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// What the actor was doing.
    pub step: Step,
    /// `file:line` of the panic or of the order to end.
    pub line: Option<String>,
}

impl Place {
    /// Names a step of which no line is known.
    pub(super) fn of(step: Step) -> Self {
        Self { step, line: None }
    }

    /// Names a step and the line that a caller stands on.
    pub(super) fn at(step: Step, location: &Location<'_>) -> Self {
        Self {
            step,
            line: Some(format!("{}:{}", location.file(), location.line())),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.line {
            Some(line) => write!(formatter, "{} at {line}", self.step),
            None => write!(formatter, "{}", self.step),
        }
    }
}

/// The end of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// Why.
    pub reason: ExitReason,
    /// Where.
    pub place: Place,
    /// How long the run had lasted, by tokio's clock.
    pub uptime: Duration,
}

fn cut(text: impl fmt::Display) -> String {
    text.to_string().chars().take(LONGEST_TEXT).collect()
}

fn last_segment(name: &str) -> &str {
    let outer = name.split('<').next().unwrap_or(name);
    outer.rsplit("::").next().unwrap_or(outer)
}
