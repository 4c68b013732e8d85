//! Requests to Graph with a token: paths, one fresh token after a 401, and the reading of pages.

mod batch;
mod declined;
mod presence;
mod subscription;
mod users;
mod write;

use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use awc::http::{Method, Uri};
use m365_presence::identity::Credential;
use m365_presence::ports::{AccessToken, GraphError, Rejected, Tokens};
use m365_presence::traffic::Urgency;
use serde_json::Value;

use crate::endpoints::Endpoints;
use crate::fault::{member, refusal, unreadable};
use crate::http::{Answer, Content, Family, HttpClient, Request};
use crate::webhook::KeyRing;
pub(crate) use presence::{pair, sequence};
pub use users::DEFAULT_TEAMS_PLANS;

/// How long an answer may take where nothing says otherwise.
const DEADLINE: Duration = Duration::from_secs(20);

/// A page of 999 users is slow to make and large to carry.
const PAGE_DEADLINE: Duration = Duration::from_secs(60);

/// More pages than the largest directory has; beyond it the links lead in circles.
const MOST_PAGES: usize = 10_000;

/// What the adapter for Graph has to know.
#[derive(Clone, Debug)]
pub struct GraphSettings {
    /// The app registration's id: the session of every presence that we set (graph.md 5.2).
    pub client_id: String,
    /// Ids of the service plans that make a Teams user, e.g. [`DEFAULT_TEAMS_PLANS`].
    pub teams_plans: Vec<String>,
    /// Where change notifications go.
    pub notification_url: String,
    /// Where lifecycle notifications go.
    pub lifecycle_url: String,
}

/// Talks to Graph: users, presence and subscriptions.
pub struct GraphClient {
    http: Rc<HttpClient>,
    endpoints: Endpoints,
    tokens: Rc<dyn Tokens>,
    keys: Rc<KeyRing>,
    settings: GraphSettings,
}

/// A request that needs a token.
struct Call<'a> {
    credential: &'a Credential,
    family: Family,
    method: Method,
    url: &'a str,
    headers: &'a [(&'static str, &'static str)],
    content: Content,
    urgency: Urgency,
    cost: u32,
    deadline: Duration,
}

impl<'a> Call<'a> {
    fn new(credential: &'a Credential, family: Family, method: Method, url: &'a str) -> Self {
        Self {
            credential,
            family,
            method,
            url,
            headers: &[],
            content: Content::Empty,
            urgency: match family {
                Family::Subscriptions | Family::SubscriptionList => Urgency::Renewal,
                _ => Urgency::Sweep,
            },
            cost: 1,
            deadline: DEADLINE,
        }
    }

    fn json(self, value: Value) -> Self {
        Self {
            content: Content::Json(value),
            ..self
        }
    }
}

impl GraphClient {
    /// Makes the adapter. Rich subscriptions are encrypted for the newest of `keys`.
    pub fn new(
        http: Rc<HttpClient>,
        endpoints: Endpoints,
        tokens: Rc<dyn Tokens>,
        keys: Rc<KeyRing>,
        settings: GraphSettings,
    ) -> Self {
        Self {
            http,
            endpoints,
            tokens,
            keys,
            settings,
        }
    }

    /// Sends a request; after a 401 once more with a fresh token. Every answer is returned, whatever its status.
    async fn call(&self, call: Call<'_>) -> Result<Answer, GraphError> {
        let token = self.token(call.credential, None).await?;
        let request = |bearer| Request {
            family: call.family,
            credential: Some(call.credential),
            urgency: call.urgency,
            cost: call.cost,
            method: call.method.clone(),
            url: call.url,
            bearer: Some(bearer),
            headers: call.headers,
            content: &call.content,
            deadline: call.deadline,
        };
        let answer = self.http.send(request(&token.secret)).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        log::info!(
            request_id = answer.request_id.as_str(), challenged = answer.claims.is_some();
            "graph rejects a token, fetching a fresh one"
        );
        let rejected = Rejected {
            token: token.clone(),
            claims: answer.claims,
        };
        let fresh = self.token(call.credential, Some(&rejected)).await?;
        Ok(self.http.send(request(&fresh.secret)).await?)
    }

    async fn token(
        &self,
        credential: &Credential,
        rejected: Option<&Rejected>,
    ) -> Result<AccessToken, GraphError> {
        let granted = self.tokens.token(credential, rejected).await;
        if *credential == Credential::App {
            self.http.reach().note_signed_out(granted.is_err());
        }
        granted.map_err(|error| GraphError::NotSignedIn {
            credential: credential.clone(),
            error,
        })
    }

    /// Reads every page of a list, or none of it.
    async fn pages(
        &self,
        credential: &Credential,
        family: Family,
        first: String,
        headers: &[(&'static str, &'static str)],
    ) -> Result<Vec<Value>, GraphError> {
        let mut items = Vec::new();
        let mut seen = HashSet::new();
        let mut next = Some(first);
        while let Some(url) = next {
            let call = Call {
                headers,
                deadline: PAGE_DEADLINE,
                ..Call::new(credential, family, Method::GET, &url)
            };
            let answer = self.call(call).await?;
            if !answer.is_success() {
                return Err(refusal(&answer));
            }
            let mut page = answer.json().ok_or_else(|| unreadable("page"))?;
            match page.get_mut("value").map(Value::take) {
                Some(Value::Array(value)) => items.extend(value),
                _ => return Err(unreadable("page")),
            }
            next = member(&page, "@odata.nextLink")
                .map(|link| self.next_link(link))
                .transpose()?;
            if !seen.insert(url) || seen.len() > MOST_PAGES {
                return Err(unreadable("list, because its pages have no end"));
            }
        }
        Ok(items)
    }

    /// Takes a link to the next page as it is, unless it would carry the token to another host (graph.md 2.1).
    fn next_link(&self, link: &Value) -> Result<String, GraphError> {
        let link = link.as_str().ok_or_else(|| unreadable("page"))?;
        let origin = link.parse::<Uri>();
        match origin {
            Ok(uri) if self.endpoints.leads_to_graph(&uri) => Ok(link.to_owned()),
            other => {
                let host = other
                    .ok()
                    .and_then(|uri| Some(uri.authority()?.host().to_owned()));
                Err(GraphError::Refused {
                    status: 421,
                    code: "ForeignNextLink".to_owned(),
                    message: format!(
                        "the next page is said to be at {}, which is not the graph host and gets no token",
                        host.as_deref().unwrap_or("an address that does not parse")
                    ),
                })
            }
        }
    }
}
