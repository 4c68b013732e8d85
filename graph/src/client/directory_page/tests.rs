use super::*;
use crate::client::DEFAULT_TEAMS_PLANS;
use serde_json::json;

fn page(page: &Value) -> Option<DirectoryPage> {
    let plans = DEFAULT_TEAMS_PLANS.map(str::to_owned);
    read(page.to_string().as_bytes(), &plans)
}

fn user(item: Value) -> Option<TeamsUser> {
    let users = page(&json!({"value": [item]})).unwrap().users.unwrap();
    users.into_iter().next()
}

#[test]
fn a_guest_is_told_by_the_kind_of_user_or_else_by_the_sign_in_name() {
    let name = "adele_fabrikam.com#ext#@contoso.onmicrosoft.com";
    for (kind, name, expected) in [
        (Some("Guest"), "adele@contoso.com", true),
        (Some("Member"), name, false),
        (None, name, true),
        (None, "adele@contoso.com", false),
    ] {
        assert_eq!(is_guest(kind, Some(name)), expected, "{kind:?} {name}");
    }
}

#[test]
fn a_teams_plan_counts_while_enabled_or_in_grace() {
    for (status, expected) in [
        ("Enabled", true),
        ("warning", true),
        ("Suspended", false),
        ("Deleted", false),
    ] {
        let item = json!({"id": "A", "assignedPlans": [
            {"servicePlanId": "x", "capabilityStatus": "Enabled"},
            {"capabilityStatus": status, "service": "TeamspaceAPI", "servicePlanId": "57FF2DA0-773e-42df-b2af-ffb7a2317929"},
            {"servicePlanId": 7, "capabilityStatus": []}, null, "plan",
        ]});
        assert_eq!(user(item).unwrap().teams_plan, expected, "{status}");
    }
    let other = json!({"id": "A", "assignedPlans": [{"servicePlanId": "x", "capabilityStatus": "Enabled"}]});
    assert!(!user(other).unwrap().teams_plan);
}

#[test]
fn a_user_of_wrong_types_is_still_a_user_and_one_without_an_id_is_not() {
    for odd in [
        json!(7),
        json!(-7),
        json!(7.5),
        json!({"a": [1]}),
        json!([{}]),
        json!(true),
    ] {
        let read = user(json!({
            "id": "ABC", "mail": odd, "displayName": null, "accountEnabled": null, "assignedPlans": odd,
            "userPrincipalName": odd, "unknown": odd,
        }))
        .unwrap();
        assert_eq!(
            (read.id.as_str(), read.mail, read.account_enabled, read.guest),
            ("abc", None, true, false)
        );
    }
    for nobody in [
        json!({"id": null}),
        json!({"id": ""}),
        json!({"id": 7}),
        json!({}),
        json!(7),
        json!([]),
        json!(null),
    ] {
        assert_eq!(user(nobody), None);
    }
}

#[test]
fn a_page_is_a_list_of_users_or_none() {
    assert_eq!(page(&json!([])), None);
    assert_eq!(page(&json!("page")), None);
    for none in [
        json!({}),
        json!({"value": 7}),
        json!({"value": {}}),
        json!({"value": null}),
    ] {
        assert_eq!(page(&none).unwrap().users, None, "{none}");
    }
    let whole = json!({"@odata.context": "x", "@odata.NextLink": "https://next", "Value": [{"id": "a"}]});
    let whole = page(&whole).unwrap();
    assert_eq!(
        (whole.users.unwrap().len(), whole.next),
        (1, Some(json!("https://next")))
    );
    for broken in [
        r#"{"value":[{"id":"a"}"#,
        r#"{"value":[]} trailing"#,
        "",
        "<html>",
    ] {
        assert_eq!(read(broken.as_bytes(), &[]), None, "{broken}");
    }
}

#[test]
fn escaped_names_are_read_as_they_are_meant() {
    let body = br#"{"value":[{"id":"A\u0042","displayName":"J\u00fcrgen \"J\"","mail":"a\u0040b"}]}"#;
    let users = read(body, &[]).unwrap().users.unwrap();
    assert_eq!(users[0].id.as_str(), "ab");
    assert_eq!(users[0].display_name.as_deref(), Some("Jürgen \"J\""));
    assert_eq!(users[0].mail.as_deref(), Some("a@b"));
}

#[test]
fn a_real_page_is_read() {
    let page: Value =
        serde_json::from_str(include_str!("../../../tests/vectors/wire/users-page-real.json")).unwrap();
    let users = read(page["body"].to_string().as_bytes(), &[])
        .unwrap()
        .users
        .unwrap();
    assert_eq!(users[0].display_name.as_deref(), Some("Alya Abbott"));
    assert_eq!(users.len(), 2);
}
