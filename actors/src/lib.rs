//! The supervisor and the actors.
