//! From the raw body of a notification to what it truly says (graph.md 4).
//!
//! The order matters. A client state that is none of ours ends the matter before anything is fetched or decrypted, so
//! a stranger can cost us no more than a parse. What carries resource data must show validation tokens that Entra
//! signed for us and for Microsoft's change tracking; only then is it decrypted, on the blocking pool. While Entra cannot
//! be asked for the keys, nobody can tell; then the content stays closed, and the item is a hint to read the user's
//! presence, so that an outage loses nothing. The same holds where our client state is right but Microsoft sends no tokens
//! at all, which is a misconfiguration, and where the content is for a key that we have lost. Each item of a body is
//! judged on its own.

mod cipher;
mod envelope;
mod item;
mod keys;
mod signing_keys;
mod token;

use std::rc::Rc;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use m365_presence::identity::TeamsId;
use m365_presence::ports::{AcceptedState, Body, Discard, Notice, NotificationOpener, Opened};
use m365_presence::teams::{Source, TeamsObservation};
use serde_json::Value;

use crate::client::{note, pair, sequence};
use crate::endpoints::Endpoints;
use crate::http::HttpClient;
use cipher::Sealed;
use envelope::Envelope;
use item::Reading;
pub use keys::{KeyRing, generate_notification_key};
use signing_keys::SigningKeys;
use token::{TokenCheck, Verdict};

/// Bodies above this many bytes are taken apart on the blocking pool; reading them takes about a tenth of a millisecond.
const LARGE: usize = 32 * 1024;

/// What the opener has to know about us.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// Domain or directory id; a domain's directory id is learned from Entra.
    pub tenant: String,
    /// The application ids for which tokens may be issued: the main one and those of the communication users.
    pub client_ids: Vec<String>,
}

/// What the validation tokens of a body say about its content.
#[derive(Clone, Copy)]
enum Vouched {
    /// Microsoft sent it to us.
    For,
    /// It is not to be believed.
    Against(Discard),
    /// Entra cannot be asked now.
    NotYet,
}

/// Opens notifications.
pub struct WebhookOpener {
    tenant: String,
    keys: Rc<KeyRing>,
    signing_keys: SigningKeys,
    check: TokenCheck,
}

impl WebhookOpener {
    /// Makes an opener that decrypts with any of `keys`.
    pub fn new(
        http: Rc<HttpClient>,
        endpoints: Endpoints,
        keys: Rc<KeyRing>,
        settings: WebhookSettings,
    ) -> Self {
        let tenant = settings.tenant.trim().to_lowercase();
        let check = TokenCheck::new(Rc::clone(&http), endpoints.clone(), settings.client_ids);
        let signing_keys = SigningKeys::new(http, endpoints, tenant.clone());
        Self {
            tenant,
            keys,
            signing_keys,
            check,
        }
    }

    async fn open_body(&self, body: Body, received_at: DateTime<Utc>, accepted: &[AcceptedState]) -> Opened {
        let Some(envelope) = take_apart(body, accepted).await else {
            return Opened {
                discarded: vec![Discard::Malformed],
                ..Opened::default()
            };
        };
        let mut opened = Opened {
            discarded: envelope.discarded,
            ..Opened::default()
        };
        if envelope.items.is_empty() {
            return opened;
        }
        let directory = self.signing_keys.directory().await;
        let items: Vec<(Value, Reading)> = envelope
            .items
            .into_iter()
            .map(|(item, kind)| {
                let reading = Reading::of(&item, &kind, received_at);
                (item, reading)
            })
            .collect();
        let sealed = |(_, reading): &(Value, Reading)| matches!(reading, Reading::Sealed(_));
        let vouched = if items.iter().any(sealed) {
            self.vouch(&envelope.tokens, directory.as_deref()).await
        } else {
            Vouched::For
        };
        let mut sealed = Vec::new();
        for (mut item, reading) in items {
            match reading {
                Reading::Discarded(reason) => opened.discarded.push(reason),
                _ if !self.is_our_tenant(&item, directory.as_deref()) => {
                    opened.discarded.push(Discard::WrongTenant);
                }
                Reading::Told(notice) => opened.notices.push(notice),
                Reading::Sealed(user) => match (vouched, self.sealed(&mut item)) {
                    (Vouched::Against(reason), _) | (Vouched::For, Err(reason)) => {
                        opened.discarded.push(reason);
                        if tells_of_a_change(reason) {
                            opened.notices.push(Notice::PresenceHint(user));
                        }
                    }
                    (Vouched::NotYet, _) => opened.notices.push(Notice::PresenceHint(user)),
                    (Vouched::For, Ok(content)) => sealed.push((user, content)),
                },
            }
        }
        let told_openly = !opened.notices.is_empty();
        self.unseal(sealed, received_at, &mut opened).await;
        opened.sealed = !told_openly && !opened.notices.is_empty();
        opened
    }

