//! The rows without secrets as the tables hold them, and their way to the port's types and back.
//!
//! Times are cut to microseconds, because PostgreSQL keeps no more: the same answer comes back from either database.

use chrono::{DateTime, DurationRound, NaiveDateTime, TimeDelta, Utc};
use diesel::prelude::*;
use m365_presence::identity::{Account, PbxGuid, PbxName, SubscriptionId, TeamsId};
use m365_presence::ports::{
    AuditRecord, LedgerRow, LedgerState, LicenseAnswer, NumberedRecord, Slot, StoredSubscription,
    SubscriptionKind,
};
use m365_presence::teams::TeamsPresence;

use crate::error::Failure;
use crate::schema;

/// A row of table `subscriptions`.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::subscriptions)]
pub(crate) struct SubscriptionRow {
    pub(crate) kind: String,
    pub(crate) account: String,
    id: String,
    users: String,
    expires_at: NaiveDateTime,
    certificate_id: Option<String>,
    notification_url: String,
}

/// A row of table `ledger`.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::ledger)]
pub(crate) struct LedgerTableRow {
    pub(crate) pbx_user: String,
    pub(crate) slot: String,
    h323: String,
    home: String,
    teams_user: String,
    state: String,
    availability: String,
    activity: String,
    stands_for: String,
    written_at: NaiveDateTime,
    until: Option<NaiveDateTime>,
    replaces: String,
}

/// A row of table `license_answers`.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::license_answers, treat_none_as_default_value = false)]
pub(crate) struct LicenseAnswerRow {
    pbx_user: String,
    held: bool,
}

/// A row of table `audit`.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::audit, treat_none_as_default_value = false)]
pub(crate) struct AuditRow {
    id: i64,
    at: NaiveDateTime,
    who: String,
    what: String,
    value_before: Option<String>,
    value_after: Option<String>,
}

impl AuditRow {
    pub(crate) fn new(id: i64, record: &AuditRecord) -> Self {
        Self {
            id,
            at: stored_time(record.at),
            who: record.who.clone(),
            what: record.what.clone(),
            value_before: record.before.clone(),
            value_after: record.after.clone(),
        }
    }
}

impl From<AuditRow> for NumberedRecord {
    fn from(row: AuditRow) -> Self {
        Self {
            id: row.id,
            record: AuditRecord {
                at: row.at.and_utc(),
                who: row.who,
                what: row.what,
                before: row.value_before,
                after: row.value_after,
            },
        }
    }
}

/// Cuts a time to what both databases keep.
pub(crate) fn stored_time(time: DateTime<Utc>) -> NaiveDateTime {
    time.duration_trunc(TimeDelta::microseconds(1))
        .unwrap_or(time)
        .naive_utc()
}

/// Spells what a subscription watches as the columns `kind` and `account`.
pub(crate) fn kind_columns(kind: &SubscriptionKind) -> (&'static str, &str) {
    match kind {
        SubscriptionKind::Users => ("users", ""),
        SubscriptionKind::Presence(account) => ("presence", account.as_str()),
    }
}

/// Reads the columns `kind` and `account` of a table.
pub(crate) fn subscription_kind(
    table: &'static str,
    kind: &str,
    account: &str,
) -> Result<SubscriptionKind, Failure> {
    match kind {
        "users" => Ok(SubscriptionKind::Users),
        "presence" => Ok(SubscriptionKind::Presence(Account::new(account))),
        _ => Err(Failure::Row {
            table,
            what: "kind of subscription",
        }),
    }
}

/// Spells a slot.
pub(crate) fn slot_column(slot: Slot) -> &'static str {
    match slot {
        Slot::Session => "session",
        Slot::Preferred => "preferred",
        Slot::PbxEntry => "pbx_entry",
        Slot::AlienCall => "alien_call",
        Slot::StatusMessage => "status_message",
    }
}

fn slot(text: &str) -> Result<Slot, Failure> {
    match text {
        "session" => Ok(Slot::Session),
        "preferred" => Ok(Slot::Preferred),
        "pbx_entry" => Ok(Slot::PbxEntry),
        "alien_call" => Ok(Slot::AlienCall),
        "status_message" => Ok(Slot::StatusMessage),
        _ => Err(Failure::Row {
            table: "ledger",
            what: "slot",
        }),
    }
}

