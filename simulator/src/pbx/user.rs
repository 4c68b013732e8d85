//! The user object, and the row that it is in the replicated table (reference 2.5).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{
    entries::Visibility,
    login::sha256_hex,
    options::{PbxOptions, Role},
};

/// A user object, as an administrator fills it in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Identifies the object: 32 hex digits.
    pub guid: String,
    /// Holds the name, which is also the login.
    pub h323: String,
    /// Holds the long name, unique in the PBX.
    pub cn: String,
    /// Holds the display name.
    pub dn: String,
    /// Names the PBX on which the user lives.
    pub loc: String,
    /// Holds the number, empty for none.
    pub e164: String,
    /// Lists mail addresses; they may lack the domain.
    pub emails: Vec<String>,
    /// Tells whether `h323@domain` is the primary mail address.
    pub h323_email: bool,
    /// Holds the object type: empty for an ordinary user, else such as `executive` or `vm`.
    pub pseudo: String,
    /// Names the configuration template, empty for none.
    pub config: String,
    /// Tells what the App object may see.
    pub visibility: Visibility,
    /// Tells whether the user has access to the App, so that RCC tells the line state (reference 4).
    pub accesses_app: bool,
    /// Tells whether a phone is registered.
    pub registered: bool,
}

impl User {
    /// Describes an ordinary user with a registered phone; the guid follows from the name, the display name is `cn`.
    #[must_use]
    pub fn new(h323: &str, cn: &str, loc: &str) -> Self {
        Self {
            guid: sha256_hex(h323).chars().take(32).collect(),
            h323: h323.to_owned(),
            cn: cn.to_owned(),
            dn: cn.to_owned(),
            loc: loc.to_owned(),
            e164: String::new(),
            emails: Vec::new(),
            h323_email: false,
            pseudo: String::new(),
            config: String::new(),
            visibility: Visibility::FULL,
            accesses_app: true,
            registered: true,
        }
    }

    pub(crate) fn lives_in_table_of(&self, options: &PbxOptions) -> bool {
        options.role == Role::Master || self.loc == options.name
    }

    pub(crate) fn mail(&self, domain: &str) -> Option<String> {
        if self.h323_email {
            Some(format!("{}@{domain}", self.h323))
        } else {
            self.emails.first().cloned()
        }
    }

    /// Returns the row with the wanted columns; unset columns are absent, as with a real PBX.
    pub(crate) fn row(&self, columns: &BTreeSet<String>) -> Map<String, Value> {
        let texts = [
            ("guid", &self.guid),
            ("h323", &self.h323),
            ("cn", &self.cn),
            ("dn", &self.dn),
            ("loc", &self.loc),
            ("e164", &self.e164),
            ("config", &self.config),
        ];
        let mut row = Map::new();
        for (name, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
            row.insert(name.to_owned(), Value::from(text.clone()));
        }
        row.insert("node".to_owned(), Value::from("root"));
        row.insert("hide".to_owned(), Value::from(false));
        if self.h323_email {
            row.insert("h323-email".to_owned(), Value::from(true));
        }
        if !self.emails.is_empty() {
            let emails: Vec<Value> = self.emails.iter().map(|email| json!({"email": email})).collect();
            row.insert("emails".to_owned(), Value::from(emails));
        }
        if !self.pseudo.is_empty() {
            row.insert(
                "pseudo".to_owned(),
                Value::from(format!("<pseudo type=\"{}\"/>", self.pseudo)),
            );
        }
        row.retain(|name, _| columns.contains(name));
        row
    }
}

/// The columns that a PBX of the simulation can deliver.
pub(crate) const COLUMNS: [&str; 12] = [
    "guid",
    "h323",
    "cn",
    "dn",
    "loc",
    "e164",
    "h323-email",
    "emails",
    "config",
    "pseudo",
    "node",
    "hide",
];
