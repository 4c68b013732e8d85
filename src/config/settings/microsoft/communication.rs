//! `[[microsoft.communication_users]]`: the accounts that carry presence subscriptions.

use std::collections::BTreeMap;

use m365_presence::secret::Secret;

use super::super::sync::Needs;
use super::proof::{self, AppCredential};
use super::unblanked;
use crate::config::choice::choice;
use crate::config::problem::{Problem, Refusal};
use crate::config::reader::Reader;

const USERS: &str = "microsoft.communication_users";

/// An account that carries a presence subscription.
#[derive(Clone, Debug)]
pub struct CommunicationUser {
    /// User principal name.
    pub username: String,
    /// How it signs in.
    pub sign_in: SignIn,
    /// The app registration that it signs in to, when it is another one.
    pub registration: Option<AppRegistration>,
}

/// How a communication user signs in.
#[derive(Clone, Debug)]
pub enum SignIn {
    /// With its password.
    Password(Secret),
    /// With a code that a person enters in a browser once; works with MFA.
    DeviceCode,
}

/// An app registration of its own for a communication user.
#[derive(Clone, Debug)]
pub struct AppRegistration {
    /// Application id.
    pub client_id: String,
    /// How it proves itself; `None` for a public client.
    pub credential: Option<AppCredential>,
}

choice! {
    /// The word for the way in which a communication user signs in.
    SignInMethod {
        /// With its password.
        Password = "password",
        /// With a code that a person enters in a browser once.
        DeviceCode = "device-code",
    }
}

pub(super) fn read(reader: &mut Reader, needs: Needs) -> Option<Vec<CommunicationUser>> {
    let indices = reader.indices(USERS);
    if indices.is_empty() && needs.presence_subscription() {
        reader.note_missing(no_communication_user());
    }
    let sections: Vec<String> = indices.iter().map(|index| format!("{USERS}.{index}")).collect();
    refuse_twins(reader, &sections);
    let users: Vec<_> = sections
        .iter()
        .map(|section| communication_user(reader, section))
        .collect();
    users.into_iter().collect()
}

fn no_communication_user() -> Problem {
    let mut problem = Problem::error(
        USERS,
        "is missing: a presence subscription needs at least one account",
    );
    problem.allowed =
        Some("one section per account, or sync.read = \"polling\", which needs none".to_owned());
    problem.example = Some(format!(
        "[[{USERS}]] with username = \"presence@contoso.com\" and a password below it"
    ));
    problem.with_remedy(
        "create an account in the Entra admin center (entra.microsoft.com) > Users, with a Teams license and no role",
    )
}

/// One account carries one presence subscription, so the same account twice gains nothing and breaks both.
fn refuse_twins(reader: &mut Reader, sections: &[String]) {
    let mut seen: BTreeMap<String, &String> = BTreeMap::new();
    for section in sections {
        let path = format!("{section}.username");
        let Some(username) = reader.peek(&path) else {
            continue;
        };
        if let Some(first) = seen.insert(username.trim().to_lowercase(), section) {
            let cause = format!("is the same account as {first}.username");
            let remedy = "remove one of the two: an account carries one presence subscription";
            reader.refuse(&path, Refusal::with_remedy(cause, remedy));
        }
    }
}

fn communication_user(reader: &mut Reader, section: &str) -> Option<CommunicationUser> {
    let at = |key: &str| format!("{section}.{key}");
    reader.demand(&at("username"));
    let username = reader.parsed(&at("username"), username);
    let sign_in = sign_in(reader, &at("sign_in"), &at("password"));
    let proofs = ["client_secret", "client_certificate", "client_private_key"];
    if proofs.iter().any(|key| reader.is_set(&at(key))) {
        reader.demand(&at("client_id"));
    }
    let client_id = reader.text(&at("client_id"));
    let credential = proof::read(reader, section);
    let registration = client_id.map(|client_id| AppRegistration {
        client_id,
        credential,
    });
    Some(CommunicationUser {
        username: username?,
        sign_in: sign_in?,
        registration,
    })
}

fn username(text: &str) -> Result<String, Refusal> {
    match text.split_once('@') {
        Some((name, domain))
            if !name.is_empty() && !domain.is_empty() && !text.contains(char::is_whitespace) =>
        {
            Ok(text.to_owned())
        }
        _ => Err("is no user principal name, which looks like a mail address".into()),
    }
}

fn sign_in(reader: &mut Reader, method: &str, password: &str) -> Option<SignIn> {
    match reader.choice(method)? {
        SignInMethod::Password => {
            reader.demand(password);
            reader.parsed(password, unblanked).map(SignIn::Password)
        }
        SignInMethod::DeviceCode if reader.is_set(password) => {
            let remedy = "remove either the password or sign_in = \"device-code\"";
            reader.refuse(
                password,
                Refusal::with_remedy("is given, but the sign-in is by device code", remedy),
            );
            None
        }
        SignInMethod::DeviceCode => Some(SignIn::DeviceCode),
    }
}
