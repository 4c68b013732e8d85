//! `/users`: the listing in pages with `$select`, `$filter`, `$count` and `$top`, and single users (reference 2.1).

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use url::form_urlencoded;
use uuid::Uuid;

use super::{
    answer::{Answer, Body, Call, GraphError},
    cloud::Cloud,
    directory::{BASIC_PROPERTIES, DEFAULT_PROPERTIES, User, spelled},
    filter::Filter,
    grants::Caller,
};

/// The largest `$top`, and what applies without it.
const MAX_PAGE: usize = 999;
const DEFAULT_PAGE: usize = 100;

/// What a listing asks for.
struct Listing {
    properties: Vec<&'static str>,
    selected: bool,
    filter: Option<Filter>,
    page: usize,
    counted: bool,
    eventual: bool,
    after: u64,
}

/// Answers `GET /users`.
pub(super) fn list(cloud: &Cloud, call: &Call, caller: &Caller) -> Result<Answer, GraphError> {
    let listing = listing(cloud, call)?;
    allow(caller, &listing.properties)?;
    let users = snapshot(cloud, caller.tenant);
    let accepted: Vec<&(u64, Arc<User>)> = users
        .iter()
        .filter(|(_, user)| listing.filter.as_ref().is_none_or(|filter| filter.accepts(user)))
        .collect();
    let mut rest = accepted
        .iter()
        .filter(|(order, _)| *order > listing.after)
        .peekable();
    let page: Vec<_> = rest.by_ref().take(listing.page).collect();
    let value: Value = page
        .iter()
        .map(|(_, user)| user.shown(&listing.properties))
        .collect();
    let mut body = json!({"@odata.context": context(&listing), "value": value});
    let mut add = |name: &str, value: Value| {
        if let Some(members) = body.as_object_mut() {
            members.insert(name.to_owned(), value);
        }
    };
    // Without the header the count is silently ignored; it stands on the first page only.
    if listing.counted && listing.eventual && listing.after == 0 {
        add("@odata.count", json!(accepted.len()));
    }
    if rest.peek().is_some()
        && let Some((order, _)) = page.last()
    {
        add(
            "@odata.nextLink",
            json!(next_link(cloud, call, *order, listing.eventual)),
        );
    }
    Ok(Answer::ok(body))
}

/// Answers `GET /users/$count`, which is an advanced query.
pub(super) fn count(cloud: &Cloud, call: &Call, caller: &Caller) -> Result<Answer, GraphError> {
    allow(caller, &["accountEnabled"])?;
    if !is_eventual(call) {
        return Err(GraphError::new(
            400,
            "Request_BadRequest",
            "$count is not currently supported.",
        ));
    }
    let filter = call
        .parameter("$filter")
        .map(Filter::parse)
        .transpose()
        .map_err(|_| unsupported("filter"))?;
    let users = snapshot(cloud, caller.tenant);
    let number = users
        .iter()
        .filter(|(_, user)| filter.as_ref().is_none_or(|filter| filter.accepts(user)))
        .count();
    Ok(Answer {
        body: Body::Text("text/plain", number.to_string()),
        ..Answer::empty(200)
    })
}

/// Answers `GET /users/{id or user principal name}`.
pub(super) fn one(cloud: &Cloud, call: &Call, caller: &Caller, name: &str) -> Result<Answer, GraphError> {
    let (properties, _) = properties(call)?;
    allow(caller, &properties)?;
    let users = snapshot(cloud, caller.tenant);
    let user = match Uuid::parse_str(name) {
        Ok(id) => users.iter().find(|(_, user)| user.id == id),
        Err(_) => users
            .iter()
            .find(|(_, user)| user.user_principal_name.eq_ignore_ascii_case(name)),
    };
    let (_, user) = user.ok_or_else(|| not_found(name))?;
    let mut shown = user.shown(&properties);
    if let Some(members) = shown.as_object_mut() {
        members.insert(
            "@odata.context".to_owned(),
            "https://graph.microsoft.com/v1.0/$metadata#users/$entity".into(),
        );
    }
    Ok(Answer::ok(shown))
}

/// Words the refusal for a user that does not exist.
pub(super) fn not_found(name: &str) -> GraphError {
    let message = format!(
        "Resource '{name}' does not exist or one of its queried reference-property objects are not present."
    );
    GraphError::new(404, "Request_ResourceNotFound", message)
}

/// Returns what a call costs in resource units (reference 6.3).
pub(super) fn cost(call: &Call) -> u32 {
    let top = call.parameter("$top").and_then(|top| top.parse::<u32>().ok());
    let saved = u32::from(call.parameter("$select").is_some()) + u32::from(top.is_some_and(|top| top < 20));
    (2 + u32::from(call.parameter("$expand").is_some()))
        .saturating_sub(saved)
        .max(1)
}

