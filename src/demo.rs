//! The demonstration: the connector as it is, against a simulated Microsoft cloud and simulated PBXs on loopback.

use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use m365_presence::ports::READ_LIMIT;
use m365_simulator::microsoft::{Account, App, MicrosoftCloud, Options, Tenant};
use m365_simulator::pbx::{Endpoint, Estate, Pbx, PbxOptions, Role};
use m365_simulator::town::{CloudClients, PbxPhones, Town, people};

use crate::cli::Demo;
use crate::config::{Layer, Layers};
use crate::listening::Addresses;
use crate::log::Log;
use crate::serve::{Mode, serve};

const DOMAIN: &str = "contoso.example";
const MASTER: &str = "pbx-main";
const APP: &str = "innovaphone-microsoft365";
const LICENSE: &str = "App(innovaphone-microsoft365)";
const SEED: u64 = 365;

/// Secrets of a world that ends with the process and is reachable from this machine only.
const CLIENT_SECRET: &str = "demo~client*secret";
const ACCOUNT_PASSWORD: &str = "p&ä*(+ ) %='!~#";
const APP_PASSWORD: &str = "demo:app";

/// Everything that is simulated; it ends when this is dropped.
struct World {
    _cloud: MicrosoftCloud,
    _pbxs: Vec<Pbx>,
    client: Option<Endpoint>,
    _town: Town,
}

/// A folder that is removed when the demonstration is over.
struct Folder(PathBuf);

impl Folder {
    fn make() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("m365-connector-demo-{}", std::process::id()));
        std::fs::create_dir_all(&path)
            .with_context(|| format!("cannot make the folder {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            log::warn!("the folder {} cannot be removed: {error}", self.0.display());
        }
    }
}

/// Runs the demonstration until it is told to end.
///
/// # Errors
/// What keeps it from starting.
pub fn run(demo: Demo) -> anyhow::Result<ExitCode> {
    let folder = Folder::make()?;
    let people = people(SEED, usize::try_from(demo.users)?);
    let cloud = MicrosoftCloud::start(Options {
        journal: 1_000,
        ..Options::default()
    })?;
    let control = cloud.control();
    let tenant = Tenant::new(DOMAIN);
    let app = App::synchroniser(tenant.id, CLIENT_SECRET);
    control.add_tenant(tenant.clone());
    control.put_app(app.clone());
    let accounts: Vec<String> = (1..=people.len().div_ceil(READ_LIMIT))
        .map(|number| format!("presence{number}@{DOMAIN}"))
        .collect();
    for account in &accounts {
        control.add_account(Account::new(tenant.id, account, ACCOUNT_PASSWORD));
    }
    let clients = CloudClients::settle(control, tenant.id, &people, DOMAIN);

    let public = free_address()?;
    let token = uuid::Uuid::new_v4().simple().to_string();
    let file = toml::to_string(&configuration(
        &cloud,
        &tenant,
        &app,
        &accounts,
        public,
        (demo.listen, &token),
        &folder.0,
    ))?;
    let layers = Layers {
        file: Layer::from_toml(&file, "demo"),
        ..Layers::default()
    };
    let resolution = layers.resolve();
    let settings = resolution
        .settings
        .clone()
        .ok_or_else(|| anyhow!("{}", resolution.findings()))?;
    let log = Log::start(&settings.logging, std::env::var("CONNECTOR_LOG").ok().as_deref())?;

    let mut world = None;
    serve(layers, settings, log, Mode { faults: true }, |addresses| {
        let pbxs = pbxs(demo.pbxs, addresses);
        let begun = pbxs.and_then(|pbxs| {
            let phones = PbxPhones::settle(pbxs.clone(), &people, LICENSE);
            Ok(World {
                client: pbxs.first().map(Pbx::listen).transpose()?,
                _town: Town::start(people, SEED, 1, clients, phones)?,
                _cloud: cloud,
                _pbxs: pbxs,
            })
        });
        match begun {
            Ok(begun) => {
                announce(addresses, &token, demo, begun.client.as_ref());
                world = Some(begun);
            }
            Err(error) => log::error!("the simulated world cannot be made: {error}"),
        }
    })
}

