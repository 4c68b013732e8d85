//! Who lives in a town.

use fastrand::Rng;

use super::names::{FIRST, LAST};
use crate::pbx::User;

/// The first number that is given out.
const FIRST_NUMBER: usize = 1000;

/// One inhabitant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Counts the people, from zero.
    pub number: usize,
    /// Holds the first name.
    pub first: String,
    /// Holds the last name.
    pub last: String,
}

impl Person {
    /// Returns the full name: `displayName` in Teams, `cn` at the PBX.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }

    /// Returns the name for lists: last name, first name.
    #[must_use]
    pub fn listed_name(&self) -> String {
        format!("{}, {}", self.last, self.first)
    }

    /// Returns the login in both worlds: `first.last` in plain letters.
    #[must_use]
    pub fn h323(&self) -> String {
        plain(&format!("{}.{}", self.first, self.last))
    }

    /// Returns the telephone number.
    #[must_use]
    pub fn e164(&self) -> String {
        FIRST_NUMBER.saturating_add(self.number).to_string()
    }

    /// Returns the mail address, which is also the user principal name.
    #[must_use]
    pub fn mail(&self, domain: &str) -> String {
        format!("{}@{domain}", self.h323())
    }

    /// Describes the person's user object at the PBX of this name.
    #[must_use]
    pub fn pbx_user(&self, home: &str) -> User {
        User {
            dn: self.listed_name(),
            e164: self.e164(),
            h323_email: true,
            ..User::new(&self.h323(), &self.name(), home)
        }
    }
}

/// Chooses people by seed; all names differ. From the 10,001st on, last names carry a number.
#[must_use]
pub fn people(seed: u64, count: usize) -> Vec<Person> {
    let mut rng = Rng::with_seed(seed);
    let mut pairs: Vec<(&str, &str)> = FIRST
        .iter()
        .flat_map(|first| LAST.iter().map(|last| (*first, *last)))
        .collect();
    rng.shuffle(&mut pairs);
    let rounds = (1_usize..).flat_map(|round| pairs.iter().map(move |pair| (round, *pair)));
    let person = |(number, (round, (first, last))): (usize, (usize, (&str, &str)))| {
        let last = if round == 1 {
            last.to_owned()
        } else {
            format!("{last} {round}")
        };
        Person {
            number,
            first: first.to_owned(),
            last,
        }
    };
    rounds.take(count).enumerate().map(person).collect()
}

/// Spells a name in lower-case ASCII.
fn plain(name: &str) -> String {
    let mut plain = String::new();
    for letter in name.to_lowercase().chars() {
        match letter {
            'ä' => plain.push_str("ae"),
            'ö' | 'ø' => plain.push_str("oe"),
            'ü' => plain.push_str("ue"),
            'ß' => plain.push_str("ss"),
            'é' | 'è' => plain.push('e'),
            'á' | 'ã' => plain.push('a'),
            'í' | 'ı' => plain.push('i'),
            'ó' => plain.push('o'),
            'ł' => plain.push('l'),
            'ş' | 'š' => plain.push('s'),
            'ç' | 'č' => plain.push('c'),
            'ñ' => plain.push('n'),
            letter if letter.is_ascii_alphanumeric() || letter == '.' || letter == '-' => plain.push(letter),
            _ => {}
        }
    }
    plain
}
