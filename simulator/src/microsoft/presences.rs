//! Reading presence, and the five writes (reference 5.1 and 5.2).

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    answer::{Answer, Body, Call, GraphError},
    clock::iso_duration,
    cloud::{Cloud, Person},
    grants::Caller,
    presence::{FADING, PREFERRED_PAIRS, Pair, SESSION_PAIRS},
    status_message::StatusMessage,
    subscription::MAX_USERS,
    users,
};

const READ: &[&str] = &["Presence.Read.All", "Presence.ReadWrite.All"];
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// Answers `GET /users/{id}/presence`.
pub(super) fn one(cloud: &Cloud, caller: &Caller, user: &str) -> Result<Answer, GraphError> {
    let id = Uuid::parse_str(user).map_err(|_| users::not_found(user))?;
    let own =
        caller.delegated && caller.subject == id && caller.may(&["Presence.Read", "Presence.ReadWrite"]);
    if !own && !caller.may(READ) {
        return Err(forbidden());
    }
    let state = cloud.state();
    let person = state
        .person(caller.tenant, id)
        .ok_or_else(|| users::not_found(user))?;
    let mut body = presence(person, state.knobs.read_sequence_numbers);
    if let Some(members) = body.as_object_mut() {
        let context = format!("https://graph.microsoft.com/v1.0/$metadata#users('{id}')/presence/$entity");
        members.insert("@odata.context".to_owned(), context.into());
    }
    Ok(Answer::ok(body))
}

/// Answers `GET /communications/presences/{id}`.
pub(super) fn wrapped(cloud: &Cloud, caller: &Caller, user: &str) -> Result<Answer, GraphError> {
    let mut answer = one(cloud, caller, user)?;
    if let (true, Body::Json(value)) = (cloud.state().knobs.wrapped_presence, &mut answer.body) {
        *value = json!({ "value": [value.take()] });
    }
    Ok(answer)
}

/// Answers `GET /me/presence`.
pub(super) fn own(cloud: &Cloud, caller: &Caller) -> Result<Answer, GraphError> {
    if !caller.delegated {
        return Err(GraphError::new(
            400,
            "BadRequest",
            "/me request is only valid with delegated authentication flow.",
        ));
    }
    one(cloud, caller, &caller.subject.to_string())
}

/// Answers `POST /communications/getPresencesByUserId`; unknown users are missing from the answer.
pub(super) fn many(cloud: &Cloud, call: &Call, caller: &Caller) -> Result<Answer, GraphError> {
    if !caller.may(READ) {
        return Err(forbidden());
    }
    let body = call.json().unwrap_or_default();
    let ids = body
        .get("ids")
        .and_then(Value::as_array)
        .ok_or_else(|| bad_request("The ids are missing."))?;
    if ids.is_empty() || ids.len() > MAX_USERS {
        return Err(bad_request(""));
    }
    let state = cloud.state();
    let (numbered, unknown_too) = (state.knobs.read_sequence_numbers, state.knobs.unknown_presences);
    let mut value = Vec::with_capacity(ids.len());
    for id in ids {
        let id = id
            .as_str()
            .and_then(|id| Uuid::parse_str(id).ok())
            .ok_or_else(|| bad_request("An id is no GUID."))?;
        match state.person(caller.tenant, id) {
            Some(person) => value.push(presence(person, numbered)),
            None if unknown_too => value.push(unknown(id)),
            None => {}
        }
    }
    drop(state);
    let context = "https://graph.microsoft.com/v1.0/$metadata#Collection(microsoft.graph.presence)";
    Ok(Answer::ok(json!({"@odata.context": context, "value": value})))
}

/// Answers `POST /users/{id}/presence/{action}`.
pub(super) fn write(
    cloud: &Cloud,
    call: &Call,
    caller: &Caller,
    user: &str,
    action: &str,
) -> Result<Answer, GraphError> {
    let id = Uuid::parse_str(user).map_err(|_| users::not_found(user))?;
    if caller.delegated {
        if caller.subject != id {
            return Err(GraphError::new(
                401,
                "Unauthorized",
                "Cannot set the presence of another user.",
            ));
        }
        if !caller.may(&["Presence.ReadWrite"]) {
            return Err(forbidden());
        }
    } else if !caller.may(&["Presence.ReadWrite.All"]) {
        return Err(forbidden());
    }
    if cloud.state().person(caller.tenant, id).is_none() {
        return Err(users::not_found(user));
    }
    let body = call
        .json()
        .ok_or_else(|| bad_request("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."))?;
    match action {
        "setPresence" => set_session(cloud, caller, id, &body),
        "clearPresence" => clear_session(cloud, caller, id, &body),
        "setUserPreferredPresence" => prefer(cloud, id, &body),
        "clearUserPreferredPresence" => {
            cloud.change_presence(id, |sessions, _| sessions.clear_preferred());
            Ok(Answer::empty(200))
        }
        "setStatusMessage" => set_status_message(cloud, id, &body),
        _ => Err(bad_request("Resource not found for the segment.")),
    }
}

