//! `/users` in pages.

use actix_web::test as live;
use m365_simulator::microsoft::{Plan, User};
use serde_json::{Value, json};

use super::stage::{Reply, Stage};

const TEN: &str = "id,displayName,mail,mailNickname,onPremisesDistinguishedName,onPremisesSamAccountName,onPremisesUserPrincipalName,userPrincipalName,accountEnabled,assignedPlans";

fn names(reply: &Reply) -> Vec<String> {
    let users = reply.body["value"].as_array().expect("users");
    users
        .iter()
        .map(|user| user["displayName"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[live]
async fn a_listing_goes_on_over_next_links_and_counts_once() {
    let stage = Stage::new();
    let token = stage.app_token().await;
    for number in 0..6 {
        stage.add_person(&format!("Person {number}"));
    }
    stage.control.adjust(|knobs| knobs.page_size = Some(3));
    let first = stage
        .get(&token, &format!("/v1.0/users?$select={TEN}&$count=true&$top=999"))
        .await;
    assert_eq!((first.status, &first.body["@odata.count"]), (200, &json!(7)));
    assert_eq!(first.body["value"].as_array().unwrap().len(), 3);
    let context = first.body["@odata.context"].as_str().unwrap();
    assert!(context.contains("$metadata#users(id,displayName,"), "{context}");
    let mut next = first.body["@odata.nextLink"].as_str().unwrap().to_owned();
    assert!(
        next.starts_with(stage.cloud.graph_url()) && next.contains("$skiptoken="),
        "{next}"
    );
    let without_header = stage.get_url(&token, &next, false).await;
    assert_eq!(
        (without_header.status, without_header.code()),
        (400, "Request_UnsupportedQuery")
    );
    let mut seen = names(&first);
    loop {
        let page = stage.get_url(&token, &next, true).await;
        assert!(page.body.get("@odata.count").is_none());
        seen.extend(names(&page));
        match page.body["@odata.nextLink"].as_str() {
            Some(link) => next = link.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen.len(), 7);
    assert_eq!(seen[6], "Person 5");
}

#[live]
async fn a_next_link_can_lead_astray() {
    let stage = Stage::new();
    let token = stage.app_token().await;
    stage.add_person("Somebody Else");
    stage.control.adjust(|knobs| {
        knobs.page_size = Some(1);
        knobs.foreign_next_link = Some("https://graph.example.net".to_owned());
    });
    let page = stage.get(&token, "/v1.0/users").await;
    assert!(
        page.body["@odata.nextLink"]
            .as_str()
            .unwrap()
            .starts_with("https://graph.example.net/v1.0/users?")
    );
}

#[live]
async fn unset_properties_are_null_and_unselected_ones_absent() {
    let stage = Stage::new();
    let token = stage.app_token().await;
    let id = stage.add_person("Adele Vance");
    let full = stage
        .get(&token, &format!("/v1.0/users/{id}?$select={TEN}"))
        .await;
    assert_eq!(full.body["onPremisesSamAccountName"], Value::Null);
    assert!(
        full.body
            .as_object()
            .unwrap()
            .contains_key("onPremisesSamAccountName")
    );
    assert_eq!(full.body["mailNickname"], "adele.vance");
    let plan = &full.body["assignedPlans"][0];
    assert_eq!(
        (&plan["service"], &plan["capabilityStatus"]),
        (&json!("TeamspaceAPI"), &json!("Enabled"))
    );
    assert_eq!(plan["servicePlanId"], "57ff2da0-773e-42df-b2af-ffb7a2317929");
    let short = stage.get(&token, "/v1.0/users").await;
    let user = short.body["value"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .as_object()
        .unwrap();
    assert!(!user.contains_key("accountEnabled") && !user.contains_key("assignedPlans"));
    assert!(user.contains_key("businessPhones") && user.contains_key("jobTitle"));
}

#[live]
async fn filters_select_licensed_users_only_as_an_advanced_query() {
    let stage = Stage::new();
    let token = stage.app_token().await;
    let mut guest = User::new("Guest", "guest@contoso.com");
    guest.user_type = Some("Guest".to_owned());
    guest.plans.clear();
    stage.control.put_user(stage.tenant.id, guest);
    let mut disabled = User::new("Disabled", "disabled@contoso.com");
    disabled.account_enabled = false;
    disabled.plans = vec![Plan::teams("Suspended")];
    stage.control.put_user(stage.tenant.id, disabled);
    let plans = "assignedPlans/any(a:a/servicePlanId%20eq%2057ff2da0-773e-42df-b2af-ffb7a2317929%20and%20a/capabilityStatus%20eq%20'Enabled')";
    let query = format!("/v1.0/users?$filter=accountEnabled%20eq%20true%20and%20{plans}&$top=999");
    assert_eq!(stage.get(&token, &query).await.code(), "Request_UnsupportedQuery");
    let found = stage.get(&token, &format!("{query}&$count=true")).await;
    assert_eq!(names(&found), ["presence@contoso.com"]);
    assert_eq!(
        names(
            &stage
                .get(&token, "/v1.0/users?$filter=userType+eq+%27Guest%27")
                .await
        ),
        ["Guest"]
    );
    let either = "/v1.0/users?$filter=startswith(displayName,'Dis')%20or%20displayName%20in%20('guest','x')";
    assert_eq!(names(&stage.get(&token, either).await), ["Guest", "Disabled"]);
    assert_eq!(
        stage
            .get(&token, "/v1.0/users?$filter=nonsense%20eq%201")
            .await
            .status,
        400
    );
}

#[live]
async fn bad_queries_are_refused() {
    let stage = Stage::new();
    let token = stage.app_token().await;
    for query in [
        "$top=1000",
        "$top=0",
        "$skip=5",
        "$select=nonsense",
        "$skiptoken=rubbish",
    ] {
        assert_eq!(
            stage.get(&token, &format!("/v1.0/users?{query}")).await.status,
            400,
            "{query}"
        );
    }
    let unknown = stage
        .get(&token, &format!("/v1.0/users/{}", uuid::Uuid::new_v4()))
        .await;
    assert_eq!(
        (unknown.status, unknown.code()),
        (404, "Request_ResourceNotFound")
    );
    let ignored = stage
        .get_url(
            &token,
            &format!("{}/v1.0/users?$count=true", stage.cloud.graph_url()),
            false,
        )
        .await;
    assert!(ignored.status == 200 && ignored.body.get("@odata.count").is_none());
}

#[live]
async fn permissions_decide_who_reads_users() {
    let stage = Stage::new();
    stage.control.change_app(stage.app.client_id, |app| {
        app.application = vec!["Presence.Read.All".to_owned()]
    });
    let token = stage.app_token().await;
    let refused = stage.get(&token, "/v1.0/users").await;
    assert_eq!(
        (refused.status, refused.code()),
        (403, "Authorization_RequestDenied")
    );
    assert_eq!(
        refused.message(),
        "Insufficient privileges to complete the operation."
    );
}
