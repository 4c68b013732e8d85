//! The one way out: every request to Microsoft passes here, whoever makes it.
//!
//! On its way a request passes four doors, in this order: the patience that its family asks for, the limits that are
//! kept ahead, the circuit of its host, and the queue for a place. Then it is exchanged ([`exchange`]), and what came
//! back is judged for all who follow. What an answer *means* is decided by the caller; that there is none is
//! [`Unanswered`]. Neither bodies nor tokens are ever logged, and redirects are never followed, because a token must
//! not travel to another host.

mod exchange;
mod gate;
mod limits;
mod patience;
mod permitted;
mod reach;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use awc::http::{Method, Uri};
use m365_presence::clock::Clock;
use m365_presence::identity::Credential;
use m365_presence::secret::Secret;
use m365_presence::tenure::{Always, Permit};
use m365_presence::traffic::{Failure, Urgency};
use rustls::ClientConfig;

pub(crate) use exchange::{Answer, retry_after, without_mark};
use exchange::{Exchanged, exchange};
use gate::Gate;
use limits::Limits;
pub(crate) use patience::Family;
use patience::{Lane, Patience};
use permitted::Unpermitted;
pub use reach::{LostHost, Reach};

/// Longest time for name resolution and connection.
const CONNECT: Duration = Duration::from_secs(10);

/// Shorter than what servers usually allow, so that a pooled connection is rarely closed under a request.
const POOLED: Duration = Duration::from_secs(4);

/// A request that left before its host was reached again gets this long: most likely its connection is dead.
const OVERTAKEN: Duration = Duration::from_secs(3);

/// What a request carries.
pub(crate) enum Content {
    /// Nothing.
    Empty,
    /// JSON.
    Json(serde_json::Value),
    /// A form, which may hold passwords.
    Form(Secret),
}

/// A request.
pub(crate) struct Request<'a> {
    pub(crate) family: Family,
    /// Whose limits it counts against; `None` for what nobody in particular asks.
    pub(crate) credential: Option<&'a Credential>,
    pub(crate) urgency: Urgency,
    /// How many requests it stands for: the items of a batch count one by one (graph.md 6.4).
    pub(crate) cost: u32,
    pub(crate) method: Method,
    pub(crate) url: &'a str,
    pub(crate) bearer: Option<&'a Secret>,
    pub(crate) headers: &'a [(&'static str, &'static str)],
    pub(crate) content: &'a Content,
    pub(crate) deadline: Duration,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unanswered {
    /// The request did not leave, because its family must be left alone for this long.
    #[error("patience of {0:?} is asked for")]
    Patience(Duration),
    /// The host is out of reach, and nobody asks it before this time is over.
    #[error("{detail}")]
    Unreachable {
        detail: String,
        retry_after: Duration,
        /// Whether the request left.
        left: bool,
    },
    /// No usable answer came.
    #[error("{0}")]
    Lost(String),
}

/// Sends requests to Microsoft; one per arbiter, because awc's client is not `Send`.
pub struct HttpClient {
    client: awc::Client,
    patience: Patience,
    limits: Limits,
    sign_in: Gate,
    graph: Gate,
    reach: Reach,
    clock: Rc<dyn Clock>,
    permit: Rc<dyn Permit>,
}

impl HttpClient {
    /// Makes a client with the given TLS and the clock that it measures.
    pub fn new(tls: Arc<ClientConfig>, clock: Rc<dyn Clock>) -> Self {
        let connector = awc::Connector::new()
            .rustls_0_23(tls)
            .timeout(CONNECT)
            .handshake_timeout(CONNECT)
            .conn_keep_alive(POOLED);
        let client = awc::Client::builder()
            .connector(connector)
            .disable_redirects()
            .disable_timeout()
            .add_default_header((
                "user-agent",
                concat!("m365-connector/", env!("CARGO_PKG_VERSION")),
            ))
            .finish();
        let reach = Reach::default();
        Self {
            client,
            patience: Patience::default(),
            limits: Limits::default(),
            sign_in: Gate::of_sign_in(reach.clone(), Rc::clone(&clock)),
            graph: Gate::of_graph(reach.clone(), Rc::clone(&clock)),
            reach,
            clock,
            permit: Rc::new(Always),
        }
    }

    /// Lets writes leave only while this permits.
    pub fn permitted_by(self, permit: Rc<dyn Permit>) -> Self {
        Self { permit, ..self }
    }

    /// The clock that answers correct.
    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    /// Which hosts are out of reach.
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Notes that a family asks for patience inside of an answer, as the items of a batch do.
    pub(crate) fn heed(
        &self,
        family: Family,
        credential: Option<&Credential>,
        status: u16,
        retry_after: Option<Duration>,
    ) -> Option<Duration> {
        self.patience
            .observe(&Lane::new(family, credential), status, retry_after)
    }

