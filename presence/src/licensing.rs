//! Who holds the license: what the answers of a round of checks mean, and what the PBX's own counts say.
//!
//! An answer that carries an error is no answer, for a passing fault of the PBX must throw nobody out; but how a PBX
//! answers for a user whom it does not know is not documented, and such a user holds nothing (pbx.md 5). One rule serves
//! both: who is answered with an error is asked once more, by the other name and a little later. An error that stands
//! then is about the user, and believed, if the same round brought a proper answer for anybody else. Otherwise it is
//! about the PBX, and the last answers stay.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use utoipa::ToSchema;

use crate::identity::PbxGuid;
use crate::ports::LicenseAnswer;

/// A round of license checks.
#[derive(Clone, Debug, Default)]
pub struct Round {
    open: BTreeSet<PbxGuid>,
    doubted: BTreeSet<PbxGuid>,
    asked_again: BTreeSet<PbxGuid>,
    faults: BTreeMap<PbxGuid, String>,
    answers: Vec<LicenseAnswer>,
    taken: usize,
}

/// What a round has brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Finding {
    /// Whether each answered user holds the license.
    pub answers: Vec<LicenseAnswer>,
    /// Whether everybody was answered.
    pub whole: bool,
    /// Users for whom the PBX answered with an error only, believed or not: they are worth another question later.
    pub faulty: Vec<PbxGuid>,
    /// The PBX's text of one such error.
    pub fault: Option<String>,
}

impl Round {
    /// Begins a round that asks for these users.
    pub fn of(users: impl IntoIterator<Item = PbxGuid>) -> Self {
        Self {
            open: users.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Takes in a proper answer; one that nobody waits for changes nothing.
    pub fn answered(&mut self, user: PbxGuid, held: bool) {
        if self.open.remove(&user) {
            self.taken += 1;
            self.doubted.remove(&user);
            self.answers.push(LicenseAnswer { user, held });
        }
    }

    /// Takes in an answer that carries an error. The first one makes a doubt, the second one ends the question.
    pub fn failed(&mut self, user: PbxGuid, message: String) {
        if !self.open.contains(&user) || self.doubted.contains(&user) {
            return;
        }
        self.taken += 1;
        if self.asked_again.contains(&user) {
            self.open.remove(&user);
            self.faults.insert(user, message);
        } else {
            self.doubted.insert(user);
        }
    }

    /// Whether somebody waits to be asked once more.
    pub fn doubts(&self) -> bool {
        !self.doubted.is_empty()
    }

    /// Takes out whom to ask once more, now.
    pub fn ask_again(&mut self) -> Vec<PbxGuid> {
        let again: Vec<_> = std::mem::take(&mut self.doubted).into_iter().collect();
        self.asked_again.extend(again.iter().cloned());
        again
    }

    /// Number of answers of any kind; one that grows tells that the PBX still answers.
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// Whether nobody is left to be answered.
    pub fn is_over(&self) -> bool {
        self.open.is_empty()
    }

    /// Ends the round, be it over or not.
    pub fn end(self) -> Finding {
        let about_the_pbx = self.answers.is_empty();
        let mut answers = self.answers;
        let fault = self.faults.values().next().cloned();
        let faulty: Vec<_> = self.faults.into_keys().collect();
        if !about_the_pbx {
            let unknown = faulty.iter().cloned();
            answers.extend(unknown.map(|user| LicenseAnswer { user, held: false }));
        }
        Finding {
            whole: self.open.is_empty() && (faulty.is_empty() || !about_the_pbx),
            answers,
            faulty,
            fault,
        }
    }
}

/// One line of a PBX's list of licenses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedLicense {
    /// The license's name, e.g. `App(innovaphone-microsoft365)`.
    pub name: String,
    /// How many are installed.
    pub count: u64,
    /// How many are assigned, at this PBX and its slaves.
    pub used: u64,
}

/// How many of our licenses a PBX has, by its own count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Stock {
    /// Installed.
    pub installed: u64,
    /// Assigned to users, matched or not.
    pub used: u64,
}

impl Stock {
    /// Adds up all lines that cover a license.
    pub fn of(license: &str, listed: &[ListedLicense]) -> Self {
        let ours = listed.iter().filter(|line| covers(&line.name, license));
        ours.fold(Self::default(), |sum, line| Self {
            installed: sum.installed.saturating_add(line.count),
            used: sum.used.saturating_add(line.used),
        })
    }
}

/// Tells whether a license as a PBX lists it covers a wanted one: `App(x)` covers every name that starts with x, and
/// license files write `PBX-App(x)` with a version behind it (pbx.md 5, head match).
pub fn covers(listed: &str, wanted: &str) -> bool {
    let listed = listed.trim();
    let listed = listed.strip_prefix("PBX-").unwrap_or(listed);
    let head = |license: &str| {
        let (kind, rest) = license.split_once('(')?;
        let (name, _version) = rest.split_once(')')?;
        (!name.is_empty()).then(|| (kind.to_lowercase(), name.to_lowercase()))
    };
    match (head(listed), head(wanted)) {
        (Some((kind, name)), Some((wanted_kind, wanted))) => kind == wanted_kind && wanted.starts_with(&name),
        _ => false,
    }
}
