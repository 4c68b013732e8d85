//! One POST to a notification URL: what it carries, how long it may take, and what the journal learns of it.

use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use awc::Client;
use serde_json::json;
use url::Url;
use uuid::Uuid;

use super::{
    cloud::Cloud,
    entry::{Entry, Kind},
    notification::Outgoing,
};

/// One or more notifications for one URL; the body stays the same over all attempts.
#[derive(Clone)]
pub(super) struct Parcel {
    pub(super) items: Vec<Outgoing>,
    pub(super) body: Option<Rc<String>>,
    pub(super) attempts: u32,
    pub(super) born: Instant,
}

/// What became of a POST.
pub(super) struct Outcome {
    pub(super) parcel: Parcel,
    pub(super) url: String,
    pub(super) delivered: bool,
    pub(super) took: Duration,
}

/// Posts a parcel and records what came of it.
pub(super) async fn post(cloud: Arc<Cloud>, client: Client, url: String, mut parcel: Parcel) -> Outcome {
    let limit = {
        let state = cloud.state();
        let knobs = &state.knobs.delivery;
        if parcel.attempts == 0 {
            knobs.first_timeout
        } else {
            knobs.retry_timeout
        }
    };
    parcel.attempts += 1;
    let body = parcel.body.as_deref().cloned().unwrap_or_default();
    let began = Instant::now();
    let request = client
        .post(&url)
        .timeout(limit)
        .insert_header(("Content-Type", "application/json; charset=utf-8"));
    let answer = tokio::time::timeout(limit, request.send_body(body)).await;
    let status = answer
        .ok()
        .and_then(Result::ok)
        .map(|response| response.status().as_u16());
    let took = began.elapsed();
    let lifecycle = parcel.items.iter().any(Outgoing::is_lifecycle);
    let subscriptions: Vec<Uuid> = parcel.items.iter().map(|item| item.subscription).collect();
    cloud.record(Entry {
        at: cloud.now(),
        kind: if lifecycle { Kind::Lifecycle } else { Kind::Delivery },
        who: subscriptions.first().map(Uuid::to_string).unwrap_or_default(),
        token: 0,
        what: format!("POST {url}"),
        status,
        users: parcel.items.iter().filter_map(Outgoing::user).collect(),
        detail: json!({
            "attempt": parcel.attempts,
            "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "forgery": parcel.items.iter().find_map(|item| item.forgery).map(|forgery| format!("{forgery:?}")),
            "items": parcel.items.iter().map(Outgoing::summary).collect::<Vec<_>>(),
        }),
    });
    let delivered = status.is_some_and(|status| (200..300).contains(&status));
    Outcome {
        parcel,
        url,
        delivered,
        took,
    }
}

/// Returns host and port of a URL, by which endpoints are judged.
pub(super) fn host(url: &str) -> String {
    let parsed = Url::parse(url).ok();
    parsed
        .map(|url| {
            format!(
                "{}:{}",
                url.host_str().unwrap_or_default(),
                url.port_or_known_default().unwrap_or_default()
            )
        })
        .unwrap_or_default()
}
