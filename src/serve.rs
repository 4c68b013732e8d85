//! Runs the connector: listeners, supervision tree, and an orderly end.

use std::collections::BTreeSet;
use std::future::Future;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpServer, web};
use anyhow::Context as _;
use chrono::Utc;
use m365_actors::presence_sync::Release;
use m365_actors::supervision::ExitReason;
use tokio::signal::unix::{SignalKind, signal};

use crate::BUILD;
use crate::assembly::{Assembly, assemble, open_store};
use crate::config::{Layers, Settings};
use crate::diagnosis::running::Subject;
use crate::heartbeat::Heartbeat;
use crate::http::access::Keys;
use crate::http::access_log;
use crate::http::attempts::Attempts;
use crate::http::management::{self, Management};
use crate::http::public::{self, Intake};
use crate::http::room::Room;
use crate::http::sessions::Sessions as PageSessions;
use crate::http::tls;
use crate::live::Live;
use crate::log::Log;
use crate::pbx_connection::accepted::Doors;
use crate::pbx_connection::doorkeeper::Doorkeeper;
use crate::reconfiguration::{Counter, Desk, Order, Part, Refused};
use crate::view::lights::LightBook;
use crate::view::newsroom::Newsroom;
use crate::view::users::Terms;
use crate::view::warnings::WarningBook;

/// The supervision tree has given up; whoever started the process should start it again.
pub const GAVE_UP: u8 = 70;

/// Threads of the public listener.
const PUBLIC_WORKERS: usize = 2;

/// Threads of the management listener.
const MANAGEMENT_WORKERS: usize = 1;

/// Requests that are under way have this many seconds when the process ends.
const LAST_REQUESTS: u64 = 1;

/// Connections that one thread of the public listener holds open at most.
const PUBLIC_CONNECTIONS: usize = 4_096;

/// What the database still lacks has this time when the process ends.
const LAST_WRITES: Duration = Duration::from_secs(2);

/// How a run differs from the ordinary one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mode {
    /// Actors may be made to panic over the API.
    pub faults: bool,
}

/// Where the two listeners are.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// What Microsoft and the PBXs reach.
    pub public: SocketAddr,
    /// What administrators reach.
    pub management: SocketAddr,
}

/// Runs the connector until it is told to end. `settings` are what `layers` come to before anything stored is laid over
/// them; `listening` is called once both listeners are there.
///
/// # Errors
/// What keeps it from starting, with cause and remedy.
pub fn serve(
    layers: Layers,
    settings: Settings,
    log: Arc<Log>,
    mode: Mode,
    listening: impl FnOnce(Addresses),
) -> anyhow::Result<ExitCode> {
    let system = actix_web::rt::System::new();
    system.block_on(run(layers, settings, log, mode, listening))
}

