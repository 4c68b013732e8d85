//! The way to Microsoft is cut, silent or frozen: it costs a probe at a time, the log tells it once, and afterwards both
//! sides agree within seconds.

use std::time::{Duration, Instant};

use m365_simulator::line::{Line, State};

use crate::world::{Plan, World};

/// Five seconds after the first answered probe both sides agree (DESIGN 12); the probe itself takes up to five more, and
/// the rest is for a busy machine.
const RECOVERY: Duration = Duration::from_secs(30);

/// A world whose connector reaches Microsoft over lines that can be cut.
struct Lines {
    world: World,
    graph: Line,
    sign_in: Line,
}

impl Lines {
    fn of(plan: Plan) -> Self {
        let world = plan.build();
        let settings: toml::Table = std::fs::read_to_string(world.configuration_file())
            .unwrap()
            .parse()
            .unwrap();
        let line = |key: &str| {
            let url = settings["microsoft"][key].as_str().unwrap();
            let host = url.strip_prefix("http://").unwrap().trim_end_matches('/');
            Line::to(host.parse().unwrap()).unwrap()
        };
        let (graph, sign_in) = (line("graph_url"), line("login_url"));
        world.reconfigure(&format!(
            "microsoft.graph_url = \"{}\"\nmicrosoft.login_url = \"{}\"",
            graph.url(),
            sign_in.url()
        ));
        let next = graph.url();
        world.cloud().adjust(|knobs| knobs.foreign_next_link = Some(next));
        world.start_again();
        Self {
            world,
            graph,
            sign_in,
        }
    }

    fn set(&self, state: State) {
        self.graph.set(state);
        self.sign_in.set(state);
    }

    /// How often Microsoft was dialled so far.
    fn connections(&self) -> u64 {
        self.graph.connections() + self.sign_in.connections()
    }

    /// The lines of the log that tell of the reach of Microsoft.
    fn told(&self) -> Vec<String> {
        let log = self.world.log();
        let about = |line: &&str| line.contains("reach") && line.contains("microsoft");
        let plain = log.lines().filter(about).filter(|line| !line.contains(" debug "));
        plain.map(str::to_owned).collect()
    }
}

/// Anna changes in Teams, Bert chooses at the PBX, and Carl's call ends, all while Microsoft is away.
fn is_made_good(lines: &Lines, state: State, outage: Duration) {
    let world = &lines.world;
    world.until_synchronised(3);
    let call = world.call("carl");
    world.until_seen_in_teams("carl", "Busy", "InACall");
    lines.set(state);
    world.in_teams("anna", "Busy", "Busy");
    world.choose_at_pbx("bert", "dnd");
    world.master().end(call);
    world.stay_quiet(outage);
    assert_eq!(world.get("/livez").status, 200);
    lines.set(State::Open);
    let ended = Instant::now();
    world.until_seen_in_teams("bert", "DoNotDisturb", "DoNotDisturb");
    world.until_seen_in_teams("carl", "Available", "Available");
    world.until_shown_at_pbx("anna", "busy");
    world.until_synchronised(3);
    assert!(ended.elapsed() < RECOVERY, "it took {:?}", ended.elapsed());
}

fn is_warned_of(world: &World) -> bool {
    let status = world.status();
    let warnings = status["warnings"].as_array().cloned().unwrap_or_default();
    warnings.iter().any(|warning| warning["code"] == "out_of_reach")
}

fn three() -> Plan {
    World::of(&["anna", "bert", "carl"])
}

#[test]
fn a_cut_line_is_told_once_and_made_good() {
    let lines = Lines::of(three());
    is_made_good(&lines, State::Closed, Duration::from_secs(20));
    let told = lines.told();
    let of = |what: &str| told.iter().filter(|line| line.contains(what)).count();
    assert_eq!(of("microsoft graph is out of reach"), 1, "{told:#?}");
    assert_eq!(of("microsoft graph is within reach again"), 1, "{told:#?}");
}

#[test]
fn a_stopped_microsoft_that_goes_on_is_made_good() {
    let lines = Lines::of(three());
    is_made_good(&lines, State::Frozen, Duration::from_secs(30));
}

