//! Validation tokens: proof that Microsoft sent a notification with resource data (graph.md 4.5).

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use aws_lc_rs::digest;
use chrono::DateTime;
use jsonwebtoken::{Algorithm, Validation};
use serde_json::Value;

use super::signing_keys::{Search, SigningKeys};
use crate::endpoints::{Endpoints, TokenVersion};
use crate::http::HttpClient;

/// Microsoft Graph Change Tracking, the only publisher of notifications.
const PUBLISHER: &str = "0bf30f3b-4a52-48df-9a82-234910c4a086";

/// Seconds by which clocks may differ even after correction.
const LEEWAY: f64 = 60.0;

/// Microsoft sends the same token for hours; more than this many different ones are not remembered.
const MOST_REMEMBERED: usize = 1024;

/// Longest token that is looked at.
const LONGEST: usize = 16 * 1024;

type Hash = [u8; 32];

/// What a validation token proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Microsoft sent the notification to us.
    Good,
    /// Microsoft sent it, but to another application or directory: it vouches for nothing of ours, and forges nothing. A
    /// body carries one token per application and directory that it has items for (graph.md 4.5).
    Foreign,
    /// It proves nothing.
    Bad,
    /// The key that it was signed with could not be looked up now.
    Open,
}

/// What a genuine token says of itself.
struct Claims<'a> {
    audience: &'a Value,
    tenant: &'a str,
    /// In seconds since the epoch.
    end: f64,
}

/// Judges validation tokens, and remembers the good ones until they end.
pub(super) struct TokenCheck {
    http: Rc<HttpClient>,
    endpoints: Endpoints,
    client_ids: Vec<String>,
    good: RefCell<HashMap<Hash, f64>>,
}

impl TokenCheck {
    pub(super) fn new(http: Rc<HttpClient>, endpoints: Endpoints, client_ids: Vec<String>) -> Self {
        Self {
            http,
            endpoints,
            client_ids,
            good: RefCell::default(),
        }
    }

    /// Judges whether Entra signed this token for one of our applications, in our directory, for Microsoft's change
    /// tracking, and for now. A good one is remembered until it ends, for Microsoft sends the same for hours.
    pub(super) async fn judge(&self, token: &str, directory: &str, keys: &SigningKeys) -> Verdict {
        let Some(hash) = hash(token).filter(|_| token.len() <= LONGEST) else {
            return Verdict::Bad;
        };
        if self
            .good
            .borrow()
            .get(&hash)
            .is_some_and(|end| self.now() < end + LEEWAY)
        {
            return Verdict::Good;
        }
        let claims = match verified(token, keys).await {
            Ok(claims) => claims,
            Err(verdict) => return verdict,
        };
        let Some(claims) = self.genuine(&claims) else {
            return Verdict::Bad;
        };
        if !self.is_for_us(claims.audience) || !claims.tenant.eq_ignore_ascii_case(directory) {
            return Verdict::Foreign;
        }
        self.remember(hash, claims.end);
        Verdict::Good
    }

    /// What a signed token says of itself, where Entra issued it to Microsoft's change tracking, for now.
    fn genuine<'a>(&self, claims: &'a Value) -> Option<Claims<'a>> {
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let publisher = match version(claims)? {
            TokenVersion::One => text("appid")?,
            TokenVersion::Two => text("azp")?,
        };
        let tenant = text("tid")?;
        let issuer = text("iss")?.trim_end_matches('/');
        let issuers = self.endpoints.issuers(&tenant.to_ascii_lowercase());
        let end = claims.get("exp")?.as_f64()?;
        let start = claims.get("nbf").map_or(Some(0.0), Value::as_f64)?;
        let good = publisher.eq_ignore_ascii_case(PUBLISHER)
            && issuers
                .iter()
                .any(|known| issuer.eq_ignore_ascii_case(known.trim_end_matches('/')))
            && self.now() < end + LEEWAY
            && self.now() + LEEWAY >= start;
        good.then_some(Claims {
            audience: claims.get("aud")?,
            tenant,
            end,
        })
    }

    fn is_for_us(&self, audience: &Value) -> bool {
        let named = audience
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or(std::slice::from_ref(audience));
        named.iter().filter_map(Value::as_str).any(|named| {
            self.client_ids
                .iter()
                .any(|ours| named.eq_ignore_ascii_case(ours))
        })
    }

    /// Seconds since the epoch, on Graph's clock.
    fn now(&self) -> f64 {
        (self.http.clock().now() - DateTime::UNIX_EPOCH).as_seconds_f64()
    }

    fn remember(&self, hash: Hash, end: f64) {
        let now = self.now();
        let mut good = self.good.borrow_mut();
        if good.len() >= MOST_REMEMBERED {
            good.retain(|_, end| now < *end);
        }
        if good.len() < MOST_REMEMBERED {
            good.insert(hash, end);
        }
    }
}

/// The claims of a token with a good signature, or what is to be thought of the token without them. Only RS256 is
/// taken, whatever the token itself asks for.
async fn verified(token: &str, keys: &SigningKeys) -> Result<Value, Verdict> {
    let (kid, version) = wanted_key(token).ok_or(Verdict::Bad)?;
    let key = match keys.find(&kid, version).await {
        Search::Found(key) => key,
        Search::Unknown => return Err(Verdict::Bad),
        Search::Unanswered => return Err(Verdict::Open),
    };
    let mut validation = Validation::new(Algorithm::RS256);
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let claims = jsonwebtoken::decode::<Value>(token, &key.key, &validation)
        .map(|token| token.claims)
        .map_err(|_| Verdict::Bad)?;
    let tenant = claims.get("tid").and_then(Value::as_str).unwrap_or_default();
    if key.signs_for(tenant) {
        Ok(claims)
    } else {
        Err(Verdict::Bad)
    }
}

/// The key that a token names. What is read before the signature only chooses where to look for the key first.
fn wanted_key(token: &str) -> Option<(String, TokenVersion)> {
    let header = jsonwebtoken::decode_header(token)
        .ok()
        .filter(|header| header.alg == Algorithm::RS256)?;
    let claimed: Value = jsonwebtoken::dangerous::insecure_decode_claims(token).ok()?;
    Some((header.kid.or(header.x5t)?, version(&claimed)?))
}

fn version(claims: &Value) -> Option<TokenVersion> {
    match claims.get("ver")?.as_str()? {
        "1.0" => Some(TokenVersion::One),
        "2.0" => Some(TokenVersion::Two),
        _ => None,
    }
}

fn hash(token: &str) -> Option<Hash> {
    digest::digest(&digest::SHA256, token.as_bytes())
        .as_ref()
        .try_into()
        .ok()
}
