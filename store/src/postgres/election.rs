//! Which of several instances is active: whoever holds an advisory lock of the database they share (DESIGN 9).
//!
//! A task of its own, on the thread of the sockets, keeps one session for nothing else. It asks for the lock until it has
//! it, and then asks the server something every second, because the server gives the lock of a silent session away. What
//! follows from answers and silence is decided by [`Tenure`]; this task carries it to the [`Fence`].
//!
//! The lock alone does not tell whether somebody else was active meanwhile. So each election counts a *term* in the
//! database: who finds another one there than its own has been deposed, and never writes again.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use m365_presence::tenure::{BootTime, SILENCE, Tenure};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_postgres::Client;

use super::fault::chain;
use super::server::{Reach, Session};
use crate::error::Fault;
use crate::fence::{Fence, boot_time};

/// The holder of the lock is heard this often.
const BEAT: Duration = Duration::from_secs(1);

/// Whoever waits for the lock asks for it this often.
const LOOK: Duration = Duration::from_millis(500);

/// A question that takes longer is not answered any more.
const PATIENCE: Duration = Duration::from_millis(2_500);

/// Set on the session: it ends, and with it the lock, when nothing is heard of this instance for this long.
const SESSION: &str = "SET idle_session_timeout = '5s'; SET statement_timeout = '2s'; \
                       SET application_name = 'm365-connector election'; \
                       SELECT pg_advisory_lock_shared(1295201845, hashtext('present ' || current_schema()))";

/// Sessions of our own that the server may not have ended yet.
const OWN_REMAINS: usize = 16;

/// Counts the other instances: each holds the shared lock. The number is "M365".
const OTHERS: &str = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1295201845 \
                      AND objid = hashtext('present ' || current_schema())::oid AND objsubid = 2 AND granted \
                      AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
                      AND pid <> ALL";

/// Asks for the lock.
pub(super) const TAKE: &str = "pg_try_advisory_lock(1295201845, hashtext('active ' || current_schema()))";

/// Reads the term.
const TERM: &str = "SELECT convert_from(value, 'UTF8') FROM meta WHERE name = 'term'";

/// How it stands with an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Another one is active, or nobody can be: the reason, if it is the database.
    StandingBy(Option<String>),
    /// The lock is held.
    Elected,
    /// Somebody else was elected since.
    Deposed,
}

/// What the task and its owner share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) phase: watch::Sender<Phase>,
    pub(super) fence: Fence,
    /// The term that this instance was elected for; 0 before.
    pub(super) term: Arc<AtomicI64>,
    /// The server's number of the session that asks for the lock.
    pub(super) session: Arc<AtomicI32>,
    /// Other instances that were seen last.
    pub(super) others: Arc<AtomicUsize>,
}

/// The task.
pub(super) struct Election {
    reach: Reach,
    shared: Shared,
    tenure: Option<Tenure>,
    begun_at: BootTime,
    others_are_real: bool,
    /// The server's numbers of our own sessions, the present one last: those before may not have ended there.
    own: VecDeque<i32>,
}

/// Why a session is given up.
enum Ended {
    /// It does not answer.
    Lost(String),
    /// Somebody else was elected.
    Deposed,
}

impl Election {
    pub(super) fn new(reach: Reach, shared: Shared) -> Self {
        Self {
            reach,
            shared,
            tenure: None,
            begun_at: boot_time(),
            others_are_real: false,
            own: VecDeque::new(),
        }
    }

    /// Runs until this instance is deposed, or for ever.
    pub(super) async fn run(mut self) {
        loop {
            let tried_at = boot_time();
            match self.open().await {
                Ok(session) => match self.attend(&session.client).await {
                    Ended::Lost(detail) => {
                        session.socket.abort();
                        log::debug!("the session of the election ended: {detail}");
                    }
                    Ended::Deposed => {
                        self.shared.fence.open_until(BootTime::default());
                        self.shared.phase.send_replace(Phase::Deposed);
                        return;
                    }
                },
                Err(fault) => {
                    self.nobody_there(tried_at, &fault);
                    sleep(LOOK).await;
                }
            }
        }
    }

