//! Backups of either database, taken while it is used, and restored into either.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod stage;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use m365_presence::ports::{Slot, Store};
use m365_store::{
    BackedUp, BackupError, Candidacy, EncryptionKey, Fault, KeySource, Location, RestoreError, Restored,
    SqlStore,
};
use stage::filled::{SECRETS, assert_filled, fill};
use stage::postgres::Postgres;
use stage::{Place, on_server, put};

fn key() -> KeySource {
    KeySource::Given(EncryptionKey::from_str(&"5a".repeat(32)).unwrap())
}

/// They block, as commands do, and not on a thread of a runtime.
fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| scope.spawn(work).join().unwrap())
}

fn back_up(from: &Location, to: &Path) -> Result<BackedUp, BackupError> {
    apart(|| m365_store::back_up(from, to))
}

fn restore(backup: &Path, to: &Location, key: &KeySource, replace: bool) -> Result<Restored, RestoreError> {
    apart(|| m365_store::restore(backup, to, key, replace))
}

fn downgrade(location: &Location, to: &str) -> Result<(Vec<String>, Option<PathBuf>), RestoreError> {
    apart(|| m365_store::downgrade(location, to))
}

fn server() -> Location {
    on_server(&Postgres::shared().new_database())
}

fn open(location: &Location, key: &KeySource) -> SqlStore {
    match location {
        Location::File(path) => SqlStore::open_file(path, key),
        Location::Server(address) => SqlStore::open_server(address, key),
    }
    .unwrap()
}

fn file_in(place: &Place, name: &str) -> PathBuf {
    place.directory.path().join(name)
}

