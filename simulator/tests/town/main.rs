//! People who live, without and with PBXs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    missing_docs
)]

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::mpsc::{Sender, channel},
    time::{Duration, Instant},
};

use m365_simulator::{
    microsoft::{MicrosoftCloud, Options, Pair, Tenant},
    pbx::{Estate, Pbx, PbxOptions, Role},
    town::{
        ACTIVITIES, Act, CallAct, CloudClients, Happening, Life, PREFERABLE, PbxPhones, Person, PhoneAct,
        Phones, TeamsAct, TeamsClients, TeamsState, Town, people,
    },
};

const TWO_MINUTES: Duration = Duration::from_secs(120);

fn kinds_within(seed: u64, count: usize, time: Duration) -> BTreeSet<String> {
    Life::new(seed, count)
        .take_while(|happening| happening.at <= time)
        .map(|happening| happening.act.kind().to_string())
        .collect()
}

fn all_kinds() -> BTreeSet<String> {
    let teams = ACTIVITIES.iter().map(|state| format!("teams {}", state.activity));
    let preferred = PREFERABLE
        .iter()
        .map(|state| format!("preferred {}", state.activity));
    let rest = [
        "preferred none",
        "pbx away",
        "pbx busy",
        "pbx dnd",
        "pbx lunch",
        "pbx vacation",
        "pbx meeting",
        "pbx none",
        "chat online",
        "chat offline",
        "call ring",
        "call dial",
        "call alert",
        "call connect",
        "call hold",
        "call retrieve",
        "call end",
    ];
    teams.chain(preferred).chain(rest.map(str::to_owned)).collect()
}

#[test]
fn everything_is_seen_within_two_minutes() {
    for count in [6, 20, 33, 100, 5000] {
        for seed in 0..20 {
            let missing = &all_kinds() - &kinds_within(seed, count, TWO_MINUTES);
            assert!(missing.is_empty(), "{count} people, seed {seed}: {missing:?}");
        }
    }
}

#[test]
fn even_one_person_does_everything_in_time() {
    assert_eq!(kinds_within(1, 1, Duration::from_secs(3600)), all_kinds());
}

#[test]
fn five_thousand_people_stay_below_thirty_events_a_second() {
    let mut seconds: HashMap<u64, u32> = HashMap::new();
    for happening in Life::new(3, 5000).take_while(|happening| happening.at < TWO_MINUTES) {
        *seconds.entry(happening.at.as_secs()).or_default() += 1;
    }
    assert!(seconds.values().all(|count| *count <= 32), "{seconds:?}");
    let total: u32 = seconds.values().sum();
    assert!((2400..=3600).contains(&total), "{total}");
}

#[test]
fn the_same_seed_gives_the_same_day_and_another_one_another() {
    let day = |seed| Life::new(seed, 50).take(500).collect::<Vec<Happening>>();
    assert_eq!(day(1), day(1));
    assert_ne!(day(1), day(2));
    assert_eq!(Life::new(1, 0).next(), None);
}

#[test]
fn calls_follow_their_order_and_nobody_plays_two_scenes_at_once() {
    let mut calls: HashMap<usize, CallAct> = HashMap::new();
    let mut chosen: HashSet<usize> = HashSet::new();
    let mut last = Duration::ZERO;
    for Happening { at, person, act } in Life::new(5, 40).take(5000) {
        assert!(at >= last);
        last = at;
        match act {
            Act::Phone(PhoneAct::Call(step)) => {
                assert!(!chosen.contains(&person), "a call during another scene");
                let before = calls.insert(person, step);
                let possible = match step {
                    CallAct::Ring | CallAct::Dial => before.is_none(),
                    CallAct::Alert => matches!(before, Some(CallAct::Ring | CallAct::Dial)),
                    CallAct::Connect => before == Some(CallAct::Alert),
                    CallAct::Hold => before == Some(CallAct::Connect),
                    CallAct::Retrieve => before == Some(CallAct::Hold),
                    CallAct::End => before.is_some(),
                };
                assert!(possible, "{step:?} after {before:?}");
                if step == CallAct::End {
                    calls.remove(&person);
                }
            }
            Act::Teams(TeamsAct::Prefer(_)) => {
                assert!(chosen.insert(person) && !calls.contains_key(&person));
            }
            Act::Phone(PhoneAct::Presence { activity, .. }) if !activity.is_empty() => {
                assert!(chosen.insert(person));
            }
            Act::Teams(TeamsAct::Forget) | Act::Phone(PhoneAct::Presence { .. }) => {
                assert!(chosen.remove(&person));
            }
            Act::Teams(TeamsAct::Show(_)) | Act::Phone(PhoneAct::Chat { .. }) => {
                assert!(
                    !chosen.contains(&person) && !calls.contains_key(&person),
                    "a state that nobody sees"
                );
            }
        }
    }
}

