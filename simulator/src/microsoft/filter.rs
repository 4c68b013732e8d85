//! The `$filter` expressions that Graph understands for users, as far as a directory client needs them (reference 2.1):
//! `and`, `or`, `not`, parentheses, `eq`, `ne`, `in`, `startswith`, and `assignedPlans/any(…)`.

use serde_json::Value;

use super::directory::{User, spelled};

/// A filter that can be asked about a user.
#[derive(Debug)]
pub(super) enum Filter {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Is { property: String, value: Value },
    StartsWith { property: String, prefix: String },
    Plan(Box<Self>),
}

/// Says that the service does not support an expression.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unsupported;

impl Filter {
    /// Reads an expression.
    pub(super) fn parse(text: &str) -> Result<Self, Unsupported> {
        let mut parser = Parser {
            words: words(text)?,
            at: 0,
            variable: None,
        };
        let filter = parser.either()?;
        if parser.at == parser.words.len() {
            Ok(filter)
        } else {
            Err(Unsupported)
        }
    }

    /// Tells whether Graph answers this only as an advanced query: `ConsistencyLevel` and `$count=true`.
    pub(super) fn is_advanced(&self) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::is_advanced),
            Self::Not(_) | Self::Plan(_) => true,
            Self::Is { .. } | Self::StartsWith { .. } => false,
        }
    }

    /// Tells whether the filter accepts the user.
    pub(super) fn accepts(&self, user: &User) -> bool {
        self.holds(&|property| user.property(property).unwrap_or_default())
    }

    fn holds(&self, get: &dyn Fn(&str) -> Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(get)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(get)),
            Self::Not(part) => !part.holds(get),
            Self::Is { property, value } => same(&get(property), value),
            Self::StartsWith { property, prefix } => get(property)
                .as_str()
                .is_some_and(|text| text.to_lowercase().starts_with(&prefix.to_lowercase())),
            Self::Plan(condition) => get("assignedPlans").as_array().is_some_and(|plans| {
                plans
                    .iter()
                    .any(|plan| condition.holds(&|property| plan.get(property).cloned().unwrap_or_default()))
            }),
        }
    }
}

fn same(found: &Value, wanted: &Value) -> bool {
    match (found.as_str(), wanted.as_str()) {
        (Some(found), Some(wanted)) => found.eq_ignore_ascii_case(wanted),
        _ => found == wanted,
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Word {
    Name(String),
    Text(String),
    Open,
    Close,
    Comma,
    Colon,
}

fn words(text: &str) -> Result<Vec<Word>, Unsupported> {
    let mut words = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' => {}
            '(' => words.push(Word::Open),
            ')' => words.push(Word::Close),
            ',' => words.push(Word::Comma),
            ':' => words.push(Word::Colon),
            '\'' => {
                let mut value = String::new();
                loop {
                    match letters.next().ok_or(Unsupported)? {
                        '\'' if letters.next_if_eq(&'\'').is_some() => value.push('\''),
                        '\'' => break,
                        other => value.push(other),
                    }
                }
                words.push(Word::Text(value));
            }
            first => {
                let mut name = String::from(first);
                while let Some(next) = letters.next_if(|next| !" (),:'".contains(*next)) {
                    name.push(next);
                }
                words.push(Word::Name(name));
            }
        }
    }
    Ok(words)
}

struct Parser {
    words: Vec<Word>,
    at: usize,
    /// The lambda's variable, inside `assignedPlans/any(…)`.
    variable: Option<String>,
}

impl Parser {
    fn either(&mut self) -> Result<Filter, Unsupported> {
        let mut parts = vec![self.both()?];
        while self.takes("or") {
            parts.push(self.both()?);
        }
        Ok(Filter::Any(parts))
    }

    fn both(&mut self) -> Result<Filter, Unsupported> {
        let mut parts = vec![self.single()?];
        while self.takes("and") {
            parts.push(self.single()?);
        }
        Ok(Filter::All(parts))
    }

    fn single(&mut self) -> Result<Filter, Unsupported> {
        if self.takes("not") {
            return Ok(Filter::Not(Box::new(self.single()?)));
        }
        if self.takes_word(&Word::Open) {
            let inner = self.either()?;
            return self.close(inner);
        }
        let name = self.name()?;
        if name.eq_ignore_ascii_case("startswith") {
            self.expect(&Word::Open)?;
            let property = self.name()?;
            let property = self.property(&property)?;
            self.expect(&Word::Comma)?;
            let Some(Word::Text(prefix)) = self.next() else {
                return Err(Unsupported);
            };
            return self.close(Filter::StartsWith { property, prefix });
        }
        if name.eq_ignore_ascii_case("assignedPlans/any") && self.variable.is_none() {
            self.expect(&Word::Open)?;
            self.variable = Some(self.name()?);
            self.expect(&Word::Colon)?;
            let condition = self.either()?;
            self.variable = None;
            return self.close(Filter::Plan(Box::new(condition)));
        }
        let property = self.property(&name)?;
        match self.name()?.as_str() {
            "eq" => Ok(Filter::Is {
                property,
                value: self.value()?,
            }),
            "ne" => Ok(Filter::Not(Box::new(Filter::Is {
                property,
                value: self.value()?,
            }))),
            "in" => {
                self.expect(&Word::Open)?;
                let mut parts = Vec::new();
                loop {
                    parts.push(Filter::Is {
                        property: property.clone(),
                        value: self.value()?,
                    });
                    if !self.takes_word(&Word::Comma) {
                        break;
                    }
                }
                self.close(Filter::Any(parts))
            }
            _ => Err(Unsupported),
        }
    }

    fn property(&self, name: &str) -> Result<String, Unsupported> {
        if let Some(variable) = &self.variable {
            let property = name
                .strip_prefix(variable.as_str())
                .and_then(|rest| rest.strip_prefix('/'));
            return match property {
                Some(known @ ("servicePlanId" | "service" | "capabilityStatus")) => Ok(known.to_owned()),
                _ => Err(Unsupported),
            };
        }
        spelled(name).map(str::to_owned).ok_or(Unsupported)
    }

    fn value(&mut self) -> Result<Value, Unsupported> {
        match self.next() {
            Some(Word::Text(text)) => Ok(text.into()),
            Some(Word::Name(name)) => Ok(match name.as_str() {
                "true" => true.into(),
                "false" => false.into(),
                "null" => Value::Null,
                other => other.into(),
            }),
            _ => Err(Unsupported),
        }
    }

    fn name(&mut self) -> Result<String, Unsupported> {
        match self.next() {
            Some(Word::Name(name)) => Ok(name),
            _ => Err(Unsupported),
        }
    }

    fn next(&mut self) -> Option<Word> {
        let word = self.words.get(self.at).cloned();
        self.at = self.at.saturating_add(1);
        word
    }

    fn takes(&mut self, name: &str) -> bool {
        self.takes_word(&Word::Name(name.to_owned()))
    }

    fn takes_word(&mut self, word: &Word) -> bool {
        let found = self.words.get(self.at) == Some(word);
        if found {
            self.at = self.at.saturating_add(1);
        }
        found
    }

    fn expect(&mut self, word: &Word) -> Result<(), Unsupported> {
        if self.takes_word(word) {
            Ok(())
        } else {
            Err(Unsupported)
        }
    }

    fn close(&mut self, filter: Filter) -> Result<Filter, Unsupported> {
        self.expect(&Word::Close).map(|()| filter)
    }
}
