//! What Microsoft tells about a subscription itself, in every shape and at either address.

use std::time::Duration;

use m365_simulator::microsoft::{Family, Subscription};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::World;

const NOTIFICATIONS: &str = "/graph/notifications";
const LIFECYCLE: &str = "/graph/lifecycle";

fn synchronised() -> World {
    let world = World::of(&["anna"]).settings("timers.sweep = '1h'").start();
    world.until_synchronised(1);
    world
}

fn of_presence(world: &World) -> Subscription {
    let live = world.cloud().subscriptions();
    live.into_iter()
        .find(Subscription::is_presence)
        .expect("a presence subscription")
}

fn of_users(world: &World) -> Subscription {
    let live = world.cloud().subscriptions();
    live.into_iter()
        .find(|found| !found.is_presence())
        .expect("a subscription to the users")
}

/// As documented.
fn documented(subscription: &Subscription, event: &str) -> Value {
    json!({
        "subscriptionId": subscription.id, "subscriptionExpirationDateTime": subscription.expires.to_rfc3339(),
        "tenantId": subscription.tenant, "clientState": subscription.client_state, "lifecycleEvent": event,
    })
}

/// As observed in 2023: another name for the tenant, and empty members.
fn observed(subscription: &Subscription, event: &str) -> Value {
    json!({
        "subscriptionId": subscription.id, "subscriptionExpirationDateTime": subscription.expires.to_rfc3339(),
        "organizationId": subscription.tenant, "clientState": subscription.client_state, "lifecycleEvent": event,
        "resource": "", "sequence": null, "encryptedContent": null, "changeType": null,
        "resourceData": {"@odata.type": "#Microsoft.Graph.subscription", "@odata.id": "", "id": null},
    })
}

fn tell(world: &World, path: &str, items: &[Value]) {
    let body = json!({"value": items, "validationTokens": ["x.y.z"]}).to_string();
    let headers = [("Content-Type", "application/json; charset=utf-8")];
    let answer = world.ask_public("POST", path, &headers, body.as_bytes());
    assert_eq!(answer.unwrap().status, 202);
}

/// How often a subscription was written by a method since a mark, whatever came of it.
fn writes(world: &World, mark: u64, method: &str, id: Option<Uuid>) -> usize {
    let wanted = id.map(|id| id.to_string()).unwrap_or_default();
    let requests = world.requests(Family::SubscriptionWrite, mark);
    requests
        .iter()
        .filter(|(what, _)| what.starts_with(method) && what.contains(&wanted))
        .count()
}

fn reads(world: &World, mark: u64) -> usize {
    world.requests(Family::PresenceRead, mark).len()
}

#[test]
fn reauthorisation_is_answered_by_one_renewal_of_that_subscription_in_every_shape_at_either_address() {
    let world = synchronised();
    for path in [LIFECYCLE, NOTIFICATIONS] {
        for shape in [documented, observed] {
            for subscription in [of_presence(&world), of_users(&world)] {
                let mark = world.cloud_mark();
                tell(&world, path, &[shape(&subscription, "reauthorizationRequired")]);
                world.wait_until("a renewal", || {
                    writes(&world, mark, "PATCH", Some(subscription.id)) == 1
                });
                world.stay_quiet(Duration::from_millis(500));
                assert_eq!(writes(&world, mark, "PATCH", None), 1);
                assert_eq!(writes(&world, mark, "POST", None), 0);
                assert!(world.requests(Family::Reauthorize, mark).is_empty());
            }
        }
    }
}

#[test]
fn a_removed_subscription_is_made_anew_and_everybody_read() {
    for (path, shape) in [
        (LIFECYCLE, documented as fn(&_, &_) -> _),
        (NOTIFICATIONS, observed),
    ] {
        let world = synchronised();
        let old = of_presence(&world);
        let mark = world.cloud_mark();
        world.cloud().remove_subscription(old.id, None);
        // while nothing watches, anna changes
        world.in_teams("anna", "Busy", "InAMeeting");
        tell(&world, path, &[shape(&old, "subscriptionRemoved")]);
        world.until_shown_at_pbx("anna", "meeting");
        world.wait_until("a new subscription", || writes(&world, mark, "POST", None) == 1);
        assert_ne!(of_presence(&world).id, old.id);
        // told again, as it is every few minutes: the old one is nobody's any more
        for _ in 0..3 {
            tell(
                &world,
                path,
                &[
                    shape(&old, "subscriptionRemoved"),
                    shape(&old, "reauthorizationRequired"),
                ],
            );
        }
        world.stay_quiet(Duration::from_millis(500));
        assert_eq!(writes(&world, mark, "POST", None), 1);
        assert_eq!(writes(&world, mark, "PATCH", None), 0);
        world.in_teams("anna", "Available", "Available");
        world.until_shown_at_pbx("anna", "");
    }
}

