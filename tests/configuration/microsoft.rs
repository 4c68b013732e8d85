//! The tenant, its app registration and its communication users.

use crate::program::{and, check, with};

const USER: &str = r#"[[microsoft.communication_users]]
username = "presence@contoso.com"
password = "p&ä*(+ ) %='!~#"
"#;

#[test]
fn two_communication_users_are_different_accounts() {
    let twin = USER.replace("presence@contoso.com", "Presence@Contoso.com");
    let answer = check(&and(&twin));
    answer.refuses(
        "microsoft.communication_users.1.username",
        &["same account", "Presence@Contoso.com"],
    );
    check(&and(&USER.replace("presence", "presence2"))).is_fine();
}

#[test]
fn a_communication_user_has_a_password_or_signs_in_by_device_code() {
    let password = r#"password = "p&ä*(+ ) %='!~#""#;
    let key = "microsoft.communication_users.0.password";
    check(&with(password, "")).refuses(key, &["is missing", "device-code"]);
    check(&with(password, "sign_in = \"device-code\"")).is_fine();
    check(&with(password, &format!("{password}\nsign_in = \"device-code\""))).refuses(key, &["device code"]);
}

#[test]
fn blanks_around_a_password_are_not_removed_but_refused() {
    for password in [" secret", "secret ", "secret\\t"] {
        let answer = check(&with("p&ä*(+ ) %='!~#", password));
        answer.refuses(
            "microsoft.communication_users.0.password",
            &["blank", "Entra refuses", "characters (file)"],
        );
        assert!(!answer.stderr.contains("\"secret"), "{}", answer.stderr);
    }
}

#[test]
fn a_communication_user_is_needed_unless_nothing_is_subscribed() {
    let without = with(USER, "");
    check(&without).refuses(
        "microsoft.communication_users",
        &["at least one", "polling", "Teams license"],
    );
    check(&format!("{without}\n[sync]\nread = \"polling\"")).is_fine();
    check(&format!("{without}\n[sync]\ndirection = \"pbx-to-teams\"")).is_fine();
}

#[test]
fn a_tenant_is_one_tenant() {
    for tenant in ["common", "organizations", "Consumers"] {
        check(&with("contoso.onmicrosoft.com", tenant)).refuses("microsoft.tenant", &["no tenant", tenant]);
    }
    check(&with("contoso.onmicrosoft.com", "https://contoso.com")).refuses("microsoft.tenant", &["neither"]);
}

#[test]
fn other_clouds_are_polled() {
    let gov = with("[microsoft]\n", "[microsoft]\ncloud = \"us-gov-l4\"\n");
    check(&gov).refuses("microsoft.cloud", &["only in the global cloud", "polling"]);
    check(&format!("{gov}\n[sync]\nread = \"polling\"")).is_fine();
}

#[test]
fn the_chinese_cloud_is_only_read() {
    let china = with("[microsoft]\n", "[microsoft]\ncloud = \"china\"\n") + "\n[sync]\nread = \"polling\"\n";
    check(&china).refuses("microsoft.cloud", &["teams-to-pbx"]);
    check(&format!("{china}direction = \"teams-to-pbx\"")).is_fine();
}

#[test]
fn an_unknown_cloud_is_told_the_known_ones() {
    let answer = check(&with("[microsoft]\n", "[microsoft]\ncloud = \"germany\"\n"));
    answer.refuses(
        "microsoft.cloud",
        &["\"germany\"", "global, us-gov-l4, us-gov-l5, china"],
    );
}

#[test]
fn microsoft_is_spoken_to_in_the_clear_on_loopback_only() {
    for key in ["login_url", "graph_url"] {
        let at = |host: &str| {
            with(
                "[microsoft]\n",
                &format!("[microsoft]\n{key} = \"http://{host}\"\n"),
            )
        };
        check(&at("graph.example.com")).refuses(&format!("microsoft.{key}"), &["plain http"]);
        check(&at("127.0.0.1:9000")).is_fine();
    }
}
