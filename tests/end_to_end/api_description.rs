//! The description of the API says what the running connector answers.

use std::collections::BTreeSet;
use std::process::Command;

use jsonschema::Validator;
use serde_json::{Value, json};

use crate::database::kept_at;
use crate::postgres::Postgres;
use crate::world::{Answer, World};

/// The document, as the running connector tells it.
struct Described(Value);

impl Described {
    fn by(world: &World) -> Self {
        let answer = world.get("/api/openapi.json");
        assert_eq!(answer.status, 200, "{}", answer.text());
        Self(answer.json())
    }

    fn operation(&self, method: &str, path: &str) -> &Value {
        let operation = &self.0["paths"][path][method.to_lowercase()];
        assert!(operation.is_object(), "{method} {path} is not described");
        operation
    }

    /// Fails unless an answer has a status, a content type and a body that are described.
    fn covers(&self, method: &str, path: &str, answer: &Answer) {
        let what = format!("{method} {path} {}", answer.status);
        let described = &self.operation(method, path)["responses"][answer.status.to_string()];
        assert!(described.is_object(), "{what} is not described");
        let Some(kinds) = described["content"].as_object() else {
            return assert!(answer.body.is_empty(), "{what} has a body");
        };
        let kind = answer.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default();
        let content = kinds
            .get(kind)
            .unwrap_or_else(|| panic!("{what} is not described as {kind}"));
        if kind.ends_with("json") {
            let body = answer.json();
            let problems: Vec<String> = self
                .validator(&content["schema"])
                .iter_errors(&body)
                .map(|error| format!("{} at {}", error, error.instance_path()))
                .collect();
            assert!(problems.is_empty(), "{what}: {problems:#?} in {body:#}");
        }
    }

    fn validator(&self, schema: &Value) -> Validator {
        let mut root = schema.clone();
        root["components"] = self.0["components"].clone();
        jsonschema::draft202012::new(&root).unwrap()
    }

    /// Each operation: its method and its path.
    fn operations(&self) -> Vec<(String, String)> {
        let paths = self.0["paths"].as_object().unwrap();
        let each = paths.iter().flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| (method.to_uppercase(), path.clone()))
        });
        each.collect()
    }

    /// A path with the described examples in place of its parameters.
    fn filled(&self, method: &str, path: &str) -> String {
        let parameters = self.operation(method, path)["parameters"].as_array();
        let parameters = parameters.into_iter().flatten();
        let of_the_path = parameters.filter(|parameter| parameter["in"] == "path");
        of_the_path.fold(path.to_owned(), |path, parameter| {
            let name = parameter["name"].as_str().unwrap();
            let example = parameter["example"].as_str().expect("every path has an example");
            path.replace(&format!("{{{name}}}"), example)
        })
    }
}

#[test]
fn what_is_read_is_as_described() {
    let world = World::of(&["anna", "bert"]).start();
    world.add_to_pbx("carl", "pbx-main");
    world.add_to_teams("dora");
    world.until_synchronised(2);
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_shown_at_pbx("anna", "meeting");
    world.post("/api/v1/actors/presence-sweep/restart");
    let described = Described::by(&world);
    let reads = described.operations();
    let reads = reads.iter().filter(|(method, _)| method == "GET");
    // a stream has no end, and a session only who has signed in
    let reads = reads.filter(|(_, path)| !path.ends_with("/events") && !path.ends_with("/session"));
    let mut count = 0;
    for (method, path) in reads {
        let answer = world.get(&described.filled(method, path));
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        described.covers(method, path, &answer);
        count += 1;
    }
    assert!(count > 20, "{count} reads only");
}

#[test]
fn what_is_ordered_and_changed_is_as_described() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let described = Described::by(&world);
    let (settings, levels) = ("/api/v1/settings", "/api/v1/log/levels");
    for path in [
        "/api/v1/actors/{name}/restart",
        "/api/v1/subscriptions/renew",
        "/api/v1/users/{h323}/resync",
    ] {
        let answer = world.post(&described.filled("POST", path));
        assert!(matches!(answer.status, 202 | 409 | 503), "{}", answer.text());
        described.covers("POST", path, &answer);
    }
    let examples =
        &described.operation("PATCH", settings)["requestBody"]["content"]["application/json"]["examples"];
    for example in examples.as_object().unwrap().values() {
        let answer = world.patch(settings, &example["value"]);
        assert_eq!(answer.status, 200, "{}", answer.text());
        described.covers("PATCH", settings, &answer);
    }
    for body in [
        json!({"sync": {"read": "never"}}),
        json!({"sync": {}}),
        json!({"database.url": "sqlite:x"}),
        json!([]),
    ] {
        let answer = world.patch(settings, &body);
        assert!(matches!(answer.status, 400 | 409 | 422), "{}", answer.text());
        described.covers("PATCH", settings, &answer);
    }
    let stale = world.patch_if(settings, &json!({"log.level": "info"}), "\"0\"");
    assert_eq!(stale.status, 412);
    described.covers("PATCH", settings, &stale);
    let traced = json!({"levels": {"HTTP client": "debug", "tls": null}, "users": ["anna"], "for": "10m"});
    for body in [traced, json!({"levels": {"HTTP": "debug"}})] {
        described.covers("PUT", levels, &world.put(levels, &body));
    }
}

