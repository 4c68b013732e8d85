//! The Graph host: which endpoint a request means, its faults and limits, its journal entry and its headers
//! (reference 6).

use actix_web::http::Method;
use awc::Client;
use serde_json::Value;
use uuid::Uuid;

use super::{
    answer::{Answer, Body, Call, GraphError},
    batch, bearer,
    cloud::Cloud,
    entry::{Entry, Kind},
    faults::Family,
    grants::Caller,
    limits::Quota,
    presences, strike, subscriptions, users,
};

/// The largest request body that the journal keeps, in bytes.
const KEPT_BODY: usize = 2048;

/// An endpoint with what the path says.
#[derive(Clone, Copy, Debug)]
pub(super) enum Endpoint<'a> {
    Users,
    User(&'a str),
    UserCount,
    Presence(&'a str),
    CommunicationsPresence(&'a str),
    OwnPresence,
    Presences,
    Write(&'a str, &'a str),
    Subscriptions,
    Subscription(&'a str),
    Reauthorize(&'a str),
    Batch,
    Unknown,
}

impl<'a> Endpoint<'a> {
    /// Reads a path below `/v1.0` or `/beta`.
    pub(super) fn of(segments: &[&'a str]) -> Self {
        match segments {
            ["users"] => Self::Users,
            ["users", "$count"] => Self::UserCount,
            ["users", user] => Self::User(user),
            ["me", "presence"] => Self::OwnPresence,
            ["users", user, "presence"] => Self::Presence(user),
            ["communications", "presences", user] => Self::CommunicationsPresence(user),
            ["users", user, "presence", action] => Self::Write(user, action),
            ["communications", "getPresencesByUserId"] => Self::Presences,
            ["subscriptions"] => Self::Subscriptions,
            ["subscriptions", id] => Self::Subscription(id),
            ["subscriptions", id, "reauthorize"] => Self::Reauthorize(id),
            ["$batch"] => Self::Batch,
            _ => Self::Unknown,
        }
    }

    fn family(self, method: &Method) -> Family {
        match self {
            Self::Users | Self::User(_) | Self::UserCount => Family::Users,
            Self::Presence(_) | Self::CommunicationsPresence(_) | Self::OwnPresence | Self::Presences => {
                Family::PresenceRead
            }
            Self::Write(..) => Family::PresenceWrite,
            Self::Subscriptions if method == Method::GET => Family::SubscriptionList,
            Self::Subscription(_) if method == Method::GET => Family::SubscriptionRead,
            Self::Subscriptions | Self::Subscription(_) => Family::SubscriptionWrite,
            Self::Reauthorize(_) => Family::Reauthorize,
            Self::Batch => Family::Batch,
            Self::Unknown => Family::Other,
        }
    }
}

/// Answers one request to the Graph host, or one item of a batch.
pub(super) async fn answer(cloud: &Cloud, client: &Client, call: &Call) -> Answer {
    let segments: Vec<&str> = call.path.trim_matches('/').split('/').collect();
    let endpoint = match segments.as_slice() {
        ["v1.0" | "beta", rest @ ..] => Endpoint::of(rest),
        _ => Endpoint::Unknown,
    };
    let family = endpoint.family(&call.method);
    let caller = bearer::caller(cloud, call);
    let who = caller.as_ref().map(Caller::name).unwrap_or_default();
    let token = caller.as_ref().map(|caller| caller.token).unwrap_or_default();
    let refuse = |status| fault_error(status).answer(call, cloud.now());
    let work = async {
        let result = match caller {
            Ok(caller) => match charge(cloud, call, family, &caller) {
                Ok(()) => Box::pin(route(cloud, client, call, endpoint, &caller)).await,
                Err(throttled) => return throttled,
            },
            Err(refused) => Err(refused),
        };
        result.unwrap_or_else(|error| error.answer(call, cloud.now()))
    };
    let answer = strike::around(cloud, family, refuse, work).await;
    record(cloud, call, endpoint, family, (who, token), &answer);
    with_headers(answer, call, family)
}

async fn route(
    cloud: &Cloud,
    client: &Client,
    call: &Call,
    endpoint: Endpoint<'_>,
    caller: &Caller,
) -> Result<Answer, GraphError> {
    let get = call.method == Method::GET;
    let post = call.method == Method::POST;
    match endpoint {
        Endpoint::Users if get => users::list(cloud, call, caller),
        Endpoint::UserCount if get => users::count(cloud, call, caller),
        Endpoint::User(user) if get => users::one(cloud, call, caller, user),
        Endpoint::Presence(user) if get => presences::one(cloud, caller, user),
        Endpoint::CommunicationsPresence(user) if get => presences::wrapped(cloud, caller, user),
        Endpoint::OwnPresence if get => presences::own(cloud, caller),
        Endpoint::Presences if post => presences::many(cloud, call, caller),
        Endpoint::Write(user, action) if post => presences::write(cloud, call, caller, user, action),
        Endpoint::Subscriptions if post => subscriptions::create(cloud, client, call, caller).await,
        Endpoint::Subscriptions if get => subscriptions::list(cloud, caller),
        Endpoint::Subscription(id) if get => subscriptions::get(cloud, caller, id),
        Endpoint::Subscription(id) if call.method == Method::PATCH => {
            subscriptions::update(cloud, client, call, caller, id).await
        }
        Endpoint::Subscription(id) if call.method == Method::DELETE => {
            subscriptions::delete(cloud, call, caller, id)
        }
        Endpoint::Reauthorize(id) if post => subscriptions::reauthorize(cloud, caller, id),
        Endpoint::Batch if post => batch::answer(cloud, client, call).await,
        Endpoint::Unknown => Err(GraphError::new(
            400,
            "BadRequest",
            "Resource not found for the segment.",
        )),
        _ => Err(GraphError::new(
            405,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
        )),
    }
}

/// Counts a request against the documented limits (reference 6.3).
fn charge(cloud: &Cloud, call: &Call, family: Family, caller: &Caller) -> Result<(), Answer> {
    let Some(quota) = Quota::of(family) else {
        return Ok(());
    };
    let mut state = cloud.state();
    if !state.knobs.enforce_limits {
        return Ok(());
    }
    let cost = if quota == Quota::Directory {
        users::cost(call)
    } else {
        1
    };
    let size = state.people.len();
    let charged = state
        .throttle
        .charge(quota, caller.app, caller.tenant, cost, size);
    let now = state.clock.now();
    drop(state);
    charged.map_err(|left| {
        let mut error = fault_error(429);
        if quota == Quota::Directory {
            let scope = format!("Tenant_Application/ReadWrite/{}/{}", caller.app, caller.tenant);
            error = error
                .with("x-ms-throttle-scope", scope)
                .with("x-ms-throttle-information", "ResourceUnitLimitExceeded");
        }
        strike::until(error.answer(call, now), left)
    })
}

fn fault_error(status: u16) -> GraphError {
    let (code, message) = match status {
        429 => ("TooManyRequests", "Please retry again later."),
        500 => ("InternalServerError", "An internal server error has occurred."),
        502 => ("BadGateway", "Bad gateway."),
        503 => ("ServiceUnavailable", "The service is temporarily unavailable."),
        504 => ("GatewayTimeout", "The gateway timed out."),
        _ => ("UnknownError", ""),
    };
    GraphError::new(status, code, message)
}

fn record(
    cloud: &Cloud,
    call: &Call,
    endpoint: Endpoint<'_>,
    family: Family,
    (who, token): (String, u64),
    answer: &Answer,
) {
    let user = match endpoint {
        Endpoint::User(user)
        | Endpoint::Presence(user)
        | Endpoint::CommunicationsPresence(user)
        | Endpoint::Write(user, _) => Uuid::parse_str(user).ok(),
        _ => None,
    };
    let detail = if call.body.len() <= KEPT_BODY {
        call.json().unwrap_or_default()
    } else {
        Value::Null
    };
    let query = call
        .query
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect::<Vec<_>>()
        .join("&");
    let mark = if query.is_empty() { "" } else { "?" };
    cloud.record(Entry {
        at: cloud.now(),
        kind: Kind::Request(family),
        who,
        token,
        what: format!("{} {}{mark}{query}", call.method, call.path),
        status: answer.sent_status(),
        users: user.into_iter().collect(),
        detail,
    });
}

fn with_headers(mut answer: Answer, call: &Call, family: Family) -> Answer {
    if family == Family::Users {
        answer = answer.with("x-ms-resource-unit", users::cost(call).to_string());
    }
    if let Some(id) = call.header("client-request-id").map(str::to_owned) {
        answer = answer.with("client-request-id", id);
    }
    if matches!(answer.body, Body::Json(_)) {
        answer = answer.with("OData-Version", "4.0");
    }
    answer
        .with("request-id", call.request_id.to_string())
        .with("Cache-Control", "no-store")
        .with("Strict-Transport-Security", "max-age=31536000")
        .with("x-ms-ags-diagnostic", "{\"ServerInfo\":{\"DataCenter\":\"South Central US\",\"Slice\":\"SliceC\",\"Ring\":\"3\",\"ScaleUnit\":\"000\",\"RoleInstance\":\"AGSFE_IN_20\"}}")
}
