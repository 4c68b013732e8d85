//! What the page is told while somebody watches: one look a second for all watchers, and only what has changed.
//!
//! Without a watcher nothing is looked at. A watcher who comes late, or is too slow to keep up, is told everything anew.

use std::collections::BTreeMap;
use std::sync::Arc;

use m365_actors::presence_sync::TakeTouched;
use m365_actors::supervision::NodeSnapshot;
use serde_json::{Value, json};
use tokio::sync::broadcast;

use super::overview::{Overview, Posts, answered};
use super::status::Status;
use super::subscriptions;
use super::users::Terms;

/// News that a watcher may be behind with.
const BEHIND: usize = 64;

/// Changed users who are told by name at a time; beyond, watchers are told to read their page of the list anew.
const MOST_USERS: usize = 200;

/// One piece of news: what it is about, and its JSON.
#[derive(Clone, Debug)]
pub struct News {
    /// `status`, `users`, `actors`, `subscriptions` or `sessions`.
    pub topic: &'static str,
    /// One line of JSON.
    pub text: Arc<str>,
}

/// Where news are made.
pub struct Newsroom {
    watchers: broadcast::Sender<News>,
    told: BTreeMap<&'static str, Arc<str>>,
    known_watchers: usize,
}

/// Where news are heard; clones hear the same newsroom.
#[derive(Clone)]
pub struct NewsDesk(broadcast::Sender<News>);

impl NewsDesk {
    /// Begins to watch.
    pub fn watch(&self) -> broadcast::Receiver<News> {
        self.0.subscribe()
    }

    /// How many watch.
    pub fn watchers(&self) -> usize {
        self.0.receiver_count()
    }
}

impl Default for Newsroom {
    fn default() -> Self {
        Self {
            watchers: broadcast::Sender::new(BEHIND),
            told: BTreeMap::new(),
            known_watchers: 0,
        }
    }
}

impl Newsroom {
    /// Where its news are heard.
    pub fn desk(&self) -> NewsDesk {
        NewsDesk(self.watchers.clone())
    }

    /// Tells what has changed since the last look, if anybody watches.
    pub async fn tell(
        &mut self,
        posts: &Posts,
        terms: &Terms,
        overview: &Overview,
        status: &Status,
        tree: &[NodeSnapshot],
    ) {
        let watchers = self.watchers.receiver_count();
        if watchers > self.known_watchers {
            self.told.clear();
        }
        self.known_watchers = watchers;
        if watchers == 0 {
            return;
        }
        self.tell_if_new("status", json!(status));
        self.tell_if_new(
            "actors",
            json!({"items": tree.iter().map(without_age).collect::<Vec<_>>()}),
        );
        if let Some(items) = subscriptions::in_full(overview) {
            self.tell_if_new("subscriptions", json!({"items": items}));
        }
        self.tell_if_new("sessions", json!({"items": overview.sessions}));
        self.tell_users(posts, terms).await;
    }

    async fn tell_users(&self, posts: &Posts, terms: &Terms) {
        let touched = answered(posts.presence_sync.ask(TakeTouched))
            .await
            .unwrap_or_default();
        if touched.is_empty() {
            return;
        }
        let news = if touched.len() > MOST_USERS {
            json!({"items": [], "more": touched.len()})
        } else {
            json!({"items": posts.users_by_guid(&touched, terms).await, "more": 0})
        };
        self.send("users", news.to_string().into());
    }

    fn tell_if_new(&mut self, topic: &'static str, news: Value) {
        let text: Arc<str> = news.to_string().into();
        if self.told.get(topic) != Some(&text) {
            self.told.insert(topic, Arc::clone(&text));
            self.send(topic, text);
        }
    }

    fn send(&self, topic: &'static str, text: Arc<str>) {
        // the last watcher may just have gone
        let _unheard = self.watchers.send(News { topic, text });
    }
}

/// A node without its age, which changes every second and is told by when it was started.
fn without_age(node: &NodeSnapshot) -> NodeSnapshot {
    NodeSnapshot {
        uptime_seconds: None,
        ..node.clone()
    }
}
