use m365_presence::ports::{PbxEvent, PbxOrder};
use serde_json::{Value, json};

use crate::stage::{ALICE, Conversation, guid, src};

struct Rcc {
    pbx: Conversation,
    src: String,
}

impl Rcc {
    fn new() -> Self {
        let mut pbx = Conversation::new();
        let src = src(&pbx.order(PbxOrder::FollowLines)[0]);
        Self { pbx, src }
    }

    fn receive(&mut self, kind: &str, mut members: Value) -> Vec<PbxEvent> {
        members["mt"] = json!(kind);
        members["src"] = json!(self.src);
        members["api"] = json!("RCC");
        self.pbx.receive(members)
    }

    fn channel(&mut self, channel: u32) -> Vec<PbxEvent> {
        self.receive(
            "UserInfo",
            json!({"guid": ALICE, "h323": "alice", "state": 1, "channel": channel, "alert": 0}),
        )
    }

    fn add(&mut self, call: u32, state: u32) -> Vec<PbxEvent> {
        self.receive(
            "CallAdd",
            json!({"guid": ALICE, "cn": "Alice", "call": call, "state": state}),
        )
    }

    fn del(&mut self, call: u32) -> Vec<PbxEvent> {
        self.receive("CallDel", json!({"call": call}))
    }
}

fn calls(calls: u32) -> Vec<PbxEvent> {
    vec![PbxEvent::Calls {
        user: guid(ALICE),
        calls,
    }]
}

#[test]
fn lines_are_asked_for_with_their_calls() {
    let mut pbx = Conversation::new();
    let sent = pbx.order(PbxOrder::FollowLines);
    assert_eq!(
        sent,
        [json!({"mt": "Initialize", "api": "RCC", "src": src(&sent[0]), "calls": true, "limit": 50})]
    );
}

#[test]
fn the_first_round_ends_with_the_result() {
    let mut rcc = Rcc::new();
    assert_eq!(rcc.channel(0), []);
    assert_eq!(rcc.channel(1), calls(1));
    assert_eq!(
        rcc.receive("InitializeResult", json!({})),
        [PbxEvent::LinesComplete]
    );
}

#[test]
fn a_result_that_announces_more_does_not_end_the_round() {
    let mut rcc = Rcc::new();
    assert_eq!(rcc.receive("InitializeResult", json!({"more": true})), []);
    assert!(rcc.pbx.sent().is_empty());
    assert_eq!(rcc.receive("InitializeResult", json!({"more": "17"})), []);
    assert_eq!(rcc.pbx.sent()[0]["more"], json!("17"));
    assert_eq!(
        rcc.receive("InitializeResult", json!({"more": false})),
        [PbxEvent::LinesComplete]
    );
}

#[test]
fn only_a_changed_number_is_told() {
    let mut rcc = Rcc::new();
    assert_eq!(rcc.channel(1), calls(1));
    assert_eq!(rcc.channel(1), []);
    assert_eq!(
        rcc.receive("UserInfo", json!({"guid": ALICE, "channel": "2"})),
        calls(2)
    );
    assert_eq!(rcc.channel(0), calls(0));
    assert_eq!(rcc.channel(0), []);
}

#[test]
fn a_user_who_is_gone_has_no_call() {
    let mut rcc = Rcc::new();
    rcc.channel(1);
    rcc.add(7, 5);
    assert_eq!(
        rcc.receive("UserInfo", json!({"guid": ALICE, "update": "del"})),
        calls(0)
    );
    assert_eq!(
        rcc.receive("UserInfo", json!({"guid": ALICE, "update": "del"})),
        []
    );
}

#[test]
fn whose_line_states_are_told_at_all_is_told_once() {
    let mut pbx = Conversation::new();
    let src = src(&pbx.order(PbxOrder::FollowLines)[0]);
    let mut told = |members: Value| {
        let mut message = members;
        message["mt"] = json!("UserInfo");
        message["src"] = json!(src);
        message["guid"] = json!(ALICE);
        message["channel"] = json!(0);
        pbx.receive_all(message)
    };
    let listed = |listed| {
        vec![PbxEvent::LineListed {
            user: guid(ALICE),
            listed,
        }]
    };
    assert_eq!(told(json!({})), listed(true));
    assert_eq!(told(json!({"update": "update"})), []);
    assert_eq!(told(json!({"update": "del"})), listed(false));
    assert_eq!(told(json!({"update": "add"})), listed(true));
}

