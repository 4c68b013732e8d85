//! The program under test and its answers.

use std::path::Path;

use assert_cmd::cargo::cargo_bin_cmd;

/// A configuration that is valid without a file or variable beside it.
pub const VALID: &str = include_str!("valid.toml");

/// Every secret of [`VALID`].
pub const SECRETS: [&str; 4] = [
    "0123456789abcdef",
    "the~client.secret",
    "p&ä*",
    "the-pbx-password",
];

/// What `check-config` answered.
pub struct Answer {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs `check-config` with a file of this text, and nothing else.
pub fn check(text: &str) -> Answer {
    check_with(text, &[])
}

/// Runs `check-config` with a file of this text and these variables.
pub fn check_with(text: &str, variables: &[(&str, &str)]) -> Answer {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("connector.toml");
    std::fs::write(&file, text).unwrap();
    run(
        folder.path(),
        &["check-config", "--config", file.to_str().unwrap()],
        variables,
    )
}

/// Runs the program in a folder, with these variables only.
pub fn run(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Answer {
    let mut command = cargo_bin_cmd!("m365-connector");
    command
        .env_clear()
        .envs(variables.iter().copied())
        .current_dir(folder)
        .args(arguments);
    let output = command.output().unwrap();
    Answer {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// [`VALID`] with one text replaced by another.
pub fn with(old: &str, new: &str) -> String {
    assert!(VALID.contains(old), "{old}");
    VALID.replacen(old, new, 1)
}

/// [`VALID`] with more at its end.
pub fn and(more: &str) -> String {
    format!("{VALID}\n{more}\n")
}

impl Answer {
    /// The problem about a key, from its first line to its last.
    pub fn about(&self, key: &str) -> &str {
        let problems = self.stderr.split("\n\n");
        let starts = [format!("error: {key} "), format!("warning: {key} ")];
        let found = problems
            .into_iter()
            .find(|problem| starts.iter().any(|start| problem.starts_with(start)));
        found.unwrap_or_else(|| panic!("nothing about {key} in:\n{}", self.stderr))
    }

    /// Demands that the configuration is refused for this one key, with a problem that has all these words in it.
    pub fn refuses(&self, key: &str, words: &[&str]) {
        assert_eq!(self.code, 2, "{}", self.stderr);
        assert_eq!(self.stderr.matches("error: ").count(), 1, "{}", self.stderr);
        let problem = self.about(key);
        for word in words {
            assert!(problem.contains(word), "{word} is not in:\n{problem}");
        }
    }

    /// Demands that the configuration is taken, with a warning about this key.
    pub fn warns(&self, key: &str, words: &[&str]) {
        assert_eq!(self.code, 0, "{}", self.stderr);
        let problem = self.about(key);
        assert!(problem.starts_with("warning: "), "{problem}");
        for word in words {
            assert!(problem.contains(word), "{word} is not in:\n{problem}");
        }
    }

    /// Demands that the configuration is taken without a remark.
    pub fn is_fine(&self) {
        assert_eq!(self.code, 0, "{}", self.stderr);
        assert!(self.stderr.contains("0 errors, 0 warnings"), "{}", self.stderr);
    }

    /// The effective value of a key, and its origin.
    pub fn value(&self, key: &str) -> (&str, &str) {
        let line = self
            .stdout
            .lines()
            .find(|line| line.split_whitespace().next() == Some(key));
        let line = line.unwrap_or_else(|| panic!("no {key} in:\n{}", self.stdout));
        let (value, origin) = line.strip_prefix(key).unwrap().trim().rsplit_once("  ").unwrap();
        (value.trim(), origin.trim())
    }
}
