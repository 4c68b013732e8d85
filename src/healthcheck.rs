//! The health check of a container: asks the running instance's `/readyz` over loopback.
//!
//! It is a plain blocking request, because a client with a runtime of its own would take longer to start than to ask,
//! every few seconds, for the life of the container.
//!
//! A standby is not ready, and says so, but nothing is wrong with it: who sees the exit code alone must not end it.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde::Deserialize;

/// A healthy instance answers at once; a container's patience is longer.
const PATIENCE: Duration = Duration::from_secs(3);

/// More than the longest list of what is missing.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Why an instance counts as unhealthy.
#[derive(Debug, thiserror::Error)]
pub enum Unhealthy {
    /// It stands by for another instance.
    #[error(
        "standing by ({status}): another instance is active, and this one is ready to take over. That is normal; it is told as not \
         ready (exit code 1) because it does no work"
    )]
    StandingBy {
        /// HTTP status.
        status: String,
    },
    /// It says so itself.
    #[error("not ready ({status}): {body}")]
    NotReady {
        /// HTTP status.
        status: String,
        /// What is missing.
        body: String,
    },
    /// It does not answer.
    #[error("no answer from http://{address}/readyz: {source}")]
    Silent {
        /// Where it was asked.
        address: SocketAddr,
        /// Why there is no answer.
        source: io::Error,
    },
}

/// Asks once.
///
/// # Errors
/// [`Unhealthy`] unless the answer is 200.
pub fn ask(address: SocketAddr) -> Result<(), Unhealthy> {
    let answer = exchange(address).map_err(|source| Unhealthy::Silent { address, source })?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    match head.split_whitespace().nth(1) {
        Some("200") => Ok(()),
        status => {
            let status = status.unwrap_or("no HTTP status").to_owned();
            Err(if stands_by(body) {
                Unhealthy::StandingBy { status }
            } else {
                Unhealthy::NotReady {
                    status,
                    body: body.trim().to_owned(),
                }
            })
        }
    }
}

/// What `/readyz` says.
#[derive(Deserialize)]
struct Readiness {
    missing: Vec<String>,
}

fn stands_by(body: &str) -> bool {
    let readiness: Option<Readiness> = serde_json::from_str(body).ok();
    readiness.is_some_and(|readiness| readiness.missing == ["standby"])
}

fn exchange(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /readyz HTTP/1.1\r\nHost: {address}\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