#[test]
fn a_line_that_is_told_without_a_count_is_listed_and_says_nothing_of_calls() {
    let mut rcc = Rcc::new();
    let listed = [PbxEvent::LineListed {
        user: guid(ALICE),
        listed: true,
    }];
    let message = json!({"mt": "UserInfo", "src": rcc.src, "api": "RCC", "guid": ALICE, "state": 1});
    assert_eq!(rcc.pbx.receive_all(message.clone()), listed);
    assert_eq!(rcc.channel(1), calls(1));
    assert_eq!(rcc.pbx.receive_all(message), listed);
    assert_eq!(rcc.channel(1), []);
}

#[test]
fn a_call_counts_by_its_phase_and_direction() {
    for (state, counted) in [
        (0, false),
        (1, true),
        (4, true),
        (5, true),
        (6, false),
        (7, false),
        (8, false),
        (0x80 + 1, false),
        (0x80 + 4, false),
        (0x80 + 5, true),
        (0x105, true),
        (0x285, true),
    ] {
        let expected = if counted { calls(1) } else { vec![] };
        assert_eq!(Rcc::new().add(9, state), expected, "{state:#x}");
    }
}

#[test]
fn a_call_that_is_taken_and_ended_is_followed_by_its_number_alone() {
    let mut rcc = Rcc::new();
    assert_eq!(rcc.add(9, 0x84), []);
    assert_eq!(
        rcc.receive("CallUpdate", json!({"call": "9", "msg": "r-conn"})),
        calls(1)
    );
    assert_eq!(rcc.receive("CallUpdate", json!({"call": 9, "msg": "x-hold"})), []);
    assert_eq!(
        rcc.receive("CallUpdate", json!({"call": 9, "msg": "r-disc"})),
        calls(0)
    );
    assert_eq!(rcc.del(9), []);
    rcc.add(10, 5);
    assert_eq!(
        rcc.receive("CallUpdate", json!({"call": 10, "msg": "del"})),
        calls(0)
    );
    rcc.add(11, 5);
    assert_eq!(rcc.del(11), calls(0));
}

#[test]
fn counts_and_calls_agree_in_either_order() {
    let mut rcc = Rcc::new();
    let counts_first = [rcc.channel(1), rcc.add(1, 5), rcc.channel(2), rcc.add(2, 5)].concat();
    assert_eq!(counts_first, [calls(1), calls(2)].concat());
    let ending = [rcc.channel(1), rcc.del(1), rcc.channel(0), rcc.del(2)].concat();
    assert_eq!(ending, [calls(1), calls(0)].concat());
    let calls_first = [rcc.add(3, 5), rcc.channel(1), rcc.del(3), rcc.channel(0)].concat();
    assert_eq!(calls_first, [calls(1), calls(0)].concat());
}

#[test]
fn without_counts_the_calls_themselves_tell_how_many_there_are() {
    let mut rcc = Rcc::new();
    assert_eq!([rcc.channel(1), rcc.add(1, 5)].concat(), calls(1));
    assert_eq!(rcc.add(2, 5), calls(2));
    assert_eq!([rcc.del(1), rcc.del(2)].concat(), [calls(1), calls(0)].concat());
}

#[test]
fn the_end_of_one_call_says_nothing_of_a_call_from_before_our_time() {
    let mut rcc = Rcc::new();
    // two calls in the count, of which only one is known
    assert_eq!(rcc.channel(2), calls(2));
    assert_eq!([rcc.add(1, 5), rcc.del(1)].concat(), []);
    assert_eq!(rcc.channel(1), calls(1));
    assert_eq!(rcc.channel(0), calls(0));
}

