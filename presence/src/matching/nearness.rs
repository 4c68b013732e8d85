//! Who might have been meant when the rule finds nobody.
//!
//! Values are reduced to a key that forgives what people get wrong: the domain, diacritics (`Müller`, `Mueller` and
//! `Muller` are one), punctuation and the order of words. Every open Teams user is entered in an index under the keys
//! of all fields; every open PBX user looks there with both fields. An index slot remembers one candidate or that
//! there are many, never a list, so that a value shared by thousands costs no more than one that is unique. A
//! suggestion is made only when exactly one candidate is left.

use std::collections::HashMap;

use serde::Serialize;

use super::rule::{MatchRule, MicrosoftField, PbxField, key, without_domain};
use crate::identity::{PbxGuid, TeamsId};
use crate::pbx::PbxUser;
use crate::teams::TeamsUser;

/// What separates two users who nearly match.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// Only the domain: the option that removes it would make them match.
    Domain,
    /// Diacritics, punctuation, the order of words, or a domain at the PBX.
    Spelling,
    /// Their configured fields differ, but other fields agree.
    OtherField,
}

/// Two users who probably are one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// Who it may be in Teams.
    pub teams: TeamsId,
    /// Who it may be at the PBX.
    pub pbx: PbxGuid,
    /// What separates them.
    pub difference: Difference,
    /// The PBX field that agrees.
    pub pbx_field: PbxField,
    /// Its value.
    pub pbx_value: String,
    /// The Microsoft field that agrees.
    pub microsoft_field: MicrosoftField,
    /// Its value.
    pub microsoft_value: String,
}

/// Nobody else, or too many to suggest one.
#[derive(Clone, Copy)]
enum Candidate {
    One(usize, MicrosoftField),
    Many,
}

/// Who is found under one key.
#[derive(Default)]
struct Slot {
    by_the_rule: Option<Candidate>,
    by_any_field: Option<Candidate>,
}

impl Slot {
    fn enter(slot: &mut Option<Candidate>, place: usize, field: MicrosoftField) {
        match slot {
            None => *slot = Some(Candidate::One(place, field)),
            Some(Candidate::One(known, _)) if *known == place => {}
            Some(known) => *known = Candidate::Many,
        }
    }

    fn only(&self) -> Option<(usize, MicrosoftField)> {
        [self.by_the_rule, self.by_any_field]
            .into_iter()
            .find_map(|candidate| match candidate {
                Some(Candidate::One(place, field)) => Some((place, field)),
                Some(Candidate::Many) | None => None,
            })
    }
}

