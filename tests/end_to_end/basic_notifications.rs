//! Notifications that only say that something has changed: they stand in where resource data is not to be had.

use m365_simulator::microsoft::{BasicShape, Control, Family, RichRefusal, Subscription};
use serde_json::Value;

use crate::world::World;

const REFUSED: RichRefusal = RichRefusal {
    status: 400,
    code: "InvalidRequest",
    message: "includeResourceData is not supported for this resource.",
};

fn refuse(refusal: RichRefusal) -> impl FnOnce(&Control) {
    move |cloud| cloud.adjust(|knobs| knobs.refuse_resource_data = Some(refusal))
}

fn presence_subscription(world: &World) -> Option<Subscription> {
    let live = world.cloud().subscriptions();
    live.into_iter().find(Subscription::is_presence)
}

fn is_rich(world: &World) -> bool {
    presence_subscription(world).is_some_and(|found| found.lock.is_some())
}

fn warning(world: &World, code: &str) -> Option<Value> {
    let warnings = world.status()["warnings"].as_array().cloned().unwrap_or_default();
    warnings.into_iter().find(|warning| warning["code"] == code)
}

fn changes_are_shown(world: &World) {
    for (availability, activity, shown) in [("Busy", "InAMeeting", "meeting"), ("Available", "Available", "")]
    {
        world.in_teams("anna", availability, activity);
        world.until_shown_at_pbx("anna", shown);
    }
}

#[test]
fn where_resource_data_is_refused_changes_are_shown_and_a_warning_says_so_until_it_is_granted() {
    let world = World::of(&["anna"]).cloud(refuse(REFUSED)).start();
    world.until_synchronised(1);
    assert!(!is_rich(&world));
    changes_are_shown(&world);
    let told = warning(&world, "resource_data_refused").expect("a warning");
    assert!(
        told["detail"].as_str().unwrap().contains(REFUSED.message),
        "{told}"
    );
    let items = world.get("/api/v1/subscriptions").json()["items"].clone();
    assert!(
        items
            .as_array()
            .unwrap()
            .iter()
            .any(|item| item["resource_data"] == false)
    );

    world.cloud().adjust(|knobs| knobs.refuse_resource_data = None);
    assert_eq!(world.post("/api/v1/subscriptions/renew").status, 202);
    world.wait_until("resource data", || is_rich(&world));
    world.wait_until("no warning", || {
        warning(&world, "resource_data_refused").is_none()
    });
    changes_are_shown(&world);
}

#[test]
fn a_refusal_that_says_nothing_is_understood_as_well() {
    let silent = RichRefusal {
        status: 400,
        code: "",
        message: "",
    };
    let world = World::of(&["anna"]).cloud(refuse(silent)).start();
    world.until_synchronised(1);
    assert!(!is_rich(&world));
    changes_are_shown(&world);
}

#[test]
fn both_shapes_of_basic_notifications_are_shown_and_a_state_in_them_is_confirmed_by_a_read() {
    for shape in [BasicShape::Documented, BasicShape::Observed] {
        let world = World::of(&["anna"])
            .cloud(refuse(REFUSED))
            .cloud(move |cloud| cloud.adjust(|knobs| knobs.delivery.basic = shape))
            .start();
        world.until_synchronised(1);
        let mark = world.cloud_mark();
        changes_are_shown(&world);
        world.wait_until("a read", || {
            !world.requests(Family::PresenceRead, mark).is_empty()
        });
    }
}

#[test]
fn five_hundred_basic_notifications_cost_one_or_two_reads() {
    let names: Vec<String> = (0..500).map(|number| format!("user{number:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let world = World::of(&names)
        .settings("timers.sweep = '1h'")
        .cloud(refuse(REFUSED))
        .start();
    world.until_synchronised(500);
    world.wait_until("the first reads", || {
        let sweep = world.overview()["presence_sweep"].clone();
        sweep["waiting"] == 0 && sweep["under_way"] == 0 && sweep["whole"] == true
    });
    let mark = world.cloud_mark();
    for name in &names {
        world.in_teams(name, "Busy", "InAMeeting");
    }
    for name in [names[0], names[250], names[499]] {
        world.until_shown_at_pbx(name, "meeting");
    }
    world.wait_until("five hundred hints", || {
        world.overview()["webhook_intake"]["hints"].as_u64() >= Some(500)
    });
    world.wait_until("everybody shown", || {
        names.iter().all(|name| world.shown_at_pbx(name) == "meeting")
    });
    let reads = world.requests(Family::PresenceRead, mark).len();
    assert!((1..=2).contains(&reads), "{reads} reads");
}

#[test]
fn without_validation_tokens_changes_are_read_and_a_warning_names_the_remedy() {
    let world = World::of(&["anna"]).start();
    world.until_synchronised(1);
    changes_are_shown(&world);
    assert!(warning(&world, "validation_tokens_missing").is_none());
    let app = world.app().client_id;
    world
        .cloud()
        .change_app(app, |app| app.assignment_required = true);
    changes_are_shown(&world);
    world.wait_until("a warning", || {
        warning(&world, "validation_tokens_missing").is_some()
    });
    let told = warning(&world, "validation_tokens_missing").unwrap();
    assert!(
        told["detail"].as_str().unwrap().contains("Assignment required"),
        "{told}"
    );
    let discarded = world.overview()["webhook_intake"]["discarded"]["missing_token"].as_u64();
    assert!(discarded >= Some(2), "{discarded:?}");
    assert_eq!(
        world.log().matches("without validation tokens").count(),
        2,
        "once by each: intake and warning"
    );

    world
        .cloud()
        .change_app(app, |app| app.assignment_required = false);
    changes_are_shown(&world);
    world.wait_until("no warning", || {
        warning(&world, "validation_tokens_missing").is_none()
    });
}