#[test]
fn a_session_and_its_refusal_are_as_described() {
    let world = World::of(&[]).start();
    let described = Described::by(&world);
    let path = "/api/v1/session";
    let opened = world.send("POST", path, &json!({"token": "administrator-0123456789"}), &[]);
    assert_eq!(opened.status, 200, "{}", opened.text());
    described.covers("POST", path, &opened);
    let cookie = opened.header("set-cookie").unwrap().split(';').next().unwrap();
    let told = world.ask_with("GET", path, &[("Cookie", cookie)]);
    assert_eq!(told.status, 200);
    described.covers("GET", path, &told);
    let ended = world.ask_with("DELETE", path, &[("Cookie", cookie)]);
    assert_eq!(ended.status, 204);
    described.covers("DELETE", path, &ended);
    described.covers("GET", path, &world.ask_with("GET", path, &[("Cookie", cookie)]));
    for body in [json!({"token": "wrong"}), json!({})] {
        described.covers("POST", path, &world.send("POST", path, &body, &[]));
    }
}

#[test]
fn who_may_do_what_is_as_described() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let described = Described::by(&world);
    for (method, path) in described.operations() {
        let filled = described.filled(&method, &path);
        let operation = described.operation(&method, &path);
        let security = operation.get("security").unwrap_or(&described.0["security"]);
        let doors = security.as_array().unwrap();
        let needs = |door: &str| doors.iter().any(|way| way.get(door).is_some());
        let open = doors.iter().all(|way| way.as_object().unwrap().is_empty());
        // without a body, an open sign-in is not understood
        let stranger = world.ask_with(&method, &filled, &[]);
        assert_eq!(
            stranger.status == 401,
            !open,
            "{method} {path}: {}",
            stranger.text()
        );
        described.covers(&method, &path, &stranger);
        if needs("csrf") {
            let viewer = world.ask_as_viewer(&method, &filled).unwrap();
            assert_eq!(viewer.status, 403, "{method} {path}: {}", viewer.text());
            described.covers(&method, &path, &viewer);
        }
    }
}

#[test]
fn a_standby_answers_as_described() {
    let url = Postgres::shared().new_database();
    let world = kept_at(World::of(&["anna"]), &url).behind_gateway().start();
    world.until_synchronised(1);
    let described = Described::by(&world);
    let standby = world.join("second", "");
    world.administer(&standby);
    assert_eq!(Described::by(&world).0, described.0);
    for (method, path) in described.operations() {
        let answer = world.ask(&method, &described.filled(&method, &path));
        let answer = answer.unwrap_or_else(|| panic!("no answer to {method} {path}"));
        described.covers(&method, &path, &answer);
    }
    assert!(standby.terminate());
}

#[test]
fn a_route_takes_the_described_methods_and_no_other() {
    let world = World::of(&[]).start();
    let described = Described::by(&world);
    for (path, item) in described.0["paths"].as_object().unwrap() {
        let methods = item.as_object().unwrap().keys();
        let mut expected: Vec<String> = methods.map(|method| method.to_uppercase()).collect();
        if expected.iter().any(|method| method == "GET") {
            expected.push("HEAD".to_owned());
        }
        expected.sort();
        let first = expected[0].clone();
        let refused = world.ask_with("PROPFIND", &described.filled(&first, path), &[]);
        assert_eq!(refused.status, 405, "{path}");
        let allowed = refused.header("allow").unwrap_or_default();
        let mut allowed: Vec<String> = allowed.split(", ").map(str::to_owned).collect();
        allowed.sort();
        assert_eq!(allowed, expected, "{path}");
    }
}

#[test]
fn the_document_is_for_people_and_for_programs() {
    let world = World::of(&[]).start();
    let described = Described::by(&world);
    let printed = Command::new(env!("CARGO_BIN_EXE_m365-connector"))
        .arg("openapi")
        .output()
        .unwrap();
    assert!(printed.status.success());
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(printed, described.0, "what is printed and what is served differ");

    let mut names = BTreeSet::new();
    for (method, path) in described.operations() {
        let operation = described.operation(&method, &path);
        assert!(
            names.insert(operation["operationId"].to_string()),
            "{method} {path} has the name of another"
        );
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!(summary.len() > 3, "{method} {path} says nothing");
    }
    // links between items of the code, and sources that only its readers have
    let text = described.0.to_string();
    for remnant in ["[`", "graph.md", "pbx.md", "DESIGN", "concept"] {
        assert!(!text.contains(remnant), "the document contains {remnant:?}");
    }
}

#[test]
fn the_documentation_page_loads_nothing_from_elsewhere() {
    let world = World::of(&[]).start();
    let page = world.ask_with("GET", "/api/docs", &[]);
    assert_eq!(page.status, 200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    let text = page.text();
    for asset in ["/page/docs.css", "/page/docs.js"] {
        assert!(text.contains(asset), "{asset} is not used");
    }
    let scripts = [
        "docs.js",
        "docs_schema.js",
        "docs_text.js",
        "docs_try.js",
        "docs.css",
    ];
    let texts = scripts.map(|name| world.ask_with("GET", &format!("/page/{name}"), &[]).text());
    for text in texts.iter().chain([&text]) {
        assert!(!text.contains("http://") && !text.contains("https://"));
    }
}
