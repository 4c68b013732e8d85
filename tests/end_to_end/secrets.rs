//! Passwords and secrets with every special character arrive, wherever they come from.

use crate::world::{ACCOUNT_PASSWORD, CLIENT_SECRET, World};

const PASSWORD: &str = "CONNECTOR__MICROSOFT__COMMUNICATION_USERS__0__PASSWORD";
const SECRET: &str = "CONNECTOR__MICROSOFT__CLIENT_SECRET";

/// A world whose configuration file holds neither the account's password nor the client secret.
fn without_secrets() -> World {
    let world = World::of(&["anna"]).build();
    let text = std::fs::read_to_string(world.configuration_file()).unwrap();
    let (begin, end) = text.split_at(text.find("[pbx]").unwrap());
    let open = |line: &&str| !line.starts_with("password = ") && !line.starts_with("client_secret = ");
    let kept: Vec<_> = begin.lines().filter(open).collect();
    std::fs::write(world.configuration_file(), format!("{}\n{end}", kept.join("\n"))).unwrap();
    world
}

/// A file of the world with this text.
fn file(world: &World, name: &str, text: &str) -> String {
    let path = world.configuration_file().with_file_name(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn from_the_configuration_file() {
    assert!(
        [
            "&", "ä", "*", "(", "+", " ", ")", "%", "=", "'", "!", "~", "#", "\"", ";", "<", ">"
        ]
        .iter()
        .all(|special| ACCOUNT_PASSWORD.contains(special))
    );
    World::of(&["anna"]).start().until_synchronised(1);
}

#[test]
fn from_the_environment() {
    let world = without_secrets();
    world.start_with(&[(PASSWORD, ACCOUNT_PASSWORD), (SECRET, CLIENT_SECRET)]);
    world.until_synchronised(1);
}

#[test]
fn from_secret_files_with_or_without_a_newline_at_their_end() {
    for end in ["", "\n", "\r\n"] {
        let world = without_secrets();
        let password = file(&world, "password", &format!("{ACCOUNT_PASSWORD}{end}"));
        let secret = file(&world, "secret", &format!("{CLIENT_SECRET}{end}"));
        world.start_with(&[
            (&format!("{PASSWORD}_FILE"), &password),
            (&format!("{SECRET}_FILE"), &secret),
        ]);
        world.until_synchronised(1);
    }
}

#[test]
fn from_secret_files_that_the_configuration_file_names() {
    let world = without_secrets();
    let password = file(&world, "password", &format!("{ACCOUNT_PASSWORD}\n"));
    let secret = file(&world, "secret", &format!("{CLIENT_SECRET}\n"));
    world.edit(
        "[microsoft]\n",
        &format!("[microsoft]\nclient_secret_file = {secret:?}\n"),
    );
    let username = "username = \"presence1@contoso.example\"";
    world.edit(username, &format!("{username}\npassword_file = {password:?}"));
    world.start_again();
    world.until_synchronised(1);
}
