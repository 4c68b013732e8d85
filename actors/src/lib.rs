//! The supervisor and the actors.
//!
//! [`supervision`] knows nothing of presence. Each other room is the page of one actor, or what two of them share:
//!
//! | actor | the truth it holds |
//! |---|---|
//! | [`token_refresh`] | the access tokens |
//! | [`user_sync`] | the users of both sides and who matches whom |
//! | [`license_check`] | who holds the license, and so who is synchronised |
//! | [`presence_subscription`] | the Graph subscriptions |
//! | [`notification_keys`] | the key pairs for resource data |
//! | [`webhook_intake`] | which notifications are ours |
//! | [`presence_sweep`] | when presence was last read in bulk |
//! | [`pbx_dialler`] | whether the connection to a PBX that we dial stands, and why not |
//! | [`pbx_session`] | one PBX: its users, presence and calls |
//! | [`presence_sync`] | per user what either side shows and what we set there |
//!
//! Actors speak by messages only and reach the outside through the ports of `m365_presence`.

pub mod fair_queue;
pub mod intake_queue;
pub mod license_check;
pub mod notification_keys;
pub mod outage;
pub mod pbx_dialler;
pub mod pbx_session;
pub mod presence_subscription;
pub mod presence_sweep;
pub mod presence_sync;
pub mod sessions;
pub mod supervision;
pub mod token_refresh;
pub mod user_sync;
pub mod webhook_intake;
pub mod write_pace;
