//! Each sentence of the presence rules as one test.

mod alien_calls;
mod calls;
mod echo;
mod later_choice;
mod notes;
mod notes_anew;
mod notes_to_teams;
mod order;
mod pace;
mod refused;
mod restraint;
mod roster;
mod standing;
mod to_pbx;
mod to_teams;
mod transitions;
mod unfollowed_calls;
