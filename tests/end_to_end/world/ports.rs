//! Ports that a restarted connector finds again.
//!
//! A port from the system's own range may be taken by any outgoing connection while the connector is down. These stand
//! below that range, and each process of tests begins elsewhere.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 10_000;
const COUNT: u16 = 20_000;

/// A loopback address that nobody listens on.
pub fn free() -> String {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = u16::try_from(std::process::id() % 997).unwrap() * 20;
    loop {
        let number = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
        let address = format!("127.0.0.1:{}", FIRST + number);
        if TcpListener::bind(&address).is_ok() {
            return address;
        }
    }
}