#[test]
fn missed_notifications_are_answered_by_a_read() {
    let world = World::of(&["anna"])
        .settings("sync.read = 'subscription'")
        .start();
    world.until_synchronised(1);
    world.cloud().adjust(|knobs| knobs.delivery.drop = 1.0);
    // what follows a start is over: nobody reads any more
    world.stay_quiet(Duration::from_secs(5));
    world.in_teams("anna", "Busy", "InAMeeting");
    world.stay_quiet(Duration::from_millis(500));
    assert_eq!(world.shown_at_pbx("anna"), "");
    let mark = world.cloud_mark();
    tell(&world, LIFECYCLE, &[documented(&of_presence(&world), "missed")]);
    world.until_shown_at_pbx("anna", "meeting");
    assert_eq!(reads(&world, mark), 1);
    assert_eq!(writes(&world, mark, "", None), 0);
    // of the directory: the users are fetched
    let mark = world.cloud_mark();
    tell(&world, NOTIFICATIONS, &[observed(&of_users(&world), "missed")]);
    world.wait_until("the users fetched", || {
        !world.requests(Family::Users, mark).is_empty()
    });
}

#[test]
fn presence_and_lifecycle_in_one_body_both_count_and_bad_items_beside_them_do_not_matter() {
    let world = synchronised();
    let (presence, users) = (of_presence(&world), of_users(&world));
    let mark = world.cloud_mark();
    let anna = world.teams_id("anna");
    world.cloud().adjust(|knobs| knobs.delivery.drop = 1.0);
    world.in_teams("anna", "Busy", "InAMeeting");
    let basic = json!({
        "subscriptionId": presence.id, "clientState": presence.client_state, "changeType": "updated",
        "resource": format!("communications/presences('{anna}')"), "tenantId": presence.tenant,
        "resourceData": {"@odata.id": format!("communications/presences('{anna}')"), "id": null,
            "activity": "InAMeeting", "availability": "Busy"},
    });
    let mut foreign_state = documented(&presence, "subscriptionRemoved");
    foreign_state["clientState"] = json!("guessed");
    let mut foreign_tenant = documented(&presence, "subscriptionRemoved");
    foreign_tenant["tenantId"] = json!(Uuid::new_v4());
    let mut foreign_id = documented(&presence, "subscriptionRemoved");
    foreign_id["subscriptionId"] = json!(Uuid::new_v4());
    // the client state of one subscription with the id of the other
    let mut crossed = documented(&users, "subscriptionRemoved");
    crossed["subscriptionId"] = json!(presence.id);
    let items = [
        json!(7),
        foreign_state,
        basic,
        foreign_tenant,
        json!({"clientState": presence.client_state, "lifecycleEvent": "somethingNew", "subscriptionId": presence.id}),
        observed(&presence, "reauthorizationRequired"),
        foreign_id,
        crossed,
        json!({"clientState": presence.client_state, "lifecycleEvent": "missed"}),
        documented(&users, "reauthorizationRequired"),
    ];
    tell(&world, NOTIFICATIONS, &items);
    world.until_shown_at_pbx("anna", "meeting");
    for subscription in [&presence, &users] {
        world.wait_until("a renewal", || {
            writes(&world, mark, "PATCH", Some(subscription.id)) == 1
        });
    }
    world.stay_quiet(Duration::from_millis(500));
    assert_eq!(writes(&world, mark, "POST", None), 0);
    assert_eq!(writes(&world, mark, "DELETE", None), 0);
    let discarded = world.overview()["webhook_intake"]["discarded"].clone();
    assert_eq!(discarded["malformed"], 3, "{discarded}");
    assert_eq!(discarded["unknown_client_state"], 1, "{discarded}");
    assert_eq!(discarded["wrong_tenant"], 1, "{discarded}");
}

#[test]
fn a_storm_of_notices_costs_few_requests_and_presence_flows_through_it() {
    let world = synchronised();
    let presence = of_presence(&world);
    let mark = world.cloud_mark();
    for number in 0..150 {
        let path = if number % 2 == 0 { LIFECYCLE } else { NOTIFICATIONS };
        let mut wish = documented(&presence, "reauthorizationRequired");
        wish["number"] = json!(number);
        tell(&world, path, &[wish, observed(&presence, "missed")]);
    }
    world.in_teams("anna", "Busy", "InAMeeting");
    world.until_shown_at_pbx("anna", "meeting");
    world.wait_until("all notices", || {
        world.overview()["webhook_intake"]["lifecycle"].as_u64() >= Some(300)
    });
    world.wait_until("a renewal and a read", || {
        writes(&world, mark, "PATCH", None) > 0 && reads(&world, mark) > 0
    });
    let renewals = writes(&world, mark, "PATCH", None);
    assert!((1..=8).contains(&renewals), "{renewals} renewals");
    assert!(
        (1..=8).contains(&reads(&world, mark)),
        "{} reads",
        reads(&world, mark)
    );
    assert_eq!(of_presence(&world).id, presence.id);
}
