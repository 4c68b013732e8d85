//! A record of every request that is answered, for the trace flag *Webserver*.
//!
//! The query is left out: Microsoft's validation tokens stand there.

use std::time::Instant;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

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
