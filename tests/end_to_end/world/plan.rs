//! What a world is made of: its people, its PBXs, and the configuration of the connector.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use m365_simulator::microsoft::{Account, App, Control, MicrosoftCloud, Options, Tenant};
use m365_simulator::pbx::{Estate, Pbx, PbxOptions, Role};
use toml::{Table, Value};

use super::gateway::Gateway;
use super::listening::Listening;
use super::{MASTER, World, ports};

const DOMAIN: &str = "contoso.example";
pub const CLIENT_SECRET: &str = "a~client*secret of the tests";
pub const ACCOUNT_PASSWORD: &str = "p&ä*(+ ) %='!~#\";<>";
pub(super) const APP_PASSWORD: &str = "app:password";
pub(super) const TOKEN: &str = "administrator-0123456789";
pub(super) const VIEWER_TOKEN: &str = "viewer-0123456789";

/// A PBX dials again this soon, doubling up to the second.
const BACK_OFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));

type Preparation = Box<dyn FnOnce(&World)>;
type CloudChange = Box<dyn FnOnce(&Control)>;
type PbxChange = Box<dyn Fn(&mut PbxOptions)>;
type DialChange = Box<dyn Fn(&mut Table)>;

/// A world that is not there yet.
pub struct Plan {
    people: Vec<(String, String)>,
    slaves: Vec<String>,
    accounts: usize,
    settings: Table,
    environment: Vec<(String, String)>,
    public: bool,
    gateway: bool,
    objects: Vec<(String, PbxChange)>,
    dialled: Vec<String>,
    alter_dials: Vec<DialChange>,
    alter_cloud: Vec<CloudChange>,
    alter_pbxs: Vec<PbxChange>,
    prepare: Vec<Preparation>,
}

impl Plan {
    pub(super) fn new(people: &[&str]) -> Self {
        let people = people.iter().map(|h323| ((*h323).to_owned(), MASTER.to_owned()));
        Self {
            people: people.collect(),
            slaves: Vec::new(),
            accounts: 1,
            settings: Table::new(),
            environment: Vec::new(),
            public: true,
            gateway: false,
            objects: Vec::new(),
            dialled: Vec::new(),
            alter_dials: Vec::new(),
            alter_cloud: Vec::new(),
            alter_pbxs: Vec::new(),
            prepare: Vec::new(),
        }
    }

    /// Adds a slave PBX where these people live.
    pub fn slave(mut self, name: &str, people: &[&str]) -> Self {
        self.slaves.push(name.to_owned());
        let residents = people.iter().map(|h323| ((*h323).to_owned(), name.to_owned()));
        self.people.extend(residents);
        self
    }

    /// Sets the number of communication users.
    pub fn accounts(mut self, accounts: usize) -> Self {
        self.accounts = accounts;
        self
    }

    /// Overlays the configuration with TOML.
    pub fn settings(mut self, text: &str) -> Self {
        overlay(&mut self.settings, text.parse().unwrap());
        self
    }

