//! What Prometheus scrapes.

use std::collections::{BTreeMap, BTreeSet};

use crate::world::World;

/// The samples by name and labels, after a check of the form: every family is explained once, before its samples.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let mut explained = Vec::new();
    let mut samples = BTreeMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(!explained.contains(&name), "{name} is explained twice");
            assert!(help.ends_with('.'), "{line}");
            explained.push(name);
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').unwrap();
            assert_eq!(explained.last(), Some(&name));
            assert_eq!(kind == "counter", name.ends_with("_total"), "{line}");
        } else {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            let name = sample.split('{').next().unwrap();
            let parts = ["_bucket", "_sum", "_count"];
            let family = parts.iter().find_map(|part| name.strip_suffix(part));
            let told = explained.last().copied();
            assert!(told == Some(name) || told == family, "{line}");
            assert!(name.starts_with("m365_connector_"), "{line}");
            let known = samples.insert(sample.to_owned(), value.parse().unwrap());
            assert!(known.is_none(), "{sample} stands twice");
        }
    }
    samples
}

#[test]
fn what_is_scraped_agrees_with_what_the_api_tells() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    let answer = world.get("/metrics");
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .header("content-type")
            .unwrap()
            .starts_with("text/plain; version=0.0.4")
    );
    let samples = samples(&answer.text());
    let value = |sample: &str| {
        *samples
            .get(sample)
            .unwrap_or_else(|| panic!("{sample} is missing"))
    };
    let stage = |stage: &str| value(&format!("m365_connector_users{{stage=\"{stage}\"}}"));
    let users = world.status()["users"].clone();
    for name in ["teams", "pbx", "matched", "licensed", "synchronised"] {
        assert_eq!(Some(stage(name)), users[name].as_f64(), "{name}");
    }
    assert_eq!(
        value("m365_connector_light{light=\"authentication\",code=\"ok\"}"),
        1.0
    );
    assert_eq!(
        value("m365_connector_pbx_up{pbx=\"pbx-main\",role=\"master\"}"),
        1.0
    );
    assert!(value("m365_connector_subscription_expiry_timestamp_seconds{kind=\"users\",account=\"\"}") > 1e9);
    assert_eq!(
        value("m365_connector_actor_restarts_total{actor=\"user-sync\",reason=\"bug\"}"),
        0.0
    );
    assert!(value("m365_connector_resident_memory_bytes") > 1e6);
}

#[test]
fn hops_are_timed_echoes_counted_and_divergent_users_told() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    world.choose_at_pbx("anna", "busy");
    world.until_seen_in_teams("anna", "Busy", "Busy");
    world.choose_in_teams("bert", "DoNotDisturb", "DoNotDisturb");
    world.until_shown_at_pbx("bert", "dnd");
    let value = |sample: &str| {
        let samples = samples(&world.get("/metrics").text());
        samples.get(&format!("m365_connector_{sample}")).copied()
    };
    world.wait_until("the look that shows what was set is an echo", || {
        value("echoes_suppressed_total") >= Some(1.0)
    });
    for hop in [
        "received_to_opened",
        "opened_to_decided",
        "decided_to_written",
        "written_to_confirmed",
    ] {
        let count = value(&format!("hop_seconds_count{{hop=\"{hop}\"}}"));
        assert!(count >= Some(1.0), "{hop}: {count:?}");
        let buckets = samples(&world.get("/metrics").text());
        let bucket = |bound: &str| {
            let mut of_hop = buckets.iter().filter(|(sample, _)| {
                sample.contains("hop_seconds_bucket") && sample.contains(&format!("hop=\"{hop}\""))
            });
            let found = of_hop.find(|(sample, _)| sample.contains(&format!("le=\"{bound}\"")));
            found.map(|(_, count)| *count)
        };
        assert!(bucket("0.001") <= bucket("30.0"), "{hop}: buckets add up");
        assert!(
            bucket("+Inf") >= count,
            "{hop}: what is beyond every bound counts, too"
        );
    }
    world.wait_until("nobody diverges", || value("divergent_users") == Some(0.0));
    let paused = world.patch(
        "/api/v1/settings",
        &serde_json::json!({"sync.paused_users": ["anna"]}),
    );
    assert_eq!(paused.status, 200);
    world.until_synchronised(2);
    world.choose_at_pbx("anna", "dnd");
    world.wait_until("anna diverges", || value("divergent_users") == Some(1.0));
}

#[test]
fn every_metric_that_alerts_and_the_dashboard_ask_for_is_scraped() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let scraped = samples(&world.get("/metrics").text());
    for (file, text) in [
        ("alerts.yaml", include_str!("../../deploy/prometheus/alerts.yaml")),
        (
            "dashboard.json",
            include_str!("../../deploy/grafana/dashboard.json"),
        ),
    ] {
        let asked: BTreeSet<&str> = text
            .split(|letter: char| !letter.is_ascii_lowercase() && !letter.is_ascii_digit() && letter != '_')
            .filter(|word| word.starts_with("m365_connector_"))
            .collect();
        assert!(asked.len() > 5, "{file}: {asked:?}");
        for name in asked {
            let found = scraped
                .keys()
                .any(|sample| sample.split('{').next() == Some(name));
            // told only while there is something to tell of
            let rare = [
                "m365_connector_subscription_overflow_users",
                "m365_connector_writes_total",
            ]
            .contains(&name);
            assert!(found || rare, "{file} asks for {name}");
        }
    }
}

#[test]
fn whoever_asks_for_open_metrics_gets_them_and_a_stranger_gets_nothing() {
    let world = World::of(&["anna"]).start();
    let open = world.ask_with(
        "GET",
        "/metrics",
        &[
            ("Authorization", "Bearer administrator-0123456789"),
            (
                "Accept",
                "application/openmetrics-text;version=1.0.0,text/plain;q=0.5",
            ),
        ],
    );
    assert!(
        open.header("content-type")
            .unwrap()
            .starts_with("application/openmetrics-text")
    );
    assert!(open.text().ends_with("# EOF\n"));
    assert_eq!(world.ask_with("GET", "/metrics", &[]).status, 401);
    assert_eq!(world.ask_as_viewer("GET", "/metrics").unwrap().status, 200);
}
