//! What leaves an instance in whose place another one is active by now: one that was stopped and goes on, and one that
//! runs on without its database. At most what was in flight does, which is one request and one message to the PBX.
//!
//! The simulators tell who wrote: every instance signs in by itself, so its access tokens are its own, and so are its
//! connections from the PBX.

use std::cell::Cell;
use std::time::{Duration, Instant};

use m365_simulator::microsoft::{Entry, Family, Fault, Pair, Times};
use m365_simulator::pbx::Way;

use crate::cable::Cable;
use crate::database::kept_at;
use crate::postgres::Postgres;
use crate::world::{Instance, Plan, TAKEOVER, World};

/// What an instance exits with when another one was elected in its place.
pub const DEPOSED: i32 = 75;

/// The most writes to Teams that one request carries, and so the most that may leave an instance that goes on.
pub const ONE_REQUEST: usize = 20;

/// People who choose at the PBX: more than leave in one request.
const CHOOSING: usize = 60;

/// People whose Teams shows something.
const MEETING: usize = 20;

/// What they all do, turn by turn: at the PBX, and as Teams shows it.
const TURNS: [(&str, &str); 3] = [("dnd", "DoNotDisturb"), ("busy", "Busy"), ("away", "Away")];

/// Graph takes this long for a request, so that many writes wait for their turn.
const SLOWNESS: Duration = Duration::from_millis(250);

/// Many people who all do something at a time.
pub struct Crowd {
    people: Vec<String>,
    turn: Cell<usize>,
}

impl Crowd {
    pub fn new() -> Self {
        Self {
            people: (0..CHOOSING + MEETING)
                .map(|number| format!("p{number:02}"))
                .collect(),
            turn: Cell::new(0),
        }
    }

    /// A world of these people on a PostgreSQL server, with a slow Graph and a PBX that notices who is silent.
    pub fn world(&self, database: &str) -> World {
        let people: Vec<&str> = self.people.iter().map(String::as_str).collect();
        let plan: Plan = kept_at(World::of(&people), database)
            .behind_gateway()
            .pbxs(|pbx| pbx.keep_alive = Some(Duration::from_secs(2)))
            // a stopped instance makes deliveries slow, which is not what is looked at here
            .cloud(|cloud| cloud.adjust(|knobs| knobs.delivery.police_slow_endpoints = false));
        let world = plan.start();
        world.until_synchronised(u64::try_from(self.people.len()).unwrap());
        let slow = Fault::Slow(SLOWNESS);
        world.cloud().inject(Some(Family::Batch), slow, Times::Always);
        world
    }

    /// Has everybody do something else than before.
    pub fn stir(&self, world: &World) {
        self.turn.set(self.turn.get() + 1);
        let (activity, availability) = TURNS[self.turn.get() % TURNS.len()];
        let (choosing, meeting) = self.people.split_at(CHOOSING);
        choosing
            .iter()
            .for_each(|h323| world.choose_at_pbx(h323, activity));
        for h323 in meeting {
            world.in_teams(h323, availability, availability);
        }
    }

    /// Waits until everybody is shown as he chose last.
    pub fn until_shown(&self, world: &World) {
        let (activity, availability) = TURNS[self.turn.get() % TURNS.len()];
        let (choosing, meeting) = self.people.split_at(CHOOSING);
        let wanted = Pair::new(availability, availability);
        world.wait_for(TAKEOVER, &format!("everybody to be shown {activity}"), || {
            choosing.iter().all(|h323| world.seen_in_teams(h323) == wanted)
                && meeting.iter().all(|h323| world.shown_at_pbx(h323) == activity)
        });
    }
}

/// An instance, known by what it signs in and writes with.
pub struct Writer {
    token: u64,
    connection: u64,
}

/// What it wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Written {
    /// Presences in Teams.
    pub teams: usize,
    /// Our entries at the PBX.
    pub entries: usize,
}

impl Written {
    /// Nothing but what was in flight when another instance took over.
    fn assert_in_flight(self, what_happened: &str) {
        assert!(
            self.teams <= ONE_REQUEST && self.entries <= 1,
            "{what_happened}, and more than what was in flight left while another one was active: {self:?}"
        );
    }
}

impl Writer {
    /// The instance that is active now.
    pub fn active_in(world: &World) -> Self {
        let tokens = world.cloud().journal().select(|entry| entry.token > 0);
        let frames = world.master().journal().select(|_| true);
        Self {
            token: tokens.iter().map(|entry| entry.token).max().unwrap_or_default(),
            connection: frames
                .iter()
                .map(|frame| frame.connection)
                .max()
                .unwrap_or_default(),
        }
    }