#[test]
fn ten_thousand_people_have_names_logins_and_numbers_of_their_own() {
    let town = people(7, 10_000);
    let distinct = |of: fn(&Person) -> String| town.iter().map(of).collect::<HashSet<_>>().len();
    assert_eq!(distinct(Person::name), 10_000);
    assert_eq!(distinct(Person::h323), 10_000);
    assert_eq!(distinct(Person::e164), 10_000);
    let plain = |text: &str| {
        text.chars()
            .all(|letter| letter.is_ascii_lowercase() || letter == '.')
    };
    assert!(town.iter().all(|person| plain(&person.h323())));
    assert_eq!(people(7, 100), town[..100]);
    assert_ne!(people(8, 100), town[..100]);
    let more = people(7, 10_001);
    assert_eq!(
        more.iter().map(Person::h323).collect::<HashSet<_>>().len(),
        10_001
    );
    assert!(town[0].mail("example.com").ends_with("@example.com"));
}

struct Teams(Sender<String>);

impl TeamsClients for Teams {
    fn act(&mut self, person: &Person, act: TeamsAct) {
        self.0.send(format!("{} {act:?}", person.name())).ok();
    }
}

struct NoPhones;

impl Phones for NoPhones {
    fn act(&mut self, _person: &Person, _act: PhoneAct) {}
}

fn wait_until(mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !reached() {
        assert!(Instant::now() < deadline, "nothing happened for too long");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_town_carries_its_day_out_counts_it_and_ends_with_its_handle() {
    let (sender, told) = channel();
    let town = Town::start(people(1, 20), 1, 200, Teams(sender), NoPhones).unwrap();
    let tally = town.tally().clone();
    wait_until(|| {
        ACTIVITIES
            .iter()
            .all(|state| tally.of("teams", state.activity) > 0)
    });
    drop(town);
    let counted = tally.total();
    let told = told.into_iter().count() as u64;
    let teams: u64 = tally
        .counts()
        .iter()
        .filter(|(kind, _)| ["teams", "preferred"].contains(&kind.place))
        .map(|(_, count)| *count)
        .sum();
    assert_eq!(told, teams);
    assert_eq!(tally.total(), counted);
}

#[test]
fn people_telephone_at_the_pbx_where_they_live() {
    let (estate, nowhere) = (Estate::new(), "http://127.0.0.1:9/pbx/app");
    let master = Pbx::start_in(&estate, PbxOptions::new("master", nowhere)).unwrap();
    let slave = PbxOptions {
        role: Role::Slave,
        ..PbxOptions::new("slave1", nowhere)
    };
    let slave = Pbx::start_in(&estate, slave).unwrap();
    let town = people(4, 2);
    let mut phones = PbxPhones::settle(vec![master.clone(), slave], &town, "App(app)");
    assert_eq!(
        master
            .users()
            .iter()
            .map(|user| user.loc.as_str())
            .collect::<Vec<_>>(),
        ["master", "slave1"]
    );
    for person in &town {
        for step in [CallAct::Dial, CallAct::Alert, CallAct::Connect] {
            phones.act(person, PhoneAct::Call(step));
        }
        assert_eq!(master.entries(&person.h323())[0].activity, "on-the-phone");
        phones.act(person, PhoneAct::Call(CallAct::End));
        assert_eq!(master.calls(&person.h323()), 0);
        phones.act(
            person,
            PhoneAct::Presence {
                activity: "lunch",
                note: "back at one",
            },
        );
        assert_eq!(master.entry(&person.h323(), "tel:").unwrap().note, "back at one");
        phones.act(person, PhoneAct::Chat { online: true });
        assert!(master.entry(&person.h323(), "im:").unwrap().open);
    }
}

#[test]
fn people_use_teams_in_the_cloud() {
    let cloud = MicrosoftCloud::start(Options::default()).unwrap();
    let control = cloud.control();
    let tenant = Tenant::new("contoso.onmicrosoft.com");
    control.add_tenant(tenant.clone());
    let town = people(4, 3);
    let mut clients = CloudClients::settle(control.clone(), tenant.id, &town, "contoso.com");
    let (person, other) = (&town[0], clients.id(&town[1]).unwrap());
    let user = clients.id(person).unwrap();
    assert_eq!(control.user(user).unwrap().display_name, Some(person.name()));
    let state = |availability, activity| TeamsState {
        availability,
        activity,
    };
    clients.act(person, TeamsAct::Show(state("Busy", "InAMeeting")));
    assert_eq!(control.presence(user), Some(Pair::new("Busy", "InAMeeting")));
    clients.act(person, TeamsAct::Prefer(state("Offline", "OffWork")));
    assert_eq!(control.presence(user), Some(Pair::new("Offline", "OffWork")));
    clients.act(person, TeamsAct::Forget);
    clients.act(person, TeamsAct::Show(state("Offline", "Offline")));
    assert_eq!(control.presence(user), Some(Pair::offline()));
    assert_eq!(control.presence(other), Some(Pair::new("Available", "Available")));
}
