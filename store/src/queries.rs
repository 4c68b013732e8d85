//! The statements, one function each.
//!
//! They stay within what both databases understand: a row is replaced by removing and inserting it, not by a dialect's
//! way to say so. Every function that changes more than one row or statement is one transaction.

use diesel::dsl::max;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use m365_presence::ports::{AuditRecord, LedgerChange};

use crate::database::Database;
use crate::rows::{AuditRow, LedgerTableRow, LicenseAnswerRow, SubscriptionRow, slot_column};
use crate::schema::{
    audit, client_states, ledger, license_answers, meta, notification_keys, refresh_tokens, settings,
    sign_ins, subscriptions,
};
use crate::sealed::{ClientStateRow, NotificationKeyRow, RefreshTokenRow, SettingRow, SignInRow};

/// Runs a statement that has no common form for both databases, such as an insert of many rows.
macro_rules! in_its_dialect {
    ($database:expr, $connection:ident => $statement:expr) => {
        match $database {
            Database::Sqlite($connection) => $statement,
            Database::Postgres($connection) => $statement,
        }
    };
}

pub(crate) use in_its_dialect;

/// Rows of one insert: SQLite allows 32,766 parameters in a statement.
pub(crate) const ROWS_AT_ONCE: usize = 1000;

/// Records of the audit that are kept.
const AUDIT_KEPT: i64 = 10_000;

/// Applies all of some work or nothing, and keeps the error that ended it.
///
/// SQLite rolls back by itself when the disk is full; diesel's own rollback then finds no transaction, and its
/// complaint would hide the cause. On a server the request is a transaction already.
pub(crate) fn whole(
    database: &mut Database,
    work: impl FnOnce(&mut Database) -> QueryResult<()>,
) -> QueryResult<()> {
    if matches!(database, Database::Postgres(_)) {
        return work(database);
    }
    let mut cause = None;
    let outcome = database.transaction(|database| {
        work(database).map_err(|error| {
            cause = Some(error);
            DieselError::RollbackTransaction
        })
    });
    outcome.map_err(|error| cause.unwrap_or(error))
}

/// Reads a fact about the database itself.
pub(crate) fn meta(database: &mut Database, name: &str) -> QueryResult<Option<Vec<u8>>> {
    meta::table
        .find(name)
        .select(meta::value)
        .first(database)
        .optional()
}

/// Stores a fact about the database itself, once.
pub(crate) fn add_meta(database: &mut Database, name: &str, value: &[u8]) -> QueryResult<()> {
    diesel::insert_into(meta::table)
        .values((meta::name.eq(name), meta::value.eq(value)))
        .execute(database)
        .map(drop)
}

/// Reads all subscriptions.
pub(crate) fn subscriptions(database: &mut Database) -> QueryResult<Vec<SubscriptionRow>> {
    subscriptions::table
        .order((subscriptions::kind, subscriptions::account))
        .select(SubscriptionRow::as_select())
        .load(database)
}

/// Inserts or replaces the subscription of its kind.
pub(crate) fn put_subscription(database: &mut Database, row: &SubscriptionRow) -> QueryResult<()> {
    whole(database, |database| {
        remove_subscription(database, &row.kind, &row.account)?;
        diesel::insert_into(subscriptions::table)
            .values(row)
            .execute(database)
            .map(drop)
    })
}

/// Removes the subscription of a kind.
pub(crate) fn remove_subscription(database: &mut Database, kind: &str, account: &str) -> QueryResult<()> {
    diesel::delete(subscriptions::table.find((kind, account)))
        .execute(database)
        .map(drop)
}

/// Reads all client states.
pub(crate) fn client_states(database: &mut Database) -> QueryResult<Vec<ClientStateRow>> {
    client_states::table
        .order((client_states::kind, client_states::account))
        .select(ClientStateRow::as_select())
        .load(database)
}

/// Inserts or replaces the client state of its kind.
pub(crate) fn put_client_state(database: &mut Database, row: &ClientStateRow) -> QueryResult<()> {
    whole(database, |database| {
        diesel::delete(client_states::table.find((&row.kind, &row.account))).execute(database)?;
        diesel::insert_into(client_states::table)
            .values(row)
            .execute(database)
            .map(drop)
    })
}

/// Reads the whole ledger.
pub(crate) fn ledger(database: &mut Database) -> QueryResult<Vec<LedgerTableRow>> {
    ledger::table
        .order((ledger::pbx_user, ledger::slot))
        .select(LedgerTableRow::as_select())
        .load(database)
}

/// Applies changes in order, all or none.
pub(crate) fn change_ledger(database: &mut Database, changes: &[LedgerChange]) -> QueryResult<()> {
    whole(database, |database| {
        for change in changes {
            let (pbx_user, slot) = match change {
                LedgerChange::Put(row) => (&row.pbx_user, row.slot),
                LedgerChange::Remove { pbx_user, slot } => (pbx_user, *slot),
            };
            diesel::delete(ledger::table.find((pbx_user.as_str(), slot_column(slot)))).execute(database)?;
            if let LedgerChange::Put(row) = change {
                diesel::insert_into(ledger::table)
                    .values(LedgerTableRow::from(row))
                    .execute(database)?;
            }
        }
        Ok(())
    })
}

