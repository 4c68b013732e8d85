//! Entra's signing keys, and our directory's id: both learned from Entra and kept (graph.md 1.1).
//!
//! Signing keys change at any time. An unknown one is looked up at once, so that the notification that needs it is
//! judged by it; but once per key and ten times a minute at most, for a stranger may invent as many as he likes.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use awc::http::Method;
use jsonwebtoken::DecodingKey;
use m365_presence::traffic::Urgency;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::endpoints::{Endpoints, TokenVersion};
use crate::fault::member;
use crate::http::{Content, Family, HttpClient, Request, Unanswered};

const DEADLINE: Duration = Duration::from_secs(10);

/// Keys that Entra has withdrawn are forgotten within this time.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// How often keys are looked up at most.
const LOOKUPS: usize = 10;
const LOOKUPS_PER: Duration = Duration::from_secs(60);

/// How long a key that Entra does not know is not asked for again: Entra's own servers learn of a new one in minutes.
const UNKNOWN_FOR: Duration = Duration::from_secs(300);

/// Bound of what is remembered of unknown keys.
const MOST_UNKNOWN: usize = 1000;

/// What stands for the directory in the issuer of a key that signs for all of them (graph.md 1.1).
const ANY_TENANT: &str = "{tenantid}";

/// How long a discovery document that could not be read is left alone.
const DISCOVERY_PAUSE: Duration = Duration::from_secs(30);

#[derive(Default)]
struct Known {
    keys: HashMap<String, Rc<SigningKey>>,
    fetched_at: Option<Instant>,
    unknown: HashMap<String, Instant>,
    lookups: VecDeque<Instant>,
    directory: Option<String>,
    discovery_after: Option<Instant>,
}

/// A key by which Entra signs.
pub(super) struct SigningKey {
    pub(super) key: DecodingKey,
    /// Whose tokens it signs, where the document says so: a template for every directory, or one directory's issuer.
    issuer: Option<String>,
}

impl SigningKey {
    /// Whether it signs tokens of this directory. A document for everybody lists keys of single directories as well.
    pub(super) fn signs_for(&self, tenant: &str) -> bool {
        self.issuer.as_ref().is_none_or(|issuer| {
            let issuer = issuer.to_ascii_lowercase();
            issuer.contains(ANY_TENANT) || issuer.contains(&tenant.to_ascii_lowercase())
        })
    }
}

/// What is known of a signing key.
pub(super) enum Search {
    /// The key.
    Found(Rc<SigningKey>),
    /// Entra does not know it.
    Unknown,
    /// Entra could not be asked now.
    Unanswered,
}

/// The keys by which Entra's tokens are verified.
pub(super) struct SigningKeys {
    http: Rc<HttpClient>,
    endpoints: Endpoints,
    tenant: String,
    known: RefCell<Known>,
    /// Held while asking Entra: whoever needs the same answer waits for it instead of asking too.
    turn: Mutex<()>,
}

impl SigningKeys {
    pub(super) fn new(http: Rc<HttpClient>, endpoints: Endpoints, tenant: String) -> Self {
        let directory = uuid::Uuid::parse_str(&tenant).ok().map(|id| id.to_string());
        let known = RefCell::new(Known {
            directory,
            ..Known::default()
        });
        Self {
            http,
            endpoints,
            tenant,
            known,
            turn: Mutex::new(()),
        }
    }

    /// The key of this id, looked up when it is unknown.
    pub(super) async fn find(&self, kid: &str, version: TokenVersion) -> Search {
        if let Some(key) = self.known.borrow().fresh(kid) {
            return Search::Found(key);
        }
        let _turn = self.turn.lock().await;
        let may_ask = {
            let mut known = self.known.borrow_mut();
            match known.fresh(kid) {
                Some(key) => return Search::Found(key),
                None => known.may_ask(kid),
            }
        };
        if may_ask {
            self.look_up(kid, version).await;
        }
        let known = self.known.borrow();
        match known.keys.get(kid) {
            Some(key) => Search::Found(Rc::clone(key)),
            None if known.unknown.contains_key(kid) => Search::Unknown,
            None => Search::Unanswered,
        }
    }

    /// Our directory's id in lower case, learned from the discovery document when the tenant is a domain; `None`
    /// while that is not possible.
    pub(super) async fn directory(&self) -> Option<String> {
        if let Some(directory) = self.known.borrow().directory.clone() {
            return Some(directory);
        }
        let _turn = self.turn.lock().await;
        {
            let known = self.known.borrow();
            let paused = known.discovery_after.is_some_and(|after| Instant::now() < after);
            if known.directory.is_some() || paused {
                return known.directory.clone();
            }
        }
        let document = self
            .fetch(&self.endpoints.openid_configuration(&self.tenant))
            .await;
        let directory = document.ok().flatten().as_ref().and_then(directory);
        let mut known = self.known.borrow_mut();
        known.discovery_after = Some(Instant::now() + DISCOVERY_PAUSE);
        known.directory.clone_from(&directory);
        directory
    }

