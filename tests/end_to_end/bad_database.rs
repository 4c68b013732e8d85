//! A database that a connector cannot work with: the start and the doctor say why, and nothing is lost.

use std::fs;

use crate::database::kept_at;
use crate::postgres::Postgres;
use crate::world::World;

/// The start ends with 1 and names these words, the doctor names them too, and the file stays as it was.
pub fn is_told(world: &World, words: &[&str]) {
    let file = world.folder().join("connector.db");
    let before = fs::read(&file).ok();
    let started = world.run(&["serve"]);
    let text = String::from_utf8_lossy(&started.stderr).into_owned();
    assert_eq!(started.status.code(), Some(1), "{text}");
    let doctor = world.run(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(1));
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(said.contains("FAILED   database:"), "{said}");
    for word in words {
        assert!(text.contains(word), "'{word}' is missing in:\n{text}");
        assert!(said.contains(word), "'{word}' is missing in:\n{said}");
    }
    assert!(
        !text.contains("panicked") && !said.contains("panicked"),
        "{text}\n{said}"
    );
    assert!(
        !text.contains("p@ss") && !said.contains("p@ss"),
        "a password is told"
    );
    assert!(fs::read(&file).ok() == before, "the file was changed");
}

/// A world whose connector has run once, and is not there any more.
fn that_ran() -> World {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    assert!(world.terminate());
    world
}

#[test]
fn a_lost_key_is_told_and_the_connector_goes_on_when_it_is_back() {
    let world = that_ran();
    let (key, elsewhere) = (
        world.folder().join("connector.db.key"),
        world.folder().join("elsewhere"),
    );
    fs::rename(&key, &elsewhere).unwrap();
    is_told(
        &world,
        &[
            "connector.db.key is missing",
            "restore the key file from a backup",
        ],
    );
    assert!(!key.exists(), "no other key is drawn");
    fs::rename(&elsewhere, &key).unwrap();
    world.start_again();
    world.until_synchronised(1);
}

#[test]
fn a_wrong_key_is_told() {
    let world = that_ran();
    world.reconfigure(&format!("database.key = \"{}\"", "77".repeat(32)));
    is_told(
        &world,
        &[
            "does not open the secrets in the database",
            "the key that the database was created with",
        ],
    );
}

#[test]
fn a_damaged_file_is_told() {
    let world = that_ran();
    let file = world.folder().join("connector.db");
    let mut bytes = fs::read(&file).unwrap();
    bytes.iter_mut().skip(4096).for_each(|byte| *byte = 0xa5);
    fs::write(&file, bytes).unwrap();
    is_told(&world, &["is damaged", "restore it from a backup"]);
}

#[test]
fn another_file_is_told() {
    let world = that_ran();
    fs::write(world.folder().join("connector.db"), "a letter, ".repeat(1000)).unwrap();
    is_told(&world, &["is not an SQLite database", "correct database.url"]);
}

#[test]
fn a_wrong_password_and_a_database_that_is_not_there_are_told() {
    let url = Postgres::shared().new_database();
    let wrong = url.replace("p%40ss", "p%40st");
    is_told(
        &kept_at(World::of(&["anna"]), &wrong).build(),
        &["refuses the user name or the password"],
    );
    let missing = format!("{url}_missing");
    is_told(
        &kept_at(World::of(&["anna"]), &missing).build(),
        &["does not exist", "CREATE DATABASE"],
    );
}

#[test]
fn a_server_that_is_away_at_the_start_is_waited_for_and_told() {
    let mut server = Postgres::start(&[]);
    let url = server.new_database();
    server.stop();
    let world = kept_at(World::of(&["anna"]), &url).start();
    world.wait_until("what is missing to be told", || {
        world.get("/readyz").json()["missing"] == serde_json::json!(["database_away"])
    });
    let light = world.status()["lights"]["authentication"].clone();
    let detail = light["detail"].as_str().unwrap();
    assert!(
        light["code"] == "starting"
            && detail.contains("cannot be reached")
            && detail.contains("goes on by itself"),
        "{light}"
    );
    server.start_again();
    world.until_synchronised(1);
}
