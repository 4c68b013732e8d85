//! The store in tables: each request of the port as statements, on whichever database.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use m365_presence::identity::Account;
use m365_presence::ports::{
    AcceptedState, AuditRecord, LedgerChange, LedgerRow, LicenseAnswer, NotificationKey, NumberedRecord,
    SettingChange, SettingsStore, Store, Stored, StoredKeys, StoredSetting, StoredSubscription,
    SubscriptionKind,
};
use m365_presence::secret::Secret;
use m365_presence::sign_in::SignInRecord;

use crate::database::Database;
use crate::error::{Failure, Fault, OpenError};
use crate::file;
use crate::key::KeySource;
use crate::lock::FileLock;
use crate::migration::{self, Need};
use crate::postgres::{PostgresAddress, Server, term};
use crate::queries;
use crate::restore::keep_copy;
use crate::rows::{LicenseAnswerRow, SubscriptionRow, kind_columns};
use crate::sealed::{ClientStateRow, NotificationKeyRow, RefreshTokenRow, SettingRow, SignInRow};
use crate::unlock::{prove, unlock};
use crate::writer::{Desk, Office, Way, Writer};

/// Keeps what must survive a restart in one database.
pub struct SqlStore {
    pub(crate) writer: Writer,
}

impl SqlStore {
    /// Opens or creates an SQLite file, migrates it, and checks that the key fits. Blocks while it does. No other
    /// process can open the file meanwhile.
    ///
    /// # Errors
    ///
    /// Each error's text says what is wrong with which file and what to do about it.
    pub fn open_file(path: impl AsRef<Path>, key: &KeySource) -> Result<Self, OpenError> {
        let path = file::create(path.as_ref())?;
        let lock = FileLock::take(&path)?;
        let (name, key) = (path.display().to_string(), key.clone());
        let writer = Writer::start(name.clone(), move || {
            let mut connection = file::connect(&path).map_err(|fault| fault.at(&name))?;
            if migration::need(&mut connection, &name)? == Need::Change {
                let kept = keep_copy(&mut connection, &path, "before-update")?;
                log::info!(
                    "the database is about to be brought up to date; {} keeps it as it was",
                    kept.display()
                );
            }
            desk(&name, Database::Sqlite(connection), Way::File(lock), &key)
        })?;
        Ok(Self { writer })
    }

    /// Opens a database of a PostgreSQL server, migrates it, and checks that the key fits. Blocks while it does. A
    /// connection that is lost later is made anew by the next request.
    ///
    /// # Errors
    ///
    /// Each error's text says what is wrong with which database and what to do about it.
    pub fn open_server(address: &PostgresAddress, key: &KeySource) -> Result<Self, OpenError> {
        let (name, key) = (address.to_string(), key.clone());
        let server = Server::new(address).map_err(|fault| fault.at(&name))?;
        let writer = Writer::start(name.clone(), move || {
            let connection = server.connect().map_err(|fault| fault.at(&name))?;
            let way = Way::Server(Box::new(server), Office::Unshared);
            desk(&name, Database::Postgres(connection), way, &key)
        })?;
        Ok(Self { writer })
    }

    /// Opens a database on a server for the instance that was elected, and counts its term.
    pub(crate) fn open_elected(
        name: String,
        server: Server,
        key: &KeySource,
        session: i32,
    ) -> Result<(Self, i64), OpenError> {
        let key = key.clone();
        let claimed = Arc::new(AtomicI64::new(0));
        let claim = Arc::clone(&claimed);
        let writer = Writer::start(name.clone(), move || {
            let failed = |error: diesel::result::Error| Fault::from(error).at(&name);
            let connection = server.connect().map_err(|fault| fault.at(&name))?;
            let way = Way::Server(Box::new(server), Office::None);
            let mut desk = desk(&name, Database::Postgres(connection), way, &key)?;
            if let (Way::Server(_, office), Database::Postgres(connection)) =
                (&mut desk.way, &mut desk.database)
            {
                let taken_over = || OpenError::TakenOver {
                    database: name.clone(),
                };
                let term = term::claim(connection, session)
                    .map_err(failed)?
                    .ok_or_else(taken_over)?;
                claim.store(term, Ordering::Release);
                *office = Office::Term(term);
            }
            Ok(desk)
        })?;
        Ok((Self { writer }, claimed.load(Ordering::Acquire)))
    }

