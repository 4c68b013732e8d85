//! A small model of Graph with all its whims, and a connector that follows the steps.
//!
//! Graph here keeps at most one presence subscription per account, raises short lives to 45 minutes, may refuse to
//! delete, may carry out a request whose answer is lost, may hold one of another program, may refuse resource data, and
//! may refuse or ignore another key. Whatever the order of faults, restarts, new keys and changed wishes, nothing foreign
//! is ever renewed, there are never two, and once the faults end the wanted users are watched, for the newest key.

use chrono::{DateTime, TimeDelta, Utc};
use m365_presence::identity::SubscriptionId;
use m365_presence::ports::{Created, Deleted, GraphSubscription, Renewed};
use m365_presence::subscription::{Event, Held, Keys, Phase, Step, Subscription, Want, Watch};
use proptest::prelude::*;

use crate::samples::{CERTIFICATE, URL, at, keys, presence, terms, watching};

const ELSEWHERE: &str = "https://elsewhere.example.com/notify";

/// What happens to the next request.
#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    /// It never arrives.
    Lost,
    /// It is carried out, and the answer is lost.
    AnswerLost,
    /// Graph refuses it.
    Refused,
    /// The notification URL fails.
    Url,
}

/// What Graph does with a renewal that names another key.
#[derive(Clone, Copy, Debug)]
enum Taking {
    Takes,
    Ignores,
    Refuses,
}

struct Graph {
    now: DateTime<Utc>,
    live: Option<GraphSubscription>,
    made: u32,
    deletes: bool,
    /// Whether short lives are raised to 45 minutes.
    raises: bool,
    fault: Fault,
    keys: Taking,
    /// Whether subscriptions may carry resource data.
    rich: bool,
}

impl Graph {
    fn new(raises: bool) -> Self {
        Self {
            now: at(0),
            live: None,
            made: 0,
            deletes: true,
            raises,
            fault: Fault::None,
            keys: Taking::Takes,
            rich: true,
        }
    }

    fn expire(&mut self) {
        self.live = self.live.take().filter(|live| live.expires_at > self.now);
    }

    fn granted(&self, wanted: DateTime<Utc>) -> DateTime<Utc> {
        assert!(
            wanted - self.now <= TimeDelta::minutes(60),
            "Graph refuses more than an hour"
        );
        if self.raises {
            wanted.max(self.now + TimeDelta::minutes(45))
        } else {
            wanted
        }
    }

    fn carry_out(&mut self, step: &Step) -> Option<Event> {
        self.expire();
        Some(match step {
            Step::Nothing { .. } => return None,
            Step::Create {
                watch,
                expires_at,
                certificate,
            } => Event::Created(match (&self.live, self.fault) {
                (Some(_), _) => Created::Conflict,
                (None, _) if certificate.is_some() && !self.rich => Created::RichRefused {
                    message: "no resource data".into(),
                    certain: true,
                },
                (None, Fault::Url) => Created::UrlUnreachable {
                    message: "timed out".into(),
                },
                (None, _) => {
                    self.made += 1;
                    let granted = self.granted(*expires_at);
                    let made = GraphSubscription {
                        certificate_id: certificate.clone(),
                        ..watching(&format!("s{}", self.made), watch, URL, granted)
                    };
                    self.live = Some(made.clone());
                    Created::Live(made)
                }
            }),
            Step::Renew {
                certificate: Some(_), ..
            } if matches!(self.keys, Taking::Refuses) => Event::Refused {
                message: "no key".into(),
            },
            Step::Renew {
                id,
                expires_at,
                certificate,
            } => {
                let granted = self.granted(*expires_at);
                Event::Renewed(match self.live.as_mut().filter(|live| live.id == *id) {
                    Some(live) => {
                        assert_eq!(live.notification_url, URL, "a foreign subscription was renewed");
                        live.expires_at = granted;
                        if certificate.is_some() && matches!(self.keys, Taking::Takes) {
                            live.certificate_id.clone_from(certificate);
                        }
                        Renewed::Live(live.clone())
                    }
                    None => Renewed::Gone,
                })
            }
            Step::Delete { id } => {
                let is_live = self.live.as_ref().is_some_and(|live| live.id == *id);
                if is_live && !self.deletes {
                    Event::Deleted(Deleted::Refused)
                } else {
                    self.live = self.live.take().filter(|_| !is_live);
                    Event::Deleted(Deleted::Gone)
                }
            }
            Step::List => Event::Listed(self.live.iter().cloned().collect()),
        })
    }

