//! How talkative which part is: the configured level, and what was changed at run time for a while.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use env_filter::Filter;
use log::LevelFilter;

use super::flag::TraceFlag;
use super::{FOREIGN_LEVEL, HTTP_DISPATCHER, LogError};

/// A level that was set at run time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raised {
    /// How far.
    pub level: LevelFilter,
    /// When it falls back to the configured one; never unless given.
    pub until: Option<DateTime<Utc>>,
}

/// A change of levels: what is not named stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Levels by flag; `None` falls back to the configured one.
    pub flags: BTreeMap<TraceFlag, Option<LevelFilter>>,
    /// PBX users, by name (h323), of whom everything is told; `None` leaves them as they are.
    pub users: Option<Vec<String>>,
    /// When all of this ends.
    pub until: Option<DateTime<Utc>>,
}

/// How talkative which part is.
#[derive(Clone, Debug)]
pub struct Levels {
    configured: LevelFilter,
    /// Levels of single targets, in env_logger's notation.
    targets: Option<String>,
    flags: BTreeMap<TraceFlag, Raised>,
    users: BTreeMap<String, Option<DateTime<Utc>>>,
}

impl Levels {
    /// Begins with the configured level and those of single targets.
    pub fn new(configured: LevelFilter, targets: Option<&str>) -> Self {
        Self {
            configured,
            targets: targets
                .filter(|targets| !targets.trim().is_empty())
                .map(str::to_owned),
            flags: BTreeMap::new(),
            users: BTreeMap::new(),
        }
    }

    /// The configured level.
    pub fn configured(&self) -> LevelFilter {
        self.configured
    }

    /// The flags that were changed at run time.
    pub fn flags(&self) -> &BTreeMap<TraceFlag, Raised> {
        &self.flags
    }

    /// The users of whom everything is told, by lower-case name, and until when.
    pub fn users(&self) -> &BTreeMap<String, Option<DateTime<Utc>>> {
        &self.users
    }

    /// Takes in a change.
    pub fn change(&mut self, change: Change) {
        let until = change.until;
        for (flag, level) in change.flags {
            match level {
                Some(level) => self.flags.insert(flag, Raised { level, until }),
                None => self.flags.remove(&flag),
            };
        }
        if let Some(users) = change.users {
            self.users = users.iter().map(|user| (user.to_lowercase(), until)).collect();
        }
    }

    /// Replaces the configured level; what was changed at run time stays.
    pub fn configure(&mut self, level: LevelFilter) {
        self.configured = level;
    }

    /// Lets go of what has ended; answers whether anything has.
    pub fn expire(&mut self, now: DateTime<Utc>) -> bool {
        let before = self.flags.len() + self.users.len();
        let lasts = |until: &Option<DateTime<Utc>>| until.is_none_or(|until| now < until);
        self.flags.retain(|_, raised| lasts(&raised.until));
        self.users.retain(|_, until| lasts(until));
        before != self.flags.len() + self.users.len()
    }

    /// Puts everything together; the most specific target decides.
    ///
    /// # Errors
    /// [`LogError::BadLevels`] for levels of single targets that are not understood.
    pub(super) fn filter(&self) -> Result<Filter, LogError> {
        let mut builder = env_filter::Builder::new();
        builder.filter_level(self.configured.min(FOREIGN_LEVEL));
        for (target, whose) in TraceFlag::ALL.iter().flat_map(|flag| flag.targets()) {
            builder.filter_module(target, whose.configured(self.configured));
        }
        builder.filter_module(HTTP_DISPATCHER, LevelFilter::Off);
        if let Some(targets) = &self.targets {
            builder
                .try_parse(targets)
                .map_err(|error| LogError::BadLevels(error.to_string()))?;
        }
        for (flag, raised) in &self.flags {
            for (target, whose) in flag.targets() {
                builder.filter_module(target, whose.flagged(raised.level));
            }
        }
        Ok(builder.build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    fn traced(users: &[&str], until: Option<DateTime<Utc>>) -> Levels {
        let mut levels = Levels::new(LevelFilter::Info, None);
        levels.change(Change {
            flags: BTreeMap::from([(TraceFlag::App, Some(LevelFilter::Trace))]),
            users: Some(users.iter().map(|user| (*user).to_owned()).collect()),
            until,
        });
        levels
    }

    #[test]
    fn what_was_set_for_a_while_ends_by_itself() {
        let mut levels = traced(&["Alice"], Some(at(10)));
        assert!(!levels.expire(at(9)));
        assert!(levels.users().contains_key("alice"));
        assert!(levels.expire(at(10)));
        assert!(levels.flags().is_empty() && levels.users().is_empty());
    }

    #[test]
    fn what_was_set_without_an_end_stays_until_it_is_taken_back() {
        let mut levels = traced(&[], None);
        assert!(!levels.expire(at(i64::from(u32::MAX))));
        levels.change(Change {
            flags: BTreeMap::from([(TraceFlag::App, None)]),
            ..Change::default()
        });
        assert!(levels.flags().is_empty());
    }

    #[test]
    fn a_change_leaves_alone_what_it_does_not_name() {
        let mut levels = traced(&["alice"], None);
        levels.change(Change {
            flags: BTreeMap::from([(TraceFlag::Database, Some(LevelFilter::Debug))]),
            ..Change::default()
        });
        assert_eq!(levels.flags().len(), 2);
        assert_eq!(levels.users().len(), 1);
    }
}