    /// Sends a request as soon as it may leave, and returns the whole answer.
    pub(crate) async fn send(&self, request: Request<'_>) -> Result<Answer, Unanswered> {
        let uri: Uri = request
            .url
            .parse()
            .map_err(|error| Unanswered::Lost(format!("an address that cannot be asked: {error}")))?;
        let lane = Lane::new(request.family, request.credential);
        let patient = || match self.patience.remaining(&lane) {
            Some(remaining) => Err(Unanswered::Patience(remaining)),
            None => Ok(()),
        };
        patient()?;
        let gate = if request.family.is_sign_in() {
            &self.sign_in
        } else {
            &self.graph
        };
        let mut allowance = self.limits.wait(request.family, request.cost).await;
        let mut pass = gate.enter(request.urgency).await?;
        // others may have been answered while this one waited
        patient()?;
        let permit = request.family.writes().then_some(&self.permit);
        if permit.is_some_and(|permit| !permit.is_granted()) {
            return Err(Unanswered::Lost(Unpermitted.to_string()));
        }
        allowance.spend();
        let host = uri
            .authority()
            .map(|authority| authority.as_str().to_owned())
            .unwrap_or_default();
        let (deadline, family) = (request.deadline, request.family);
        let exchanged = tokio::select! {
            exchanged = exchange(&self.client, &*self.clock, permit, request, uri) => exchanged,
            () = tokio::time::sleep(deadline) => {
                Exchanged::Failed(Failure::Silence(family), format!("nothing within {deadline:?}"))
            }
            () = gate.overtaken(pass.left_at(), OVERTAKEN) => {
                Exchanged::Failed(Failure::Silence(family), "the connection stems from before an outage".to_owned())
            }
        };
        match exchanged {
            Exchanged::Answered(mut answer) => {
                answer.patience = self.patience.observe(&lane, answer.status, answer.retry_after);
                if answer.patience.is_some() || !is_failing(answer.status) {
                    pass.answered();
                    return Ok(answer);
                }
                // whether signing keys can be read says nothing of sign-ins, and they are looked up in a row
                if family != Family::SigningKeys {
                    let cause = format!("{host} answers {}", answer.status);
                    pass.failed(Failure::NoAnswer(family), &cause);
                }
                answer.unreachable_for = gate.wait();
                Ok(answer)
            }
            Exchanged::KeptBack(reason) => Err(Unanswered::Lost(reason.to_string())),
            Exchanged::Failed(failure, cause) => {
                let detail = format!("no answer from {host}: {cause}");
                pass.failed(failure, &detail);
                Err(match gate.wait() {
                    Some(retry_after) => Unanswered::Unreachable {
                        detail,
                        retry_after,
                        left: failure != Failure::NoConnection,
                    },
                    None => Unanswered::Lost(detail),
                })
            }
        }
    }
}

/// Whether a status is what failing servers and the gateways before them answer. 501 says that an endpoint does not
/// exist.
fn is_failing(status: u16) -> bool {
    (500..=599).contains(&status) && status != 501
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> HttpClient {
        let clock = Rc::new(crate::clock::GraphClock::new());
        HttpClient::new(crate::tls::client_config().unwrap(), clock)
    }

    /// Granted when it is asked for the first time, and not any more.
    #[derive(Default)]
    struct Once(std::cell::Cell<bool>);

    impl Permit for Once {
        fn is_granted(&self) -> bool {
            !self.0.replace(true)
        }
    }

    #[actix_rt::test]
    async fn a_write_whose_permit_ends_while_it_waits_for_its_connection_does_not_leave() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let arrived = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            tokio::io::AsyncReadExt::read_to_end(&mut socket, &mut bytes)
                .await
                .ok();
            bytes
        });
        let request = Request {
            family: Family::PresenceWrite,
            credential: None,
            urgency: Urgency::Sweep,
            cost: 1,
            method: Method::POST,
            url: &url,
            bearer: None,
            headers: &[],
            content: &Content::Json(serde_json::json!({"availability": "Busy"})),
            deadline: Duration::from_secs(60),
        };
        let client = client().permitted_by(Rc::new(Once::default()));
        let Err(outcome) = client.send(request).await else {
            panic!("it was answered");
        };
        assert_eq!(outcome, Unanswered::Lost(Unpermitted.to_string()));
        drop(client);
        assert_eq!(arrived.await.unwrap(), b"", "nothing of it arrives");
    }

    #[actix_rt::test]
    async fn an_answer_that_does_not_come_in_time_is_lost() {
        let deaf = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", deaf.local_addr().unwrap());
        let request = Request {
            family: Family::Directory,
            credential: None,
            urgency: Urgency::Sweep,
            cost: 1,
            method: Method::GET,
            url: &url,
            bearer: None,
            headers: &[],
            content: &Content::Empty,
            deadline: Duration::from_millis(100),
        };
        let client = client();
        let outcome = tokio::time::timeout(Duration::from_secs(60), client.send(request)).await;
        assert!(matches!(outcome.expect("an end"), Err(Unanswered::Lost(_))));
    }
}
