//! A record of every request that is answered, for the trace flag *Webserver*, and of every connection, for *TCP*.
//!
//! The query is left out: Microsoft's validation tokens stand there.

use std::any::Any;
use std::net::SocketAddr;
use std::time::Instant;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Extensions, ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::rt::net::TcpStream;

/// Lets a request through and records how it was answered.
pub(crate) async fn record<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    if !log::log_enabled!(log::Level::Debug) {
        return next.call(request).await;
    }
    let begun = Instant::now();
    let (method, path) = (request.method().clone(), request.path().to_owned());
    let peer = request
        .peer_addr()
        .map(|peer| peer.to_string())
        .unwrap_or_default();
    let answered = next.call(request).await;
    let status = match &answered {
        Ok(response) => response.status().as_u16(),
        Err(error) => error.as_response_error().status_code().as_u16(),
    };
    let microseconds = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    log::debug!(
        method = method.as_str(), path = path.as_str(), status, peer = peer.as_str(), microseconds;
        "a request was answered"
    );
    answered
}

/// Records that a connection was opened, and its end.
pub(crate) fn record_connection(connection: &dyn Any, extensions: &mut Extensions) {
    if log::log_enabled!(target: "tcp", log::Level::Debug)
        && let Some(stream) = connection.downcast_ref::<TcpStream>()
        && let Ok(peer) = stream.peer_addr()
    {
        log::debug!(target: "tcp", peer:% = peer; "a connection was opened");
        extensions.insert(Open(peer, Instant::now()));
    }
}

/// An open connection.
struct Open(SocketAddr, Instant);

impl Drop for Open {
    fn drop(&mut self) {
        let seconds = self.1.elapsed().as_secs();
        log::debug!(target: "tcp", peer:% = self.0, seconds; "a connection was closed");
    }
}