    /// An item that names a tenant must name ours; while our directory id is not learned, the client state decides.
    fn is_our_tenant(&self, item: &Value, directory: Option<&str>) -> bool {
        item::tenants(item).all(|tenant| {
            let tenant = tenant.to_lowercase();
            tenant == self.tenant || directory.is_none_or(|directory| directory == tenant)
        })
    }

    /// Judges every validation token of a body.
    async fn vouch(&self, tokens: &[String], directory: Option<&str>) -> Vouched {
        if tokens.is_empty() {
            return Vouched::Against(Discard::MissingToken);
        }
        let Some(directory) = directory else {
            return Vouched::NotYet;
        };
        let (mut good, mut open) = (false, false);
        for token in tokens {
            match self.check.judge(token, directory, &self.signing_keys).await {
                Verdict::Good => good = true,
                Verdict::Foreign => {}
                Verdict::Bad => return Vouched::Against(Discard::BadToken),
                Verdict::Open => open = true,
            }
        }
        match (open, good) {
            (true, _) => Vouched::NotYet,
            (false, true) => Vouched::For,
            (false, false) => Vouched::Against(Discard::BadToken),
        }
    }

    fn sealed(&self, item: &mut Value) -> Result<Sealed, Discard> {
        let content = item::take_content(item).ok_or(Discard::BadCiphertext)?;
        let id = item::certificate_id(&content).ok_or(Discard::BadCiphertext)?;
        let key = self.keys.find(id).ok_or(Discard::UnknownCertificate)?;
        Ok(Sealed::new(content, key))
    }

    async fn unseal(&self, sealed: Vec<(TeamsId, Sealed)>, received_at: DateTime<Utc>, opened: &mut Opened) {
        if sealed.is_empty() {
            return;
        }
        let (users, contents): (Vec<_>, Vec<_>) = sealed.into_iter().unzip();
        let unsealing = tokio::task::spawn_blocking(move || {
            contents
                .into_iter()
                .map(Sealed::open)
                .collect::<Vec<Option<Value>>>()
        });
        let contents = unsealing.await.unwrap_or_else(|_| vec![None; users.len()]);
        for (user, content) in users.into_iter().zip(contents) {
            match content {
                Some(content) if item::inner_user(&content).is_none_or(|inner| inner == user) => {
                    opened.notices.push(presence(user, &content, received_at));
                }
                _ => opened.discarded.push(Discard::BadCiphertext),
            }
        }
    }
}

impl NotificationOpener for WebhookOpener {
    fn open<'a>(
        &'a self,
        body: Body,
        received_at: DateTime<Utc>,
        accepted: &'a [AcceptedState],
    ) -> LocalBoxFuture<'a, Opened> {
        self.open_body(body, received_at, accepted).boxed_local()
    }
}

/// Takes a body apart: a large one on the blocking pool, for whoever sends it must not hold the actors up.
async fn take_apart(body: Body, accepted: &[AcceptedState]) -> Option<Envelope> {
    if body.len() <= LARGE {
        return Envelope::read(&body, accepted);
    }
    let accepted = accepted.to_vec();
    let taking = tokio::task::spawn_blocking(move || Envelope::read(&body, &accepted));
    taking.await.ok().flatten()
}

/// Whether content that is not believed still tells that something has changed, for nothing about it is forged.
fn tells_of_a_change(reason: Discard) -> bool {
    matches!(reason, Discard::MissingToken | Discard::UnknownCertificate)
}

/// Decrypted content that lacks a part of its state still tells that something changed.
fn presence(user: TeamsId, content: &Value, received_at: DateTime<Utc>) -> Notice {
    match pair(content) {
        Some(presence) => Notice::Presence(TeamsObservation {
            user,
            presence,
            note: note(content),
            sequence: sequence(content),
            source: Source::Notified { received_at },
        }),
        None => Notice::PresenceHint(user),
    }
}
