//! The two outside worlds, and a configuration that leads the connector to them.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use m365_simulator::microsoft::{Account, App, Control, MicrosoftCloud, Options, Pair, Tenant};
use m365_simulator::pbx::{Estate, Frame, Pbx, PbxOptions, Role};
use m365_simulator::town::{CloudClients, PbxPhones, Person, people};
use tempfile::TempDir;
use uuid::Uuid;

/// The token of the administrator role.
pub const TOKEN: &str = "the-administrator-of-the-load";

const DOMAIN: &str = "contoso.example";
const MASTER: &str = "pbx-main";
const APP: &str = "innovaphone-microsoft365";
const LICENSE: &str = "App(innovaphone-microsoft365)";
const CLIENT_SECRET: &str = "client~secret";
const ACCOUNT_PASSWORD: &str = "password of a communication user";
const APP_PASSWORD: &str = "password of an app object";
const SEED: u64 = 365;

/// A PBX whose dialling fails tries again between these, so that the connector is not waited for.
const REDIAL: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(200));

/// One user in both worlds.
pub struct Citizen {
    pub teams: Uuid,
    pub h323: String,
}

/// The two outside worlds.
pub struct World {
    cloud: MicrosoftCloud,
    citizens: Vec<Citizen>,
    people: Vec<Person>,
    /// How many of them, the last ones, are not at the PBX yet.
    late: usize,
    estate: Estate,
    pbxs: Mutex<Vec<Pbx>>,
    public: SocketAddr,
    management: SocketAddr,
    folder: TempDir,
}

impl World {
    /// Settles everybody in the cloud; the PBXs come with [`World::connect_pbxs`].
    pub fn build(users: usize, accounts: usize) -> Self {
        Self::settle(users, 0, accounts)
    }

    /// Settles everybody in the cloud, for a connector that subscribes to nothing.
    pub fn polled(users: usize) -> Self {
        Self::settle(users, 0, 0)
    }

    /// Settles everybody in the cloud, of whom one is not at the PBX before [`World::let_the_late_one_join`].
    pub fn with_a_late_one(users: usize, accounts: usize) -> Self {
        Self::settle(users, 1, accounts)
    }

    fn settle(users: usize, late: usize, accounts: usize) -> Self {
        let people = people(SEED, users);
        let cloud = MicrosoftCloud::start(Options {
            journal: 200_000,
            ..Options::default()
        })
        .expect("the cloud starts");
        let control = cloud.control();
        control.adjust(|knobs| knobs.delivery.delay = Duration::ZERO);
        let tenant = Tenant::new(DOMAIN);
        let app = App::synchroniser(tenant.id, CLIENT_SECRET);
        control.add_tenant(tenant.clone());
        control.put_app(app.clone());
        let accounts: Vec<String> = (1..=accounts)
            .map(|number| format!("presence{number}@{DOMAIN}"))
            .collect();
        for account in &accounts {
            control.add_account(Account::new(tenant.id, account, ACCOUNT_PASSWORD));
        }
        let clients = CloudClients::settle(control, tenant.id, &people, DOMAIN);
        let citizens = people
            .iter()
            .map(|person| Citizen {
                teams: clients.id(person).unwrap(),
                h323: person.h323(),
            })
            .collect();
        let (public, management) = free_addresses();
        let folder = TempDir::new().unwrap();
        let text = configuration(
            &cloud,
            &tenant,
            &app,
            &accounts,
            public,
            management,
            folder.path(),
        );
        std::fs::write(folder.path().join("connector.toml"), text).unwrap();
        Self {
            cloud,
            citizens,
            people,
            late,
            estate: Estate::default(),
            pbxs: Mutex::default(),
            public,
            management,
            folder,
        }
    }

    /// Starts a master and branches, which dial until the connector accepts them; people live at them in turn.
    pub fn connect_pbxs(&self, count: usize) {
        let branches = (1..count).map(|number| (format!("pbx-branch-{number}"), Role::Slave));
        let pbxs: Vec<Pbx> = std::iter::once((MASTER.to_owned(), Role::Master))
            .chain(branches)
            .map(|(name, role)| {
                let name = name.as_str();
                let options = PbxOptions {
                    password: APP_PASSWORD.to_owned(),
                    role,
                    back_off: REDIAL,
                    journal_capacity: 400_000 / count,
                    ..PbxOptions::new(name, &format!("http://{}/pbx/{APP}", self.public))
                };
                Pbx::start_in(&self.estate, options).expect("the pbx starts")
            })
            .collect();
        let (early, _) = self.people.split_at(self.people.len() - self.late);
        let _settled = PbxPhones::settle(pbxs.clone(), early, LICENSE);
        *self.pbxs.lock().unwrap() = pbxs;
    }

