//! A simulated cloud whose POSTs are caught, and an opener that reads them as the connector does.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::rc::Rc;

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::PrivateDecryptingKey;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{TimeDelta, Utc};
use m365_graph::{
    Cloud, Endpoints, GraphClock, HttpClient, KeyRing, WebhookOpener, WebhookSettings,
    generate_notification_key,
};
use m365_presence::clock::Clock as _;
use m365_presence::identity::Account;
use m365_presence::ports::{
    AcceptedState, Body, KeyPairs as _, NotificationKey, NotificationOpener as _, Opened, SubscriptionKind,
};
use m365_presence::secret::Secret;
use m365_simulator::microsoft::{App, Lock, MicrosoftCloud, Options, Pair, Subscription, Tenant, User};

const CLIENT_STATE: &str = "the client state of the benchmark";

/// How many notifications a full POST carries.
pub const FULL: usize = 50;

/// The cloud, and our opener.
pub struct Post {
    cloud: MicrosoftCloud,
    app: App,
    tenant: Tenant,
    key: NotificationKey,
    opener: WebhookOpener,
    clock: Rc<GraphClock>,
    accepted: [AcceptedState; 1],
}

impl Post {
    /// Wires everything, on the thread of an actix system.
    pub fn new() -> Self {
        let cloud = MicrosoftCloud::start(Options::default()).unwrap();
        let tenant = Tenant::new("contoso.example");
        let app = App::synchroniser(tenant.id, "client~secret");
        cloud.control().add_tenant(tenant.clone());
        cloud.control().put_app(app.clone());
        let key = generate_notification_key(Utc::now()).unwrap();
        let clock = Rc::new(GraphClock::new());
        let http = Rc::new(HttpClient::new(
            m365_graph::client_config().unwrap(),
            Rc::clone(&clock) as Rc<_>,
        ));
        let endpoints =
            Endpoints::new(Cloud::Global, Some(cloud.login_url()), Some(cloud.graph_url())).unwrap();
        let settings = WebhookSettings {
            tenant: tenant.id.to_string(),
            client_ids: vec![app.client_id.to_string()],
        };
        let keys = Rc::new(KeyRing::default());
        keys.take_in(&key).unwrap();
        Self {
            opener: WebhookOpener::new(http, endpoints, keys, settings),
            cloud,
            app,
            tenant,
            key,
            clock,
            accepted: [AcceptedState {
                client_state: Secret::new(CLIENT_STATE),
                kind: SubscriptionKind::Presence(Account::new("presence@contoso.example")),
            }],
        }
    }

    /// Opens a POST as the intake does.
    pub async fn open(&self, body: &Body) -> Opened {
        self.opener
            .open(body.clone(), self.clock.now(), &self.accepted)
            .await
    }

    /// Lets `count` users change and catches the POST that tells so.
    pub fn caught(&self, count: usize, rich: bool) -> Body {
        let control = self.cloud.control();
        let users: Vec<User> = (0..count)
            .map(|number| User::new("Ada Lovelace", &format!("ada{number}@contoso.example")))
            .collect();
        for user in &users {
            control.put_user(self.tenant.id, user.clone());
        }
        let ids: Vec<String> = users.iter().map(|user| format!("'{}'", user.id)).collect();
        let resource = format!("communications/presences?$filter=id in ({})", ids.join(","));
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/graph/notifications", listener.local_addr().unwrap());
        let expires = Utc::now() + TimeDelta::hours(1);
        let mut subscription =
            Subscription::left_behind(&self.app, users[0].id, &resource, &url, expires).unwrap();
        subscription.client_state = Some(CLIENT_STATE.to_owned());
        subscription.lock = rich.then(|| lock(&self.key));
        control.put_subscription(subscription);
        for user in &users {
            control.set_client(user.id, "desktop", Pair::new("Busy", "InACall"));
        }
        loop {
            let body = answer(listener.accept().unwrap().0);
            let whole: serde_json::Value = serde_json::from_slice(&body).unwrap();
            // the first changes may leave before the last ones are there
            if whole["value"].as_array().unwrap().len() == count {
                return body;
            }
            for (number, user) in users.iter().enumerate() {
                let activity = if number % 2 == 0 {
                    "InAMeeting"
                } else {
                    "Presenting"
                };
                control.set_client(user.id, "desktop", Pair::new("Busy", activity));
            }
        }
    }
}

fn lock(key: &NotificationKey) -> Lock {
    let private = STANDARD.decode(key.private_key.expose()).unwrap();
    let public = PrivateDecryptingKey::from_pkcs8(&private).unwrap().public_key();
    Lock {
        certificate_id: key.id.clone(),
        thumbprint: String::new(),
        public_key: public.as_der().unwrap().as_ref().to_vec(),
    }
}

/// Reads one POST, accepts it and closes.
fn answer(mut stream: TcpStream) -> Body {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    stream
        .write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        .unwrap();
    body.into()
}