/// Reads an account's refresh token.
pub(crate) fn refresh_token(database: &mut Database, account: &str) -> QueryResult<Option<RefreshTokenRow>> {
    refresh_tokens::table
        .find(account)
        .select(RefreshTokenRow::as_select())
        .first(database)
        .optional()
}

/// Inserts or replaces a refresh token.
pub(crate) fn put_refresh_token(database: &mut Database, row: &RefreshTokenRow) -> QueryResult<()> {
    whole(database, |database| {
        remove_refresh_token(database, &row.account)?;
        diesel::insert_into(refresh_tokens::table)
            .values(row)
            .execute(database)
            .map(drop)
    })
}

/// Removes a refresh token.
pub(crate) fn remove_refresh_token(database: &mut Database, account: &str) -> QueryResult<()> {
    diesel::delete(refresh_tokens::table.find(account))
        .execute(database)
        .map(drop)
}

/// Reads what is remembered of all sign-ins.
pub(crate) fn sign_ins(database: &mut Database) -> QueryResult<Vec<SignInRow>> {
    sign_ins::table
        .order(sign_ins::credential)
        .select(SignInRow::as_select())
        .load(database)
}

/// Inserts or replaces what is remembered of a credential's sign-ins.
pub(crate) fn put_sign_in(database: &mut Database, row: &SignInRow) -> QueryResult<()> {
    whole(database, |database| {
        diesel::delete(sign_ins::table.find(&row.credential)).execute(database)?;
        diesel::insert_into(sign_ins::table)
            .values(row)
            .execute(database)
            .map(drop)
    })
}

/// Reads the ids of all notification keys, newest first.
pub(crate) fn notification_key_ids(database: &mut Database) -> QueryResult<Vec<String>> {
    notification_keys::table
        .order((notification_keys::created_at.desc(), notification_keys::id))
        .select(notification_keys::id)
        .load(database)
}

/// Reads one notification key.
pub(crate) fn notification_key(database: &mut Database, id: &str) -> QueryResult<NotificationKeyRow> {
    notification_keys::table
        .find(id)
        .select(NotificationKeyRow::as_select())
        .first(database)
}

/// Inserts or replaces a notification key.
pub(crate) fn put_notification_key(database: &mut Database, row: &NotificationKeyRow) -> QueryResult<()> {
    whole(database, |database| {
        remove_notification_key(database, &row.id)?;
        diesel::insert_into(notification_keys::table)
            .values(row)
            .execute(database)
            .map(drop)
    })
}

/// Removes a notification key.
pub(crate) fn remove_notification_key(database: &mut Database, id: &str) -> QueryResult<()> {
    diesel::delete(notification_keys::table.find(id))
        .execute(database)
        .map(drop)
}

/// Reads the license answers.
pub(crate) fn license_answers(database: &mut Database) -> QueryResult<Vec<LicenseAnswerRow>> {
    license_answers::table
        .order(license_answers::pbx_user)
        .select(LicenseAnswerRow::as_select())
        .load(database)
}

/// Replaces all license answers.
pub(crate) fn put_license_answers(database: &mut Database, rows: &[LicenseAnswerRow]) -> QueryResult<()> {
    whole(database, |database| {
        diesel::delete(license_answers::table).execute(database)?;
        for rows in rows.chunks(ROWS_AT_ONCE) {
            let insert = diesel::insert_into(license_answers::table).values(rows);
            in_its_dialect!(database, connection => insert.execute(connection))?;
        }
        Ok(())
    })
}

/// Reads all settings that were changed at run time.
pub(crate) fn settings(database: &mut Database) -> QueryResult<Vec<SettingRow>> {
    settings::table
        .order(settings::key)
        .select(SettingRow::as_select())
        .load(database)
}

/// Removes settings, inserts rows, and keeps records with the next numbers.
pub(crate) fn change_settings(
    database: &mut Database,
    removed: &[String],
    rows: &[SettingRow],
    records: &[AuditRecord],
) -> QueryResult<()> {
    whole(database, |database| {
        diesel::delete(settings::table.filter(settings::key.eq_any(removed))).execute(database)?;
        for row in rows {
            diesel::delete(settings::table.find(&row.key)).execute(database)?;
            diesel::insert_into(settings::table)
                .values(row)
                .execute(database)?;
        }
        let newest: Option<i64> = audit::table.select(max(audit::id)).first(database)?;
        let mut id = newest.unwrap_or(0);
        let numbered = |record| {
            id = id.saturating_add(1);
            AuditRow::new(id, record)
        };
        let rows: Vec<_> = records.iter().map(numbered).collect();
        for rows in rows.chunks(ROWS_AT_ONCE) {
            let insert = diesel::insert_into(audit::table).values(rows);
            in_its_dialect!(database, connection => insert.execute(connection))?;
        }
        diesel::delete(audit::table.filter(audit::id.le(id.saturating_sub(AUDIT_KEPT))))
            .execute(database)
            .map(drop)
    })
}

/// Reads the newest records before a number, newest first.
pub(crate) fn audit(database: &mut Database, before: i64, limit: i64) -> QueryResult<Vec<AuditRow>> {
    audit::table
        .filter(audit::id.lt(before))
        .order(audit::id.desc())
        .limit(limit)
        .select(AuditRow::as_select())
        .load(database)
}
