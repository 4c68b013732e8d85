//! The Teams clients of a town, in a simulated Microsoft cloud.

use std::{collections::HashMap, time::Duration};

use uuid::Uuid;

use super::{
    TeamsClients,
    act::{TeamsAct, TeamsState},
    person::Person,
};
use crate::microsoft::{Control, Pair, User};

/// The name of the one client that everybody uses.
const CLIENT: &str = "desktop";

/// How long a preferred state lasts unless it is taken back: Graph's default for a busy user.
const PREFERENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// Carries out what people do in Teams; whoever did not settle in the cloud does nothing.
pub struct CloudClients {
    control: Control,
    users: HashMap<usize, Uuid>,
}

impl CloudClients {
    /// Creates the users of a tenant, licensed for Teams and available at their clients.
    #[must_use]
    pub fn settle(control: Control, tenant: Uuid, people: &[Person], domain: &str) -> Self {
        let mut users = HashMap::new();
        for person in people {
            let user = User {
                given_name: Some(person.first.clone()),
                surname: Some(person.last.clone()),
                ..User::new(&person.name(), &person.mail(domain))
            };
            users.insert(person.number, user.id);
            let id = user.id;
            control.put_user(tenant, user);
            control.set_client(id, CLIENT, Pair::new("Available", "Available"));
        }
        Self { control, users }
    }

    /// Returns the object id of a person.
    #[must_use]
    pub fn id(&self, person: &Person) -> Option<Uuid> {
        self.users.get(&person.number).copied()
    }
}

impl TeamsClients for CloudClients {
    fn act(&mut self, person: &Person, act: TeamsAct) {
        let Some(user) = self.id(person) else { return };
        let pair = |state: TeamsState| Pair::new(state.availability, state.activity);
        match act {
            TeamsAct::Show(state) => self.control.set_client(user, CLIENT, pair(state)),
            TeamsAct::Prefer(state) => self.control.prefer(user, pair(state), PREFERENCE),
            TeamsAct::Forget => self.control.clear_preferred(user),
        };
    }
}