async fn run(
    layers: Layers,
    settings: Settings,
    log: Arc<Log>,
    mode: Mode,
    listening: impl FnOnce(Addresses),
) -> anyhow::Result<ExitCode> {
    let mut ended_by_order = end_signal()?;
    let store = Rc::new(open_store(&settings)?);
    let mut desk = Desk::new(layers, settings, store.clone()).await?;
    let settings = &desk.settings().clone();
    log.configure(settings.logging.level.filter());
    let (counter, mut changes) = Counter::new(&desk);
    let mut assembly = assemble(settings, store).await?;
    let (doorkeeper, mut orders) = Doorkeeper::new(assembly.posts().sessions.clone());
    assembly.dial_pbxs(settings, &doorkeeper).await?;

    let doors = Doors::new(
        settings.pbx.password.clone(),
        settings.pbx.app.clone(),
        BUILD,
        doorkeeper.clone(),
    );
    let intake = Intake {
        queue: assembly.queue().clone(),
        actor: assembly.posts().webhook_intake.clone(),
        clock: assembly.clock().clone(),
        room: Room::default(),
    };
    let (public, public_address) = listen_public(settings, &intake, &doors)?;
    let heart = Heartbeat::new();
    let mut newsroom = Newsroom::default();
    let management = Management {
        posts: assembly.posts().clone(),
        tree: assembly.tree.clone(),
        lights: LightBook::default(),
        warnings: WarningBook::new(settings.public.tls.as_ref().map(|tls| tls.expires_at)),
        doorkeeper,
        clock: assembly.clock().clone(),
        reach: assembly.reach().clone(),
        started_at: Utc::now(),
        terms: Live::new(terms(settings)),
        keys: Live::new(keys(settings)),
        page_sessions: PageSessions::default(),
        heart: heart.clone(),
        log,
        settings: counter,
        news: newsroom.desk(),
        subject: Live::new(Subject::of(settings)),
        faults: mode.faults,
    };
    let (managed, management_address) = listen_management(settings, &management)?;
    let handles = [public.handle(), managed.handle()];
    serve_beside(public);
    serve_beside(managed);
    log::info!(
        "listening for microsoft and the pbxs on {public_address}, for administrators on {management_address}"
    );
    listening(Addresses {
        public: public_address,
        management: management_address,
    });

    let mut look = tokio::time::interval(Duration::from_secs(1));
    let mut gave_up = Box::pin(assembly.tree.ended());
    let kept = assembly.kept.clone();
    let mut tending = Box::pin(kept.tend());
    loop {
        tokio::select! {
            reason = &mut gave_up => return Ok(give_up(&reason, &assembly, &handles).await),
            () = &mut ended_by_order => break,
            () = &mut tending => {}
            Some(order) = changes.recv() => carry_out(order, &mut desk, &mut assembly, &management).await,
            Some(order) = orders.recv() => {
                if assembly.open_session(order.pbx).await {
                    // the connection may have closed meanwhile
                    let _closed = order.opened.send(());
                }
            }
            // a look notes since when the lights show what they show, also while nobody asks
            _ = look.tick() => {
                heart.beat();
                management.log.expire(Utc::now());
                // before the look: its own questions would be counted as waiting messages
                let tree = management.tree.snapshot();
                let overview = management.posts.look().await;
                let status = management.status_of(&overview);
                newsroom.tell(&management.posts, &management.terms.get(), &overview, &status, &tree).await;
            }
        }
    }
    end(&assembly, &handles).await;
    Ok(ExitCode::SUCCESS)
}

/// Carries out what was ordered at the counter of the settings.
async fn carry_out(order: Order, desk: &mut Desk, assembly: &mut Assembly, management: &Management) {
    match order {
        Order::Change(order) => {
            let mut outcome = desk.change(&order).await;
            if let Ok(changed) = &outcome
                && let Err(error) = put_in_force(desk.settings(), &changed.concerns, assembly, management)
            {
                outcome = Err(Refused::NotApplied(format!("{error:#}")));
            }
            // who asked may be gone by now
            let _gone = order.done.send(outcome);
        }
        Order::Record(record) => desk.record(record).await,
        Order::Audit { before, limit, done } => {
            // who asked may be gone by now
            let _gone = done.send(desk.audit(before, limit).await);
        }
    }
}

/// Exchanges what changed settings concern, and restarts the actors among it.
fn put_in_force(
    settings: &Settings,
    concerned: &BTreeSet<Part>,
    assembly: &mut Assembly,
    management: &Management,
) -> anyhow::Result<()> {
    assembly.refit(settings, concerned)?;
    management.terms.set(terms(settings));
    management.subject.set(Subject::of(settings));
    if concerned.contains(&Part::ManagementTokens) {
        management.keys.set(keys(settings));
        management.page_sessions.end_all();
    }
    if concerned.contains(&Part::Log) {
        management.log.configure(settings.logging.level.filter());
    }
    Ok(())
}

fn terms(settings: &Settings) -> Terms {
    Terms {
        license: settings.pbx.license.clone(),
    }
}

fn keys(settings: &Settings) -> Keys {
    Keys {
        administrator: settings.management.token.clone(),
        viewer: settings.management.viewer_token.clone(),
    }
}

