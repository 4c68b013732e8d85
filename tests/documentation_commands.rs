//! What the documents tell somebody to type, to ask and to look up is there.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Parser;
use clap::error::ErrorKind;
use m365_connector::cli::CommandLine;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn documents() -> Vec<(String, String)> {
    let files = ["", "docs", "deploy/systemd"].into_iter().flat_map(|folder| {
        let entries = fs::read_dir(root().join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().path())
    });
    let texts = files.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    let named = |path: PathBuf| {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        (name, fs::read_to_string(&path).unwrap())
    };
    texts
        .map(named)
        .filter(|(name, _)| name != "CHANGELOG.md")
        .collect()
}

/// The indented and fenced lines of a document, a line that goes on joined with the next.
fn lines_of_code(text: &str) -> Vec<String> {
    let mut fenced = false;
    let mut code = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced || line.starts_with("    ") {
            code += line.trim();
            code += "\n";
        }
    }
    code.replace("\\\n", " ").lines().map(str::to_owned).collect()
}

/// What stands between backticks in running text.
fn spans(text: &str) -> Vec<String> {
    let prose: String = text.split("```").step_by(2).collect();
    let joined = prose.split_whitespace().collect::<Vec<_>>().join(" ");
    joined.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Everything that a document writes as code.
fn code(text: &str) -> Vec<String> {
    [lines_of_code(text), spans(text)].concat()
}

/// The commands of a line of the shell.
fn commands(line: &str) -> impl Iterator<Item = Vec<&str>> {
    line.split(['|', '>', '&', ';'])
        .map(|command| command.split_whitespace().collect())
}

#[test]
fn every_command_of_the_program_is_understood_by_it() {
    let mut understood = 0;
    for (name, text) in documents() {
        for line in code(&text) {
            for words in commands(&line) {
                let program = words.first().is_some_and(|word| {
                    *word == "m365-connector" || word.ends_with("/m365-connector") && words.len() > 1
                });
                if !program || words.len() < 2 || words[0].contains("secrets") {
                    continue;
                }
                // running text may name a command without its arguments
                let answer = CommandLine::try_parse_from(&words);
                let fine = answer.as_ref().err().is_none_or(|error| {
                    matches!(
                        error.kind(),
                        ErrorKind::DisplayVersion
                            | ErrorKind::DisplayHelp
                            | ErrorKind::MissingRequiredArgument
                    )
                });
                assert!(fine, "{name}: {line}: {}", answer.unwrap_err());
                understood += 1;
            }
        }
    }
    assert!(understood >= 8, "too few commands were found: {understood}");
}

#[test]
fn every_script_and_file_that_is_named_exists() {
    let mut found = 0;
    for (name, text) in documents() {
        for word in code(&text).iter().flat_map(|line| line.split_whitespace()) {
            let word = word.trim_matches(|letter: char| "\"'()[],".contains(letter));
            let ours = [".ci/", "deploy/", "docs/", "migrations/"];
            let made = ["deploy/secrets"];
            if !ours.iter().any(|folder| word.starts_with(folder))
                || made.iter().any(|folder| word.starts_with(folder))
                || word.contains('*')
            {
                continue;
            }
            assert!(root().join(word).exists(), "{name} names {word}");
            found += 1;
        }
    }
    assert!(found >= 20, "too few files were found: {found}");
}

#[test]
fn every_step_recipe_and_alias_exists() {
    let script = read(".ci/run");
    let list = script
        .lines()
        .find_map(|line| line.strip_prefix("steps=("))
        .unwrap();
    let steps: Vec<&str> = list.trim_end_matches(')').split(' ').collect();
    let justfile = read("justfile");
    let cargo = read(".cargo/config.toml");
    for (name, text) in documents() {
        for line in code(&text) {
            for words in commands(&line) {
                match words.as_slice() {
                    [".ci/run", wanted @ ..] => {
                        for step in wanted {
                            assert!(steps.contains(step), "{name}: {line}: there is no step {step}");
                        }
                    }
                    ["just", recipe, ..] => {
                        let head = |line: &str| line.split([' ', ':']).next() == Some(*recipe);
                        assert!(justfile.lines().any(head), "{name}: there is no recipe {recipe}");
                    }
                    ["cargo", alias @ ("lint" | "demo"), ..] => {
                        assert!(cargo.contains(&format!("{alias} = ")), "{name}: {line}");
                    }
                    _ => {}
                }
            }
        }
    }
}

/// `GET /api/v1/users/{h323}?x=y` to method and path, as the description writes them.
fn request(words: &[&str]) -> Option<(String, String)> {
    let [method @ ("GET" | "POST" | "PUT" | "PATCH" | "DELETE"), path, ..] = words else {
        return None;
    };
    let path = path.replace("$API", "/api/v1");
    let path = path
        .split(['?', '#'])
        .next()?
        .trim_end_matches([',', '.', ';', ':']);
    path.starts_with("/")
        .then(|| (method.to_lowercase(), path.to_owned()))
}

/// Whether a path fits one of the description, whose parts in braces stand for anything.
fn fits(path: &str, described: &str) -> bool {
    let parts = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
    let (path, described) = (parts(path), parts(described));
    path.len() == described.len()
        && path
            .iter()
            .zip(&described)
            .all(|(one, other)| one == other || other.starts_with('{'))
}

#[test]
fn every_request_to_the_management_listener_is_in_the_description_of_the_api() {
    let program = Command::new(env!("CARGO_BIN_EXE_m365-connector"))
        .arg("openapi")
        .output()
        .unwrap();
    let document: serde_json::Value = serde_json::from_slice(&program.stdout).unwrap();
    let paths = document["paths"].as_object().unwrap();
    let mut found = BTreeSet::new();
    for (name, text) in documents() {
        for line in code(&text) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let Some((method, path)) = request(&words) else {
                continue;
            };
            if path.starts_with("/graph") || path.starts_with("/pbx") {
                continue;
            }
            let known = paths
                .iter()
                .any(|(described, operations)| fits(&path, described) && operations.get(&method).is_some());
            assert!(known, "{name}: {line}");
            found.insert((method, path));
        }
    }
    assert!(found.len() >= 15, "too few requests were found: {found:?}");
}

#[test]
fn every_alert_has_its_runbook() {
    let rules = read("deploy/prometheus/alerts.yaml");
    let alerts: Vec<&str> = rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    let runbooks = read("docs/RUNBOOKS.md");
    let written: Vec<&str> = runbooks
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .collect();
    assert_eq!(written, alerts);
}

#[test]
fn every_permission_that_the_administrator_grants_is_one_that_the_diagnosis_wants() {
    let guide = read("docs/ADMINISTRATOR.md");
    let diagnosis = read("src/diagnosis/microsoft.rs");
    let named: BTreeSet<&str> = guide
        .split('`')
        .filter(|word| word.ends_with(".All") && !word.contains(' '))
        .collect();
    assert_eq!(
        named,
        BTreeSet::from(["Presence.Read.All", "Presence.ReadWrite.All", "User.Read.All"])
    );
    for permission in named {
        assert!(diagnosis.contains(permission), "{permission}");
    }
}
