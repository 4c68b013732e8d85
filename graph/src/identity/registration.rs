//! Who signs in to what: app registrations and communication users.

use std::rc::Rc;

use m365_presence::identity::{Account, Credential};
use m365_presence::secret::Secret;

use super::proof::{Proof, ProofError, Prover};

/// An app registration: whom a token is issued to.
#[derive(Clone, Debug)]
pub struct AppRegistration {
    /// The application id.
    pub client_id: String,
    /// What proves the application; `None` for a public client.
    pub proof: Option<Proof>,
}

/// A communication user.
#[derive(Clone, Debug)]
pub struct CommunicationUser {
    /// The sign-in name as configured.
    pub username: String,
    /// The password; `None` signs in by device code.
    pub password: Option<Secret>,
    /// Another app registration for this user; `None` uses the main one with its proof.
    pub registration: Option<AppRegistration>,
}

/// Who signs in where.
#[derive(Clone, Debug)]
pub struct IdentitySettings {
    /// Domain or directory id.
    pub tenant: String,
    /// The main app registration.
    pub app: AppRegistration,
    /// Everyone who carries a presence subscription.
    pub communication_users: Vec<CommunicationUser>,
}

/// An app registration that is ready for use.
pub(super) struct Registration {
    pub(super) client_id: String,
    pub(super) prover: Option<Prover>,
}

impl Registration {
    pub(super) fn read(settings: &AppRegistration) -> Result<Rc<Self>, ProofError> {
        let prover = settings.proof.as_ref().map(Prover::read).transpose()?;
        Ok(Rc::new(Self {
            client_id: settings.client_id.clone(),
            prover,
        }))
    }
}

/// A communication user that is ready for use.
pub(super) struct User {
    pub(super) username: String,
    pub(super) password: Option<Secret>,
    pub(super) registration: Rc<Registration>,
}

impl User {
    /// An attempt of this user, without a refresh token.
    pub(super) fn attempt(&self) -> Attempt<'_> {
        Attempt {
            credential: Credential::Communication(Account::new(&self.username)),
            who: &self.username,
            registration: &self.registration,
            refreshes: false,
        }
    }
}

/// One attempt to sign in.
pub(super) struct Attempt<'a> {
    /// Whose sign-in it is.
    pub(super) credential: Credential,
    /// The same as an administrator knows it.
    pub(super) who: &'a str,
    /// To what.
    pub(super) registration: &'a Registration,
    /// A refresh token is presented, and no password.
    pub(super) refreshes: bool,
}