fn names(place: &Place) -> Vec<String> {
    let files = fs::read_dir(place.directory.path()).unwrap();
    let mut names: Vec<_> = files
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_backup_of_either_database_is_restored_into_either() {
    let folder = Place::new();
    for (number, (from, to)) in [
        (
            Location::File(file_in(&folder, "a.db")),
            Location::File(file_in(&folder, "b.db")),
        ),
        (Location::File(file_in(&folder, "c.db")), server()),
        (server(), Location::File(file_in(&folder, "d.db"))),
        (server(), server()),
    ]
    .iter()
    .enumerate()
    {
        let backup = file_in(&folder, &format!("{number}.backup"));
        let store = open(from, &key());
        fill(&store).await;
        let done = back_up(from, &backup).unwrap();
        assert!(done.bytes > 0 && !done.holds_key);
        assert_eq!(fs::metadata(&backup).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read(&backup).unwrap();
        for secret in SECRETS {
            let found = text
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} stands in the backup");
        }
        // what comes later is not in it
        store.change_ledger(&[put("02cd", Slot::Session)]).await.unwrap();
        drop(store);
        let restored = restore(&backup, to, &key(), false).unwrap();
        assert_eq!((restored.rows, restored.kept), (6, None));
        assert_filled(&open(to, &key())).await;
    }
}

#[tokio::test]
async fn a_backup_is_whole_while_the_store_writes() {
    let place = Place::new();
    let store = place.open();
    let location = Location::File(place.database());
    let writing = async {
        for number in 0..400 {
            let pair = [
                put(&format!("{number:032x}"), Slot::Session),
                put(&format!("{number:032x}"), Slot::Preferred),
            ];
            store.change_ledger(&pair).await.unwrap();
        }
    };
    let folder = place.directory.path().to_owned();
    let backing_up = tokio::task::spawn_blocking(move || {
        (0..5)
            .map(|number| folder.join(format!("{number}.backup")))
            .inspect(|backup| assert!(back_up(&location, backup).is_ok()))
            .collect::<Vec<_>>()
    });
    let ((), backups) = tokio::join!(writing, backing_up);
    for backup in backups.unwrap() {
        let other = Place::new();
        fs::copy(place.key(), other.key()).unwrap();
        restore(
            &backup,
            &Location::File(other.database()),
            &KeySource::Beside,
            false,
        )
        .unwrap();
        assert_eq!(
            other.open().ledger().await.unwrap().len() % 2,
            0,
            "half a change was kept"
        );
    }
}

#[tokio::test]
async fn a_key_that_was_drawn_on_a_server_goes_with_the_backup() {
    let place = Place::new();
    let (from, to) = (server(), server());
    let store = open(&from, &KeySource::Beside);
    fill(&store).await;
    let backup = file_in(&place, "backup");
    assert!(back_up(&from, &backup).unwrap().holds_key);
    restore(&backup, &to, &KeySource::Beside, false).unwrap();
    assert_filled(&open(&to, &KeySource::Beside)).await;
}

#[tokio::test]
async fn what_stands_there_is_replaced_on_demand_only_and_a_file_is_kept() {
    let place = Place::new();
    let backup = file_in(&place, "backup");
    for to in [Location::File(place.database()), server()] {
        let store = open(&to, &key());
        fill(&store).await;
        drop(fs::remove_file(&backup));
        back_up(&to, &backup).unwrap();
        store.change_ledger(&[put("02cd", Slot::Session)]).await.unwrap();
        drop(store);
        let error = restore(&backup, &to, &key(), false).unwrap_err();
        assert!(matches!(error, RestoreError::NotEmpty { .. }), "{error}");
        assert!(error.to_string().contains("--replace"), "{error}");
        assert_eq!(open(&to, &key()).ledger().await.unwrap().len(), 2);

        let restored = restore(&backup, &to, &key(), true).unwrap();
        assert_filled(&open(&to, &key())).await;
        if let Some(kept) = restored.kept {
            let store = open(&Location::File(kept), &key());
            assert_eq!(store.ledger().await.unwrap().len(), 2, "the file is kept");
        } else {
            assert!(matches!(to, Location::Server(_)));
        }
    }
}

#[tokio::test]
async fn a_damaged_database_is_replaced_and_kept() {
    let place = Place::new();
    let to = Location::File(place.database());
    let store = place.open();
    fill(&store).await;
    let backup = file_in(&place, "backup");
    back_up(&to, &backup).unwrap();
    store.close().await;
    drop(store);
    fs::write(place.database(), "no database at all".repeat(500)).unwrap();
    assert!(restore(&backup, &to, &KeySource::Beside, false).is_err());
    let restored = restore(&backup, &to, &KeySource::Beside, true).unwrap();
    assert!(
        fs::read(restored.kept.unwrap())
            .unwrap()
            .starts_with(b"no database")
    );
    assert_filled(&place.open()).await;
}

#[tokio::test]
async fn an_older_backup_is_brought_up_to_date_and_a_newer_one_is_refused() {
    let place = Place::new();
    let store = place.open();
    fill(&store).await;
    store.close().await;
    let location = Location::File(place.database());
    downgrade(&location, "0001").unwrap();
    let backup = file_in(&place, "old");
    back_up(&location, &backup).unwrap();
    let key = KeySource::File(place.key());
    for to in [Location::File(file_in(&place, "new.db")), server()] {
        restore(&backup, &to, &key, false).unwrap();
        assert_filled(&open(&to, &key)).await;
    }

    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')";
    let mut database = <diesel::SqliteConnection as diesel::Connection>::establish(backup.to_str().unwrap());
    diesel::connection::SimpleConnection::batch_execute(database.as_mut().unwrap(), newer).unwrap();
    for to in [Location::File(file_in(&place, "newer.db")), server()] {
        let error = restore(&backup, &to, &key, false).unwrap_err().to_string();
        assert!(
            error.contains("newer build (unknown migrations: 9999)") && error.contains("downgrade --to 0008"),
            "{error}"
        );
    }
    assert!(!file_in(&place, "newer.db").exists());
}

#[tokio::test]
async fn what_is_no_backup_of_ours_is_refused_and_changes_nothing() {
    let place = Place::new();
    let location = Location::File(place.database());
    let store = place.open();
    fill(&store).await;
    let letter = file_in(&place, "letter");
    fs::write(&letter, "a letter to the administrator, ".repeat(100)).unwrap();
    let other = file_in(&place, "other.db");
    let mut database = <diesel::SqliteConnection as diesel::Connection>::establish(other.to_str().unwrap());
    diesel::connection::SimpleConnection::batch_execute(
        database.as_mut().unwrap(),
        "CREATE TABLE songs (id)",
    )
    .unwrap();
    let refused = |backup: &Path, to: &Location, key: &KeySource| restore(backup, to, key, true).unwrap_err();
    for wrong in [&letter, &other] {
        let error = refused(wrong, &location, &KeySource::Beside);
        assert!(matches!(error, RestoreError::NoBackup(_)), "{error}");
    }
    let error = refused(&file_in(&place, "missing"), &location, &KeySource::Beside);
    assert!(
        error
            .to_string()
            .ends_with("missing does not exist; correct its path"),
        "{error}"
    );

    let backup = file_in(&place, "backup");
    back_up(&location, &backup).unwrap();
    let error = refused(&backup, &location, &KeySource::Beside);
    assert!(error.to_string().contains("in use"), "{error}");
    drop(store);
    for to in [&location, &server()] {
        let error = refused(&backup, to, &key());
        assert!(matches!(error, RestoreError::WrongKey { .. }), "{error}");
    }
    let mut damaged = fs::read(&backup).unwrap();
    damaged
        .iter_mut()
        .skip(4096)
        .take(8192)
        .for_each(|byte| *byte = 0xa5);
    fs::write(&backup, damaged).unwrap();
    let error = refused(&backup, &location, &KeySource::Beside);
    assert!(
        matches!(
            error,
            RestoreError::Backup {
                fault: Fault::Damaged { .. },
                ..
            }
        ),
        "{error}"
    );
    assert_filled(&place.open()).await;
    let left: Vec<_> = names(&place)
        .into_iter()
        .filter(|name| name.contains("part") || name.contains("before"))
        .collect();
    assert_eq!(left, Vec::<String>::new());
}

#[tokio::test]
async fn a_backup_that_cannot_be_written_is_told_and_leaves_nothing() {
    let place = Place::new();
    let store = place.open();
    let location = Location::File(place.database());
    let before = names(&place);
    let taken = place.key();
    let error = back_up(&location, &taken).unwrap_err();
    assert!(matches!(error, BackupError::Exists(_)), "{error}");
    let error = back_up(&location, &file_in(&place, "no/backup"))
        .unwrap_err()
        .to_string();
    assert!(error.contains("has no directory to be in"), "{error}");
    let missing = Location::File(file_in(&place, "missing.db"));
    let error = back_up(&missing, &file_in(&place, "backup"))
        .unwrap_err()
        .to_string();
    assert!(error.ends_with("does not exist; correct its path"), "{error}");
    assert_eq!(names(&place), before);
    drop(store);
}

#[tokio::test]
async fn a_server_whose_connector_is_active_is_not_restored_into() {
    let place = Place::new();
    let location = server();
    let Location::Server(address) = &location else {
        unreachable!()
    };
    let mut candidate = Candidacy::begin(address, &key()).unwrap();
    candidate.elected().await;
    let store = candidate.open().await.unwrap();
    fill(&store).await;
    let backup = file_in(&place, "backup");
    back_up(&location, &backup).unwrap();
    let error = restore(&backup, &location, &key(), true).unwrap_err();
    assert!(matches!(error, RestoreError::Active(_)), "{error}");
    assert!(matches!(
        downgrade(&location, "0006").unwrap_err(),
        RestoreError::Active(_)
    ));
    store.close().await;
    candidate.resign().await;
    restore(&backup, &location, &key(), true).unwrap();
    assert_filled(&open(&location, &key())).await;
}
