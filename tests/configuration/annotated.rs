//! The annotated file of `deploy/`.

use crate::program::check;

fn annotated() -> String {
    std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/connector.toml")).unwrap()
}

/// Every secret is to be in a file; here they stand in the text instead.
fn with_secrets(text: &str) -> String {
    let line = |line: &str| match line.split_once("_file = ") {
        Some((key, _)) if !line.starts_with('#') => {
            format!("{key} = \"a secret of enough characters in {key}\"")
        }
        _ => line.to_owned(),
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// The keys that are commented out, too.
fn with_everything(text: &str) -> String {
    let mut list = false;
    let line = |line: &str| {
        let Some(rest) = line.strip_prefix("# ") else {
            return line.to_owned();
        };
        let key = rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
        let taken = key || list || rest.starts_with("[[");
        list = taken && (rest.ends_with('[') || (list && rest != "]"));
        if taken { rest.to_owned() } else { line.to_owned() }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_annotated_file_is_valid_as_it_stands() {
    check(&with_secrets(&annotated())).is_fine();
}

#[test]
fn the_annotated_file_shows_the_defaults() {
    let plain = check(&with_secrets(&annotated()));
    let examples = [
        "tls_certificate",
        "tls_private_key",
        "client_certificate",
        "client_private_key",
        "client_secret_expires",
        "key_file",
        "password_file = \"/run/secrets/database",
        "url = \"wss:",
        "certificate =",
    ];
    let everything = with_everything(&annotated());
    let defaults = everything
        .lines()
        .filter(|line| !examples.iter().any(|key| line.starts_with(key)));
    let full = check(&with_secrets(&defaults.collect::<Vec<_>>().join("\n")));
    full.is_fine();
    for line in plain.stdout.lines().filter(|line| line.ends_with("  default")) {
        let key = line.split_whitespace().next().unwrap();
        assert_eq!(full.value(key).0, plain.value(key).0, "{key}");
        assert_eq!(full.value(key).1, "file", "{key} is not in the annotated file");
    }
}