    /// Reads the first document of keys that there is; the others stand in where Entra does not serve it.
    async fn look_up(&self, kid: &str, version: TokenVersion) {
        for url in self.endpoints.signing_keys(&self.tenant, version) {
            match self.fetch(&url).await {
                Ok(Some(document)) => {
                    let found = keys(&document);
                    log::info!(found = found.contains_key(kid); "unknown signing key looked up");
                    self.known.borrow_mut().take_in(kid, found);
                    return;
                }
                Ok(None) => {}
                Err(Unanswered::Patience(_) | Unanswered::Unreachable { left: false, .. }) => {
                    // nobody was asked, so that it does not count
                    self.known.borrow_mut().lookups.pop_back();
                    return;
                }
                Err(reason) => {
                    log::info!(reason:% = reason; "signing keys not readable");
                    return;
                }
            }
        }
    }

    /// Reads a document; `None` when Entra answers, but not with one.
    async fn fetch(&self, url: &str) -> Result<Option<Value>, Unanswered> {
        let request = Request {
            family: Family::SigningKeys,
            credential: None,
            urgency: Urgency::Renewal,
            cost: 1,
            method: Method::GET,
            url,
            bearer: None,
            headers: &[],
            content: &Content::Empty,
            deadline: DEADLINE,
        };
        let answer = self.http.send(request).await?;
        Ok(answer.json().filter(|_| answer.is_success()))
    }
}

impl Known {
    fn fresh(&self, kid: &str) -> Option<Rc<SigningKey>> {
        let fresh = self.fetched_at.is_some_and(|at| at.elapsed() < KEPT);
        self.keys.get(kid).filter(|_| fresh).cloned()
    }

    /// Counts one lookup, unless there were too many or this one was in vain already.
    fn may_ask(&mut self, kid: &str) -> bool {
        let now = Instant::now();
        self.unknown.retain(|_, since| since.elapsed() < UNKNOWN_FOR);
        self.lookups.retain(|at| at.elapsed() < LOOKUPS_PER);
        let may = !self.unknown.contains_key(kid) && self.lookups.len() < LOOKUPS;
        if may {
            self.lookups.push_back(now);
        }
        may
    }

    fn take_in(&mut self, kid: &str, found: HashMap<String, Rc<SigningKey>>) {
        let now = Instant::now();
        if !found.contains_key(kid) && self.unknown.len() < MOST_UNKNOWN {
            self.unknown.insert(kid.to_owned(), now);
        }
        if self.fetched_at.is_none_or(|at| at.elapsed() >= KEPT) {
            self.keys.clear();
            self.fetched_at = Some(now);
        }
        self.keys.extend(found);
    }
}

/// The RSA keys of a document; whatever else stands there is passed over.
fn keys(document: &Value) -> HashMap<String, Rc<SigningKey>> {
    let items = member(document, "keys")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    items
        .iter()
        .filter_map(|item| {
            let text = |name| item.get(name).and_then(Value::as_str);
            let usable = text("kty") == Some("RSA") && text("use").is_none_or(|purpose| purpose == "sig");
            let key = DecodingKey::from_rsa_components(text("n")?, text("e")?)
                .ok()
                .filter(|_| usable)?;
            let issuer = text("issuer").map(str::to_owned);
            // both names are the same (graph.md 1.1)
            let id = text("kid").or_else(|| text("x5t"))?;
            Some((id.to_owned(), Rc::new(SigningKey { key, issuer })))
        })
        .collect()
}

/// The directory's id from the issuer `https://host/ID/v2.0`.
fn directory(document: &Value) -> Option<String> {
    let issuer = url::Url::parse(member(document, "issuer")?.as_str()?).ok()?;
    let id = issuer
        .path_segments()?
        .find(|segment| !segment.is_empty() && *segment != "v2.0")?
        .to_lowercase();
    id.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
        .then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_directory_is_read_from_the_issuer_unless_it_is_a_template() {
        let id = "e0bd2321-07fa-4cf0-87b8-00aa2a747329";
        let document = json!({"issuer": format!("https://login.microsoftonline.com/{id}/v2.0")});
        assert_eq!(directory(&document).as_deref(), Some(id));
        for issuer in [
            "https://login.microsoftonline.com/{tenantid}/v2.0",
            "https://x/",
            "",
            "x",
        ] {
            assert_eq!(directory(&json!({"issuer": issuer})), None, "{issuer}");
        }
    }

    #[test]
    fn odd_keys_are_passed_over() {
        let document = json!({"keys": [
            7, {}, {"kty": "EC", "kid": "a"}, {"kty": "RSA", "kid": "b", "n": "!", "e": "AQAB"},
            {"kty": "RSA", "use": "enc", "kid": "c", "n": "AQAB", "e": "AQAB"},
            {"kty": "RSA", "kid": "d", "n": "AQAB", "e": "AQAB", "issuer": "x"},
        ]});
        assert_eq!(keys(&document).into_keys().collect::<Vec<_>>(), ["d"]);
    }

    #[tokio::test(start_paused = true)]
    async fn lookups_are_few_and_once_per_key() {
        let mut known = Known::default();
        let allowed = (0..100)
            .filter(|number| known.may_ask(&number.to_string()))
            .count();
        assert_eq!(allowed, LOOKUPS);
        tokio::time::sleep(LOOKUPS_PER).await;
        assert!(known.may_ask("invented"));
        known.take_in("invented", HashMap::new());
        assert!(!known.may_ask("invented"));
    }
}
