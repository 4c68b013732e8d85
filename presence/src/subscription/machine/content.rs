//! What the notifications of a subscription carry, and for which key they are encrypted.
//!
//! Resource data is wanted wherever there is a key. Where Graph refuses it, a basic subscription serves, and after a
//! day resource data is tried for again. When there is a newer key, the next renewal names it (graph.md 3.2); where Graph
//! does not take it that way, the subscription is made anew. None of that is ever urgent: what serves is renewed
//! rather than lost.

use chrono::{DateTime, TimeDelta, Utc};

use crate::subscription::{Held, Keys};

/// After a refusal resource data is tried for again so much later.
const REFUSED_FOR: TimeDelta = TimeDelta::hours(24);

/// The same after a refusal that may have meant something else.
const PERHAPS_REFUSED_FOR: TimeDelta = TimeDelta::hours(1);

/// What a held subscription lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing.
    None,
    /// Its renewal must name this key.
    Name(String),
    /// It must be made anew.
    Replace,
}

/// How a subscription is brought to name another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ChangeOver {
    /// By its renewal.
    Renewal,
    /// A renewal that named it was refused; whether plain ones still go must be seen first.
    Refused,
    /// By making it anew.
    Replacement,
}

/// Why resource data is not asked for.
#[derive(Clone, Debug)]
struct Refusal {
    message: String,
    certain: bool,
}

/// What is to be carried, and what Graph lets us have of it.
#[derive(Clone, Debug)]
pub(super) struct Content {
    keys: Option<Keys>,
    /// Until then a basic one serves.
    basic_until: Option<DateTime<Utc>>,
    /// A basic one was held before this start; when it is to be replaced follows from the first look at the clock.
    basic_before: bool,
    refusal: Option<Refusal>,
    change_over: ChangeOver,
    /// Until then the held one is not made anew for its key.
    settled_until: Option<DateTime<Utc>>,
}

impl Content {
    pub(super) fn new(keys: Option<Keys>, stored: Option<&Held>) -> Self {
        Self {
            keys,
            basic_until: None,
            basic_before: stored.is_some_and(is_basic),
            refusal: None,
            change_over: ChangeOver::Renewal,
            settled_until: None,
        }
    }

    /// Takes in which keys there are; answers whether that lets more be asked for than before.
    pub(super) fn take_in(&mut self, keys: Keys) -> bool {
        let first = self.keys.as_ref().is_some_and(|known| known.current.is_none()) && keys.current.is_some();
        self.keys = Some(keys);
        if first {
            self.retry();
        }
        first
    }

    /// Tries for everything again.
    pub(super) fn retry(&mut self) {
        self.basic_until = None;
        self.settled_until = None;
        self.change_over = ChangeOver::Renewal;
    }

    /// Whether it is known what a new subscription would name.
    pub(super) fn is_known(&self) -> bool {
        self.keys.is_some()
    }

    /// Whether what is encrypted for this key can be read, as far as it is known.
    pub(super) fn has(&self, certificate: &str) -> bool {
        self.keys
            .as_ref()
            .is_none_or(|keys| keys.known.contains(certificate))
    }

    /// The key that a new subscription names.
    pub(super) fn certificate(&self, now: DateTime<Utc>) -> Option<String> {
        let current = self.keys.as_ref()?.current.clone();
        current.filter(|_| self.basic_until.is_none_or(|until| now >= until))
    }

    /// What the held one lacks now that it is due.
    pub(super) fn change(&mut self, held: &Held, now: DateTime<Utc>) -> Change {
        if std::mem::take(&mut self.basic_before) {
            self.basic_until = self.basic_until.or(now.checked_add_signed(REFUSED_FOR));
        }
        let settled = self.settled_until.is_some_and(|until| now < until);
        match (self.certificate(now), &held.certificate_id) {
            (Some(current), Some(named)) if current != *named => match self.change_over {
                ChangeOver::Renewal => Change::Name(current),
                ChangeOver::Replacement if !settled => Change::Replace,
                ChangeOver::Refused | ChangeOver::Replacement => Change::None,
            },
            (Some(_), None) if !settled => Change::Replace,
            _ => Change::None,
        }
    }

    /// One was found that carries nothing: it serves for now.
    pub(super) fn found(&mut self, held: &Held, now: DateTime<Utc>) {
        if is_basic(held) {
            self.basic_until = self.basic_until.or(now.checked_add_signed(REFUSED_FOR));
        }
    }

    /// One was made that names this key.
    pub(super) fn made(&mut self, certificate: Option<&str>) {
        self.change_over = ChangeOver::Renewal;
        self.settled_until = None;
        if certificate.is_some() {
            self.basic_until = None;
            self.refusal = None;
        }
    }

    /// One was renewed: by a request that named `sent`, with an answer that told `told`. Answers what it names now,
    /// having named `before`; Graph does not always tell (graph.md 3.1).
    pub(super) fn renewed(
        &mut self,
        sent: Option<String>,
        told: Option<String>,
        before: Option<String>,
    ) -> Option<String> {
        match (sent, told) {
            (Some(sent), Some(told)) if sent != told => {
                self.change_over = ChangeOver::Replacement;
                Some(told)
            }
            (Some(sent), _) => Some(sent),
            (None, told) => {
                if self.change_over == ChangeOver::Refused {
                    self.change_over = ChangeOver::Replacement;
                }
                told.or(before)
            }
        }
    }

    /// A renewal that named a key was refused.
    pub(super) fn refuse_renewal(&mut self) {
        self.change_over = ChangeOver::Refused;
    }

    /// A renewal without any was refused as well: it was not for the key.
    pub(super) fn acquit_renewal(&mut self) {
        if self.change_over == ChangeOver::Refused {
            self.change_over = ChangeOver::Renewal;
        }
    }

    /// Graph keeps the one that was to be made anew.
    pub(super) fn settle(&mut self, now: DateTime<Utc>) {
        self.settled_until = now.checked_add_signed(REFUSED_FOR);
    }

    /// Graph refuses resource data, or perhaps something else.
    pub(super) fn refuse(&mut self, message: String, certain: bool, now: DateTime<Utc>) {
        let wait = if certain { REFUSED_FOR } else { PERHAPS_REFUSED_FOR };
        self.basic_until = now.checked_add_signed(wait);
        self.refusal = Some(Refusal { message, certain });
    }

    /// A basic one is not to be had either: what was refused may not have been the resource data.
    pub(super) fn acquit(&mut self) {
        if self.refusal.as_ref().is_some_and(|refusal| !refusal.certain) {
            self.refusal = None;
            self.basic_until = None;
        }
    }

    /// Graph's text, where it refuses resource data.
    pub(super) fn refusal(&self) -> Option<&str> {
        self.refusal.as_ref().map(|refusal| refusal.message.as_str())
    }
}

fn is_basic(held: &Held) -> bool {
    held.certificate_id.is_none()
}
