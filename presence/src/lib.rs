//! The matter itself: presence rules without any socket, clock or database.
//!
//! Everything here is a value or a pure function of a state and a time. The rooms:
//!
//! * [`identity`], [`teams`], [`pbx`]: the nouns of the two worlds.
//! * [`mapping`], [`matching`]: who is who, and which state means which.
//! * [`board`]: per user what either side shows, what we set there and what follows from it.
//! * [`sharding`], [`subscription`]: who is watched by which subscription, and what to do with one next.
//! * [`cadence`], [`hearing`]: whose Teams presence is read when, and whether notifications arrive.
//! * [`licensing`]: what the answers to license checks mean.
//! * [`sign_in`]: when a refused credential may be presented again.
//! * [`rotation`]: when an encryption key is replaced, and when an old one is dropped.
//! * [`expiry`]: how near the end of what must be renewed is.
//! * [`traffic`]: what leaves first, how much may leave, and who asks while nobody answers.
//! * [`timeline`]: the last transitions of every user, as they are told.
//! * [`light`]: the closed set of codes that an administrator reads.
//! * [`note`]: what a user says in words, as either side has it.
//! * [`ports`]: what the actors ask of the outside world; the adapters live in crates of their own.

pub mod board;
pub mod cadence;
pub mod clock;
pub mod expiry;
pub mod hearing;
pub mod identity;
pub mod licensing;
pub mod light;
pub mod mapping;
pub mod matching;
pub mod note;
pub mod pbx;
pub mod ports;
pub mod rotation;
pub mod secret;
pub mod sharding;
pub mod sign_in;
pub mod subscription;
pub mod teams;
pub mod tenure;
pub mod timeline;
pub mod traffic;
pub mod visibility;
