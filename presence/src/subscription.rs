//! What to do next with one subscription.
//!
//! A [`Subscription`] is a pure state machine: events go in, the next [`Step`] comes out, and the actor carries it out
//! and reports the outcome as the next event. At most one step is under way at any time. Nothing is retried inside a
//! step; the next decision is the retry. The rules (DESIGN 6, graph.md 3.2):
//!
//! * The only end that counts is the one that Graph returned, on Graph's clock; Graph raises short ones to 45 minutes.
//! * A subscription that watches the right users is renewed by `PATCH` at the earlier of its timer and half of its
//!   granted life, and at once when it is found again after a restart. One that is gone (404) is created anew.
//! * Other users mean `DELETE`, then create: the list of users cannot be changed. So does another notification URL, an
//!   encryption key that we do not have, and one whose notifications do not arrive.
//! * Resource data is asked for where there is a key, encrypted for the current one. A newer key is named by the next
//!   renewal, or the subscription is made anew where Graph does not take it so. Where Graph refuses resource data, a basic
//!   subscription serves for a day.
//! * `reauthorizationRequired` is answered by one renewal; what comes while that is under way is answered by it, too,
//!   and a storm by few.
//! * 409 on create means that one is there which we do not know. It is looked for in the list. *Ours* has our
//!   notification URL and our client state; lists do not tell the latter, so there it is one whose id we knew, or one
//!   with exactly the wanted users, provided that our client state had been used before. Ours is adopted by `PATCH`,
//!   every other presence subscription of the account is deleted, and nothing foreign is ever renewed. A foreign
//!   subscription to the directory is left alone.
//! * What Graph does not delete is waited for until its returned end.
//! * Until it is known what is wanted, a stored subscription is kept and renewed as it is.

mod machine;
mod phase;
mod terms;
mod watch;

pub use machine::Subscription;
pub use phase::Phase;
pub use terms::{Event, Held, Keys, Step, Terms, Want};
pub use watch::Watch;