    /// Opens a database on a server to look at what another instance has stored; `None` when there is nothing that this
    /// build reads.
    pub(crate) fn look_into_server(
        name: String,
        server: Server,
        key: &KeySource,
    ) -> Result<Option<Self>, OpenError> {
        let key = key.clone();
        let writer = Writer::start(name.clone(), move || {
            let connection = server.connect().map_err(|fault| fault.at(&name))?;
            let mut database = Database::Postgres(connection);
            migration::check(&mut database, &name)?;
            let cipher = prove(&mut database, &name, &key)?;
            let way = Way::Server(Box::new(server), Office::None);
            Ok(Desk {
                database,
                cipher,
                way,
            })
        });
        match writer {
            Ok(writer) => Ok(Some(Self { writer })),
            Err(OpenError::Outdated { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Carries out every request made before, folds a file's write-ahead log into it, and gives the database up.
    /// Requests made afterwards answer an error.
    pub async fn close(&self) {
        self.writer.close().await;
    }
}

/// Brings the tables up to date and finds the key.
fn desk(name: &str, mut database: Database, way: Way, key: &KeySource) -> Result<Desk, OpenError> {
    migration::run(&mut database, name)?;
    let cipher = unlock(&mut database, name, key)?;
    Ok(Desk {
        database,
        cipher,
        way,
    })
}

impl Store for SqlStore {
    fn subscriptions(&self) -> Stored<'_, Vec<StoredSubscription>> {
        Box::pin(self.writer.run(|desk| {
            queries::subscriptions(&mut desk.database)?
                .into_iter()
                .map(TryInto::try_into)
                .collect()
        }))
    }

    fn put_subscription<'a>(&'a self, subscription: &'a StoredSubscription) -> Stored<'a, ()> {
        let row = SubscriptionRow::from(subscription);
        Box::pin(
            self.writer
                .run(move |desk| Ok(queries::put_subscription(&mut desk.database, &row)?)),
        )
    }

    fn remove_subscription<'a>(&'a self, kind: &'a SubscriptionKind) -> Stored<'a, ()> {
        let (kind, account) = kind_columns(kind);
        let account = account.to_owned();
        Box::pin(
            self.writer
                .run(move |desk| Ok(queries::remove_subscription(&mut desk.database, kind, &account)?)),
        )
    }

    fn client_states(&self) -> Stored<'_, Vec<AcceptedState>> {
        Box::pin(self.writer.run(|desk| {
            let rows = queries::client_states(&mut desk.database)?;
            rows.into_iter().map(|row| row.open(&desk.cipher)).collect()
        }))
    }

    fn put_client_state<'a>(&'a self, state: &'a AcceptedState) -> Stored<'a, ()> {
        let state = state.clone();
        Box::pin(self.writer.run(move |desk| {
            let row = ClientStateRow::seal(&desk.cipher, &state)?;
            Ok(queries::put_client_state(&mut desk.database, &row)?)
        }))
    }

    fn ledger(&self) -> Stored<'_, Vec<LedgerRow>> {
        Box::pin(self.writer.run(|desk| {
            queries::ledger(&mut desk.database)?
                .into_iter()
                .map(TryInto::try_into)
                .collect()
        }))
    }

    fn change_ledger<'a>(&'a self, changes: &'a [LedgerChange]) -> Stored<'a, ()> {
        let changes = changes.to_vec();
        Box::pin(
            self.writer
                .run(move |desk| Ok(queries::change_ledger(&mut desk.database, &changes)?)),
        )
    }

    fn refresh_token<'a>(&'a self, account: &'a Account) -> Stored<'a, Option<Secret>> {
        let account = account.clone();
        Box::pin(self.writer.run(move |desk| {
            let row = queries::refresh_token(&mut desk.database, account.as_str())?;
            row.map(|row| row.open(&desk.cipher)).transpose()
        }))
    }

    fn put_refresh_token<'a>(&'a self, account: &'a Account, token: Option<&'a Secret>) -> Stored<'a, ()> {
        let account = account.clone();
        let token = token.cloned();
        Box::pin(self.writer.run(move |desk| {
            let Some(token) = token else {
                return Ok(queries::remove_refresh_token(
                    &mut desk.database,
                    account.as_str(),
                )?);
            };
            let row = RefreshTokenRow::seal(&desk.cipher, &account, &token)?;
            Ok(queries::put_refresh_token(&mut desk.database, &row)?)
        }))
    }

    fn sign_in_records(&self) -> Stored<'_, Vec<SignInRecord>> {
        Box::pin(self.writer.run(|desk| {
            let rows = queries::sign_ins(&mut desk.database)?;
            rows.into_iter().map(|row| row.open(&desk.cipher)).collect()
        }))
    }

    fn put_sign_in_record<'a>(&'a self, record: &'a SignInRecord) -> Stored<'a, ()> {
        let record = record.clone();
        Box::pin(self.writer.run(move |desk| {
            let row = SignInRow::seal(&desk.cipher, &record)?;
            Ok(queries::put_sign_in(&mut desk.database, &row)?)
        }))
    }

    fn notification_keys(&self) -> Stored<'_, StoredKeys> {
        Box::pin(self.writer.run(|desk| {
            let mut stored = StoredKeys::default();
            // one by one, for a damaged row must not hide the others
            for id in queries::notification_key_ids(&mut desk.database)? {
                let row = queries::notification_key(&mut desk.database, &id).map_err(Failure::from);
                match row.and_then(|row| row.open(&desk.cipher)) {
                    Ok(key) => stored.keys.push(key),
                    Err(_damaged) => stored.unreadable.push(id),
                }
            }
            Ok(stored)
        }))
    }

    fn put_notification_key<'a>(&'a self, key: &'a NotificationKey) -> Stored<'a, ()> {
        let key = key.clone();
        Box::pin(self.writer.run(move |desk| {
            let row = NotificationKeyRow::seal(&desk.cipher, &key)?;
            Ok(queries::put_notification_key(&mut desk.database, &row)?)
        }))
    }

    fn remove_notification_key<'a>(&'a self, id: &'a str) -> Stored<'a, ()> {
        let id = id.to_owned();
        Box::pin(
            self.writer
                .run(move |desk| Ok(queries::remove_notification_key(&mut desk.database, &id)?)),
        )
    }

    fn license_answers(&self) -> Stored<'_, Vec<LicenseAnswer>> {
        Box::pin(self.writer.run(|desk| {
            Ok(queries::license_answers(&mut desk.database)?
                .into_iter()
                .map(Into::into)
                .collect())
        }))
    }

    fn put_license_answers<'a>(&'a self, answers: &'a [LicenseAnswer]) -> Stored<'a, ()> {
        let rows: Vec<LicenseAnswerRow> = answers.iter().map(Into::into).collect();
        Box::pin(
            self.writer
                .run(move |desk| Ok(queries::put_license_answers(&mut desk.database, &rows)?)),
        )
    }
}