    /// Sets an environment variable of the connector.
    pub fn environment(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves out what only a reachable connector has: public URL and communication users.
    pub fn without_public_url(mut self) -> Self {
        self.public = false;
        self.accounts = 0;
        self
    }

    /// Puts a gateway before the connector, so that further instances can join.
    pub fn behind_gateway(mut self) -> Self {
        self.gateway = true;
        self
    }

    /// Alters the cloud before the connector starts.
    pub fn cloud(mut self, alter: impl FnOnce(&Control) + 'static) -> Self {
        self.alter_cloud.push(Box::new(alter));
        self
    }

    /// Alters every PBX before it dials.
    pub fn pbxs(mut self, alter: impl Fn(&mut PbxOptions) + 'static) -> Self {
        self.alter_pbxs.push(Box::new(alter));
        self
    }

    /// Adds a second App object to the master PBX, which dials with it, too.
    pub fn object(mut self, name: &str, alter: impl Fn(&mut PbxOptions) + 'static) -> Self {
        self.objects.push((name.to_owned(), Box::new(alter)));
        self
    }

    /// Lets the connector dial a PBX, which does not dial by itself.
    pub fn dialled(mut self, name: &str) -> Self {
        self.dialled.push(name.to_owned());
        self
    }

    /// Alters the sections of the PBXs that are dialled.
    pub fn dials(mut self, alter: impl Fn(&mut Table) + 'static) -> Self {
        self.alter_dials.push(Box::new(alter));
        self
    }

    /// Does something in the world before the connector starts.
    pub fn prepare(mut self, prepare: impl FnOnce(&World) + 'static) -> Self {
        self.prepare.push(Box::new(prepare));
        self
    }

    /// Makes the world and starts the connector in it; answers as soon as the connector does.
    pub fn start(self) -> World {
        let world = self.build();
        world.start_again();
        world
    }

    /// Makes the world without a running connector.
    pub fn build(self) -> World {
        let cloud = MicrosoftCloud::start(Options::default()).unwrap();
        let control = cloud.control();
        let tenant = Tenant::new(DOMAIN);
        let app = App::synchroniser(tenant.id, CLIENT_SECRET);
        control.add_tenant(tenant.clone());
        control.put_app(app.clone());
        for account in account_names(self.accounts) {
            control.add_account(Account::new(tenant.id, &account, ACCOUNT_PASSWORD));
        }
        for alter in self.alter_cloud {
            alter(&control);
        }
        let (public, management) = (ports::free(), ports::free());
        let gateway = self.gateway.then(|| Gateway::at(&public));
        let listen = match &gateway {
            Some(gateway) => {
                let own = ports::free();
                gateway.add(&own);
                own
            }
            None => public.clone(),
        };
        let estate = Estate::default();
        let names = std::iter::once(MASTER).chain(self.slaves.iter().map(String::as_str));
        let pbxs: Vec<Pbx> = names
            .map(|name| {
                let mut options = options(name, &public);
                options.dials = !self.dialled.iter().any(|dialled| dialled == name);
                self.alter_pbxs.iter().for_each(|alter| alter(&mut options));
                Pbx::start_in(&estate, options).unwrap()
            })
            .collect();
        let objects = self.objects.iter().map(|(object, alter)| {
            let mut options = options(MASTER, &public);
            options.app_object.clone_from(object);
            alter(&mut options);
            (object.clone(), Pbx::start_in(&estate, options).unwrap())
        });
        let objects = objects.collect();
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(&cloud, &app, &listen, &management, folder.path());
        let listening: Vec<Listening> = pbxs
            .iter()
            .filter(|pbx| self.dialled.iter().any(|dialled| dialled == pbx.name()))
            .map(Listening::new)
            .collect();
        let sections = listening.iter().map(|listening| {
            let mut section = listening.section();
            self.alter_dials.iter().for_each(|alter| alter(&mut section));
            Value::from(section)
        });
        overlay(&mut settings, dial_sections(sections.collect()));
        if self.public {
            overlay(&mut settings, reachable(&public, self.accounts));
        }
        overlay(&mut settings, self.settings);
        std::fs::write(folder.path().join("connector.toml"), settings.to_string()).unwrap();
        let world = World {
            child: RefCell::new(None),
            pbxs,
            objects,
            listening,
            teams_ids: RefCell::new(HashMap::new()),
            app,
            tenant,
            cloud,
            gateway,
            management: Cell::new(management.leak()),
            public,
            environment: self.environment,
            through: RefCell::default(),
            folder,
        };
        for (h323, home) in &self.people {
            world.add_person(h323, home);
        }
        for prepare in self.prepare {
            prepare(&world);
        }
        world
    }
}

/// What the App objects at the PBXs carry as their URL.
pub(super) fn app_url(public: &str) -> String {
    format!("http://{public}/pbx/innovaphone-microsoft365")
}

/// A PBX of the world that dials soon.
pub(super) fn options(name: &str, public: &str) -> PbxOptions {
    PbxOptions {
        password: APP_PASSWORD.to_owned(),
        role: if name == MASTER { Role::Master } else { Role::Slave },
        back_off: BACK_OFF,
        ..PbxOptions::new(name, &app_url(public))
    }
}

fn account_names(accounts: usize) -> impl Iterator<Item = String> {
    (1..=accounts).map(account_name)
}

pub(super) fn account_name(number: usize) -> String {
    format!("presence{number}@{DOMAIN}")
}

fn settings(cloud: &MicrosoftCloud, app: &App, listen: &str, management: &str, folder: &Path) -> Table {
    let database = folder.join("connector.db");
    let mut settings = Table::new();
    for (section, key, value) in [
        ("public", "listen", listen),
        ("management", "listen", management),
        ("management", "token", TOKEN),
        ("management", "viewer_token", VIEWER_TOKEN),
        ("database", "url", &format!("sqlite:{}", database.display())),
        ("microsoft", "login_url", cloud.login_url()),
        ("microsoft", "graph_url", cloud.graph_url()),
        ("microsoft", "tenant", DOMAIN),
        ("microsoft", "client_id", &app.client_id.to_string()),
        ("microsoft", "client_secret", CLIENT_SECRET),
        ("pbx", "master", MASTER),
        ("pbx", "password", APP_PASSWORD),
        ("log", "level", "debug"),
    ] {
        let section = settings.entry(section).or_insert_with(|| Table::new().into());
        section
            .as_table_mut()
            .unwrap()
            .insert(key.to_owned(), value.into());
    }
    settings
}

/// What makes a connector reachable for notifications.
fn reachable(public: &str, accounts: usize) -> Table {
    let url = format!("http://{public}");
    Table::from_iter([
        (
            "public".to_owned(),
            Table::from_iter([("url".to_owned(), url.into())]).into(),
        ),
        (
            "microsoft".to_owned(),
            Table::from_iter([(
                "communication_users".to_owned(),
                carried_by(account_names(accounts)),
            )])
            .into(),
        ),
    ])
}

fn dial_sections(sections: Vec<Value>) -> Table {
    let pbx = Table::from_iter([("dial".to_owned(), sections.into())]);
    Table::from_iter([("pbx".to_owned(), pbx.into())])
}

/// Communication users in this order.
fn carried_by(accounts: impl Iterator<Item = String>) -> Value {
    let account = |username: String| {
        Value::from(Table::from_iter([
            ("username".to_owned(), username.into()),
            ("password".to_owned(), ACCOUNT_PASSWORD.into()),
        ]))
    };
    accounts.map(account).collect::<Vec<_>>().into()
}

/// What names these communication users, by their numbers and in this order.
pub(super) fn accounts(numbers: &[usize]) -> String {
    let names = numbers.iter().map(|number| account_name(*number));
    let users = Table::from_iter([("communication_users".to_owned(), carried_by(names))]);
    Table::from_iter([("microsoft".to_owned(), users.into())]).to_string()
}

/// Overlays a configuration file.
pub(super) fn reconfigure(file: &Path, text: &str) {
    let mut settings: Table = std::fs::read_to_string(file).unwrap().parse().unwrap();
    overlay(&mut settings, text.parse().unwrap());
    std::fs::write(file, settings.to_string()).unwrap();
}

/// Lays one configuration over another, section by section.
pub(super) fn overlay(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => overlay(below, above),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}