    fn answer(&mut self, step: &Step) -> Option<Event> {
        if matches!(step, Step::Nothing { .. }) {
            return None;
        }
        let retry_at = self.now + TimeDelta::seconds(5);
        match self.fault {
            Fault::None | Fault::Url => self.carry_out(step),
            Fault::Lost => Some(Event::Unanswered { retry_at }),
            Fault::AnswerLost => {
                self.carry_out(step);
                Some(Event::Unanswered { retry_at })
            }
            Fault::Refused => Some(Event::Refused { message: "no".into() }),
        }
    }
}

/// The connector: its machine and its store.
struct Connector {
    machine: Subscription,
    stored: Option<Held>,
    want: Want,
    due: Option<DateTime<Utc>>,
    keys: Keys,
}

impl Connector {
    fn new() -> Self {
        Self {
            machine: Subscription::new(terms(), None),
            stored: None,
            want: Want::Unknown,
            due: None,
            keys: keys(CERTIFICATE, &[]),
        }
    }

    /// A newer key; all older ones are kept.
    fn rotate(&mut self, graph: &mut Graph) {
        let newest = format!("key-{}", self.keys.known.len() + 1);
        self.keys.known.insert(newest.clone());
        self.keys.current = Some(newest);
        self.follow(Event::Keys(self.keys.clone()), graph);
    }

    /// Follows the steps that an event entails, until there is nothing to do for now.
    fn follow(&mut self, event: Event, graph: &mut Graph) {
        let mut step = self.machine.on(event, graph.now);
        for _ in 0..12 {
            self.stored = self.machine.held().cloned();
            match graph.answer(&step) {
                Some(outcome) => step = self.machine.on(outcome, graph.now),
                None => {
                    let Step::Nothing { until } = step else {
                        panic!("{step:?} has no answer")
                    };
                    assert!(
                        until.is_none_or(|until| until > graph.now),
                        "nothing to do until the past"
                    );
                    self.due = until;
                    return;
                }
            }
        }
        panic!("a dozen requests at once: {:?}", self.machine);
    }

    fn restart(&mut self, graph: &mut Graph) {
        let mut conditions = terms();
        // the client state is stored before its first use
        conditions.client_state_used = true;
        conditions.keys = Some(self.keys.clone());
        self.machine = Subscription::new(conditions, self.stored.clone());
        self.follow(Event::Due, graph);
        let want = self.want.clone();
        self.follow(Event::Wanted(want), graph);
    }

    /// Lets time pass, waking whenever that is due.
    fn wait(&mut self, time: TimeDelta, graph: &mut Graph) {
        let end = graph.now + time;
        for _ in 0..10_000 {
            match self.due.filter(|due| *due <= end) {
                Some(due) => {
                    graph.now = due;
                    graph.expire();
                    self.follow(Event::Due, graph);
                }
                None => {
                    graph.now = end;
                    graph.expire();
                    return;
                }
            }
        }
        panic!("it never rests: {:?}", self.machine);
    }
}

#[derive(Clone, Debug)]
enum Act {
    Want(Want),
    Wait(i64),
    Fault(Fault),
    Deletes(bool),
    Restart,
    Order,
    Deaf,
    Reauthorize,
    Rotate,
    Taking(Taking),
    Rich(bool),
    /// Graph drops it, and says so.
    Drop,
    /// Another program of the same account and app takes the place.
    Intrude(i64),
}

fn act() -> impl Strategy<Value = Act> {
    let users = prop::collection::btree_set(1..4_u32, 1..3).prop_map(presence);
    prop_oneof![
        4 => users.prop_map(|watch| Act::Want(Want::Watch(watch))),
        1 => Just(Act::Want(Want::Nothing)),
        6 => (1..3_000_i64).prop_map(Act::Wait),
        4 => prop::sample::select(vec![Fault::None, Fault::Lost, Fault::AnswerLost, Fault::Refused, Fault::Url])
            .prop_map(Act::Fault),
        1 => any::<bool>().prop_map(Act::Deletes),
        1 => Just(Act::Restart),
        1 => Just(Act::Order),
        1 => Just(Act::Deaf),
        1 => Just(Act::Reauthorize),
        1 => Just(Act::Rotate),
        1 => prop::sample::select(vec![Taking::Takes, Taking::Ignores, Taking::Refuses]).prop_map(Act::Taking),
        1 => any::<bool>().prop_map(Act::Rich),
        1 => Just(Act::Drop),
        1 => (1..60_i64).prop_map(Act::Intrude),
    ]
}