impl SettingsStore for SqlStore {
    fn settings(&self) -> Stored<'_, Vec<StoredSetting>> {
        Box::pin(self.writer.run(|desk| {
            let rows = queries::settings(&mut desk.database)?;
            rows.into_iter().map(|row| row.open(&desk.cipher)).collect()
        }))
    }

    fn change_settings<'a>(
        &'a self,
        changes: &'a [SettingChange],
        records: &'a [AuditRecord],
    ) -> Stored<'a, ()> {
        let (changes, records) = (changes.to_vec(), records.to_vec());
        Box::pin(self.writer.run(move |desk| {
            let (mut removed, mut rows) = (Vec::new(), Vec::new());
            for change in changes {
                match change {
                    SettingChange::Put(setting) => rows.push(SettingRow::seal(&desk.cipher, &setting)?),
                    SettingChange::Remove { key } => removed.push(key),
                }
            }
            Ok(queries::change_settings(
                &mut desk.database,
                &removed,
                &rows,
                &records,
            )?)
        }))
    }

    fn audit(&self, before: Option<i64>, limit: usize) -> Stored<'_, Vec<NumberedRecord>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Box::pin(self.writer.run(move |desk| {
            let rows = queries::audit(&mut desk.database, before.unwrap_or(i64::MAX), limit)?;
            Ok(rows.into_iter().map(Into::into).collect())
        }))
    }
}

#[cfg(test)]
mod tests {
    use diesel::connection::SimpleConnection;
    use m365_presence::identity::PbxGuid;

    use super::*;

    /// Stores answers under a limit that SQLite itself enforces, and returns the error's text and what is kept.
    async fn store_under(limit: &'static str) -> (String, usize) {
        let directory = tempfile::tempdir().unwrap();
        let store = SqlStore::open_file(directory.path().join("connector.db"), &KeySource::Beside).unwrap();
        let answer = |number| LicenseAnswer {
            user: PbxGuid::new(format!("{number:032x}")),
            held: true,
        };
        store.put_license_answers(&[answer(0)]).await.unwrap();
        store
            .writer
            .run(move |desk| Ok(desk.database.batch_execute(limit)?))
            .await
            .unwrap();

        let many: Vec<_> = (0..10_000).map(answer).collect();
        let error = store.put_license_answers(&many).await.unwrap_err();
        (error.to_string(), store.license_answers().await.unwrap().len())
    }

    #[tokio::test]
    async fn a_full_disk_fails_the_write_and_keeps_what_was_there() {
        let (error, kept) = store_under("PRAGMA max_page_count = 1").await;
        assert!(
            error.ends_with("cannot grow because the disk is full; free some space there"),
            "{error}"
        );
        assert_eq!(kept, 1);
    }

    #[tokio::test]
    async fn a_read_only_file_fails_the_write_and_keeps_what_was_there() {
        let (error, kept) = store_under("PRAGMA query_only = ON").await;
        assert!(
            error.contains("cannot be written; give the service's user write access"),
            "{error}"
        );
        assert_eq!(kept, 1);
    }
}