/// Releases what was set on both sides while everything still runs, then ends in reverse order.
async fn end(assembly: &Assembly, handles: &[ServerHandle]) {
    log::info!("ending by order");
    match assembly.posts().presence_sync.ask(Release).await {
        Ok(true) => log::info!("everything that was set is released"),
        _ => log::warn!("not everything that was set could be released; the next start cleans up"),
    }
    assembly.tree.shutdown().await;
    stop(handles).await;
    close(assembly).await;
}

/// Writes what the database still lacks, and closes it.
async fn close(assembly: &Assembly) {
    let saved = tokio::time::timeout(LAST_WRITES, assembly.kept.save_all()).await;
    if saved != Ok(0) {
        log::error!(
            "the database is away and misses what happened meanwhile; the next start may find outdated rows"
        );
    }
    assembly.store.close().await;
}

async fn give_up(reason: &ExitReason, assembly: &Assembly, handles: &[ServerHandle]) -> ExitCode {
    log::error!("the supervision tree has given up: {}", reason.text());
    stop(handles).await;
    close(assembly).await;
    ExitCode::from(GAVE_UP)
}

async fn stop(handles: &[ServerHandle]) {
    for handle in handles {
        handle.stop(true).await;
    }
}

fn listen_public(
    settings: &Settings,
    intake: &Intake,
    doors: &Doors,
) -> anyhow::Result<(Server, SocketAddr)> {
    let address = settings.public.listen;
    let (intake, doors) = (web::Data::new(intake.clone()), web::Data::new(doors.clone()));
    if let Some(files) = &settings.public.tls {
        let capacity = tls::Capacity {
            workers: PUBLIC_WORKERS,
            connections: PUBLIC_CONNECTIONS,
        };
        return tls::listen(address, files, capacity, move |config| {
            config
                .app_data(intake.clone())
                .app_data(doors.clone())
                .configure(public::routes);
        });
    }
    let server = HttpServer::new(move || {
        App::new()
            .wrap(from_fn(access_log::record))
            .app_data(intake.clone())
            .app_data(doors.clone())
            .configure(public::routes)
    });
    let server = server
        .workers(PUBLIC_WORKERS)
        .max_connections(PUBLIC_CONNECTIONS)
        .shutdown_timeout(LAST_REQUESTS)
        .disable_signals()
        .bind(address)
        .with_context(|| cannot_listen("public.listen", address))?;
    let bound = server.addrs().first().copied().unwrap_or(address);
    Ok((server.run(), bound))
}

fn listen_management(settings: &Settings, management: &Management) -> anyhow::Result<(Server, SocketAddr)> {
    let address = settings.management.listen;
    let keys = web::Data::new(management.keys.clone());
    let sessions = web::Data::new(management.page_sessions.clone());
    let management = web::Data::new(management.clone());
    let attempts = web::Data::new(Attempts::default());
    let server = HttpServer::new(move || {
        App::new()
            .wrap(Compress::default())
            .wrap(from_fn(access_log::record))
            .app_data(keys.clone())
            .app_data(sessions.clone())
            .app_data(attempts.clone())
            .app_data(management.clone())
            .configure(management::routes)
    });
    let server = server
        .workers(MANAGEMENT_WORKERS)
        .shutdown_timeout(LAST_REQUESTS)
        .disable_signals()
        .bind(address)
        .with_context(|| cannot_listen("management.listen", address))?;
    let bound = server.addrs().first().copied().unwrap_or(address);
    Ok((server.run(), bound))
}

fn cannot_listen(key: &str, address: SocketAddr) -> String {
    format!(
        "{key}: cannot listen on {address}; another program may use that port: choose another one, or end that program"
    )
}

/// Lets a listener run beside the tree: it stays up whatever happens there.
fn serve_beside(server: Server) {
    #[expect(
        clippy::disallowed_methods,
        reason = "the listener belongs to the process and is ended through its handle"
    )]
    actix_web::rt::spawn(server);
}

/// Resolves when the process is told to end.
fn end_signal() -> anyhow::Result<std::pin::Pin<Box<dyn Future<Output = ()>>>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(Box::pin(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }))
}
