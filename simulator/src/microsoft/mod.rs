//! The Microsoft cloud, simulated: Entra ID and Graph as two real HTTP servers on loopback.
//!
//! A client that was written against the documentation cannot tell it from the real one, as far as Teams presence goes:
//! it signs in with passwords, secrets, certificates and device codes, pages through users, subscribes, proves its
//! notification URLs, receives basic and encrypted notifications, sets presences and is throttled. What the real cloud
//! only does now and then, a test orders through [`Control`], and reads what happened from its journal.
//!
//! Every request goes the same way: `http` takes it apart, `login` or `graph` finds the endpoint, lets an ordered fault
//! strike, checks the token and the limits and asks the endpoint; state lives in `cloud` behind one lock that no await
//! ever sees. A changed presence or user becomes an outgoing notification, which `delivery` posts.
//!
//! ```
//! use m365_simulator::microsoft::{Account, App, MicrosoftCloud, Options, Pair, Tenant, User};
//!
//! let cloud = MicrosoftCloud::start(Options::default())?;
//! let control = cloud.control();
//! let tenant = Tenant::new("contoso.onmicrosoft.com");
//! control.add_tenant(tenant.clone());
//! control.put_app(App::synchroniser(tenant.id, "client secret"));
//! control.add_account(Account::new(tenant.id, "presence@contoso.com", "password"));
//! let adele = User::new("Adele Vance", "adele@contoso.com");
//! let id = adele.id;
//! control.put_user(tenant.id, adele);
//! control.set_client(id, "desktop", Pair::new("Busy", "InAMeeting"));
//! assert_eq!(control.presence(id), Some(Pair::new("Busy", "InAMeeting")));
//! cloud.stop();
//! # Ok::<(), m365_simulator::microsoft::StartError>(())
//! ```
//!
//! The crate shares nothing with the connector, not even a constant: what both sides know, each knows from the protocol.

mod answer;
mod application;
mod batch;
mod bearer;
mod client;
mod clock;
mod cloud;
mod control;
mod delivery;
mod der;
mod device;
mod directory;
mod discovery;
mod endpoint;
mod entry;
mod envelope;
mod faults;
mod filter;
mod forgery;
mod grants;
mod graph;
mod http;
mod jwt;
mod key;
mod knobs;
mod limits;
mod login;
mod notification;
mod parcel;
mod people;
mod presence;
mod presences;
mod refusal;
mod scope;
mod seal;
mod status_message;
mod strike;
mod subscription;
mod subscriptions;
mod tenant;
mod token;
mod users;
mod validation;

use std::{
    net::TcpListener,
    sync::{Arc, mpsc as threads},
    thread::JoinHandle,
    time::Instant,
};

use tokio::sync::{mpsc, oneshot};

use self::{
    cloud::{Cloud, State},
    http::Host,
};
pub use self::{
    control::{Control, PendingSignIn},
    directory::{Plan, TEAMS_PLAN, User},
    entry::{Count, Entry, Kind},
    faults::{ErrorBody, Family, Fault, RetryAfter, Times},
    forgery::Forgery,
    key::{KeyError, SigningKey},
    knobs::{BasicShape, CertificateChange, Delivery, Knobs, LifecycleShape, RichRefusal, TokenVersion},
    limits::{Limit, Quota},
    notification::LifecycleEvent,
    presence::Pair,
    refusal::{Aadsts, Refusal},
    subscription::{Lock, Subscription, Target},
    tenant::{Account, App, Secret, Tenant},
};
use crate::journal::Journal;

/// How a cloud starts.
#[derive(Clone)]
pub struct Options {
    /// What every random choice follows from.
    pub seed: u64,
    /// How many threads answer Graph requests.
    pub workers: usize,
    /// How many entries the journal keeps.
    pub journal: usize,
    /// How many times as fast the cloud's own waiting runs.
    pub time_scale: f64,
    /// The signing key; `None` takes the one that the process shares.
    pub signing_key: Option<SigningKey>,
    /// The loopback port of the sign-in host; 0 is any.
    pub login_port: u16,
    /// The loopback port of the Graph host; 0 is any.
    pub graph_port: u16,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            workers: 2,
            journal: 20_000,
            time_scale: 1.0,
            signing_key: None,
            login_port: 0,
            graph_port: 0,
        }
    }
}

