//! Values that cannot work, each refused with cause and remedy.

use crate::program::{VALID, and, check, check_with, with};

#[test]
fn a_complete_configuration_is_valid() {
    check(VALID).is_fine();
}

#[test]
fn all_problems_are_told_at_once() {
    let answer = check(
        "[sync]\ndirection = \"sideways\"\n[timers]\nsweep = \"often\"\n[pbx]\nmaster = \"pbx.example.com\"",
    );
    assert_eq!(answer.code, 2);
    for key in [
        "public.url",
        "management.token",
        "microsoft.tenant",
        "microsoft.client_id",
        "microsoft.client_secret",
        "microsoft.communication_users",
        "pbx.password",
        "pbx.master",
        "sync.direction",
        "timers.sweep",
    ] {
        assert!(answer.about(key).starts_with("error: "), "{key}");
    }
}

#[test]
fn a_missing_value_says_where_to_find_it() {
    let answer = check("");
    for (key, place) in [
        ("microsoft.tenant", "Primary domain"),
        ("microsoft.client_id", "Application (client) ID"),
        ("microsoft.client_secret", "Certificates & secrets"),
        ("microsoft.communication_users", "Entra admin center"),
        ("pbx.password", "App object"),
        ("pbx.master", "PBX Name"),
        ("management.token", "openssl rand"),
        ("public.url", "public DNS name"),
    ] {
        let problem = answer.about(key);
        assert!(
            problem.contains("is missing") && problem.contains(place),
            "{problem}"
        );
        assert!(
            problem.contains("allowed") && problem.contains("example"),
            "{problem}"
        );
    }
}

#[test]
fn a_wrong_value_is_told_with_what_was_found_what_is_allowed_and_an_example() {
    let answer = check(&and("[sync]\nread = \"webhook\""));
    answer.refuses(
        "sync.read",
        &[
            "found",
            "\"webhook\" (file)",
            "allowed",
            "subscription, polling, hybrid",
            "example",
        ],
    );
}

#[test]
fn the_public_address_is_https() {
    let answer = check(&with("https://connector", "http://connector"));
    answer.refuses(
        "public.url",
        &[
            "plain http",
            "\"http://connector.example.com\"",
            "loopback",
            "https://",
        ],
    );
}

#[test]
fn the_public_address_may_be_http_on_loopback() {
    for host in ["127.0.0.1:8080", "localhost", "[::1]:9"] {
        check(&with("https://connector.example.com", &format!("http://{host}"))).is_fine();
    }
}

#[test]
fn the_public_address_may_have_a_path_and_a_slash_at_its_end() {
    check(&with("example.com\"", "example.com/m365/\"")).is_fine();
}

#[test]
fn the_public_address_has_nothing_behind_it() {
    for (end, cause) in [
        ("?x=1", "query"),
        ("#top", "fragment"),
        (" and more", "no address has"),
        ("/graph/notifications", "appends itself"),
        (":port", "no address"),
    ] {
        let url = format!("example.com{end}\"");
        check(&with("example.com\"", &url)).refuses("public.url", &[cause]);
    }
}

#[test]
fn the_password_in_an_address_is_never_shown() {
    let answer = check(&with("https://", "https://user:hidden@"));
    answer.refuses("public.url", &["user name or password"]);
    assert!(!(answer.stdout + &answer.stderr).contains("hidden"));
}

#[test]
fn timers_are_durations_from_one_second() {
    for (value, cause) in [
        ("0s", "shorter"),
        ("500ms", "shorter"),
        ("soon", "no duration"),
        ("5", "no duration"),
    ] {
        let answer = check(&and(&format!("[timers]\nsweep = \"{value}\"")));
        answer.refuses("timers.sweep", &[cause, &format!("\"{value}\""), "1s", "\"5m\""]);
    }
    check(&and("[timers]\nsweep = 300")).refuses("timers.sweep", &["300 (file)", "not a text"]);
    check(&and("[timers]\nsweep = \"1s\"\nuser_subscription = \"1h 30m\"")).is_fine();
}

#[test]
fn timers_stay_within_what_graph_allows() {
    for (key, most, more, cause) in [
        ("presence_subscription", "60m", "61m", "60m"),
        ("user_subscription", "41760m", "41761m", "29d"),
        ("on_the_phone", "2h", "2h 1s", "2h"),
    ] {
        check(&and(&format!("[timers]\n{key} = \"{most}\""))).is_fine();
        let answer = check(&and(&format!("[timers]\n{key} = \"{more}\"")));
        answer.refuses(&format!("timers.{key}"), &["longer", cause]);
    }
}

#[test]
fn polling_sweeps_every_ten_seconds_unless_told_otherwise() {
    let polling = check(&and("[sync]\nread = \"polling\""));
    assert_eq!(polling.value("timers.sweep"), ("\"10s\"", "default"));
    let told = check(&and("[sync]\nread = \"polling\"\n[timers]\nsweep = \"1m\""));
    assert_eq!(told.value("timers.sweep"), ("\"1m\"", "file"));
    assert_eq!(check(VALID).value("timers.sweep"), ("\"5m\"", "default"));
}

#[test]
fn polling_needs_no_public_address() {
    let without = with("url = \"https://connector.example.com\"", "");
    check(&without).refuses("public.url", &["is missing"]);
    check(&format!("{without}\n[sync]\nread = \"polling\"")).is_fine();
}

