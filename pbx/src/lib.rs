#![doc = include_str!("../README.md")]

mod approach;
mod challenge;
mod courtesy;
mod dialogue;
mod digest;
mod doorway;
mod login;
mod message;
mod outbox;
mod outgoing;
mod user_session;

pub use approach::{Approach, Progress, Step, keep_alive};
pub use challenge::{Challenge, NoRandomness};
pub use dialogue::{Dialogue, Dialogues};
pub use doorway::{Doorway, Outcome, Response, introduced_anew};
pub use login::{LoggedIn, Refusal, SessionKind};
pub use outbox::MESSAGE_LIMIT;
pub use outgoing::sets_presence;
pub use user_session::{Errand, UserSession, administrators_app};
