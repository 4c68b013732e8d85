//! A cloud with one tenant, one app and one communication user; a tiny client; a listener for notifications.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_web::{App as WebApp, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, web};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use m365_simulator::{
    journal::Journal,
    microsoft::{Account, App, Control, MicrosoftCloud, Options, Pair, SigningKey, Tenant, User},
};
use serde_json::{Value, json};
use url::form_urlencoded;
use uuid::Uuid;

pub const PATIENCE: Duration = Duration::from_secs(20);
pub const PASSWORD: &str = "p&ä*(+ ) %='!~#\";<>";

pub struct Stage {
    pub cloud: MicrosoftCloud,
    pub control: Control,
    pub tenant: Tenant,
    pub app: App,
    pub http: awc::Client,
}

pub struct Reply {
    pub status: u16,
    pub headers: awc::http::header::HeaderMap,
    pub body: Value,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    pub fn message(&self) -> &str {
        self.body["error"]["message"].as_str().unwrap_or_default()
    }
}

impl Stage {
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    pub fn with(options: Options) -> Self {
        let cloud = MicrosoftCloud::start(options).unwrap();
        let control = cloud.control();
        let tenant = Tenant::new("contoso.onmicrosoft.com");
        control.add_tenant(tenant.clone());
        let app = App::synchroniser(tenant.id, "s3cret");
        control.put_app(app.clone());
        control.add_account(Account::new(tenant.id, "presence@contoso.com", PASSWORD));
        let http = awc::Client::builder()
            .disable_redirects()
            .timeout(PATIENCE)
            .finish();
        Self {
            cloud,
            control,
            tenant,
            app,
            http,
        }
    }

    pub fn token_url(&self) -> String {
        format!("{}/{}/oauth2/v2.0/token", self.cloud.login_url(), self.tenant.id)
    }

    pub async fn form(&self, url: &str, fields: &[(&str, &str)]) -> Reply {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.raw_form(url, &body).await
    }

    pub async fn raw_form(&self, url: &str, body: &str) -> Reply {
        let request = self
            .http
            .post(url)
            .insert_header(("Content-Type", "application/x-www-form-urlencoded"));
        reply(request.send_body(body.to_owned()).await.unwrap()).await
    }

    pub async fn sign_in(&self, username: &str, password: &str) -> Reply {
        let client = self.app.client_id.to_string();
        let scope = "https://graph.microsoft.com/Presence.Read.All https://graph.microsoft.com/User.Read.All offline_access openid";
        let fields = [
            ("client_id", client.as_str()),
            ("grant_type", "password"),
            ("username", username),
            ("password", password),
            ("client_secret", "s3cret"),
            ("scope", scope),
        ];
        self.form(&self.token_url(), &fields).await
    }

    pub async fn app_sign_in(&self, secret: &str) -> Reply {
        let client = self.app.client_id.to_string();
        let fields = [
            ("client_id", client.as_str()),
            ("grant_type", "client_credentials"),
            ("client_secret", secret),
            ("scope", "https://graph.microsoft.com/.default"),
        ];
        self.form(&self.token_url(), &fields).await
    }

    pub async fn user_token(&self) -> String {
        let reply = self.sign_in("presence@contoso.com", PASSWORD).await;
        reply.body["access_token"]
            .as_str()
            .expect("a user token")
            .to_owned()
    }

    pub async fn app_token(&self) -> String {
        let reply = self.app_sign_in("s3cret").await;
        reply.body["access_token"]
            .as_str()
            .expect("an app token")
            .to_owned()
    }

    pub async fn get(&self, token: &str, path: &str) -> Reply {
        let url = format!("{}{path}", self.cloud.graph_url());
        self.get_url(token, &url, true).await
    }

    pub async fn get_url(&self, token: &str, url: &str, eventual: bool) -> Reply {
        let mut request = self.http.get(url).bearer_auth(token);
        if eventual {
            request = request.insert_header(("ConsistencyLevel", "eventual"));
        }
        reply(request.send().await.unwrap()).await
    }

    pub async fn call(&self, method: &str, token: &str, path: &str, body: &Value) -> Reply {
        self.try_call(method, token, path, body).await.unwrap()
    }

    pub async fn try_call(
        &self,
        method: &str,
        token: &str,
        path: &str,
        body: &Value,
    ) -> Result<Reply, String> {
        let url = format!("{}{path}", self.cloud.graph_url());
        let request = self.http.request(method.parse().unwrap(), url).bearer_auth(token);
        let mut response = request.send_json(body).await.map_err(|error| error.to_string())?;
        let body = response.body().await.map_err(|error| error.to_string())?;
        Ok(Reply {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: serde_json::from_slice(&body).unwrap_or_default(),
        })
    }

    pub async fn post(&self, token: &str, path: &str, body: &Value) -> Reply {
        self.call("POST", token, path, body).await
    }

    pub fn add_person(&self, name: &str) -> Uuid {
        let user = User::new(
            name,
            &format!("{}@contoso.com", name.to_lowercase().replace(' ', ".")),
        );
        let id = user.id;
        self.control.put_user(self.tenant.id, user);
        id
    }

    pub async fn subscribe(&self, token: &str, body: &Value) -> Reply {
        self.post(token, "/v1.0/subscriptions", body).await
    }

