//! Who is who: the users of Teams, the users of the PBX, and the pairs between them.
//!
//! A field of one side is compared with a field of the other, exactly as the administrator chose ([`MatchRule`]). The
//! rules are strict, because a wrong pair shows one person's presence as another's (DESIGN 5, matching):
//!
//! * An empty value matches nobody.
//! * One to one only. As soon as a value belongs to two candidates of one side, all who carry it are *ambiguous*;
//!   nobody is chosen silently.
//! * Disabled accounts, guests and users without a Teams plan are no candidates: they neither match nor make others
//!   ambiguous. A PBX user whose only counterpart is one of them is told so, for that is what must be changed.
//! * An override binds a PBX user to a Teams user whatever the fields say; neither is then a candidate for others.
//!   An excluded PBX user is no candidate at all.
//!
//! The result is a [`Directory`]: an immutable snapshot with a verdict for every user of either side. Building one is
//! linear in the number of users: values meet in hash maps, duplicates share one list, and near misses are found by a
//! normalised key, never by comparing everybody with everybody.

mod directory;
mod nearness;
mod pairing;
mod preview;
mod reason;
mod rule;

pub use directory::{Counts, Directory, Entry, Position};
pub use nearness::{Difference, Suggestion};
pub use pairing::{Match, Rivals};
pub use preview::{Preview, Turn};
pub use reason::Reason;
pub use rule::{MatchRule, MicrosoftField, PbxField, UnknownField};
