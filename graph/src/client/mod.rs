//! Requests to Graph with a token: paths, one fresh token after a 401, and the reading of pages.

mod batch;
mod declined;
mod directory_page;
mod pages;
mod presence;
mod subscription;
mod users;
mod write;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use awc::http::Method;
use m365_presence::identity::Credential;
use m365_presence::ports::{AccessToken, GraphError, Rejected, Tokens};
use m365_presence::traffic::Urgency;
use serde_json::Value;

use crate::endpoints::Endpoints;
use crate::http::{Answer, Content, Family, HttpClient, Request};
use crate::webhook::KeyRing;
pub(crate) use presence::{note, pair, sequence};
pub use users::DEFAULT_TEAMS_PLANS;

/// How long an answer may take where nothing says otherwise.
const DEADLINE: Duration = Duration::from_secs(20);

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
    teams_plans: Arc<Vec<String>>,
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
            teams_plans: Arc::new(settings.teams_plans.clone()),
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
}
