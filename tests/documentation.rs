//! The documents say what the code does.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::fs;
use std::path::{Path, PathBuf};

use m365_connector::config::{Layer, Layers};
use m365_presence::board::ClaimState;
use m365_presence::light::{AuthenticationCode, MasterPbxCode, SubscriptionCode, WarningCode};
use m365_presence::matching::Reason;
use m365_presence::visibility::Unseen;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The documents for people: the root's, those of `docs/`, and those beside what is shipped.
fn documents() -> Vec<PathBuf> {
    ["", "docs", "docs/adr", "deploy/systemd"]
        .into_iter()
        .flat_map(|folder| fs::read_dir(root().join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

/// The cells of the table below the heading that begins so, without its first row.
fn table(document: &str, heading: &str) -> Vec<Vec<String>> {
    let section = document
        .split("\n## ")
        .find(|section| section.starts_with(heading))
        .unwrap_or_else(|| panic!("there is no heading {heading}"));
    let cells = |line: &str| {
        line.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    let rows = section.lines().filter(|line| line.starts_with('|'));
    rows.skip(2).map(cells).collect()
}

fn assert_lights(heading: &str, codes: &[(&str, &str)]) {
    let rows = table(&read("docs/LIGHTS.md"), heading);
    let written: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row[0].trim_matches('`'), row[3].as_str()))
        .collect();
    assert_eq!(written, codes, "the table of {heading} and the codes differ");
    for row in &rows {
        let green = ["`ok`", "`polling`"].contains(&row[0].as_str());
        assert_eq!(row[1], if green { "green" } else { "red" }, "{}", row[0]);
        assert!(!row[2].is_empty(), "{} has no cause", row[0]);
    }
}

#[test]
fn every_code_of_the_master_pbx_light_is_explained_with_its_remedy() {
    let codes: Vec<_> = MasterPbxCode::ALL
        .iter()
        .map(|code| (code.as_str(), code.remedy()))
        .collect();
    assert_lights("`master_pbx`", &codes);
}

#[test]
fn every_code_of_the_authentication_light_is_explained_with_its_remedy() {
    let codes: Vec<_> = AuthenticationCode::ALL
        .iter()
        .map(|code| (code.as_str(), code.remedy()))
        .collect();
    assert_lights("`authentication`", &codes);
}

#[test]
fn every_code_of_the_presence_subscription_light_is_explained_with_its_remedy() {
    let codes: Vec<_> = SubscriptionCode::ALL
        .iter()
        .map(|code| (code.as_str(), code.remedy()))
        .collect();
    assert_lights("`presence_subscription`", &codes);
}

#[test]
fn every_warning_is_explained_with_its_remedy() {
    let rows = table(&read("docs/LIGHTS.md"), "Warnings");
    let written: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row[0].trim_matches('`'), row[2].as_str()))
        .collect();
    let codes = WarningCode::ALL.iter();
    let codes: Vec<_> = codes.map(|code| (code.as_str(), code.remedy())).collect();
    assert_eq!(written, codes);
}

#[test]
fn every_reason_why_a_user_is_not_synchronised_is_explained() {
    let rows = table(&read("docs/LIGHTS.md"), "Why a user is not synchronised");
    let written: Vec<&str> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
    assert_eq!(written, Reason::ALL.map(Reason::as_str));
    assert!(
        rows.iter()
            .all(|row| row.len() == 3 && row.iter().all(|cell| !cell.is_empty()))
    );
}

#[test]
fn everything_that_may_be_not_visible_at_the_pbx_is_explained() {
    let rows = table(&read("docs/LIGHTS.md"), "What the PBX does not show");
    let written: Vec<&str> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
    assert_eq!(written, Unseen::ALL.map(Unseen::as_str));
}

