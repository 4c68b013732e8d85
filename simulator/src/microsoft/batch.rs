//! `$batch`: up to 20 requests in one, each answered for itself (reference 6.4).

use std::collections::{HashMap, HashSet};

use actix_web::http::{
    Method,
    header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue},
};
use awc::Client;
use serde_json::{Map, Value, json};
use url::form_urlencoded;
use uuid::Uuid;

use super::{
    answer::{Answer, Body, Call, Ending, GraphError},
    cloud::Cloud,
    graph,
};

/// How many requests a batch may hold.
const MAX_ITEMS: usize = 20;

/// Answers `POST /$batch`.
pub(super) async fn answer(cloud: &Cloud, client: &Client, call: &Call) -> Result<Answer, GraphError> {
    let body = call.json().unwrap_or_default();
    let items = body
        .get("requests")
        .and_then(Value::as_array)
        .ok_or_else(|| refused("Missing requests property."))?;
    if items.is_empty() || items.len() > MAX_ITEMS {
        let message = format!("Number of batch request steps exceeds the maximum value of {MAX_ITEMS}.");
        return Err(GraphError::new(400, "MaximumValueExceeded", message));
    }
    let mut ids = HashSet::new();
    if !items.iter().all(|item| {
        item.get("id")
            .and_then(Value::as_str)
            .is_some_and(|id| ids.insert(id))
    }) {
        return Err(refused("Every request needs an id of its own."));
    }
    let mut statuses: HashMap<&str, u16> = HashMap::new();
    let mut responses = Vec::with_capacity(items.len());
    for item in items {
        let id = item.get("id").and_then(Value::as_str).unwrap_or_default();
        let needed = item
            .get("dependsOn")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let blocked = needed
            .map(|id| statuses.get(id))
            .any(|status| status.is_none_or(|status| *status >= 400));
        let answer = if blocked {
            GraphError::new(
                424,
                "FailedDependency",
                "A request that this one depends on failed.",
            )
            .answer(call, cloud.now())
        } else {
            match item_call(call, item) {
                Some(inner) => Box::pin(graph::answer(cloud, client, &inner)).await,
                None => refused("Invalid batch request step.").answer(call, cloud.now()),
            }
        };
        statuses.insert(id, answer.status);
        responses.push(response(id, answer));
    }
    Ok(Answer::ok(json!({ "responses": responses })))
}

fn item_call(call: &Call, item: &Value) -> Option<Call> {
    let method = Method::from_bytes(item.get("method")?.as_str()?.as_bytes()).ok()?;
    let url = item.get("url")?.as_str()?;
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    if path.ends_with("$batch") {
        return None;
    }
    let version = call.path.trim_matches('/').split('/').next()?;
    let mut headers = HeaderMap::new();
    if let Some(token) = call.headers.get(AUTHORIZATION) {
        headers.insert(AUTHORIZATION, token.clone());
    }
    for (name, value) in item
        .get("headers")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.insert(name, HeaderValue::from_str(value.as_str()?).ok()?);
    }
    let body = item.get("body").filter(|body| !body.is_null());
    if body.is_some() && !headers.contains_key("content-type") {
        return None;
    }
    Some(Call {
        method,
        path: format!("/{version}/{}", path.trim_start_matches('/')),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers,
        body: body.map(|body| body.to_string().into()).unwrap_or_default(),
        request_id: Uuid::new_v4(),
    })
}

fn response(id: &str, answer: Answer) -> Value {
    // A broken connection inside the service reaches the client as a failed item.
    let status = if answer.ending == Ending::Whole {
        answer.status
    } else {
        502
    };
    let headers: Map<String, Value> = answer
        .headers
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let mut response = json!({"id": id, "status": status, "headers": headers});
    let body = match answer.body {
        Body::Empty => None,
        Body::Json(value) => Some(value),
        Body::Text(_, text) => Some(text.into()),
    };
    if let (Some(body), Some(members)) = (body, response.as_object_mut()) {
        members.insert("body".to_owned(), body);
    }
    response
}

fn refused(message: &str) -> GraphError {
    GraphError::new(400, "BadRequest", message)
}