#[test]
fn a_count_of_zero_ends_whatever_is_remembered() {
    let mut rcc = Rcc::new();
    rcc.add(1, 5);
    assert_eq!(rcc.channel(0), calls(0));
    assert_eq!(rcc.receive("CallUpdate", json!({"call": 1, "msg": "r-hold"})), []);
    assert_eq!(rcc.add(2, 5), calls(1));
    assert_eq!(rcc.del(2), calls(0));
}

#[test]
fn a_held_call_counts_and_a_parked_one_does_not() {
    let mut rcc = Rcc::new();
    assert_eq!(rcc.add(1, 5), calls(1));
    let mut update = |state: u32| rcc.receive("CallUpdate", json!({"call": 1, "state": state}));
    assert_eq!([update(0x105), update(0x205), update(0x85)].concat(), []);
    assert_eq!(update(8), calls(0));
    assert_eq!(update(5), calls(1));
}

#[test]
fn a_call_between_two_users_of_the_pbx_counts_for_both_and_ends_for_both() {
    let mut rcc = Rcc::new();
    rcc.add(7, 5);
    let bob = json!({"guid": "b0b", "call": 7, "state": 0x85});
    let bobs = |number| {
        vec![PbxEvent::Calls {
            user: guid("b0b"),
            calls: number,
        }]
    };
    assert_eq!(rcc.receive("CallAdd", bob), bobs(1));
    assert_eq!(rcc.del(7), [calls(0), bobs(0)].concat());
}

#[test]
fn a_call_taken_at_another_device_ends_at_the_first_and_counts_once() {
    let mut rcc = Rcc::new();
    // one call per device rings, one of them is taken
    assert_eq!([rcc.add(1, 0x84), rcc.add(2, 0x84)].concat(), []);
    assert_eq!(
        rcc.receive("CallUpdate", json!({"call": 2, "msg": "r-conn"})),
        calls(1)
    );
    assert_eq!([rcc.channel(1), rcc.del(1)].concat(), []);
    assert_eq!([rcc.channel(0), rcc.del(2)].concat(), calls(0));
}

#[test]
fn a_call_is_told_of_by_call_info_as_well() {
    let mut rcc = Rcc::new();
    let info =
        |state: u32, msg: &str| json!({"guid": ALICE, "call": "3", "state": state.to_string(), "msg": msg});
    assert_eq!(rcc.receive("CallInfo", info(0x84, "x-setup")), []);
    assert_eq!(rcc.receive("CallInfo", info(0x85, "r-conn")), calls(1));
    assert_eq!(rcc.receive("CallInfo", info(0x85, "del")), calls(0));
}

#[test]
fn a_refused_order_is_told_and_nothing_follows_from_it() {
    let mut rcc = Rcc::new();
    assert_eq!(
        rcc.receive("InitializeResult", json!({"error": "no access"})),
        [PbxEvent::LinesRefused {
            message: "no access".into()
        }]
    );
    let late = json!({"mt": "UserInfo", "src": rcc.src, "guid": ALICE, "channel": 1});
    assert!(rcc.pbx.is_ignored(late));
}

#[test]
fn a_new_order_forgets_what_was_told() {
    let mut rcc = Rcc::new();
    rcc.channel(1);
    let old = std::mem::take(&mut rcc.src);
    rcc.src = src(&rcc.pbx.order(PbxOrder::FollowLines)[0]);
    assert!(rcc.pbx.is_ignored(json!({"mt": "InitializeResult", "src": old})));
    assert_eq!(rcc.channel(1), calls(1));
}

#[test]
fn what_has_no_form_is_ignored_and_changes_nothing() {
    let mut rcc = Rcc::new();
    rcc.channel(1);
    for (kind, members) in [
        ("UserInfo", json!({"channel": 0})),
        ("UserInfo", json!({"guid": ALICE, "channel": -1})),
        ("UserInfo", json!({"guid": ALICE, "channel": {}})),
        ("UserInfo", json!({"guid": ALICE, "update": "update"})),
        ("CallAdd", json!({"guid": ALICE})),
        ("CallUpdate", json!({"call": "unknown"})),
        ("CallDel", json!({})),
    ] {
        assert_eq!(
            rcc.receive(kind, members),
            [PbxEvent::Ignored {
                message_type: kind.into()
            }]
        );
    }
    assert_eq!(rcc.channel(1), []);
}