/// Finds a suggestion for PBX users, each with the places of the two users.
pub(super) fn suggestions<'a>(
    rule: &MatchRule,
    teams: impl Iterator<Item = (usize, &'a TeamsUser)>,
    pbx: impl Iterator<Item = (usize, &'a PbxUser)>,
) -> Vec<((usize, usize), Suggestion)> {
    let pbx: Vec<_> = pbx.collect();
    if pbx.is_empty() {
        return Vec::new();
    }
    let teams: HashMap<usize, &TeamsUser> = teams.collect();
    let index = index(rule, &teams);
    let other_field = if rule.pbx == PbxField::Cn {
        PbxField::H323
    } else {
        PbxField::Cn
    };
    let look = |user: &PbxUser| {
        [rule.pbx, other_field].into_iter().find_map(|pbx_field| {
            let slot = index.get(&forgiving_key(pbx_field.value(user))?)?;
            let (place, microsoft_field) = slot.only()?;
            Some((
                place,
                suggestion(rule, (user, pbx_field), (teams.get(&place)?, microsoft_field)),
            ))
        })
    };
    pbx.into_iter()
        .filter_map(|(pbx, user)| look(user).map(|(teams, suggestion)| ((teams, pbx), suggestion)))
        .collect()
}

fn index(rule: &MatchRule, teams: &HashMap<usize, &TeamsUser>) -> HashMap<String, Slot> {
    let mut index: HashMap<String, Slot> = HashMap::with_capacity(teams.len().saturating_mul(2));
    for (place, user) in teams {
        for field in MicrosoftField::ALL {
            let Some(key) = forgiving_key(readable(*field, field.value(user))) else {
                continue;
            };
            let slot = index.entry(key).or_default();
            Slot::enter(&mut slot.by_any_field, *place, *field);
            if *field == rule.microsoft {
                Slot::enter(&mut slot.by_the_rule, *place, *field);
            }
        }
    }
    index
}

fn suggestion(
    rule: &MatchRule,
    (pbx, pbx_field): (&PbxUser, PbxField),
    (teams, microsoft_field): (&TeamsUser, MicrosoftField),
) -> Suggestion {
    let pbx_value = pbx_field.value(pbx).trim().to_owned();
    let microsoft_value = microsoft_field.value(teams).trim().to_owned();
    let difference = if (pbx_field, microsoft_field) != (rule.pbx, rule.microsoft) {
        Difference::OtherField
    } else if key(&pbx_value) == key(without_domain(&microsoft_value)) {
        Difference::Domain
    } else {
        Difference::Spelling
    };
    Suggestion {
        teams: teams.id.clone(),
        pbx: pbx.guid.clone(),
        difference,
        pbx_field,
        pbx_value,
        microsoft_field,
        microsoft_value,
    }
}

/// The part of a value by which people would recognise the user: of a distinguished name the first common name.
fn readable(field: MicrosoftField, value: &str) -> &str {
    if field != MicrosoftField::OnPremisesDistinguishedName {
        return value;
    }
    let first = value.split(',').next().unwrap_or_default();
    first.split_once('=').map_or(first, |(_, name)| name)
}

/// The value without what people get wrong; `None` when nothing is left of it.
fn forgiving_key(value: &str) -> Option<String> {
    let mut plain = String::with_capacity(value.len());
    without_domain(value)
        .chars()
        .flat_map(char::to_lowercase)
        .for_each(|letter| fold(letter, &mut plain));
    let plain = plain.replace("ae", "a").replace("oe", "o").replace("ue", "u");
    let mut words: Vec<&str> = plain.split_whitespace().collect();
    words.sort_unstable();
    (!words.is_empty()).then(|| words.join(" "))
}

/// Appends a lower-case letter without its diacritic; everything that is no letter or digit parts words.
fn fold(letter: char, plain: &mut String) {
    match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' | 'ă' | 'ą' | 'æ' => plain.push('a'),
        'ç' | 'ć' | 'č' | 'ĉ' | 'ċ' => plain.push('c'),
        'ď' | 'đ' | 'ð' => plain.push('d'),
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ĕ' | 'ė' | 'ę' | 'ě' => plain.push('e'),
        'ĝ' | 'ğ' | 'ġ' | 'ģ' => plain.push('g'),
        'ì' | 'í' | 'î' | 'ï' | 'ĩ' | 'ī' | 'ĭ' | 'į' | 'ı' => plain.push('i'),
        'ķ' => plain.push('k'),
        'ĺ' | 'ļ' | 'ľ' | 'ł' => plain.push('l'),
        'ñ' | 'ń' | 'ņ' | 'ň' => plain.push('n'),
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' | 'ŏ' | 'ő' | 'œ' => plain.push('o'),
        'ŕ' | 'ŗ' | 'ř' => plain.push('r'),
        'ś' | 'ŝ' | 'ş' | 'š' | 'ș' => plain.push('s'),
        'ß' => plain.push_str("ss"),
        'ţ' | 'ť' | 'ț' => plain.push('t'),
        'ù' | 'ú' | 'û' | 'ü' | 'ũ' | 'ū' | 'ŭ' | 'ů' | 'ű' | 'ų' => plain.push('u'),
        'ý' | 'ÿ' | 'ŷ' => plain.push('y'),
        'ź' | 'ż' | 'ž' => plain.push('z'),
        // combining marks of decomposed text, and apostrophes within names
        '\u{0300}'..='\u{036f}' | '\'' | '’' => {}
        letter if letter.is_alphanumeric() => plain.push(letter),
        _ => plain.push(' '),
    }
}
