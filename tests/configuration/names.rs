//! Keys and files by their names.

use crate::program::{SECRETS, VALID, and, check, run, with};

#[test]
fn an_unknown_key_is_told_the_nearest_one() {
    check(&with("tenant =", "tenat = \"x\"\ntenant ="))
        .refuses("microsoft.tenat", &["unknown", "microsoft.tenant"]);
    check(&and("[timers]\nsweeps = \"5m\"")).refuses("timers.sweeps", &["timers.sweep"]);
}

#[test]
fn a_wrong_value_is_told_beside_an_unknown_key() {
    let answer = check(&and("[timers]\nsweep = \"soon\"\nsweeep = \"5m\""));
    assert_eq!(answer.code, 2);
    assert!(answer.about("timers.sweeep").contains("is unknown"));
    assert!(answer.about("timers.sweep").contains("is no duration"));
}

#[test]
fn an_unknown_section_is_told_once() {
    check(&and("[timer]\nsweep = \"5m\"\non_the_phone = \"5m\"")).refuses("timer", &["unknown", "timers"]);
}

#[test]
fn a_key_in_the_wrong_section_is_told_the_right_one() {
    check(&with("[public]\n", "[public]\nviewer_token = \"x\"\n"))
        .refuses("public.viewer_token", &["management.viewer_token"]);
}

#[test]
fn the_value_of_an_unknown_key_is_not_shown() {
    let answer = check(&with("[pbx]\n", "[pbx]\npasword = \"hidden\"\n"));
    answer.refuses("pbx.pasword", &["pbx.password"]);
    assert!(!answer.stderr.contains("is missing"), "{}", answer.stderr);
    assert!(!(answer.stdout + &answer.stderr).contains("hidden"));
}

#[test]
fn a_single_section_where_a_list_belongs_is_explained() {
    let answer = check(&with(
        "[[microsoft.communication_users]]",
        "[microsoft.communication_users]",
    ));
    assert_eq!(answer.code, 2);
    assert!(
        answer
            .about("microsoft.communication_users")
            .contains("[[microsoft.communication_users]]")
    );
}

#[test]
fn broken_toml_is_told_by_line_without_quoting_it() {
    let answer = check("[pbx]\npassword = \"hidden\nmaster = \"pbx\"\n");
    assert_eq!(answer.code, 2);
    assert!(
        answer
            .stderr
            .contains("connector.toml is no valid TOML at line 2"),
        "{}",
        answer.stderr
    );
    assert!(!(answer.stdout + &answer.stderr).contains("hidden"));
}

#[test]
fn a_missing_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for variables in [vec![], vec![("CONNECTOR_CONFIG", "gone.toml")]] {
        let arguments: &[&str] = if variables.is_empty() {
            &["check-config", "--config", "gone.toml"]
        } else {
            &["check-config"]
        };
        let answer = run(folder.path(), arguments, &variables);
        assert_eq!(answer.code, 2);
        assert!(
            answer.stderr.contains("gone.toml cannot be read"),
            "{}",
            answer.stderr
        );
        // whatever is missing may stand in that file
        assert_eq!(answer.stderr.matches("error: ").count(), 1, "{}", answer.stderr);
    }
}

#[test]
fn effective_values_are_listed_with_their_origin_and_secrets_masked() {
    let answer = check(VALID);
    assert_eq!(
        answer.value("public.url"),
        ("\"https://connector.example.com\"", "file")
    );
    assert_eq!(answer.value("public.listen"), ("\"0.0.0.0:8080\"", "default"));
    assert_eq!(answer.value("pbx.presence_contact"), ("\"teams:\"", "default"));
    assert_eq!(answer.value("pbx.password"), ("********", "file"));
    assert_eq!(
        answer.value("microsoft.communication_users.0.password"),
        ("********", "file")
    );
    let shown = answer.stdout + &answer.stderr;
    assert!(SECRETS.iter().all(|secret| !shown.contains(secret)), "{shown}");
}

#[test]
fn the_connector_does_not_start_with_a_wrong_configuration() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["serve"][..], &[]] {
        let answer = run(folder.path(), arguments, &[]);
        assert_eq!(answer.code, 2);
        assert!(answer.about("pbx.master").contains("is missing"));
    }
}