fn set_session(cloud: &Cloud, caller: &Caller, user: Uuid, body: &Value) -> Result<Answer, GraphError> {
    let app = session(caller, body)?;
    let pair = pair(body, SESSION_PAIRS)?;
    let life = lifetime(body)?.unwrap_or(FADING);
    if !(FADING..=HOUR * 4).contains(&life) {
        return Err(bad_request(
            "The expirationDuration must be between PT5M and PT4H.",
        ));
    }
    let (life, fading) = {
        let clock = cloud.state().clock;
        (clock.scaled(life), clock.scaled(FADING))
    };
    cloud.change_presence(user, |sessions, now| {
        sessions.set_app(app, pair, now, fading, life)
    });
    Ok(Answer::empty(200))
}

fn clear_session(cloud: &Cloud, caller: &Caller, user: Uuid, body: &Value) -> Result<Answer, GraphError> {
    let app = session(caller, body)?;
    match cloud.change_presence(user, |sessions, now| sessions.clear_app(app, now)) {
        Some(true) => Ok(Answer::empty(200)),
        _ => Err(GraphError::new(
            404,
            "NotFound",
            "The presence session does not exist.",
        )),
    }
}

fn prefer(cloud: &Cloud, user: Uuid, body: &Value) -> Result<Answer, GraphError> {
    let pair = pair(body, PREFERRED_PAIRS)?;
    let usual = if matches!(pair.availability.as_str(), "DoNotDisturb" | "Busy") {
        DAY
    } else {
        DAY * 7
    };
    let life = cloud.state().clock.scaled(lifetime(body)?.unwrap_or(usual));
    cloud.change_presence(user, |sessions, now| sessions.prefer(pair, now, life));
    Ok(Answer::empty(200))
}

fn set_status_message(cloud: &Cloud, user: Uuid, body: &Value) -> Result<Answer, GraphError> {
    let mut state = cloud.state();
    if state.knobs.refuse_status_messages {
        return Err(forbidden());
    }
    let clock = state.clock;
    let message = StatusMessage::set(body, clock.now(), |wait| clock.scaled(wait)).map_err(bad_request)?;
    if let Some(person) = state.people.get_mut(&user) {
        person.status_message = message;
    }
    Ok(Answer::empty(200))
}

fn session(caller: &Caller, body: &Value) -> Result<Uuid, GraphError> {
    let named = body
        .get("sessionId")
        .and_then(Value::as_str)
        .and_then(|id| Uuid::parse_str(id).ok());
    named
        .filter(|id| *id == caller.app)
        .ok_or_else(|| bad_request("The sessionId must be the application's id."))
}

fn pair(body: &Value, legal: &[(&str, &str)]) -> Result<Pair, GraphError> {
    let text = |name: &str| {
        body.get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (availability, activity) = (text("availability"), text("activity"));
    let found = legal.iter().find(|(known, detail)| {
        known.eq_ignore_ascii_case(&availability) && detail.eq_ignore_ascii_case(&activity)
    });
    found
        .map(|(availability, activity)| Pair::new(availability, activity))
        .ok_or_else(|| {
            bad_request(&format!(
                "The availability '{availability}' and activity '{activity}' are not a supported combination."
            ))
        })
}

fn lifetime(body: &Value) -> Result<Option<Duration>, GraphError> {
    match body.get("expirationDuration") {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_str().and_then(iso_duration) {
            Some(life) => Ok(Some(life)),
            None => Err(bad_request("The expirationDuration is not a valid duration.")),
        },
    }
}

fn presence(person: &Person, numbered: bool) -> Value {
    // Deadlines that passed a moment ago count even before the aging task noticed them.
    let now = Instant::now();
    let pair = person.sessions.effective(now);
    let message = person
        .status_message
        .as_ref()
        .filter(|message| message.stands(now));
    let mut presence = json!({
        "id": person.user.id,
        "availability": pair.availability,
        "activity": pair.activity,
        "outOfOfficeSettings": {"message": null, "isOutOfOffice": person.out_of_office},
        "statusMessage": message.map(StatusMessage::told),
        "workLocation": null,
    });
    if numbered && let Some(members) = presence.as_object_mut() {
        members.insert(
            "sequenceNumber".to_owned(),
            format!("{:020}", person.sequence).into(),
        );
    }
    presence
}

fn unknown(user: Uuid) -> Value {
    json!({"id": user, "availability": "PresenceUnknown", "activity": "PresenceUnknown"})
}

fn forbidden() -> GraphError {
    GraphError::new(403, "Forbidden", "Forbidden")
}

fn bad_request(message: &str) -> GraphError {
    GraphError::new(400, "BadRequest", message)
}
