//! The typed settings: what the rest of the service works with.
//!
//! One room per section. Each reads its keys, refuses what cannot work with cause and remedy, and returns `None` when
//! anything of it is missing; the problems stand in the reader by then. Rules between sections take what they need of
//! the other section as an argument.

mod database;
mod listeners;
mod logging;
mod mapping;
mod matching;
mod microsoft;
mod pbx;
mod sync;
mod timers;

pub use database::{Database, DatabaseUrl};
pub use listeners::{Management, Public, Tls};
pub use logging::{Format, Level, Logging};
pub use mapping::Mapping;
pub use matching::Matching;
pub use microsoft::{AppCredential, AppRegistration, CommunicationUser, Microsoft, SignIn};
pub use pbx::{Dial, Pbx, PinnedCertificate, TeamsCalls};
pub use sync::{Direction, Notes, OnThePhone, Read, Sync};
pub use timers::Timers;

pub(super) use listeners::management_listen;
pub(super) use mapping::default_rows;

use m365_presence::secret::Secret;

use super::reader::Reader;

/// Everything that can be configured, validated.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What Microsoft and the PBXs reach.
    pub public: Public,
    /// What administrators reach.
    pub management: Management,
    /// Where state is kept.
    pub database: Database,
    /// The tenant, its app registration and its communication users.
    pub microsoft: Microsoft,
    /// The App objects at the PBXs.
    pub pbx: Pbx,
    /// Who belongs to whom.
    pub matching: Matching,
    /// What is synchronised, and how.
    pub sync: Sync,
    /// Periods.
    pub timers: Timers,
    /// Changes to the mapping tables.
    pub mapping: Mapping,
    /// The log.
    pub logging: Logging,
}

impl Settings {
    /// Every secret that is configured, for whoever must keep them out of foreign texts.
    pub fn secrets(&self) -> Vec<Secret> {
        let mut secrets = vec![self.management.token.clone(), self.pbx.password.clone()];
        secrets.extend(self.management.viewer_token.clone());
        secrets.extend(self.database.key.clone());
        if let DatabaseUrl::Postgres(address) = &self.database.url {
            secrets.extend(address.password());
        }
        secrets.extend(self.pbx.dial.iter().map(|dial| dial.password.clone()));
        let mut credentials = vec![&self.microsoft.credential];
        for user in &self.microsoft.communication_users {
            if let SignIn::Password(password) = &user.sign_in {
                secrets.push(password.clone());
            }
            let registration = user.registration.as_ref();
            credentials.extend(registration.and_then(|registration| registration.credential.as_ref()));
        }
        secrets.extend(credentials.into_iter().filter_map(|credential| match credential {
            AppCredential::Secret { value, .. } => Some(value.clone()),
            AppCredential::Certificate { .. } => None,
        }));
        secrets
    }
}

/// Reads all sections; `None` only when the reader has noted an error.
pub(super) fn read(reader: &mut Reader) -> Option<Settings> {
    let needs = sync::needs(reader);
    let public = listeners::public(reader, needs);
    let management = listeners::management(reader);
    let database = database::read(reader);
    let microsoft = microsoft::read(reader, needs);
    let pbx = pbx::read(reader);
    let matching = matching::read(reader);
    let sync = sync::read(reader);
    let timers = timers::read(reader, needs);
    let mapping = mapping::read(reader);
    let logging = logging::read(reader);
    Some(Settings {
        public: public?,
        management: management?,
        database: database?,
        microsoft: microsoft?,
        pbx: pbx?,
        matching: matching?,
        sync: sync?,
        timers: timers?,
        mapping,
        logging: logging?,
    })
}