#[test]
fn every_state_of_a_claim_in_teams_is_explained() {
    let rows = table(&read("docs/LIGHTS.md"), "How it stands with what is set in Teams");
    let written: Vec<&str> = rows.iter().map(|row| row[0].trim_matches('`')).collect();
    assert_eq!(written, ClaimState::ALL.map(ClaimState::as_str));
    assert!(
        rows.iter()
            .all(|row| row.len() == 3 && row.iter().all(|cell| !cell.is_empty()))
    );
}

#[test]
fn every_link_leads_to_a_file() {
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://")) {
            let file = link.split('#').next().unwrap_or_default();
            let target = document.parent().unwrap().join(file);
            assert!(target.exists(), "{} links to {link}", document.display());
        }
    }
}

#[test]
fn every_source_file_that_the_architecture_names_exists() {
    const FOLDERS: [&str; 11] = [
        "actors/",
        "deploy/",
        "docs/",
        "graph/",
        "migrations/",
        "pbx/",
        "presence/",
        "simulator/",
        "src/",
        "store/",
        "tests/",
    ];
    let text = read("docs/ARCHITECTURE.md");
    let code = text.split('`').skip(1).step_by(2);
    let paths: Vec<&str> = code
        .filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder)))
        .collect();
    assert!(paths.len() > 20, "too few paths were found: {paths:?}");
    for path in paths {
        assert!(root().join(path).exists(), "docs/ARCHITECTURE.md names {path}");
    }
}

/// All Rust sources of the workspace, as one text.
fn sources() -> String {
    let mut folders: Vec<PathBuf> = ["actors", "graph", "pbx", "presence", "src", "store"]
        .map(|folder| root().join(folder))
        .into();
    let mut text = String::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text += &fs::read_to_string(path).unwrap();
            }
        }
    }
    text
}

#[test]
fn every_name_that_the_architecture_uses_stands_in_the_code() {
    let text = read("docs/ARCHITECTURE.md");
    let sources = sources();
    let prose = text.split("```").step_by(2).collect::<String>();
    let is_name = |word: &&str| {
        word.chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_' || letter == ':')
            && (word.contains("::") || word.contains('_') || word.starts_with(char::is_uppercase))
    };
    let names: Vec<&str> = prose.split('`').skip(1).step_by(2).filter(is_name).collect();
    assert!(names.len() > 50, "too few names were found: {names:?}");
    for part in names.iter().flat_map(|name| name.split("::")) {
        assert!(sources.contains(part), "docs/ARCHITECTURE.md names {part}");
    }
}

#[test]
fn every_decision_stands_in_the_list_of_decisions() {
    let list = read("docs/adr/README.md");
    for entry in fs::read_dir(root().join("docs/adr")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            name == "README.md" || list.contains(&name),
            "{name} is not listed"
        );
    }
}

#[test]
fn the_configuration_of_the_readme_is_valid() {
    let readme = read("README.md");
    let example = readme
        .split("```toml")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let layers = Layers {
        file: Layer::from_toml(example, "README.md"),
        ..Layers::default()
    };
    let resolution = layers.resolve();
    assert!(resolution.settings.is_some(), "{}", resolution.findings());
}

/// Everything that the end-to-end tests say.
fn end_to_end_tests() -> String {
    let folder = root().join("tests/end_to_end");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(read)
        .collect()
}

#[test]
fn every_code_of_a_light_and_every_reason_is_provoked_end_to_end() {
    let tests = end_to_end_tests();
    let lights = MasterPbxCode::ALL
        .iter()
        .map(|code| code.as_str())
        .chain(AuthenticationCode::ALL.iter().map(|code| code.as_str()))
        .chain(SubscriptionCode::ALL.iter().map(|code| code.as_str()))
        .chain(Reason::ALL.iter().map(|reason| reason.as_str()));
    let missing: Vec<&str> = lights
        .filter(|code| !tests.contains(&format!("\"{code}\"")))
        .collect();
    assert!(missing.is_empty(), "no test waits for {missing:?}");
}
