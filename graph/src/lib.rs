#![doc = include_str!("../README.md")]

mod certificate;
mod client;
mod clock;
mod cloud;
mod endpoints;
mod fault;
mod http;
mod identity;
mod tls;
mod webhook;

pub use certificate::{Certificate, Validity};
pub use client::{DEFAULT_TEAMS_PLANS, GraphClient, GraphSettings};
pub use clock::GraphClock;
pub use cloud::Cloud;
pub use endpoints::{EndpointError, Endpoints};
pub use http::{HttpClient, LostHost, Reach};
pub use identity::{
    AppRegistration, CommunicationUser, EntraIdentity, IdentitySettings, Proof, ProofError,
    judge_client_certificate,
};
pub use tls::{client_config, client_config_trusting, trusted_roots};
pub use webhook::{KeyRing, WebhookOpener, WebhookSettings, generate_notification_key};
