//! Runs the connector: listeners, supervision tree, and an orderly end.

use std::collections::BTreeSet;
use std::future::Future;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use actix_web::web::ServiceConfig;
use chrono::Utc;
use m365_actors::presence_sync::Release;
use m365_actors::supervision::ExitReason;
use m365_presence::board::Released;
use tokio::signal::unix::{SignalKind, signal};

use crate::assembly::{Assembly, assemble};
use crate::config::{Layers, Settings};
use crate::diagnosis::running::Subject;
use crate::heartbeat::Heartbeat;
use crate::http::access::Keys;
use crate::http::app_page::AppPage;
use crate::http::attempts::Attempts;
use crate::http::management::{self, Management};
use crate::http::public::{self, Intake};
use crate::http::room::Room;
use crate::listening::{Addresses, Servers, Sockets};
use crate::live::Live;
use crate::log::Log;
use crate::myapps::Visitors;
use crate::office::Office;
use crate::pbx_connection::accepted::Doors;
use crate::pbx_connection::doorkeeper::Doorkeeper;
use crate::reconfiguration::{Counter, Desk, Order, Part, Refused};
use crate::release::BUILD;
use crate::standby;
use crate::systemd::Systemd;
use crate::view::lights::LightBook;
use crate::view::newsroom::Newsroom;
use crate::view::users::Terms;
use crate::view::warnings::WarningBook;

/// The supervision tree has given up; whoever started the process should start it again.
pub const GAVE_UP: u8 = 70;

/// Another instance was elected in this one's place; whoever started the process should start it again, to stand by.
pub const DEPOSED: u8 = 75;

/// An election takes less, unless another instance is active.
const ELECTION: Duration = Duration::from_secs(1);

/// What the database still lacks has this time when the process ends.
const LAST_WRITES: Duration = Duration::from_secs(2);

/// How a run differs from the ordinary one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mode {
    /// Actors may be made to panic over the API.
    pub faults: bool,
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
    let mut listening = Some(listening);
    let mut ended_by_order = end_signal()?;
    let systemd = Systemd::from_environment();
    let started_at = Utc::now();
    let mut office = Office::seek(&settings)?;
    let soon = tokio::time::timeout(ELECTION, office.elected()).await;
    let estate = if soon.is_ok() {
        None
    } else {
        let settings = office.stored_over(&layers, &settings).await;
        log.configure(settings.logging.level.filter());
        let sockets = Sockets::bind(&settings)?;
        if let Some(listening) = listening.take() {
            listening(sockets.addresses());
        }
        tokio::select! {
            estate = standby::stand_by(&mut office, sockets, &settings, started_at, &systemd) => Some(estate?),
            () = &mut ended_by_order => {
                systemd.stopping();
                office.leave().await;
                return Ok(ExitCode::SUCCESS);
            }
        }
    };
    let store = Rc::new(office.open().await?);
    let mut desk = Desk::new(layers, settings, store.clone()).await?;
    let settings = &desk.settings().clone();
    log.configure(settings.logging.level.filter());
    let (counter, mut changes) = Counter::new(&desk);
    let mut assembly = assemble(settings, store, office.fence()).await?;
    let (doorkeeper, mut orders) = Doorkeeper::new(assembly.posts().sessions.clone(), office.fence());
    assembly.dial_pbxs(settings, &doorkeeper).await?;

    let page = AppPage::new(&settings.pbx.app, settings.public.url.as_deref());
    let visitors = Visitors::default();
    let doors = Doors::new(
        settings.pbx.password.clone(),
        settings.pbx.app.clone(),
        BUILD,
        doorkeeper.clone(),
        visitors.clone(),
    );
    let intake = Intake {
        queue: assembly.queue().clone(),
        actor: assembly.posts().webhook_intake.clone(),
        clock: assembly.clock().clone(),
        room: Room::default(),
        fence: office.fence(),
    };
    let heart = Heartbeat::new();
    let mut newsroom = Newsroom::default();
    let management = Management {
        posts: assembly.posts().clone(),
        tree: assembly.tree.clone(),
        lights: LightBook::default(),
        warnings: WarningBook::new(settings.public.tls.as_ref().map(|tls| tls.expires_at)),
        doorkeeper,
        visitors,
        clock: assembly.clock().clone(),
        reach: assembly.reach().clone(),
        started_at,
        terms: Live::new(terms(settings)),
        keys: Live::new(Keys::of(settings)),
        page_sessions: estate
            .as_ref()
            .map(|estate| estate.page_sessions(&Keys::of(settings)))
            .unwrap_or_default(),
        heart: heart.clone(),
        log,
        settings: counter,
        news: newsroom.desk(),
        subject: Live::new(Subject::of(settings)),
        faults: mode.faults,
    };
    let sockets = match estate {
        Some(estate) => estate.sockets,
        None => Sockets::bind(settings)?,
    };
    let servers = sockets.serve(
        public_routes(&intake, &doors, &page),
        management_routes(&management),
    )?;
    if let Some(listening) = listening {
        listening(sockets.addresses());
    }
    systemd.ready();

    let mut lights = None;
    let mut look = tokio::time::interval(Duration::from_secs(1));
    let mut gave_up = Box::pin(assembly.tree.ended());
    let kept = assembly.kept.clone();
    let mut tending = Box::pin(kept.tend());
    loop {
        tokio::select! {
            reason = &mut gave_up => return Ok(give_up(&reason, &assembly, office, &servers).await),
            () = &mut ended_by_order => break,
            () = office.lost() => {
                log::error!("another instance was elected in this one's place: this one ends");
                return Ok(ExitCode::from(DEPOSED));
            }
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
                systemd.beat();
                management.log.expire(Utc::now());
                // before the look: its own questions would be counted as waiting messages
                let tree = management.tree.snapshot();
                let overview = management.posts.look().await;
                let status = management.status_of(&overview);
                let terms = management.terms.get();
                newsroom.tell(&management.posts, &terms, &overview, &status, &tree).await;
                management.visitors.tell(&management.posts, &terms, &status.lights).await;
                lights = Some(status.lights);
            }
            // who has just opened the app need not wait for the next look
            () = management.visitors.arrival(), if lights.is_some() => {
                if let Some(lights) = &lights {
                    management.visitors.tell_newcomers(&management.posts, &management.terms.get(), lights).await;
                }
            }
        }
    }
    systemd.stopping();
    end(&assembly, office, &servers).await;
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
        management.keys.set(Keys::of(settings));
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
        administrators: settings.pbx.administrators.clone(),
    }
}

