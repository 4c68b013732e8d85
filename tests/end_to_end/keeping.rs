//! Backups, restorations and ways back, by the commands that an administrator types.

use std::process::Output;

use m365_simulator::microsoft::Family;

use crate::database::kept_at;
use crate::postgres::Postgres;
use crate::world::World;

fn succeeds(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

fn fails(output: &Output, words: &[&str]) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for word in words {
        assert!(text.contains(word), "'{word}' is missing in:\n{text}");
    }
    assert!(!text.contains("panicked"), "{text}");
}

/// Goes on where the backup was taken: the subscriptions are adopted, and what was set is known.
fn goes_on(world: &World) {
    let mark = world.cloud_mark();
    world.start_again();
    world.until_synchronised(2);
    let created = world.requests(Family::SubscriptionWrite, mark);
    assert!(
        created.iter().all(|(what, _)| !what.starts_with("POST")),
        "{created:?}"
    );
    world.choose_at_pbx("bert", "");
    world.until_seen_in_teams("bert", "Available", "Available");
}

#[test]
fn a_backup_taken_while_it_runs_brings_everything_back() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    world.choose_at_pbx("bert", "dnd");
    world.until_user("bert", "shown", |bert| bert["teams_claim_state"] == "shown");
    let told = succeeds(&world.run(&["backup", "monday.backup"]));
    assert!(
        told.contains("connector.db into monday.backup") && told.contains("not in it"),
        "{told}"
    );
    fails(
        &world.run(&["backup", "monday.backup"]),
        &["monday.backup exists already", "another name"],
    );
    fails(
        &world.run(&["restore", "monday.backup"]),
        &["in use", "connector.db.lock"],
    );
    world.kill();
    fails(
        &world.run(&["restore", "monday.backup"]),
        &["rows already", "--replace"],
    );
    for file in ["connector.db", "connector.db-wal", "connector.db-shm"] {
        std::fs::remove_file(world.folder().join(file)).ok();
    }
    let told = succeeds(&world.run(&["restore", "monday.backup"]));
    assert!(told.contains("rows from monday.backup into"), "{told}");
    goes_on(&world);
}

#[test]
fn a_backup_of_a_file_moves_to_a_server() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    world.choose_at_pbx("bert", "dnd");
    world.until_user("bert", "shown", |bert| bert["teams_claim_state"] == "shown");
    // an orderly end would release everything
    world.kill();
    succeeds(&world.run(&["backup", "connector.backup"]));
    let key = world.folder().join("connector.db.key");
    let url = Postgres::shared().new_database();
    world.reconfigure(&format!(
        "[database]\nurl = \"{url}\"\nkey_file = \"{}\"",
        key.display()
    ));
    let told = succeeds(&world.run(&["restore", "connector.backup"]));
    assert!(told.contains("at 127.0.0.1") && !told.contains("p@ss"), "{told}");
    goes_on(&world);
    fails(
        &world.run(&["restore", "--replace", "connector.backup"]),
        &["in use by an active connector", "end all instances"],
    );
}

#[test]
fn a_server_is_backed_up_while_an_instance_is_active() {
    let url = Postgres::shared().new_database();
    let world = kept_at(World::of(&["anna", "bert"]), &url).start();
    world.until_synchronised(2);
    world.choose_at_pbx("bert", "dnd");
    world.until_user("bert", "shown", |bert| bert["teams_claim_state"] == "shown");
    succeeds(&world.run(&["backup", "tuesday.backup"]));
    world.kill();
    let lost = Postgres::shared().new_database();
    world.reconfigure(&format!("database.url = \"{lost}\""));
    succeeds(&world.run(&["restore", "tuesday.backup"]));
    goes_on(&world);
}

#[test]
fn a_database_is_taken_back_to_an_older_build_and_forth_again() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    fails(&world.run(&["downgrade", "--to", "0006"]), &["in use"]);
    assert!(world.terminate());
    fails(
        &world.run(&["downgrade", "--to", "0005"]),
        &["knows no migration 0005; it knows 0001"],
    );
    let told = succeeds(&world.run(&["downgrade", "--to", "0006"]));
    assert!(
        told.contains("took 0008, 0007 back") && told.contains("kept as"),
        "{told}"
    );
    world.start_again();
    world.until_synchronised(2);
    assert!(world.log().contains("keeps it as it was"));
}