fn state_column(state: LedgerState) -> &'static str {
    match state {
        LedgerState::Intended => "intended",
        LedgerState::Confirmed => "confirmed",
        LedgerState::Overridden => "overridden",
    }
}

fn state(text: &str) -> Result<LedgerState, Failure> {
    match text {
        "intended" => Ok(LedgerState::Intended),
        "confirmed" => Ok(LedgerState::Confirmed),
        "overridden" => Ok(LedgerState::Overridden),
        _ => Err(Failure::Row {
            table: "ledger",
            what: "state",
        }),
    }
}

impl From<&StoredSubscription> for SubscriptionRow {
    fn from(subscription: &StoredSubscription) -> Self {
        let (kind, account) = kind_columns(&subscription.kind);
        let users: Vec<&str> = subscription.users.iter().map(TeamsId::as_str).collect();
        Self {
            kind: kind.to_owned(),
            account: account.to_owned(),
            id: subscription.id.as_str().to_owned(),
            users: serde_json::Value::from(users).to_string(),
            expires_at: stored_time(subscription.expires_at),
            certificate_id: subscription.certificate_id.clone(),
            notification_url: subscription.notification_url.clone(),
        }
    }
}

impl TryFrom<SubscriptionRow> for StoredSubscription {
    type Error = Failure;

    fn try_from(row: SubscriptionRow) -> Result<Self, Failure> {
        let unreadable = |_error| Failure::Row {
            table: "subscriptions",
            what: "list of users",
        };
        Ok(Self {
            kind: subscription_kind("subscriptions", &row.kind, &row.account)?,
            id: SubscriptionId::new(row.id),
            users: serde_json::from_str(&row.users).map_err(unreadable)?,
            expires_at: row.expires_at.and_utc(),
            certificate_id: row.certificate_id,
            notification_url: row.notification_url,
        })
    }
}

impl From<&LedgerRow> for LedgerTableRow {
    fn from(row: &LedgerRow) -> Self {
        Self {
            pbx_user: row.pbx_user.as_str().to_owned(),
            slot: slot_column(row.slot).to_owned(),
            h323: row.h323.clone(),
            home: row.home.as_str().to_owned(),
            teams_user: row.teams_user.as_str().to_owned(),
            state: state_column(row.state).to_owned(),
            availability: row.value.availability.clone(),
            activity: row.value.activity.clone(),
            stands_for: row.stands_for.clone(),
            written_at: stored_time(row.written_at),
            until: row.until.map(stored_time),
            replaces: serde_json::to_string(&row.replaces).unwrap_or_else(|_never_fails| "[]".to_owned()),
        }
    }
}

impl TryFrom<LedgerTableRow> for LedgerRow {
    type Error = Failure;

    fn try_from(row: LedgerTableRow) -> Result<Self, Failure> {
        let unreadable = |_error| Failure::Row {
            table: "ledger",
            what: "list of what an intent replaces",
        };
        Ok(Self {
            replaces: serde_json::from_str(&row.replaces).map_err(unreadable)?,
            slot: slot(&row.slot)?,
            state: state(&row.state)?,
            pbx_user: PbxGuid::new(row.pbx_user),
            h323: row.h323,
            home: PbxName::new(row.home),
            teams_user: TeamsId::new(row.teams_user),
            value: TeamsPresence::new(row.availability, row.activity),
            stands_for: row.stands_for,
            written_at: row.written_at.and_utc(),
            until: row.until.map(|until| until.and_utc()),
        })
    }
}

impl From<&LicenseAnswer> for LicenseAnswerRow {
    fn from(answer: &LicenseAnswer) -> Self {
        Self {
            pbx_user: answer.user.as_str().to_owned(),
            held: answer.held,
        }
    }
}

impl From<LicenseAnswerRow> for LicenseAnswer {
    fn from(row: LicenseAnswerRow) -> Self {
        Self {
            user: PbxGuid::new(row.pbx_user),
            held: row.held,
        }
    }
}
