//! The log over the API: the last records, and how talkative which part is.

mod levels_in_force;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use log::LevelFilter;
use serde::Deserialize;
use serde_json::json;
use utoipa::openapi::schema::{AdditionalProperties, Object, ObjectBuilder, OneOfBuilder, Ref, Schema, Type};
use utoipa::{IntoParams, ToSchema};

use levels_in_force::{LevelName, LevelsInForce};

use super::Management;
use super::paging::Paging;
use super::refusals::{Forbidden, NotUnderstood, Unauthorized};
use crate::http::access::{Administrator, Reader};
use crate::http::problem::Problem;
use crate::log::{Change, Numbered, TraceFlag};
use crate::view::listing::Listing;

/// A change of levels ends after this time at the latest.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// Users who can be traced at a time.
const MOST_USERS: usize = 100;

/// Which records are wanted; all unless given.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// This level or more important.
    #[param(value_type = LevelName, required = false)]
    level: Option<String>,
    /// Records whose message, target or fields contain this, whatever the case.
    text: Option<String>,
}

impl Wanted {
    fn filter(&self) -> Result<impl Fn(&Arc<Numbered>) -> bool, Problem> {
        let level = self.level.as_deref().map(level_of).transpose()?;
        let text = self.text.as_deref().unwrap_or_default().to_lowercase();
        Ok(move |record: &Arc<Numbered>| {
            let line = &record.line;
            let important = level.is_none_or(|level| line.level_filter() <= level);
            important && (text.is_empty() || line.to_string().to_lowercase().contains(&text))
        })
    }
}

/// The last records of the log, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/log",
    tag = "log",
    operation_id = "log",
    params(Paging, Wanted),
    responses(
        (status = 200, description = "A page of the records", body = Listing<Numbered>),
        NotUnderstood,
        Unauthorized,
    )
)]
pub(super) async fn recent(
    _reader: Reader,
    management: web::Data<Management>,
    paging: web::Query<Paging>,
    wanted: web::Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let (limit, wanted) = (paging.limit()?, wanted.filter()?);
    let before = paging.after(|text| text.parse::<u64>().ok())?.unwrap_or(u64::MAX);
    let found: Vec<_> = management
        .log
        .recent()
        .into_iter()
        .rev()
        .filter(|record| record.id < before)
        .filter(wanted)
        .take(limit.saturating_add(1))
        .collect();
    let page = Listing::cut(found, limit, |record| record.id.to_string());
    Ok(HttpResponse::Ok().json(page))
}

/// The levels in force.
#[utoipa::path(
    get,
    path = "/api/v1/log/levels",
    tag = "log",
    operation_id = "log_levels",
    responses((status = 200, description = "How talkative which part is", body = LevelsInForce), Unauthorized)
)]
pub(super) async fn levels(_reader: Reader, management: web::Data<Management>) -> HttpResponse {
    HttpResponse::Ok().json(LevelsInForce::of(&management.log.levels()))
}

fn levels_by_flag() -> Object {
    let level = Schema::from(
        OneOfBuilder::new()
            .item(Ref::from_schema_name("LevelName"))
            .item(ObjectBuilder::new().schema_type(Type::Null))
            .build(),
    );
    let flags =
        ObjectBuilder::new().additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)));
    let flags = TraceFlag::ALL
        .iter()
        .fold(flags, |flags, flag| flags.property(flag.name(), level.clone()));
    flags.examples([json!({"HTTP client": "debug"})]).build()
}

/// What a body of `PUT /api/v1/log/levels` says.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = LevelsOrder)]
pub(super) struct Order {
    /// Levels by trace flag, of which case, blanks, dashes and underscores do not matter; null falls back to the
    /// configured one.
    #[serde(default)]
    #[schema(schema_with = levels_by_flag)]
    levels: BTreeMap<String, Option<String>>,
    /// PBX users, by name, of whom everything is told; replaces those before.
    #[schema(max_items = 100, example = json!(["anna"]))]
    users: Option<Vec<String>>,
    /// How long it holds, e.g. `10m`; until it is changed again unless given.
    #[serde(rename = "for")]
    #[schema(example = "10m")]
    duration: Option<String>,
}

impl Order {
    fn read(self, now: DateTime<Utc>) -> Result<Change, Problem> {
        let flag = |(name, level): (String, Option<String>)| {
            let flag = TraceFlag::parse(&name).ok_or_else(|| unknown_flag(&name))?;
            Ok((flag, level.as_deref().map(level_of).transpose()?))
        };
        if self.users.as_ref().is_some_and(|users| users.len() > MOST_USERS) {
            let detail = format!("users names more than {MOST_USERS} users, who cannot be traced at a time");
            return Err(Problem::bad_request(detail));
        }
        Ok(Change {
            flags: self
                .levels
                .into_iter()
                .map(flag)
                .collect::<Result<_, Problem>>()?,
            users: self.users,
            until: self
                .duration
                .as_deref()
                .map(|text| until(text, now))
                .transpose()?,
        })
    }
}

/// Changes levels at run time, also for a while, or for single users.
#[utoipa::path(
    put,
    path = "/api/v1/log/levels",
    tag = "log",
    operation_id = "set_log_levels",
    request_body = Order,
    responses(
        (status = 200, description = "The levels in force now", body = LevelsInForce),
        NotUnderstood,
        Unauthorized,
        Forbidden,
    ),
    security(("bearer" = []), ("session" = [], "csrf" = []))
)]
pub(super) async fn set_levels(
    administrator: Administrator,
    management: web::Data<Management>,
    order: web::Json<Order>,
) -> Result<HttpResponse, Problem> {
    let change = order.into_inner().read(Utc::now())?;
    for (flag, level) in &change.flags {
        let level = level.map_or_else(|| "the configured level".to_owned(), name_of);
        log::info!(flag = flag.name(), level = level.as_str(); "an administrator sets the trace flag {} to {level}", flag.name());
    }
    if let Some(users) = &change.users {
        log::info!(users = users.len(); "an administrator traces {} single users", users.len());
    }
    management.log.change(change);
    management.settings.record(administrator.who, "log levels").await;
    Ok(HttpResponse::Ok().json(LevelsInForce::of(&management.log.levels())))
}

fn name_of(level: LevelFilter) -> String {
    level.as_str().to_lowercase()
}

fn level_of(name: &str) -> Result<LevelFilter, Problem> {
    let refusal = || {
        Problem::bad_request(format!(
            "{name:?} is no level: off, error, warn, info, debug or trace"
        ))
    };
    name.trim().parse().map_err(|_| refusal())
}

fn unknown_flag(name: &str) -> Problem {
    let flags = TraceFlag::ALL.map(TraceFlag::name).join(", ");
    Problem::bad_request(format!("{name:?} is no trace flag; they are {flags}"))
}

fn until(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, Problem> {
    let refusal = || {
        Problem::bad_request(format!(
            "for = {text:?} is no duration from 1s to 7d; write it like \"10m\" or \"1h 30m\""
        ))
    };
    let duration = humantime::parse_duration(text).map_err(|_| refusal())?;
    if duration < Duration::from_secs(1) || duration > LONGEST {
        return Err(refusal());
    }
    Ok(now + TimeDelta::from_std(duration).map_err(|_| refusal())?)
}