/// Finds a port for the public listener, whose address the simulated cloud must know beforehand.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind(("127.0.0.1", 0))
        .context("no port is free on loopback")?
        .local_addr()?)
}

fn configuration(
    cloud: &MicrosoftCloud,
    tenant: &Tenant,
    app: &App,
    accounts: &[String],
    public: SocketAddr,
    (management, token): (SocketAddr, &str),
    folder: &std::path::Path,
) -> toml::Table {
    let table = |rows: Vec<(&str, toml::Value)>| -> toml::Value {
        toml::Value::Table(
            rows.into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        )
    };
    let account = |name: &String| {
        table(vec![
            ("username", name.clone().into()),
            ("password", ACCOUNT_PASSWORD.into()),
        ])
    };
    let accounts: Vec<toml::Value> = accounts.iter().map(account).collect();
    let sections = vec![
        (
            "public",
            table(vec![
                ("listen", public.to_string().into()),
                ("url", format!("http://{public}").into()),
            ]),
        ),
        (
            "management",
            table(vec![
                ("listen", management.to_string().into()),
                ("token", token.into()),
            ]),
        ),
        (
            "database",
            table(vec![(
                "url",
                format!("sqlite:{}", folder.join("demo.db").display()).into(),
            )]),
        ),
        (
            "microsoft",
            table(vec![
                ("login_url", cloud.login_url().into()),
                ("graph_url", cloud.graph_url().into()),
                ("tenant", tenant.domain.clone().into()),
                ("client_id", app.client_id.to_string().into()),
                ("client_secret", CLIENT_SECRET.into()),
                ("communication_users", accounts.into()),
            ]),
        ),
        (
            "pbx",
            table(vec![("password", APP_PASSWORD.into()), ("master", MASTER.into())]),
        ),
        (
            "matching",
            table(vec![
                ("pbx", "h323".into()),
                ("microsoft", "mail".into()),
                ("strip_domain", true.into()),
            ]),
        ),
    ];
    sections
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

/// A master and its slaves, which dial the connector.
fn pbxs(count: u32, addresses: Addresses) -> anyhow::Result<Vec<Pbx>> {
    let estate = Estate::default();
    let app_url = format!("http://{}/pbx/{APP}", addresses.public);
    (0..count)
        .map(|number| {
            let name = if number == 0 {
                MASTER.to_owned()
            } else {
                format!("pbx-branch-{number}")
            };
            let options = PbxOptions {
                password: APP_PASSWORD.to_owned(),
                role: if number == 0 { Role::Master } else { Role::Slave },
                ..PbxOptions::new(&name, &app_url)
            };
            Ok(Pbx::start_in(&estate, options)?)
        })
        .collect()
}

fn announce(addresses: Addresses, token: &str, demo: Demo, client: Option<&Endpoint>) {
    let mut here = addresses.management;
    if here.ip().is_unspecified() {
        here.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    let page = format!("http://{here}/");
    let text = format!(
        "\n  {users} people live at {pbxs} simulated PBXs and in a simulated Microsoft cloud.\n\n  \
         page    {page}#token={token}\n  \
         myapps  {client}\n  \
         status  curl -s -H 'Authorization: Bearer {token}' {page}api/v1/status\n  \
         break   curl -s -X POST -H 'Authorization: Bearer {token}' {page}api/v1/faults/presence-sync/panic\n  \
         end     Ctrl-C\n\n",
        client = client.map(Endpoint::client_url).unwrap_or_default(),
        users = demo.users,
        pbxs = demo.pbxs,
    );
    // without anybody to read it, there is nobody to tell
    let _unread = io::stdout().write_all(text.as_bytes());
}