/// Says why a cloud did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No socket or thread was to be had.
    #[error("no socket or thread: {0}")]
    Resources(#[from] std::io::Error),
    /// No signing key could be made.
    #[error("no signing key: {0}")]
    Key(#[from] KeyError),
    /// The servers ended before they began.
    #[error("the servers ended before they began")]
    Ended,
}

/// A running cloud; dropping it stops it.
pub struct MicrosoftCloud {
    control: Control,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl MicrosoftCloud {
    /// Starts a cloud on threads of its own; both hosts accept connections when this returns.
    ///
    /// # Errors
    /// When sockets, threads or keys are not to be had.
    pub fn start(options: Options) -> Result<Self, StartError> {
        let login = TcpListener::bind(("127.0.0.1", options.login_port))?;
        let graph = TcpListener::bind(("127.0.0.1", options.graph_port))?;
        let (login_url, graph_url) = (url(&login)?, url(&graph)?);
        let key = match options.signing_key {
            Some(key) => key,
            None => SigningKey::shared()?,
        };
        let (outbox, inbox) = mpsc::unbounded_channel();
        let state = State::new(options.seed, options.time_scale, key, outbox);
        let cloud = Arc::new(Cloud::new(
            state,
            Journal::new(options.journal),
            login_url,
            graph_url,
        ));
        let (stop, stopped) = oneshot::channel();
        let (ready, started) = threads::channel();
        let shared = Arc::clone(&cloud);
        let thread = std::thread::Builder::new()
            .name("microsoft-cloud".to_owned())
            .spawn(move || {
                actix_web::rt::System::new().block_on(async move {
                    let servers = http::serve(&shared, Host::Login, login, 1).and_then(|login| {
                        Ok((login, http::serve(&shared, Host::Graph, graph, options.workers)?))
                    });
                    match servers {
                        Ok((mut login, mut graph)) => {
                            // The starter may have gone away, which the stop channel tells, too.
                            let _ = ready.send(Ok(()));
                            tokio::select! {
                                _ = stopped => {}
                                _ = &mut login => {}
                                _ = &mut graph => {}
                                () = age(&shared) => {}
                                () = delivery::run(Arc::clone(&shared), http::client(), inbox) => {}
                            }
                            http::end([login, graph]).await;
                        }
                        Err(error) => {
                            let _ = ready.send(Err(error));
                        }
                    }
                });
            })?;
        started.recv().map_err(|_| StartError::Ended)??;
        Ok(Self {
            control: Control { cloud },
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Returns the address of the sign-in host, without a slash at the end.
    #[must_use]
    pub fn login_url(&self) -> &str {
        &self.control.cloud.login_url
    }

    /// Returns the address of the Graph host, without version and without a slash at the end.
    #[must_use]
    pub fn graph_url(&self) -> &str {
        &self.control.cloud.graph_url
    }

    /// Returns a handle that controls the cloud.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// Stops the cloud and waits until its thread is gone.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if let Some(stop) = self.stop.take() {
            // A cloud that ended by itself needs no order.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the simulated cloud ended with a panic");
        }
    }
}

impl Drop for MicrosoftCloud {
    fn drop(&mut self) {
        self.end();
    }
}

/// Lets time pass for presences: sessions fade, leases end.
async fn age(cloud: &Cloud) {
    loop {
        let due = cloud.age();
        let sleep = async {
            match due {
                Some(due) => tokio::time::sleep_until(Instant::into(due)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = sleep => {}
            () = cloud.aging.notified() => {}
        }
    }
}

fn url(listener: &TcpListener) -> std::io::Result<String> {
    Ok(format!("http://{}", listener.local_addr()?))
}