    async fn open(&mut self) -> Result<Session, Fault> {
        let session = self.reach.connect().await?;
        let set = timeout(PATIENCE, session.client.batch_execute(SESSION)).await;
        let failed = |detail| Fault::Unreachable { detail };
        match set {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Err(failed(chain(&error))),
            Err(_elapsed) => return Err(failed("no answer".to_owned())),
        }
        let number = timeout(PATIENCE, session.client.query_one("SELECT pg_backend_pid()", &[])).await;
        let number = number
            .ok()
            .and_then(Result::ok)
            .and_then(|row| row.try_get(0).ok());
        let number = number.ok_or_else(|| failed("no answer".to_owned()))?;
        self.shared.session.store(number, Ordering::Release);
        self.own.push_back(number);
        if self.own.len() > OWN_REMAINS {
            self.own.pop_front();
        }
        Ok(session)
    }

    fn nobody_there(&mut self, tried_at: BootTime, fault: &Fault) {
        if let Some(tenure) = &mut self.tenure {
            tenure.nobody_there(tried_at);
            self.shared.fence.open_until(tenure.permitted_until());
        } else {
            let reason = Phase::StandingBy(Some(fault.to_string()));
            self.shared.phase.send_if_modified(|phase| {
                let changed = *phase != reason;
                *phase = reason;
                changed
            });
        }
    }

    /// Asks for the lock, then beats.
    async fn attend(&mut self, client: &Client) -> Ended {
        let own: Vec<String> = self.own.iter().map(ToString::to_string).collect();
        let others = format!("({OTHERS} (ARRAY[{}]))", own.join(","));
        let mut held = false;
        loop {
            let asked_at = boot_time();
            let question = if held {
                format!("SELECT true, {others}")
            } else {
                format!("SELECT {TAKE}, {others}")
            };
            let (holds, others) = match ask(client, &question).await {
                Ok(answer) => answer,
                Err(detail) => return Ended::Lost(detail),
            };
            self.shared.others.store(others, Ordering::Relaxed);
            // right after the start, what is left of a predecessor that was killed may still be there
            self.others_are_real |= others == 0 || asked_at > self.begun_at.after(SILENCE);
            let others = self.others_are_real.then_some(others);
            let term = self.shared.term.load(Ordering::Acquire);
            if term > 0 && !held {
                match self.is_still(client, term).await {
                    Ok(true) => {}
                    Ok(false) => return Ended::Deposed,
                    Err(detail) => return Ended::Lost(detail),
                }
            }
            held = holds;
            if held {
                self.hold(asked_at, others);
                sleep(BEAT).await;
            } else {
                if self.tenure.is_none() {
                    self.shared.phase.send_replace(Phase::StandingBy(None));
                }
                sleep(LOOK).await;
            }
        }
    }

    fn hold(&mut self, asked_at: BootTime, others: Option<usize>) {
        let tenure = match &mut self.tenure {
            Some(tenure) => {
                tenure.confirm(asked_at, others);
                tenure
            }
            None => {
                self.shared.phase.send_replace(Phase::Elected);
                self.tenure.insert(Tenure::begin(asked_at, others))
            }
        };
        self.shared.fence.open_until(tenure.permitted_until());
    }

    /// Whether nobody else was elected since.
    async fn is_still(&self, client: &Client, term: i64) -> Result<bool, String> {
        let row = timeout(PATIENCE, client.query_opt(TERM, &[]))
            .await
            .map_err(|_elapsed| "no answer".to_owned())?
            .map_err(|error| chain(&error))?;
        let found: Option<String> = row.and_then(|row| row.try_get(0).ok());
        Ok(found.and_then(|text| text.parse().ok()) == Some(term))
    }
}

async fn ask(client: &Client, question: &str) -> Result<(bool, usize), String> {
    let row = timeout(PATIENCE, client.query_one(question, &[]))
        .await
        .map_err(|_elapsed| "no answer".to_owned())?
        .map_err(|error| chain(&error))?;
    let holds = row.try_get(0).map_err(|error| chain(&error))?;
    let others: i64 = row.try_get(1).map_err(|error| chain(&error))?;
    Ok((holds, usize::try_from(others).unwrap_or_default()))
}