    /// A PBX by its place, the master first.
    pub fn pbx(&self, place: usize) -> Pbx {
        self.pbxs.lock().unwrap()[place].clone()
    }

    /// The users who live at a PBX.
    pub fn residents(&self, place: usize) -> Vec<&Citizen> {
        let pbxs = self.pbxs.lock().unwrap().len();
        self.citizens.iter().skip(place).step_by(pbxs).collect()
    }

    /// What everybody in Teams sees of a user.
    pub fn seen_in_teams(&self, citizen: &Citizen) -> Pair {
        self.control().presence(citizen.teams).unwrap()
    }

    /// Adds the last user to the master.
    pub fn let_the_late_one_join(&self) {
        let pbxs = self.pbxs.lock().unwrap();
        let (master, late) = (pbxs.first().unwrap(), self.people.last().unwrap());
        master.add_user(late.pbx_user(MASTER));
        master.assign(&late.h323(), LICENSE);
    }

    /// Removes the first user from the PBXs.
    pub fn let_one_leave(&self) {
        let pbxs = self.pbxs.lock().unwrap();
        let leaver = self.people.first().unwrap().h323();
        pbxs.first().unwrap().remove_user(&leaver);
    }

    pub fn control(&self) -> Control {
        self.cloud.control()
    }

    pub fn citizens(&self) -> &[Citizen] {
        &self.citizens
    }

    /// Lets a user's Teams client show a state of which availability and activity have the same name.
    pub fn change(&self, citizen: &Citizen, state: &str) {
        self.control()
            .set_client(citizen.teams, "desktop", Pair::new(state, state));
    }

    /// When the PBXs received writes of our entry since a time, by user, oldest first.
    pub fn entries_since(&self, since: Instant) -> HashMap<String, Vec<Instant>> {
        let mut received: HashMap<String, Vec<Instant>> = HashMap::new();
        for pbx in self.pbxs.lock().unwrap().iter() {
            let is_write = |frame: &Frame| frame.at >= since && frame.is_received("SetPresence");
            for frame in pbx.journal().select(is_write) {
                received
                    .entry(frame.text("sip").to_owned())
                    .or_default()
                    .push(frame.at);
            }
        }
        received
    }

    /// Counts the users whose entry of ours shows an activity at the PBX.
    pub fn shown(&self, activity: &str) -> usize {
        let pbxs = self.pbxs.lock().unwrap();
        let master = pbxs.first().unwrap();
        let entries = self
            .citizens
            .iter()
            .filter_map(|citizen| master.entry(&citizen.h323, "teams:"));
        entries.filter(|entry| entry.activity == activity).count()
    }

    pub fn management(&self) -> SocketAddr {
        self.management
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn configuration(&self) -> PathBuf {
        self.folder.path().join("connector.toml")
    }
}

/// Two ports that are free now; both listeners must be known before the connector starts.
fn free_addresses() -> (SocketAddr, SocketAddr) {
    let [one, other] = [0, 0].map(|port| TcpListener::bind(("127.0.0.1", port)).expect("a port is free"));
    (one.local_addr().unwrap(), other.local_addr().unwrap())
}

fn configuration(
    cloud: &MicrosoftCloud,
    tenant: &Tenant,
    app: &App,
    accounts: &[String],
    public: SocketAddr,
    management: SocketAddr,
    folder: &Path,
) -> String {
    let reading = if accounts.is_empty() {
        "[sync]\nread = \"polling\"".to_owned()
    } else {
        String::new()
    };
    let accounts: String = accounts
        .iter()
        .map(|account| {
            format!(
                "[[microsoft.communication_users]]\nusername = \"{account}\"\npassword = \"{ACCOUNT_PASSWORD}\"\n"
            )
        })
        .collect();
    format!(
        r#"
[public]
listen = "{public}"
url = "http://{public}"
[management]
listen = "{management}"
token = "{TOKEN}"
[database]
url = "sqlite:{database}"
[pbx]
password = "{APP_PASSWORD}"
master = "{MASTER}"
[matching]
pbx = "h323"
microsoft = "mail"
strip_domain = true
[microsoft]
login_url = "{login}"
graph_url = "{graph}"
tenant = "{tenant}"
client_id = "{client_id}"
client_secret = "{CLIENT_SECRET}"
{accounts}
{reading}"#,
        database = folder.join("load.db").display(),
        login = cloud.login_url(),
        graph = cloud.graph_url(),
        tenant = tenant.domain,
        client_id = app.client_id,
    )
}