#[test]
fn connections_that_are_forgotten_on_the_way_are_made_good() {
    let lines = Lines::of(three());
    is_made_good(&lines, State::Swallowing, Duration::from_secs(40));
}

#[test]
fn answers_that_break_off_are_made_good() {
    let lines = Lines::of(three());
    is_made_good(&lines, State::Breaking(200), Duration::from_secs(10));
}

#[test]
fn a_microsoft_that_comes_and_goes_fills_no_log_and_is_made_good() {
    let lines = Lines::of(three());
    let world = &lines.world;
    world.until_synchronised(3);
    for round in 0..12 {
        lines.set(State::Closed);
        world.choose_at_pbx("bert", if round % 2 == 0 { "dnd" } else { "away" });
        world.stay_quiet(Duration::from_millis(2_500));
        lines.set(State::Open);
        world.in_teams("anna", "Busy", if round % 2 == 0 { "Busy" } else { "InAMeeting" });
        world.stay_quiet(Duration::from_millis(1_500));
    }
    world.until_seen_in_teams("bert", "Away", "Away");
    world.until_shown_at_pbx("anna", "meeting");
    world.until_synchronised(3);
    let log = world.log();
    let loud = log
        .lines()
        .filter(|line| line.contains(" warn ") || line.contains(" error "));
    let loud: Vec<_> = loud.collect();
    assert!(loud.len() <= 12, "{} loud lines: {loud:#?}", loud.len());
}

#[test]
fn a_microsoft_that_is_dead_for_a_minute_costs_a_probe_and_no_storm_with_two_thousand_users() {
    const PEOPLE: usize = 2_000;
    let names: Vec<String> = (0..PEOPLE).map(|number| format!("user{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let lines = Lines::of(
        World::of(&names)
            .accounts(4)
            .settings("timers.sweep = '10s'\nlog.level = 'info'"),
    );
    let world = &lines.world;
    let everybody = u64::try_from(PEOPLE).unwrap();
    let synchronised = || world.status()["users"]["synchronised"] == everybody;
    world.wait_for(Duration::from_secs(240), "2000 users", synchronised);
    lines.set(State::Closed);
    for name in &names[..200] {
        world.choose_at_pbx(name, "dnd");
    }
    for name in &names[200..400] {
        world.in_teams(name, "Busy", "Busy");
    }
    world.wait_until("an outage", || is_warned_of(world));
    let before = lines.connections();
    let mut slowest = Duration::ZERO;
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        let asked = Instant::now();
        let answer = world.ask_public("POST", "/graph/notifications", &[], b"{\"value\":[]}");
        assert_eq!(answer.unwrap().status, 202);
        slowest = slowest.max(asked.elapsed());
        world.stay_quiet(Duration::from_millis(500));
    }
    let probes = lines.connections() - before;
    eprintln!("{probes} connections in a minute without Microsoft, slowest webhook {slowest:?}");
    assert!((10..=22).contains(&probes), "{probes} connections in a minute");
    assert!(slowest < Duration::from_secs(3), "the webhook took {slowest:?}");
    lines.set(State::Open);
    let ended = Instant::now();
    world.wait_for(RECOVERY, "everybody's choice and state", || {
        let chosen = |name: &&&str| world.seen_in_teams(name).activity == "DoNotDisturb";
        let shown = |name: &&&str| world.shown_at_pbx(name) == "busy";
        names[..200].iter().filter(chosen).count() == 200
            && names[200..400].iter().filter(shown).count() == 200
    });
    eprintln!("both sides agreed {:?} after the end", ended.elapsed());
}

#[test]
fn a_start_without_any_way_to_microsoft_is_warned_of_and_made_good() {
    let lines = Lines::of(three());
    let world = &lines.world;
    world.until_synchronised(3);
    world.terminate();
    lines.set(State::Closed);
    world.start_again();
    world.wait_until("a warning", || is_warned_of(world));
    world.until_light("authentication", "unreachable");
    lines.set(State::Open);
    world.until_synchronised(3);
    assert_eq!(world.status()["warnings"].as_array().unwrap().len(), 0);
}
