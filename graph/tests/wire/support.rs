//! A scripted server with a journal, and the adapters wired to it.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use m365_graph::{
    Cloud, DEFAULT_TEAMS_PLANS, Endpoints, GraphClient, GraphClock, GraphSettings, HttpClient, KeyRing,
    client_config,
};
use m365_presence::clock::Clock;
use m365_presence::identity::Credential;
use m365_presence::ports::{AccessToken, Rejected, SignInError, Tokens};
use m365_presence::secret::Secret;
use serde_json::Value;

pub const APP: &str = "6dff92c6-2a32-4f6c-9d0a-6a2b0f8e1a10";
pub const NOTIFICATION_URL: &str = "https://connector.example.com/graph/notifications";
pub const LIFECYCLE_URL: &str = "https://connector.example.com/graph/lifecycle";

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub query: String,
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Seen {
    pub fn form(&self) -> HashMap<String, String> {
        url::form_urlencoded::parse(self.body.as_bytes())
            .into_owned()
            .collect()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }
}

/// What the server answers.
#[derive(Clone)]
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Reply {
    pub fn json(status: u16, body: Value) -> Self {
        Self::text(status, &body.to_string()).with("content-type", "application/json")
    }

    pub fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.to_owned(),
        }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

type Script = dyn Fn(&Seen) -> Reply + Send + Sync;

struct Stage {
    script: Box<Script>,
    journal: Mutex<Vec<Seen>>,
}

/// A server that answers by a script and keeps a journal.
pub struct Server {
    pub url: String,
    stage: Arc<Stage>,
    handle: actix_web::dev::ServerHandle,
}

impl Server {
    pub fn start(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let stage = Arc::new(Stage {
            script: Box::new(script),
            journal: Mutex::default(),
        });
        let shared = web::Data::from(Arc::clone(&stage));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::PayloadConfig::new(4 << 20))
                .app_data(shared.clone())
                .default_service(web::to(answer))
        })
        .workers(1)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        let running = server.run();
        let handle = running.handle();
        tokio::spawn(running);
        Self { url, stage, handle }
    }

    /// Everything that has arrived so far.
    pub fn journal(&self) -> Vec<Seen> {
        self.stage.journal.lock().unwrap().clone()
    }

    pub fn count(&self, path: &str) -> usize {
        self.journal()
            .iter()
            .filter(|seen| seen.path.ends_with(path))
            .count()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn answer(request: HttpRequest, body: web::Bytes, stage: web::Data<Stage>) -> HttpResponse {
    let headers = request
        .headers()
        .iter()
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                value.to_str().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    let seen = Seen {
        method: request.method().to_string(),
        path: request.path().to_owned(),
        query: request.query_string().to_owned(),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    stage.journal.lock().unwrap().push(seen.clone());
    let reply = (stage.script)(&seen);
    let mut response = HttpResponse::build(StatusCode::from_u16(reply.status).unwrap());
    for (name, value) in reply.headers {
        response.insert_header((name, value));
    }
    response.body(reply.body)
}

/// Gives out `token-1`, and a newer one whenever the newest is rejected.
#[derive(Default)]
pub struct CountingTokens {
    pub rejected: Cell<usize>,
    pub signed_out: Cell<bool>,
}

impl Tokens for CountingTokens {
    fn token<'a>(
        &'a self,
        _credential: &'a Credential,
        rejected: Option<&'a Rejected>,
    ) -> LocalBoxFuture<'a, Result<AccessToken, SignInError>> {
        async move {
            if self.signed_out.get() {
                return Err(SignInError::Lost {
                    detail: "no line".to_owned(),
                });
            }
            self.rejected
                .set(self.rejected.get() + usize::from(rejected.is_some()));
            Ok(AccessToken {
                secret: Secret::new(format!("token-{}", self.rejected.get() + 1)),
                expires_at: chrono::Utc::now() + chrono::TimeDelta::hours(1),
                lifetime: Duration::from_secs(3600),
            })
        }
        .boxed_local()
    }
}

/// The adapters, wired to a server that plays both Entra and Graph.
pub struct Rig {
    pub server: Server,
    pub clock: GraphClock,
    pub endpoints: Endpoints,
    pub http: Rc<HttpClient>,
    pub tokens: Rc<CountingTokens>,
    pub keys: Rc<KeyRing>,
    pub graph: GraphClient,
}

impl Rig {
    pub fn new(script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let server = Server::start(script);
        let clock = GraphClock::new();
        let shared: Rc<dyn Clock> = Rc::new(clock.clone());
        let http = Rc::new(HttpClient::new(client_config().unwrap(), shared));
        let endpoints = Endpoints::new(Cloud::Global, Some(&server.url), Some(&server.url)).unwrap();
        let tokens = Rc::new(CountingTokens::default());
        let keys = Rc::new(KeyRing::default());
        let settings = GraphSettings {
            client_id: APP.to_owned(),
            teams_plans: DEFAULT_TEAMS_PLANS.map(str::to_owned).to_vec(),
            notification_url: NOTIFICATION_URL.to_owned(),
            lifecycle_url: LIFECYCLE_URL.to_owned(),
        };
        let (tokens_port, keys_shared): (Rc<dyn Tokens>, _) = (tokens.clone(), keys.clone());
        let graph = GraphClient::new(
            http.clone(),
            endpoints.clone(),
            tokens_port,
            keys_shared,
            settings,
        );
        Self {
            server,
            clock,
            endpoints,
            http,
            tokens,
            keys,
            graph,
        }
    }
}

/// An error body of Graph's usual shape.
pub fn fault(code: &str, message: &str) -> Value {
    serde_json::json!({"error": {
        "code": code,
        "message": message,
        "innerError": {"date": "2026-08-13T13:03:10", "request-id": "e6ea1bde-9f04-46a8-9705-824047cfd611"},
    }})
}