#[test]
fn administrators_and_the_public_have_different_listeners() {
    let answer = check(&with(
        "[management]\n",
        "[management]\nlisten = \"127.0.0.1:8080\"\n",
    ));
    answer.refuses("management.listen", &["same as public.listen"]);
    check(&with("[management]\n", "[management]\nlisten = \"8081\"\n"))
        .refuses("management.listen", &["IP address"]);
}

#[test]
fn a_short_token_is_refused_where_others_reach_it() {
    let short = with("0123456789abcdef0123456789abcdef", "short");
    check(&short).warns("management.token", &["5 characters"]);
    let open = short.replace("[management]\n", "[management]\nlisten = \"0.0.0.0:8081\"\n");
    check(&open).refuses(
        "management.token",
        &["5 characters", "16", "openssl rand", "a secret of 5 characters"],
    );
}

#[test]
fn a_viewer_is_no_administrator() {
    let token = "token = \"0123456789abcdef0123456789abcdef\"";
    let answer = check(&with(token, &format!("{token}\nviewer_{token}")));
    answer.refuses("management.viewer_token", &["same as management.token"]);
}

#[test]
fn a_password_in_the_address_of_a_database_is_never_shown() {
    for url in [
        "postgres://connector:hidden@localhost/connector",
        "postgres://connector:hid@den@localhost/connector",
        "postgres://connector@localhost/connector?password=hidden",
        "postgres://connector:hidden@localhost:port/connector",
    ] {
        let answer = check(&and(&format!("[database]\nurl = \"{url}\"")));
        let said = answer.stdout + &answer.stderr;
        assert!(said.contains("********"), "{said}");
        assert!(!said.contains("hid") && !said.contains("den@"), "{said}");
    }
    let key = "0f".repeat(32);
    let section = "[database]\nurl = \"postgres://connector:x@localhost/connector\"";
    check(&and(&format!("{section}\nkey = \"{key}\""))).is_fine();
}

#[test]
fn the_address_of_a_database_and_its_password_may_come_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let key = format!("key = \"{}\"", "0f".repeat(32));
    let url = file("url", "postgres://connector:hidden@localhost/connector\n");
    let answer = check(&and(&format!("[database]\nurl_file = \"{url}\"\n{key}")));
    assert!(answer.stdout.contains("postgres://********@localhost/connector"));
    answer.is_fine();

    let password = file("password", "hid%den\n");
    let section = "[database]\nurl = \"postgres://connector@localhost/connector\"";
    let answer = check(&and(&format!("{section}\npassword_file = \"{password}\"\n{key}")));
    assert!(!answer.stdout.contains("hid%den"));
    answer.is_fine();
}

#[test]
fn what_weakens_a_database_is_warned_of() {
    let at = |url: &str| check(&and(&format!("[database]\nurl = \"{url}\"")));
    at("postgres://c:x@db.example.com/c?sslmode=require").warns("database.url", &["sslmode=verify-full"]);
    at("postgres://c:x@localhost/c").warns("database.key", &["same database", "openssl rand -hex 32"]);
    check(&and("[database]\npassword = \"hidden\"")).warns("database.password", &["not used"]);
}

#[test]
fn a_database_is_a_file_or_on_a_server() {
    for url in ["connector.db", "sqlite:", "sqlite::memory:", "mysql://x"] {
        check(&and(&format!("[database]\nurl = \"{url}\""))).refuses("database.url", &[url, "sqlite:"]);
    }
    check(&and("[database]\nurl = \"sqlite:missing/connector.db\""))
        .warns("database.url", &["does not exist"]);
    for (url, cause) in [
        ("postgres://c:x@/c", "names no host"),
        ("postgres://c:x@localhost", "names no database"),
        ("postgres://c:x@localhost/c?sslmode=on", "verify-full"),
    ] {
        check(&and(&format!("[database]\nurl = \"{url}\""))).refuses("database.url", &[cause]);
    }
}

#[test]
fn a_database_key_has_its_form() {
    check(&and("[database]\nkey = \"too short\""))
        .refuses("database.key", &["64 hexadecimal", "9 characters"]);
    check(&and(&format!("[database]\nkey = \"{}\"", "0f".repeat(32)))).is_fine();
}

#[test]
fn an_empty_value_is_no_value() {
    check(&with("contoso.onmicrosoft.com", "")).refuses("microsoft.tenant", &["is empty"]);
    check(&with("the-pbx-password", "")).refuses("pbx.password", &["is empty"]);
    check_with(VALID, &[("CONNECTOR__LOG__LEVEL", "")])
        .refuses("log.level", &["is empty", "CONNECTOR__LOG__LEVEL"]);
}

#[test]
fn the_log_has_known_forms_and_levels() {
    check(&and("[log]\nlevel = \"loud\""))
        .refuses("log.level", &["\"loud\"", "error, warn, info, debug, trace"]);
    check(&and("[log]\nformat = \"xml\"")).refuses("log.format", &["text, json"]);
}

#[test]
fn matching_compares_known_fields() {
    check(&and("[matching]\nmicrosoft = \"phone\""))
        .refuses("matching.microsoft", &["\"phone\"", "mailNickname"]);
    check(&and("[matching]\nstrip_domain = \"maybe\"")).refuses("matching.strip_domain", &["true nor false"]);
    let answer = check(&and(
        "[matching]\nexclude = [\"door\"]\n[matching.overrides]\nalice = \"alice@contoso.com\"",
    ));
    answer.is_fine();
    assert_eq!(answer.value("matching.exclude"), ("[\"door\"]", "file"));
    assert_eq!(
        answer.value("matching.overrides.alice"),
        ("\"alice@contoso.com\"", "file")
    );
}
