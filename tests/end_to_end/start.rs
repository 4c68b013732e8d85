//! A connector that is started between two worlds.

use crate::world::World;

#[test]
fn shows_three_green_lights_and_synchronises_everybody() {
    let world = World::of(&["anna", "bert", "carl"]).start();
    world.until_synchronised(3);
    let status = world.status();
    for light in ["master_pbx", "authentication", "presence_subscription"] {
        assert_eq!(status["lights"][light]["state"], "green", "{status:#}");
        assert_eq!(status["lights"][light]["code"], "ok", "{status:#}");
    }
    world.wait_until("readiness", || world.get("/readyz").status == 200);
}