/// Releases what was set on both sides while everything still runs, unless another instance takes over; then ends in
/// reverse order.
async fn end(assembly: &Assembly, office: Office, servers: &Servers) {
    log::info!("ending by order");
    if office.has_successor() {
        log::info!("another instance takes over: what was set stays");
    } else {
        match assembly.posts().presence_sync.ask(Release).await {
            Ok(released) => tell(&released),
            Err(_down) => log::warn!(
                "what was set is not released, for presence-sync is down; the next start goes on from there"
            ),
        }
    }
    assembly.tree.shutdown().await;
    servers.stop().await;
    close(assembly, office).await;
}

fn tell(released: &Released) {
    let level = if released.is_as_wanted() {
        log::Level::Info
    } else {
        log::Level::Warn
    };
    let (pieces, left) = (released.pieces(), released.left);
    log::log!(
        level,
        released = pieces, held_back = left.held_back, refused = left.refused, unanswered = left.unanswered;
        "{released}"
    );
}

/// Writes what the database still lacks, and closes it.
async fn close(assembly: &Assembly, office: Office) {
    let saved = tokio::time::timeout(LAST_WRITES, assembly.kept.save_all()).await;
    if saved != Ok(0) {
        log::error!(
            "the database is away and misses what happened meanwhile; the next start may find outdated rows"
        );
    }
    assembly.store.close().await;
    office.leave().await;
}

async fn give_up(reason: &ExitReason, assembly: &Assembly, office: Office, servers: &Servers) -> ExitCode {
    log::error!("the supervision tree has given up: {}", reason.text());
    servers.stop().await;
    close(assembly, office).await;
    ExitCode::from(GAVE_UP)
}

fn public_routes(
    intake: &Intake,
    doors: &Doors,
    page: &AppPage,
) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    let (intake, doors) = (web::Data::new(intake.clone()), web::Data::new(doors.clone()));
    let page = web::Data::new(page.clone());
    move |config| {
        config
            .app_data(intake.clone())
            .app_data(doors.clone())
            .app_data(page.clone())
            .configure(public::routes);
    }
}

fn management_routes(management: &Management) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    let keys = web::Data::new(management.keys.clone());
    let sessions = web::Data::new(management.page_sessions.clone());
    let management = web::Data::new(management.clone());
    let attempts = web::Data::new(Attempts::default());
    move |config| {
        config
            .app_data(keys.clone())
            .app_data(sessions.clone())
            .app_data(attempts.clone())
            .app_data(management.clone())
            .configure(management::routes);
    }
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
