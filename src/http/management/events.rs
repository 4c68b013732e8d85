//! Server-sent events: what the page shows, live.

use std::convert::Infallible;
use std::fmt;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};
use futures_util::stream;
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use utoipa::{IntoParams, ToSchema};

use super::Management;
use super::refusals::{NotUnderstood, TooManyStreams, Unauthorized};
use crate::http::access::Reader;
use crate::http::problem::Problem;
use crate::log::Numbered;
use crate::view::newsroom::News;

/// A silent stream is kept open by a comment this often, so that no proxy takes it for dead.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// Streams that may be open at a time.
const MOST_STREAMS: usize = 200;

/// What may be told of.
const TOPICS: [&str; 6] = ["status", "users", "actors", "subscriptions", "sessions", "log"];

/// What is to be told; everything unless given.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Topics {
    /// Separated by commas: `status`, `users`, `actors`, `subscriptions`, `sessions`, `log`; everything unless given.
    #[param(
        pattern = "^(status|users|actors|subscriptions|sessions|log)(,(status|users|actors|subscriptions|sessions|log))*$",
        example = "status,users"
    )]
    topics: Option<String>,
}

impl Topics {
    fn check(&self) -> Result<(), Problem> {
        let mut wanted = self.topics.iter().flat_map(|topics| topics.split(','));
        match wanted.find(|topic| !TOPICS.contains(&topic.trim())) {
            Some(unknown) => {
                let topics = TOPICS.join(", ");
                Err(Problem::bad_request(format!(
                    "'{unknown}' is no topic; they are {topics}"
                )))
            }
            None => Ok(()),
        }
    }

    fn has(&self, topic: &str) -> bool {
        self.topics
            .as_deref()
            .is_none_or(|topics| topics.split(',').any(|wanted| wanted.trim() == topic))
    }
}

/// One event of the stream.
#[derive(ToSchema)]
pub(super) struct Event<'a> {
    /// What it is about.
    #[schema(pattern = "^(status|users|actors|subscriptions|sessions|log|reload)$")]
    event: &'a str,
    /// One line of JSON.
    #[schema(content_media_type = "application/json")]
    data: &'a str,
}

/// One open stream.
struct Stream {
    topics: Topics,
    news: Receiver<News>,
    log: Receiver<std::sync::Arc<Numbered>>,
}

/// Server-sent events: what the page shows, live.
///
/// Each event is named after its topic and carries one line of JSON: `status` the body of `/api/v1/status`; `users`
/// those who have changed as `{"items": […], "more": 0}`, of whom `more` than nothing means that the list is to be read
/// anew; `actors`, `subscriptions` and `sessions` all of them as `{"items": […]}`; `log` one record. The event `reload`
/// tells whoever has missed something to read everything anew. A silent stream is kept open by comments.
#[utoipa::path(
    get,
    path = "/api/v1/events",
    tag = "status",
    params(Topics),
    responses(
        (status = 200, description = "The stream, without end", body = Event, content_type = "text/event-stream"),
        NotUnderstood,
        Unauthorized,
        TooManyStreams,
    )
)]
pub(super) async fn events(
    _reader: Reader,
    management: web::Data<Management>,
    topics: web::Query<Topics>,
) -> Result<HttpResponse, Problem> {
    topics.check()?;
    if management.news.watchers() >= MOST_STREAMS {
        return Err(Problem::too_many_streams(MOST_STREAMS));
    }
    let stream = Stream {
        topics: topics.into_inner(),
        news: management.news.watch(),
        log: management.log.listen(),
    };
    let first = "retry: 2000\n\n".to_owned();
    let body = stream::unfold((stream, Some(first)), |(mut stream, first)| async move {
        let text = match first {
            Some(first) => first,
            None => stream.next().await?,
        };
        Some((Ok::<_, Infallible>(Bytes::from(text)), (stream, None)))
    });
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        // compression would hold events back
        .insert_header((CONTENT_ENCODING, "identity"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(body))
}

impl Stream {
    /// The next event; `None` when the connector ends.
    async fn next(&mut self) -> Option<String> {
        loop {
            let next = tokio::select! {
                news = self.news.recv() => match news {
                    Ok(news) if self.topics.has(news.topic) => event(news.topic, &news.text),
                    Ok(_unwanted) => continue,
                    Err(RecvError::Lagged(_)) => event("reload", "{}"),
                    Err(RecvError::Closed) => return None,
                },
                record = self.log.recv(), if self.topics.has("log") => match record {
                    Ok(record) => event("log", &serde_json::to_string(&*record).unwrap_or_default()),
                    Err(RecvError::Lagged(_)) => continue,
                    Err(RecvError::Closed) => return None,
                },
                () = tokio::time::sleep(SIGN_OF_LIFE) => ": still here\n\n".to_owned(),
            };
            return Some(next);
        }
    }
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "event: {}\ndata: {}\n\n", self.event, self.data)
    }
}

fn event(name: &str, json: &str) -> String {
    Event {
        event: name,
        data: json,
    }
    .to_string()
}