fn perform(act: Act, connector: &mut Connector, graph: &mut Graph) {
    match act {
        Act::Want(want) => {
            connector.want = want.clone();
            connector.follow(Event::Wanted(want), graph);
        }
        Act::Wait(seconds) => connector.wait(TimeDelta::seconds(seconds), graph),
        Act::Fault(fault) => graph.fault = fault,
        Act::Deletes(deletes) => graph.deletes = deletes,
        Act::Restart => connector.restart(graph),
        Act::Order => connector.follow(Event::RenewNow, graph),
        Act::Deaf => connector.follow(Event::Deaf, graph),
        Act::Reauthorize => connector.follow(Event::Reauthorize, graph),
        Act::Rotate => connector.rotate(graph),
        Act::Taking(keys) => graph.keys = keys,
        Act::Rich(rich) => graph.rich = rich,
        Act::Drop => {
            let id = graph
                .live
                .take()
                .map_or_else(|| SubscriptionId::new("unheard"), |live| live.id);
            connector.follow(Event::Removed(id), graph);
        }
        Act::Intrude(minutes) => {
            if graph.live.is_none() {
                let end = graph.now + TimeDelta::minutes(minutes);
                graph.live = Some(watching("intruder", &presence([1]), ELSEWHERE, end));
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn once_the_faults_end_the_wanted_users_are_watched(
        acts in prop::collection::vec(act(), 0..30),
        raises in any::<bool>(),
        last in prop::collection::btree_set(1..4_u32, 1..3),
    ) {
        let mut graph = Graph::new(raises);
        let mut connector = Connector::new();
        for act in acts {
            perform(act, &mut connector, &mut graph);
        }

        graph.fault = Fault::None;
        let watch = presence(last);
        perform(Act::Want(Want::Watch(watch.clone())), &mut connector, &mut graph);
        // an hour is the longest life of what may stand in the way
        connector.wait(TimeDelta::minutes(65), &mut graph);
        prop_assert_eq!(connector.machine.phase(), &Phase::Live);

        let live = graph.live.clone().unwrap();
        let held = connector.machine.held().unwrap().clone();
        prop_assert_eq!(&held.id, &live.id);
        prop_assert_eq!(held.expires_at, live.expires_at);
        prop_assert_eq!(Watch::from_resource(&live.resource), Some(watch));
        prop_assert_eq!(live.notification_url.as_str(), URL);
        prop_assert_eq!(&held.certificate_id, &live.certificate_id);

        // and it stays alive from then on; whatever was refused is tried for again within a day
        graph.deletes = true;
        graph.rich = true;
        connector.wait(TimeDelta::hours(26), &mut graph);
        let live = graph.live.clone().unwrap();
        prop_assert_eq!(&live.certificate_id, &connector.keys.current);
        let made = graph.made;
        connector.wait(TimeDelta::hours(12), &mut graph);
        prop_assert_eq!(graph.made, made);
        prop_assert!(graph.live.is_some());

        // until nobody wants it
        graph.deletes = true;
        perform(Act::Want(Want::Nothing), &mut connector, &mut graph);
        prop_assert!(graph.live.is_none());
        prop_assert_eq!(connector.machine.phase(), &Phase::Idle);
    }

    #[test]
    fn what_can_be_deleted_costs_no_waiting(
        acts in prop::collection::vec(act(), 0..20),
        last in prop::collection::btree_set(1..4_u32, 1..3),
    ) {
        let mut graph = Graph::new(true);
        let mut connector = Connector::new();
        for act in acts.into_iter().filter(|act| !matches!(act, Act::Deletes(_))) {
            perform(act, &mut connector, &mut graph);
        }

        graph.fault = Fault::None;
        perform(Act::Want(Want::Watch(presence(last))), &mut connector, &mut graph);
        // a minute is the longest pause after failures of the notification URL, ten are those after a refusal
        connector.wait(TimeDelta::minutes(11), &mut graph);
        prop_assert_eq!(connector.machine.phase(), &Phase::Live);
    }
}
