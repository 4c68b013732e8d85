//! Under systemd the service says when it is up, that it lives, and when it ends.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use crate::world::{LONG_PATIENCE, World};

/// Waits for the next message.
fn hear(socket: &UnixDatagram) -> String {
    let mut said = [0; 256];
    let length = socket.recv(&mut said).expect("systemd waits in vain");
    String::from_utf8_lossy(&said[..length]).into_owned()
}

#[test]
fn systemd_is_told_of_readiness_life_and_end() {
    let world = World::of(&["anna"]).build();
    let path = world.folder().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(LONG_PATIENCE)).unwrap();
    world.start_with(&[
        ("NOTIFY_SOCKET", path.to_str().unwrap()),
        ("WATCHDOG_USEC", "60000000"),
    ]);
    assert_eq!(hear(&socket), "READY=1");
    assert_eq!(hear(&socket), "WATCHDOG=1");
    assert_eq!(hear(&socket), "WATCHDOG=1", "it goes on");
    assert!(world.terminate(), "the exit code is 0");
    socket.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let mut last = hear(&socket);
    while last == "WATCHDOG=1" {
        last = hear(&socket);
    }
    assert_eq!(last, "STOPPING=1");
}
