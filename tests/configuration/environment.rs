//! The environment over the file.

use crate::program::{VALID, check, check_with, run, with};

const USERNAME: &str = "CONNECTOR__MICROSOFT__COMMUNICATION_USERS__0__USERNAME";
const PASSWORD: &str = "CONNECTOR__MICROSOFT__COMMUNICATION_USERS__0__PASSWORD";

#[test]
fn everything_can_come_from_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let answer = run(
        folder.path(),
        &["check-config"],
        &[
            ("CONNECTOR__PUBLIC__URL", "https://connector.example.com"),
            ("CONNECTOR__MANAGEMENT__TOKEN", "0123456789abcdef"),
            ("CONNECTOR__MICROSOFT__TENANT", "contoso.com"),
            (
                "CONNECTOR__MICROSOFT__CLIENT_ID",
                "11111111-2222-3333-4444-555555555555",
            ),
            ("CONNECTOR__MICROSOFT__CLIENT_SECRET", "secret"),
            (USERNAME, "presence@contoso.com"),
            (PASSWORD, "secret"),
            ("CONNECTOR__PBX__PASSWORD", "secret"),
            ("CONNECTOR__PBX__MASTER", "pbx"),
            ("CONNECTOR__MATCHING__STRIP_DOMAIN", "true"),
            ("CONNECTOR__MATCHING__EXCLUDE", "door, reception"),
        ],
    );
    answer.is_fine();
    assert_eq!(
        answer.value("matching.strip_domain"),
        ("true", "environment CONNECTOR__MATCHING__STRIP_DOMAIN")
    );
    assert_eq!(answer.value("matching.exclude").0, "[\"door\", \"reception\"]");
}

#[test]
fn a_list_in_the_environment_may_be_written_like_in_the_file() {
    let exclude = |list| check_with(VALID, &[("CONNECTOR__MATCHING__EXCLUDE", list)]);
    let answer = exclude("[\"door\", 'reception']");
    answer.is_fine();
    assert_eq!(answer.value("matching.exclude").0, "[\"door\", \"reception\"]");
    for broken in ["[\"door\"", "[1, 2]", "[door]"] {
        exclude(broken).refuses("matching.exclude", &["is no list of texts"]);
    }
}

#[test]
fn the_environment_wins_over_the_file() {
    let answer = check_with(VALID, &[("CONNECTOR__PBX__MASTER", "pbx-two")]);
    answer.is_fine();
    assert_eq!(
        answer.value("pbx.master"),
        ("\"pbx-two\"", "environment CONNECTOR__PBX__MASTER")
    );
}

#[test]
fn a_communication_user_is_complemented_by_its_index() {
    let answer = check_with(
        &with("password = \"p&ä*(+ ) %='!~#\"", ""),
        &[(PASSWORD, "secret")],
    );
    answer.is_fine();
    assert_eq!(answer.value("microsoft.communication_users.0.username").1, "file");
    assert_eq!(
        answer.value("microsoft.communication_users.0.password").1,
        format!("environment {PASSWORD}")
    );
}

#[test]
fn rows_of_a_mapping_are_set_by_their_names() {
    let answer = check_with(
        VALID,
        &[
            ("CONNECTOR__MAPPING__TEAMS_TO_PBX__BERIGHTBACK", "lunch"),
            ("CONNECTOR__MAPPING__PBX_TO_TEAMS__ON_THE_PHONE", "DoNotDisturb"),
        ],
    );
    answer.is_fine();
    assert_eq!(answer.value("mapping.teams_to_pbx.BeRightBack").0, "\"lunch\"");
    assert_eq!(
        answer.value("mapping.pbx_to_teams.on-the-phone").0,
        "\"DoNotDisturb\""
    );
}

#[test]
fn a_secret_comes_from_a_file_less_one_newline() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    let variable = format!("{PASSWORD}_FILE");
    let variables = [(variable.as_str(), file.to_str().unwrap())];
    let text = with("password = \"p&ä*(+ ) %='!~#\"", "");
    for fine in ["secret", "secret\n", "secret\r\n"] {
        std::fs::write(&file, fine).unwrap();
        let answer = check_with(&text, &variables);
        answer.is_fine();
        assert_eq!(
            answer.value("microsoft.communication_users.0.password"),
            ("********", format!("environment {variable}").as_str())
        );
    }
    std::fs::write(&file, "secret \n").unwrap();
    check_with(&text, &variables).refuses(
        "microsoft.communication_users.0.password",
        &["blank", "7 characters"],
    );
}

#[test]
fn a_secret_comes_from_a_file_that_the_file_names() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "the-pbx-password\n").unwrap();
    let text = with(
        "password = \"the-pbx-password\"",
        &format!("password_file = {file:?}"),
    );
    let answer = check(&text);
    answer.is_fine();
    assert_eq!(answer.value("pbx.password"), ("********", "file"));
}

#[test]
fn a_missing_secret_file_is_named_once() {
    let answer = check_with(
        &with("password = \"the-pbx-password\"", ""),
        &[("CONNECTOR__PBX__PASSWORD_FILE", "/nowhere/secret")],
    );
    answer.refuses(
        "CONNECTOR__PBX__PASSWORD_FILE",
        &["cannot be read", "/nowhere/secret"],
    );
}

#[test]
fn a_secret_has_one_source_per_layer() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("secret");
    std::fs::write(&file, "x").unwrap();
    let variables = [
        ("CONNECTOR__PBX__PASSWORD", "x"),
        ("CONNECTOR__PBX__PASSWORD_FILE", file.to_str().unwrap()),
    ];
    let answer = check_with(VALID, &variables);
    assert_eq!(answer.code, 2);
    assert!(answer.stderr.contains("given twice"), "{}", answer.stderr);
}

#[test]
fn an_unknown_variable_is_told_the_nearest_one() {
    for (unknown, nearest) in [
        ("CONNECTOR__SYNC__DIRECTON", "CONNECTOR__SYNC__DIRECTION"),
        ("CONNECTOR__PUBLIC_URL", "CONNECTOR__PUBLIC__URL"),
        ("CONNECTOR__PBX__PASSWORT_FILE", "CONNECTOR__PBX__PASSWORD"),
    ] {
        let answer = check_with(VALID, &[(unknown, "hidden")]);
        answer.refuses(unknown, &["unknown", nearest]);
        assert!(!(answer.stdout + &answer.stderr).contains("hidden"));
    }
}

#[test]
fn a_variable_with_single_underscores_is_not_ignored_silently() {
    let answer = check_with(
        VALID,
        &[
            ("CONNECTOR_PBX_MASTER", "pbx"),
            ("CONNECTOR_SERVICE_HOST", "10.0.0.1"),
        ],
    );
    answer.warns("CONNECTOR_PBX_MASTER", &["CONNECTOR__PBX__MASTER"]);
    assert!(!answer.stderr.contains("CONNECTOR_SERVICE_HOST"));
}
