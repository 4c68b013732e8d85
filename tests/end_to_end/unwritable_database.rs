//! An SQLite database that takes no writes: at the start it is told with its remedy, and while the connector runs
//! presence goes on and nothing is lost.
//!
//! A volume with files open for writing cannot be made read-only by anybody but a failing disk, so what happens while the
//! connector runs is shown by a volume that gets full. To the connector both are a database that refuses to write; that
//! it tells them apart is shown in `store/src/sql.rs`.

use std::cell::Cell;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use serde_json::Value;

use crate::bad_database::is_told;
use crate::world::{Volume, World};

/// A world whose database is to be in a folder of its own.
fn kept_apart(people: &[&str]) -> World {
    let world = World::of(people).build();
    let file = world.folder().join("data").join("connector.db");
    world.reconfigure(&format!("database.url = \"sqlite:{}\"", file.display()));
    world
}

/// Root writes where it may not, unless it lays that right down.
fn as_an_ordinary_user(world: &World) {
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        let words = [
            "/usr/bin/setpriv",
            "--bounding-set=-dac_override,-dac_read_search",
        ];
        world.run_through(words.map(str::to_owned).into());
    }
}

#[test]
fn a_directory_that_may_not_be_written_is_told_and_the_start_succeeds_once_it_may() {
    let world = kept_apart(&["anna"]);
    let data = world.folder().join("data");
    as_an_ordinary_user(&world);
    let words = ["has no directory to be in", "create the directory"];
    is_told(&world, &words);
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, Permissions::from_mode(0o555)).unwrap();
    let words = [
        "data/connector.db cannot be written",
        "give the service's user write access to the file and its directory",
    ];
    is_told(&world, &words);
    assert_eq!(fs::read_dir(&data).unwrap().count(), 0, "nothing is left there");
    fs::set_permissions(&data, Permissions::from_mode(0o755)).unwrap();
    world.start_again();
    world.until_synchronised(1);
}

#[test]
fn a_read_only_volume_is_told_and_the_database_goes_on_where_it_is_writable() {
    let world = kept_apart(&["anna"]);
    let data = world.folder().join("data");
    fs::create_dir(&data).unwrap();
    world.start_again();
    world.until_synchronised(1);
    world.choose_at_pbx("anna", "dnd");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");
    world.kill();
    if let Some(volume) = Volume::read_only(&data) {
        world.run_through(volume.joined());
        let words = ["is on a volume that is mounted read-only", "mount it writable"];
        is_told(&world, &words);
    }
    world.run_through(Vec::new());
    world.start_again();
    world.until_synchronised(1);
    world.choose_at_pbx("anna", "");
    world.until_seen_in_teams("anna", "Available", "Available");
}

#[test]
fn presence_goes_on_while_the_disk_is_full_and_nothing_is_lost() {
    let world = kept_apart(&["anna", "bert", "carl"]);
    let Some(volume) = Volume::small(&world.folder().join("data")) else {
        return;
    };
    world.run_through(volume.joined());
    volume.fill();
    let started = world.run(&["serve"]);
    let text = String::from_utf8_lossy(&started.stderr).into_owned();
    assert_eq!(started.status.code(), Some(1), "{text}");
    assert!(text.contains("the disk is full; free some space there"), "{text}");
    let said = world.run(&["doctor"]).stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(
        said.contains("FAILED   disk space for the database: 0 MiB"),
        "{said}"
    );
    volume.empty();
    world.start_again();
    world.until_synchronised(3);
    world.choose_at_pbx("anna", "dnd");
    world.until_seen_in_teams("anna", "DoNotDisturb", "DoNotDisturb");

    volume.fill();
    // every claim is a row of the ledger, so the first of them that needs room finds the disk full
    let turn = Cell::new(0);
    world.wait_until("the database to be told away", || {
        let activity = ["away", "busy"][turn.replace(turn.get() + 1) % 2];
        world.choose_at_pbx("anna", activity);
        world.until_user("anna", "the choice", |anna| anna["pbx_presence"] == activity);
        world.status()["database"]["state"] == "away"
    });
    let warnings = world.status()["warnings"].clone();
    let warned = |warnings: &Value| {
        let mut warnings = warnings.as_array().unwrap().iter();
        let told = warnings.find(|warning| warning["code"] == "database_away");
        told.map(|warning| warning["detail"].as_str().unwrap().to_owned())
    };
    let detail = warned(&warnings).expect("a warning");
    assert!(
        detail.contains("the disk is full; free some space there"),
        "{detail}"
    );
    world.choose_at_pbx("bert", "dnd");
    world.until_seen_in_teams("bert", "DoNotDisturb", "DoNotDisturb");
    world.in_teams("carl", "Busy", "InAMeeting");
    world.until_shown_at_pbx("carl", "meeting");
    assert_eq!(world.get("/readyz").status, 200);

    volume.empty();
    world.wait_until("the warning to go", || {
        warned(&world.status()["warnings"]).is_none()
    });
    assert_eq!(world.status()["database"]["state"], "ok");
    // the next start knows what was set meanwhile: it takes back what nobody wants any more
    world.kill();
    world.choose_at_pbx("bert", "");
    world.in_teams("carl", "Available", "Available");
    world.start_again();
    world.until_synchronised(3);
    world.until_seen_in_teams("bert", "Available", "Available");
    world.until_shown_at_pbx("carl", "");
}
