//! Server-sent events: whoever watches is told what changes, as it changes.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::world::{LONG_PATIENCE, World};

/// An open stream of events.
struct Watcher(BufReader<TcpStream>);

impl Watcher {
    fn open(world: &World, topics: &str) -> Self {
        let mut stream = TcpStream::connect(world.management()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let request = format!(
            "GET /api/v1/events{topics} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nAuthorization: Bearer administrator-0123456789\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).unwrap();
        Self(BufReader::new(stream))
    }

    /// Reads on until an event of this topic fits.
    fn until(&mut self, topic: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        let (mut line, mut heard) = (String::new(), String::new());
        while begun.elapsed() < LONG_PATIENCE {
            line.clear();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream has ended");
            if let Some(event) = line.trim_end().strip_prefix("event: ") {
                heard = event.to_owned();
            } else if let Some(json) = line.trim_end().strip_prefix("data: ") {
                let news: Value = serde_json::from_str(json).unwrap();
                if heard == topic && fits(&news) {
                    return news;
                }
            }
        }
        panic!("no event of {topic} fits");
    }
}

#[test]
fn a_watcher_is_told_everything_and_then_what_changes() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    let mut watcher = Watcher::open(&world, "");
    let status = watcher.until("status", |_| true);
    assert_eq!(status["lights"]["authentication"]["state"], "green");
    for topic in ["actors", "subscriptions", "sessions"] {
        let news = watcher.until(topic, |_| true);
        assert!(
            news["items"].as_array().is_some_and(|items| !items.is_empty()),
            "{topic}"
        );
    }
    world.in_teams("anna", "Busy", "InAMeeting");
    let news = watcher.until("users", |news| news["items"][0]["shown_at_pbx"] == "meeting");
    assert_eq!(news["items"][0]["h323"], "anna");
    world.post("/api/v1/actors/presence-sweep/restart");
    watcher.until("log", |record| {
        record["message"]
            .as_str()
            .unwrap()
            .contains("restarts presence-sweep")
    });
    watcher.until("actors", |news| {
        let actors = news["items"].as_array().unwrap();
        actors
            .iter()
            .any(|actor| actor["name"] == "presence-sweep" && actor["run"] == 2)
    });
}

#[test]
fn a_watcher_chooses_what_to_hear() {
    let world = World::of(&["anna"]).start();
    let mut watcher = Watcher::open(&world, "?topics=log");
    world.post("/api/v1/subscriptions/renew");
    watcher.until("log", |record| {
        record["message"].as_str().unwrap().contains("renews")
    });
    assert_eq!(world.ask_with("GET", "/api/v1/events", &[]).status, 401);
    let refused = world.get("/api/v1/events?topics=status,weather");
    assert_eq!(refused.status, 400);
    assert!(
        refused.text().contains("'weather' is no topic"),
        "{}",
        refused.text()
    );
}
