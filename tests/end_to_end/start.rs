//! A connector that is started between two worlds.

use crate::world::World;

#[test]
fn shows_three_green_lights_and_synchronises_everybody() {
    let world = World::of(&["anna", "bert", "carl"]).start();
    world.until_synchronised(3);
    let status = world.status();
    for light in ["master_pbx", "authentication", "presence_subscription"] {
        let light = &status["lights"][light];
        assert_eq!((&light["state"], &light["code"]), (&"green".into(), &"ok".into()));
        assert!(
            light["since"].is_string() && light["detail"].is_string(),
            "{light}"
        );
    }
    assert_eq!(status["sessions"][0]["pbx"], "pbx-main");
    assert_eq!(status["sessions"][0]["role"], "master");
    assert_eq!(status["sessions"][0]["state"], "up");
    let subscriptions = status["subscriptions"].as_array().unwrap();
    let presence = subscriptions
        .iter()
        .find(|found| found["kind"] == "presence")
        .unwrap();
    assert_eq!(presence["account"], "presence1@contoso.example");
    assert_eq!(presence["users"], 3);
    assert!(
        presence["id"].is_string() && presence["expires_at"].is_string(),
        "{presence}"
    );
    assert!(status["version"].is_string() && status["started_at"].is_string());
    assert!(status["clock_offset_seconds"].as_f64().unwrap().abs() < 30.0);
}

#[test]
fn is_ready_when_it_does_its_whole_job_and_says_before_what_is_missing() {
    let world = World::of(&["anna"])
        .prepare(|world| world.master().rest())
        .start();
    let answer = world.get("/readyz");
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["ready"], false);
    assert!(!answer.json()["missing"].as_array().unwrap().is_empty());
    world.master().resume();
    world.wait_until("readiness", || world.get("/readyz").status == 200);
    assert_eq!(
        world.get("/healthz").json()["missing"].as_array().unwrap().len(),
        0
    );
}

#[test]
fn subscribes_what_it_promises() {
    let world = World::of(&["anna", "bert"]).start();
    world.until_synchronised(2);
    let subscriptions = world.cloud().subscriptions();
    let presences: Vec<_> = subscriptions.iter().filter(|found| found.is_presence()).collect();
    assert_eq!((presences.len(), subscriptions.len()), (1, 2));
    assert!(
        presences[0].delegated,
        "a communication user carries the presence subscription"
    );
    let url = format!("http://{}/graph/notifications", world.public());
    for subscription in &subscriptions {
        assert_eq!(subscription.notification_url, url);
        assert!(
            subscription
                .client_state
                .as_ref()
                .is_some_and(|state| state.len() >= 16)
        );
    }
}