    pub fn busy(&self, user: Uuid) {
        self.control
            .set_client(user, "desktop", Pair::new("Busy", "InAMeeting"));
    }

    pub fn in_minutes(&self, minutes: i64) -> String {
        let time = self.control.now() + chrono::TimeDelta::minutes(minutes);
        time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
    }

    pub fn presence_subscription(&self, users: &[Uuid], listener: &Listener) -> Value {
        let ids: Vec<String> = users.iter().map(|user| format!("'{user}'")).collect();
        json!({
            "changeType": "updated",
            "notificationUrl": listener.url("/graph/notifications"),
            "lifecycleNotificationUrl": listener.url("/graph/lifecycle"),
            "resource": format!("/communications/presences?$filter=id in ({})", ids.join(",")),
            "expirationDateTime": self.in_minutes(50),
            "clientState": "our-client-state",
        })
    }

    pub fn rich_subscription(&self, users: &[Uuid], listener: &Listener, key: &SigningKey) -> Value {
        let mut body = self.presence_subscription(users, listener);
        body["includeResourceData"] = json!(true);
        body["encryptionCertificate"] = json!(STANDARD.encode(key.certificate_der()));
        body["encryptionCertificateId"] = json!("cert-1");
        body
    }
}

pub async fn reply<S>(mut response: awc::ClientResponse<S>) -> Reply
where
    S: futures_util::Stream<Item = Result<web::Bytes, awc::error::PayloadError>>,
{
    let body = response.body().limit(32 << 20).await.unwrap();
    Reply {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    }
}

/// One POST that the listener got.
#[derive(Clone, Debug)]
pub struct Post {
    pub path: String,
    pub query: String,
    pub body: Value,
    pub text: String,
}

/// Listens for notifications on a thread of its own; answers with the ordered statuses first, then 202.
pub struct Listener {
    address: String,
    pub posts: Journal<Post>,
    orders: Arc<Mutex<VecDeque<Order>>>,
    handle: ServerHandle,
}

#[derive(Clone, Copy, Debug)]
pub enum Order {
    Status(u16),
    Sleep(Duration),
    WrongToken,
}

impl Listener {
    pub fn start() -> Self {
        let posts = Journal::new(10_000);
        let orders = Arc::new(Mutex::new(VecDeque::new()));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (sender, receiver) = std::sync::mpsc::channel();
        let (journal, shared) = (posts.clone(), Arc::clone(&orders));
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    WebApp::new()
                        .app_data(web::PayloadConfig::new(8 << 20))
                        .app_data(web::Data::new(journal.clone()))
                        .app_data(web::Data::from(Arc::clone(&shared)))
                        .default_service(web::to(receive))
                });
                let server = server
                    .workers(1)
                    .disable_signals()
                    .shutdown_timeout(0)
                    .listen(listener)
                    .unwrap()
                    .run();
                sender.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self {
            address,
            posts,
            orders,
            handle: receiver.recv().unwrap(),
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    pub fn order(&self, order: Order) {
        self.orders.lock().unwrap().push_back(order);
    }

    /// Waits for a notification body that is accepted.
    pub async fn wait(&self, mut wanted: impl FnMut(&Value) -> bool) -> Value {
        let found = self
            .posts
            .awaited(0, |post| post.query.is_empty() && wanted(&post.body), PATIENCE)
            .await;
        found.expect("a notification").body
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

async fn receive(
    request: HttpRequest,
    body: web::Bytes,
    posts: web::Data<Journal<Post>>,
    orders: web::Data<Mutex<VecDeque<Order>>>,
) -> HttpResponse {
    let order = orders.lock().unwrap().pop_front();
    if let Some(Order::Sleep(wait)) = order {
        tokio::time::sleep(wait).await;
    }
    let query = request.query_string().to_owned();
    let token = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "validationToken");
    let answer = match (order, token) {
        (Some(Order::Status(status)), _) => HttpResponse::build(status.try_into().unwrap()).finish(),
        (Some(Order::WrongToken), _) => HttpResponse::Ok()
            .content_type("text/plain")
            .body("something else"),
        (_, Some((_, token))) => HttpResponse::Ok()
            .content_type("text/plain")
            .body(token.into_owned()),
        _ => HttpResponse::Accepted().finish(),
    };
    posts.get_ref().record(Post {
        path: request.path().to_owned(),
        query,
        body: serde_json::from_slice(&body).unwrap_or_default(),
        text: String::from_utf8_lossy(&body).into_owned(),
    });
    answer
}

/// Subscribes the communication user to one presence, basically.
pub async fn subscribed(stage: &Stage, listener: &Listener, user: Uuid) -> Uuid {
    let body = stage.presence_subscription(&[user], listener);
    let reply = stage.subscribe(&stage.user_token().await, &body).await;
    reply.body["id"]
        .as_str()
        .expect("a subscription")
        .parse()
        .unwrap()
}

/// Subscribes the communication user to one presence, richly.
pub async fn richly(stage: &Stage, listener: &Listener, user: Uuid, key: &SigningKey) -> Uuid {
    let body = stage.rich_subscription(&[user], listener, key);
    let reply = stage.subscribe(&stage.user_token().await, &body).await;
    reply.body["id"]
        .as_str()
        .expect("a subscription")
        .parse()
        .unwrap()
}
