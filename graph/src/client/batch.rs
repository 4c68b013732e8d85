//! Presence writes, one by one or many in one request (graph.md 6.4).

use awc::http::Method;
use futures_util::future::join_all;
use m365_presence::identity::Credential;
use m365_presence::ports::{BATCH_LIMIT, GraphError, PresenceWrite};
use m365_presence::traffic::Urgency;
use serde_json::{Value, json};

use super::write::{WireWrite, holds, wire};
use super::{Call, GraphClient};
use crate::fault::{Fault, member, refusal, status_error, unreadable};
use crate::http::{Family, retry_after};

/// What a server answers that does no batches at all.
const NO_BATCHES: [u16; 4] = [400, 404, 405, 501];

/// A write that is on its way, and its place in the caller's list.
struct Pending<'a> {
    index: usize,
    write: &'a PresenceWrite,
    wire: WireWrite,
}

type Outcome = Result<(), GraphError>;

impl GraphClient {
    /// Writes all, and returns one result each in the order of `writes`.
    pub(super) async fn write_all(&self, writes: &[PresenceWrite]) -> Vec<Outcome> {
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(writes.len());
        let mut pending = Vec::with_capacity(writes.len());
        for (index, write) in writes.iter().enumerate() {
            match wire(write, &self.settings.client_id) {
                Ok(wire) => {
                    pending.push(Pending { index, write, wire });
                    outcomes.push(Err(unreadable("answer for this write")));
                }
                Err(illegal) => outcomes.push(Err(illegal)),
            }
        }
        for chunk in pending.chunks(BATCH_LIMIT) {
            let results = match chunk {
                [single] => vec![self.write_directly(single).await],
                several => self.write_batch(several).await,
            };
            for (pending, result) in chunk.iter().zip(results) {
                if let Some(outcome) = outcomes.get_mut(pending.index) {
                    *outcome = result;
                }
            }
        }
        outcomes
    }

    async fn write_directly(&self, pending: &Pending<'_>) -> Outcome {
        let url = self.endpoints.graph(&pending.wire.path);
        let call = Call {
            urgency: pending.write.urgency(),
            ..Call::new(&Credential::App, Family::PresenceWrite, Method::POST, &url)
        };
        let answer = self.call(call.json(pending.wire.body.clone())).await?;
        if holds(pending.write, answer.status) {
            Ok(())
        } else {
            Err(refusal(&answer))
        }
    }

    async fn write_batch(&self, chunk: &[Pending<'_>]) -> Vec<Outcome> {
        let url = self.endpoints.graph("/$batch");
        let urgency = chunk.iter().map(|pending| pending.write.urgency()).min();
        let call = Call {
            urgency: urgency.unwrap_or(Urgency::Choice),
            cost: u32::try_from(chunk.len()).unwrap_or(u32::MAX),
            ..Call::new(&Credential::App, Family::PresenceWrite, Method::POST, &url)
        };
        let answer = match self.call(call.json(envelope(chunk))).await {
            Ok(answer) => answer,
            Err(error) => return vec![Err(error); chunk.len()],
        };
        if NO_BATCHES.contains(&answer.status) && answer.patience.is_none() {
            log::debug!(status = answer.status; "batch not taken, writing one by one");
            return join_all(chunk.iter().map(|pending| self.write_directly(pending))).await;
        }
        if !answer.is_success() {
            return vec![Err(refusal(&answer)); chunk.len()];
        }
        let body = answer.json().unwrap_or_default();
        let items = member(&body, "responses")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let mut outcomes = Vec::with_capacity(chunk.len());
        for (place, pending) in chunk.iter().enumerate() {
            let item = items.iter().find(|item| is_for(item, place));
            outcomes.push(match item {
                None => Err(unreadable("answer for this write")),
                // The token may have ended since the batch left; a direct request fetches a fresh one.
                Some(item) if status(item) == 401 => self.write_directly(pending).await,
                Some(item) => self.judge_item(pending, item),
            });
        }
        outcomes
    }

    fn judge_item(&self, pending: &Pending<'_>, item: &Value) -> Outcome {
        let status = status(item);
        if holds(pending.write, status) {
            return Ok(());
        }
        let wait = member(item, "headers").and_then(|headers| member(headers, "Retry-After"));
        let wait = wait.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        let wait = wait.and_then(|value| retry_after(&value, self.http.clock().now()));
        let app = Some(&Credential::App);
        Err(match self.http.heed(Family::PresenceWrite, app, status, wait) {
            Some(retry_after) => GraphError::Throttled { retry_after },
            None => status_error(status, Fault::read(member(item, "body"))),
        })
    }
}

fn envelope(chunk: &[Pending<'_>]) -> Value {
    let requests: Vec<Value> = chunk
        .iter()
        .enumerate()
        .map(|(place, pending)| {
            json!({
                "id": place.to_string(),
                "method": "POST",
                "url": pending.wire.path,
                "headers": { "Content-Type": "application/json" },
                "body": pending.wire.body,
            })
        })
        .collect();
    json!({ "requests": requests })
}

fn is_for(item: &Value, place: usize) -> bool {
    match member(item, "id") {
        Some(Value::String(id)) => *id == place.to_string(),
        Some(id) => id.as_u64() == u64::try_from(place).ok(),
        None => false,
    }
}

/// The status of an item; what cannot be read is a failure of the server.
fn status(item: &Value) -> u16 {
    let status = member(item, "status");
    let number = status.and_then(|status| status.as_u64().or_else(|| status.as_str()?.parse().ok()));
    number
        .and_then(|number| u16::try_from(number).ok())
        .unwrap_or(500)
}