fn listing(cloud: &Cloud, call: &Call) -> Result<Listing, GraphError> {
    const KNOWN: &[&str] = &["$select", "$filter", "$count", "$top", "$skiptoken", "$format"];
    if let Some((name, _)) = call
        .query
        .iter()
        .find(|(name, _)| name.starts_with('$') && !KNOWN.contains(&name.as_str()))
    {
        return Err(unsupported(name.trim_start_matches('$')));
    }
    let (properties, selected) = properties(call)?;
    let filter = call
        .parameter("$filter")
        .map(Filter::parse)
        .transpose()
        .map_err(|_| unsupported("filter"))?;
    let counted = call
        .parameter("$count")
        .is_some_and(|count| count.eq_ignore_ascii_case("true"));
    let eventual = is_eventual(call);
    if filter.as_ref().is_some_and(Filter::is_advanced) && !(eventual && counted) {
        return Err(unsupported("filter"));
    }
    let top = match call.parameter("$top").map(str::parse::<usize>) {
        None => DEFAULT_PAGE,
        Some(Ok(top @ 1..=MAX_PAGE)) => top,
        Some(_) => {
            let message = "Invalid page size specified: it must be between 1 and 999 inclusive.";
            return Err(GraphError::new(400, "Request_UnsupportedQuery", message));
        }
    };
    let after = match call.parameter("$skiptoken") {
        None => 0,
        Some(token) => {
            let (after, began_eventual) = read_skip_token(token).ok_or_else(|| {
                GraphError::new(
                    400,
                    "Directory_ExpiredPageToken",
                    "The specified page token value has expired and cannot be included in your request.",
                )
            })?;
            // The header is not remembered by the link: every page needs it again.
            if began_eventual && !eventual {
                return Err(unsupported("skiptoken"));
            }
            after
        }
    };
    let page = cloud.state().knobs.page_size.map_or(top, |size| size.min(top));
    Ok(Listing {
        properties,
        selected,
        filter,
        page,
        counted,
        eventual,
        after,
    })
}

fn properties(call: &Call) -> Result<(Vec<&'static str>, bool), GraphError> {
    let Some(select) = call.parameter("$select").filter(|select| !select.is_empty()) else {
        return Ok((DEFAULT_PROPERTIES.to_vec(), false));
    };
    let mut properties = Vec::new();
    for name in select.split(',').map(str::trim) {
        let known = spelled(name).ok_or_else(|| {
            let message = format!("Could not find a property named '{name}' on type 'microsoft.graph.user'.");
            GraphError::new(400, "Request_BadRequest", message)
        })?;
        properties.push(known);
    }
    Ok((properties, true))
}

fn allow(caller: &Caller, properties: &[&str]) -> Result<(), GraphError> {
    let basic =
        caller.may(&["User.ReadBasic.All"]) && properties.iter().all(|name| BASIC_PROPERTIES.contains(name));
    if caller.may(&["User.Read.All"]) || basic {
        return Ok(());
    }
    Err(GraphError::new(
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
    ))
}

fn snapshot(cloud: &Cloud, tenant: Uuid) -> Vec<(u64, Arc<User>)> {
    let state = cloud.state();
    let people = state
        .order
        .iter()
        .filter_map(|(order, id)| Some((*order, state.people.get(id)?)));
    people
        .filter(|(_, person)| person.tenant == tenant)
        .map(|(order, person)| (order, Arc::clone(&person.user)))
        .collect()
}

fn is_eventual(call: &Call) -> bool {
    call.header("ConsistencyLevel")
        .is_some_and(|level| level.eq_ignore_ascii_case("eventual"))
}

fn unsupported(what: &str) -> GraphError {
    GraphError::new(
        400,
        "Request_UnsupportedQuery",
        format!("Unsupported or invalid query: {what}."),
    )
}

fn context(listing: &Listing) -> String {
    let base = "https://graph.microsoft.com/v1.0/$metadata#users";
    if listing.selected {
        format!("{base}({})", listing.properties.join(","))
    } else {
        base.to_owned()
    }
}

fn next_link(cloud: &Cloud, call: &Call, last: u64, eventual: bool) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in call.query.iter().filter(|(name, _)| name != "$skiptoken") {
        query.append_pair(name, value);
    }
    let token = URL_SAFE_NO_PAD.encode(format!("users {last} {eventual}"));
    let query = query
        .append_pair("$skiptoken", &token)
        .finish()
        .replace("%24", "$");
    let base = cloud
        .state()
        .knobs
        .foreign_next_link
        .clone()
        .unwrap_or_else(|| cloud.graph_url.clone());
    format!("{base}{}?{query}", call.path)
}

fn read_skip_token(token: &str) -> Option<(u64, bool)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let mut words = text.split(' ');
    if words.next() != Some("users") {
        return None;
    }
    Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
}