    /// What it has written since these marks of both journals.
    pub fn wrote_since(&self, world: &World, (cloud, pbx): (u64, u64)) -> Written {
        let presence = |entry: &Entry| entry.is_request(Family::PresenceWrite) && entry.token <= self.token;
        let teams = world.cloud().journal().select_since(cloud, presence).len();
        let entries = world.master().journal().select_since(pbx, |frame| {
            frame.way == Way::Received && frame.mt() == "SetPresence" && frame.connection <= self.connection
        });
        Written {
            teams,
            entries: entries.len(),
        }
    }
}

/// Marks of both journals.
pub fn marks(world: &World) -> (u64, u64) {
    (world.cloud_mark(), world.pbx_mark())
}

/// Whether an instance is active: a standby knows no actors.
pub fn is_active(instance: &Instance) -> bool {
    let actors = instance.get("/api/v1/actors");
    actors.is_some_and(|actors| {
        actors.json()["items"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    })
}

/// Waits until one of these is active, and takes it out.
fn until_one_is_active(world: &World, standbys: &mut Vec<Instance>) -> Instance {
    let active = Cell::new(0);
    world.wait_for(TAKEOVER, "another instance to be active", || {
        let found = standbys.iter().position(is_active);
        active.set(found.unwrap_or_default());
        found.is_some()
    });
    standbys.remove(active.get())
}

/// Stops the active instance this long after everybody did something, and lets it go on when another one is active and
/// everybody has done something else: the old one must not bring back what was. Answers how long the takeover took,
/// which instance is active now, and what the old one wrote since it goes on.
pub fn stop_and_resume(
    world: &World,
    crowd: &Crowd,
    active: Instance,
    after: Duration,
    standbys: &mut Vec<Instance>,
) -> (Duration, Instance, Written) {
    let old = Writer::active_in(world);
    crowd.stir(world);
    world.stay_quiet(after);
    active.signal("STOP");
    let begun = Instant::now();
    let next = until_one_is_active(world, standbys);
    let takeover = begun.elapsed();
    crowd.stir(world);
    let marks = marks(world);
    active.signal("CONT");
    assert_eq!(active.exit_code(), Some(DEPOSED));
    crowd.until_shown(world);
    let written = old.wrote_since(world, marks);
    written.assert_in_flight(&format!("stopped {after:?} after a change, it went on"));
    (takeover, next, written)
}

/// Cuts the active instance off from the database this long after everybody did something, and has everybody do
/// something else when another one is active. Answers the same as [`stop_and_resume`], since the other one is active.
pub fn cut_off(
    world: &World,
    crowd: &Crowd,
    (active, cable): (Instance, &Cable),
    after: Duration,
    standbys: &mut Vec<Instance>,
) -> (Duration, Instance, Written) {
    let old = Writer::active_in(world);
    crowd.stir(world);
    world.stay_quiet(after);
    cable.cut();
    let begun = Instant::now();
    let next = until_one_is_active(world, standbys);
    let takeover = begun.elapsed();
    let marks = marks(world);
    crowd.stir(world);
    crowd.until_shown(world);
    cable.mend();
    assert_eq!(active.exit_code(), Some(DEPOSED));
    let written = old.wrote_since(world, marks);
    written.assert_in_flight(&format!("cut off {after:?} after a change, it went on"));
    (takeover, next, written)
}

#[test]
fn what_was_stopped_or_cut_off_lets_at_most_what_was_in_flight_leave_and_brings_nothing_back() {
    let server = Postgres::shared();
    let url = server.new_database();
    let cable = Cable::to(server.port());
    let behind = url.replace(&format!(":{}/", server.port()), &format!(":{}/", cable.port()));
    let crowd = Crowd::new();
    let world = crowd.world(&url);
    let first = world.join("first", &format!("database.url = \"{behind}\""));
    world.kill();
    let mut all = vec![first];
    let active = until_one_is_active(&world, &mut all);
    let mut standbys: Vec<Instance> = ["second", "third", "fourth", "fifth"]
        .map(|name| world.join(name, ""))
        .into();
    // the active one must have seen that it is not alone
    world.stay_quiet(Duration::from_secs(2));
    crowd.stir(&world);
    crowd.until_shown(&world);
    let after = Duration::from_millis;
    let (_, mut active, _) = cut_off(&world, &crowd, (active, &cable), after(100), &mut standbys);
    for moment in [5, 120, 400] {
        (_, active, _) = stop_and_resume(&world, &crowd, active, after(moment), &mut standbys);
    }
    assert!(active.is_ready());
}
