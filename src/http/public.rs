//! The public listener: what Microsoft and the PBXs reach.
//!
//! | route | what |
//! |---|---|
//! | `POST /graph/notifications`, `POST /graph/lifecycle` | change notifications, and the validation of the address |
//! | `GET /graph/notifications`, `GET /graph/lifecycle` | 405 with a sentence for the administrator who looks |
//! | websocket `/pbx`, `/pbx/{build}` | the PBXs' App objects |
//! | `GET /pbx/{app}.htm`, and what belongs to it | the page inside the PBX's client, see [`app_page`] |
//! | anything else | 404, empty |
//!
//! The worker does almost nothing with a notification: size, time, validation token, queue. What it says is judged
//! later, by an actor, so that neither the answer nor its time tells anything about it.

use std::time::Duration;

use actix_web::http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt;
use m365_actors::intake_queue::{IntakeQueue, Raw};
use m365_actors::supervision::Post;
use m365_actors::webhook_intake::{Arrived, WebhookIntake};
use m365_graph::GraphClock;
use m365_presence::clock::Clock;
use m365_presence::tenure::Permit;
use m365_store::Fence;

use super::app_page;
use super::room::Room;
use crate::pbx_connection::accepted;

/// Largest body of a notification (DESIGN 8).
const LARGEST_BODY: usize = 1024 * 1024;

/// A body must arrive in this time; Microsoft waits three seconds for the answer (graph.md 3.4).
const BODY_DEADLINE: Duration = Duration::from_secs(2);

/// What somebody reads who opens the address in a browser.
const FOR_BROWSERS: &str = "This is the notification address of m365-connector: DNS, proxy and certificate lead here; Microsoft uses it by POST.\n";

/// What the routes for Microsoft need.
#[derive(Clone)]
pub struct Intake {
    /// Where bodies wait.
    pub queue: IntakeQueue,
    /// Who works them off.
    pub actor: Post<WebhookIntake>,
    /// Graph's time.
    pub clock: GraphClock,
    /// What bodies may take that are still arriving.
    pub room: Room,
    /// Whether this instance is the active one.
    pub fence: Fence,
}

/// Registers the routes.
pub fn routes(config: &mut web::ServiceConfig) {
    for path in ["/graph/notifications", "/graph/lifecycle"] {
        config.service(
            web::resource(path)
                .route(web::post().to(take_in))
                .default_service(web::to(only_post)),
        );
    }
    config
        .configure(app_page::routes)
        .service(
            web::resource(["/pbx", "/pbx/{build:[0-9a-fA-F]+}"])
                .route(web::get().to(accepted::open))
                .default_service(web::to(HttpResponse::NotFound)),
        )
        .default_service(web::to(HttpResponse::NotFound));
}

/// Registers the routes of a standby: it proves the address, and leaves everything else to the active instance, to which
/// Microsoft and the PBXs come back.
pub fn standby_routes(config: &mut web::ServiceConfig) {
    for path in ["/graph/notifications", "/graph/lifecycle"] {
        config.service(
            web::resource(path)
                .route(web::post().to(only_prove))
                .default_service(web::to(only_post)),
        );
    }
    config
        .service(
            web::resource(["/pbx", "/pbx/{build:[0-9a-fA-F]+}"])
                .route(web::get().to(HttpResponse::ServiceUnavailable))
                .default_service(web::to(HttpResponse::NotFound)),
        )
        .default_service(web::to(HttpResponse::NotFound));
}

async fn only_prove(request: HttpRequest) -> HttpResponse {
    match validation_token(&request) {
        Some(token) => proof(token),
        None => HttpResponse::ServiceUnavailable().finish(),
    }
}

fn proof(token: String) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .body(token)
}

async fn take_in(request: HttpRequest, intake: web::Data<Intake>, payload: web::Payload) -> HttpResponse {
    if let Some(token) = validation_token(&request) {
        return proof(token);
    }
    if !intake.fence.is_granted() {
        // another instance may be active by now: Microsoft repeats, and finds it
        return HttpResponse::ServiceUnavailable().finish();
    }
    if announced_length(&request).is_some_and(|length| length > LARGEST_BODY) {
        return HttpResponse::PayloadTooLarge().finish();
    }
    let body = match tokio::time::timeout(BODY_DEADLINE, read(payload, &intake.room)).await {
        Ok(Ok(body)) => body,
        Ok(Err(refusal)) => return refusal,
        Err(_too_slow) => return HttpResponse::RequestTimeout().finish(),
    };
    match intake.queue.push(Raw {
        body: body.into(),
        received_at: intake.clock.now(),
    }) {
        Ok(was_empty) => {
            // an actor that is down looks at the queue when it is back
            let _looks_later = was_empty.then(|| intake.actor.tell(Arrived));
            HttpResponse::Accepted().finish()
        }
        Err(_full) => HttpResponse::ServiceUnavailable().finish(),
    }
}

/// The decoded token of a validation; a `+` stands for a blank in it (graph.md 3.3).
fn validation_token(request: &HttpRequest) -> Option<String> {
    url::form_urlencoded::parse(request.query_string().as_bytes())
        .find(|(name, _)| name == "validationToken")
        .map(|(_, token)| token.into_owned())
}

/// The length that the peer announces.
fn announced_length(request: &HttpRequest) -> Option<usize> {
    request.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

async fn read(mut payload: web::Payload, room: &Room) -> Result<Vec<u8>, HttpResponse> {
    let mut body = Vec::new();
    let mut share = room.share();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| HttpResponse::BadRequest().finish())?;
        if body.len() + chunk.len() > LARGEST_BODY {
            return Err(HttpResponse::PayloadTooLarge().finish());
        }
        if !share.take(chunk.len()) {
            return Err(HttpResponse::ServiceUnavailable().finish());
        }
        body.extend_from_slice(&chunk);
    }
    if body.is_empty() {
        return Err(HttpResponse::BadRequest().finish());
    }
    Ok(body)
}

async fn only_post() -> HttpResponse {
    HttpResponse::MethodNotAllowed()
        .insert_header((ALLOW, "POST"))
        .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
        .body(FOR_BROWSERS)
}

#[cfg(test)]
mod tests {
    use actix_web::{App, test};
    use m365_actors::supervision::Seat;

    use super::*;

    /// An intake whose actor never runs, so that bodies stay in the queue.
    fn intake() -> Intake {
        Intake {
            queue: IntakeQueue::default(),
            actor: Seat::new("webhook-intake").post(),
            clock: GraphClock::new(),
            room: Room::default(),
            fence: Fence::open(),
        }
    }

    #[actix_web::test]
    async fn a_full_queue_asks_microsoft_to_repeat_and_still_proves_the_address() {
        let intake = intake();
        let app = App::new()
            .app_data(web::Data::new(intake.clone()))
            .configure(routes);
        let app = test::init_service(app).await;
        let ask = async |path: &str| {
            let request = test::TestRequest::post().uri(path).set_payload("{}");
            test::call_service(&app, request.to_request()).await.status()
        };
        assert_eq!(ask("/graph/notifications").await, 202);
        let waiting = Raw {
            body: vec![b' '; 1024].into(),
            received_at: intake.clock.now(),
        };
        while intake.queue.push(waiting.clone()).is_ok() {}
        assert_eq!(ask("/graph/notifications").await, 503);
        assert_eq!(ask("/graph/lifecycle").await, 503);
        assert_eq!(ask("/graph/notifications?validationToken=x").await, 200);
    }
}
