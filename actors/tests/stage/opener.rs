//! Opens bodies of one line per notice: `presence t1 Busy/InACall 5`, `plain` with the number as it is, `hint t1`,
//! `user t1`, `lifecycle anna@… s-1 missed`, `untokened`, and anything else is discarded.

use std::cell::Cell;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::LocalBoxFuture;
use m365_presence::identity::{Account, SubscriptionId, TeamsId};
use m365_presence::ports::{
    AcceptedState, Body, Discard, LifecycleEvent, Notice, NotificationOpener, Opened, SubscriptionKind,
};
use m365_presence::teams::{Source, TeamsObservation, TeamsPresence};
use tokio::time::sleep;

use super::journal::Journal;

pub struct Opener {
    journal: Journal,
    /// How long a body takes.
    pub delay: Cell<Duration>,
}

impl Opener {
    pub fn new(journal: Journal) -> Self {
        Self {
            journal,
            delay: Cell::new(Duration::from_millis(5)),
        }
    }
}

impl NotificationOpener for Opener {
    fn open<'a>(
        &'a self,
        body: Body,
        received_at: DateTime<Utc>,
        accepted: &'a [AcceptedState],
    ) -> LocalBoxFuture<'a, Opened> {
        Box::pin(async move {
            let text = String::from_utf8(body.to_vec()).unwrap();
            self.journal
                .note(format!("opener: {text} with {} states", accepted.len()));
            sleep(self.delay.get()).await;
            let mut opened = Opened {
                sealed: text.starts_with("presence") || text.starts_with("plain"),
                ..Opened::default()
            };
            for line in text.lines() {
                match notice(line, received_at) {
                    Some(notice) => opened.notices.push(notice),
                    None if line == "untokened" => opened.discarded.push(Discard::MissingToken),
                    None => opened.discarded.push(Discard::UnknownClientState),
                }
            }
            opened
        })
    }
}

fn notice(line: &str, received_at: DateTime<Utc>) -> Option<Notice> {
    let words: Vec<&str> = line.split(' ').collect();
    match words.as_slice() {
        ["presence", user, pair, sequence @ ..] => {
            let (availability, activity) = pair.split_once('/').unwrap();
            Some(Notice::Presence(TeamsObservation {
                note: None,
                user: TeamsId::new(user),
                presence: TeamsPresence::new(availability, activity),
                sequence: sequence.first().map(|number| format!("{number:0>10}")),
                source: Source::Notified { received_at },
            }))
        }
        ["plain", user, pair, number] => {
            let padded = notice(&format!("presence {user} {pair} {number}"), received_at);
            padded.map(|notice| match notice {
                Notice::Presence(seen) => Notice::Presence(TeamsObservation {
                    note: None,
                    sequence: Some((*number).to_owned()),
                    ..seen
                }),
                other => other,
            })
        }
        ["hint", user] => Some(Notice::PresenceHint(TeamsId::new(user))),
        ["user", user] => Some(Notice::UserChanged(TeamsId::new(user))),
        ["lifecycle", account, id, event] => Some(Notice::Lifecycle {
            subscription: SubscriptionId::new(id),
            kind: match *account {
                "users" => SubscriptionKind::Users,
                account => SubscriptionKind::Presence(Account::new(account)),
            },
            event: match *event {
                "missed" => LifecycleEvent::Missed,
                "removed" => LifecycleEvent::SubscriptionRemoved,
                _ => LifecycleEvent::ReauthorizationRequired,
            },
        }),
        _ => None,
    }
}
