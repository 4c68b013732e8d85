//! The management API as an administrator and a stranger meet it.

use serde_json::Value;

use crate::world::{Answer, World};

const READS: [&str; 6] = [
    "/api/v1/status",
    "/api/v1/users",
    "/api/v1/users/anna",
    "/api/v1/actors",
    "/api/v1/subscriptions",
    "/api/v1/sessions",
];

const ORDERS: [&str; 2] = [
    "/api/v1/actors/presence-sweep/restart",
    "/api/v1/subscriptions/renew",
];

/// A refusal has the documented shape and status.
fn is_problem(answer: &Answer, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let problem = answer.json();
    assert_eq!(problem["status"], status);
    assert_eq!(problem["code"], code);
    for member in ["type", "title", "detail"] {
        assert!(
            problem[member].as_str().is_some_and(|text| !text.is_empty()),
            "{problem:#}"
        );
    }
}

#[test]
fn nothing_is_told_or_done_without_the_token() {
    let world = World::of(&["anna"]).start();
    let refused = |method, path, headers: &[(&str, &str)]| {
        let answer = world.ask_with(method, path, headers);
        is_problem(&answer, 401, "unauthorized");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Bearer"));
    };
    for headers in [
        &[][..],
        &[("Authorization", "Bearer wrong")],
        &[("Authorization", "Bearer ")],
        &[("Authorization", "Bearer")],
        &[("Authorization", "Basic YWRtaW46YWRtaW4=")],
    ] {
        READS.iter().for_each(|path| refused("GET", path, headers));
        ORDERS.iter().for_each(|path| refused("POST", path, headers));
    }
}

#[test]
fn a_viewer_reads_everything_and_changes_nothing() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    for path in READS {
        assert_eq!(world.ask_as_viewer("GET", path).unwrap().status, 200, "{path}");
    }
    for path in ORDERS {
        is_problem(&world.ask_as_viewer("POST", path).unwrap(), 403, "forbidden");
    }
}

#[test]
fn orders_are_accepted_from_the_administrator() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    for path in ORDERS {
        assert_eq!(world.post(path).status, 202, "{path}");
    }
    is_problem(&world.post("/api/v1/actors/nobody/restart"), 404, "not_found");
}

#[test]
fn a_wrong_method_is_answered_with_the_right_ones() {
    let world = World::of(&[]).start();
    for (method, path, allowed) in [
        ("POST", "/api/v1/status", "GET, HEAD"),
        ("DELETE", "/api/v1/users/anna", "GET, HEAD"),
        ("PUT", "/livez", "GET, HEAD"),
        ("POST", "/", "GET, HEAD"),
        ("GET", "/api/v1/subscriptions/renew", "POST"),
    ] {
        let answer = world.ask(method, path).unwrap();
        is_problem(&answer, 405, "method_not_allowed");
        assert_eq!(answer.header("allow"), Some(allowed), "{method} {path}");
    }
}

#[test]
fn head_answers_like_get_without_a_body() {
    let world = World::of(&[]).start();
    for path in ["/livez", "/", "/page/app.js", "/api/v1/status"] {
        let answer = world.ask("HEAD", path).unwrap();
        assert_eq!((answer.status, answer.body.len()), (200, 0), "{path}");
    }
}

#[test]
fn an_unknown_route_is_a_problem() {
    let world = World::of(&[]).start();
    for path in [
        "/nowhere",
        "/api",
        "/api/v1",
        "/api/v1/nowhere",
        "/api/v1/users/",
        "/pbx",
    ] {
        is_problem(&world.get(path), 404, "not_found");
    }
}

#[test]
fn an_unknown_user_is_a_problem_whatever_the_name() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    for name in ["nobody", "an%2Fna", "%C3%A4", "%ff", "..", "anna%00"] {
        is_problem(&world.get(&format!("/api/v1/users/{name}")), 404, "not_found");
    }
}

#[test]
fn lists_are_paged() {
    let people = ["anna", "bert", "carl", "dora", "emil"];
    let world = World::of(&people).start();
    world.until_synchronised(5);
    for list in ["users", "actors"] {
        let whole = world.get(&format!("/api/v1/{list}?limit=5000")).json();
        assert_eq!(whole["next_cursor"], Value::Null);
        let mut paged = Vec::new();
        let mut path = format!("/api/v1/{list}?limit=2");
        loop {
            let page = world.get(&path).json();
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= 2);
            paged.extend(items.iter().map(name_of));
            let Some(cursor) = page["next_cursor"].as_str() else {
                break;
            };
            path = format!("/api/v1/{list}?limit=2&cursor={cursor}");
        }
        let names: Vec<_> = whole["items"].as_array().unwrap().iter().map(name_of).collect();
        assert_eq!(paged, names, "{list}");
    }
}

fn name_of(item: &Value) -> String {
    let name = [&item["h323"], &item["teams_id"], &item["name"]];
    name.iter().find_map(|name| name.as_str()).unwrap().to_owned()
}

#[test]
fn a_page_that_cannot_be_is_refused() {
    let world = World::of(&[]).start();
    for list in ["users", "actors", "sessions"] {
        for query in ["limit=0", "limit=-1", "limit=all", "limit=", "cursor=nonsense"] {
            is_problem(&world.get(&format!("/api/v1/{list}?{query}")), 400, "bad_request");
        }
    }
}

#[test]
fn the_status_has_the_documented_shape() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let status = world.status();
    for light in ["master_pbx", "authentication", "presence_subscription"] {
        for member in ["state", "since", "code", "detail"] {
            assert!(status["lights"][light][member].is_string(), "{status:#}");
        }
    }
    let counts = serde_json::json!({"teams": 2, "pbx": 1, "matched": 1, "licensed": 1, "synchronised": 1});
    assert_eq!(status["users"], counts);
    let session = &status["sessions"][0];
    assert_eq!(
        (&session["pbx"], &session["role"], &session["state"]),
        (&"pbx-main".into(), &"master".into(), &"up".into())
    );
    assert!(session["since"].is_string());
    let subscriptions = status["subscriptions"].as_array().unwrap();
    let presence = subscriptions
        .iter()
        .find(|found| found["kind"] == "presence")
        .unwrap();
    assert_eq!(presence["account"], "presence1@contoso.example");
    assert_eq!(presence["users"], 1);
    assert!(presence["id"].is_string() && presence["expires_at"].is_string());
    assert!(status["clock_offset_seconds"].is_number());
    assert!(status["started_at"].is_string() && status["version"].is_string());
}

#[test]
fn a_user_has_the_documented_members() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let anna = world.user("anna");
    for member in [
        "h323",
        "cn",
        "pbx",
        "teams_id",
        "teams_name",
        "licensed",
        "synchronised",
        "reason",
        "explanation",
        "shard",
        "teams_presence",
        "pbx_presence",
        "shown_at_pbx",
        "set_in_teams",
        "teams_claim_state",
        "note_in_teams",
        "teams_signed_in",
    ] {
        assert!(anna.get(member).is_some(), "{member} is missing in {anna:#}");
    }
    assert_eq!(anna["reason"], Value::Null);
    assert_eq!(anna["synchronised"], true);
}

#[test]
fn the_page_loads_nothing_from_elsewhere() {
    let world = World::of(&[]).start();
    let page = world.ask_with("GET", "/", &[]);
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    for asset in ["/", "/page/app.js", "/page/style.css"] {
        let text = world.ask_with("GET", asset, &[]).text();
        let elsewhere = text.replace("http://www.w3.org/2000/svg", "");
        assert!(
            !elsewhere.contains("http://") && !elsewhere.contains("https://"),
            "{asset}"
        );
    }
}
