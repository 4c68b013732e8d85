//! Tells systemd when the service is up, that its thread still turns, and that it is about to end (`sd_notify(3)`).
//!
//! Without `NOTIFY_SOCKET` in the environment, as in a container, nothing is said to anybody.

use std::ffi::OsString;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The service manager that listens, if there is one.
#[derive(Debug)]
pub struct Systemd {
    line: Option<(UnixDatagram, SocketAddr)>,
    wants_beats: bool,
}

impl Systemd {
    /// The one that the environment names. An address that cannot be used is logged and counts as none: systemd itself
    /// ends a service that never says that it is ready.
    pub fn from_environment() -> Self {
        let line = std::env::var_os("NOTIFY_SOCKET").and_then(|address| match open(&address) {
            Ok(line) => Some(line),
            Err(error) => {
                log::warn!("systemd cannot be told anything, for NOTIFY_SOCKET does not work: {error}");
                None
            }
        });
        Self {
            line,
            wants_beats: std::env::var_os("WATCHDOG_USEC").is_some(),
        }
    }

    /// Both listeners are there; said once more when a standby becomes the active instance, which changes nothing.
    pub fn ready(&self) {
        self.tell("READY=1");
    }

    /// The thread of the actors turns. Where systemd watches (`WatchdogSec`), it ends a service that stays silent.
    pub fn beat(&self) {
        if self.wants_beats {
            self.tell("WATCHDOG=1");
        }
    }

    /// The end has begun.
    pub fn stopping(&self) {
        self.tell("STOPPING=1");
    }

    fn tell(&self, what: &str) {
        let Some((socket, address)) = &self.line else {
            return;
        };
        if let Err(error) = socket.send_to_addr(what.as_bytes(), address) {
            log::debug!("systemd did not take {what}: {error}");
        }
    }
}

/// A name that begins with `@` is of the abstract namespace, every other one a path.
fn open(address: &OsString) -> io::Result<(UnixDatagram, SocketAddr)> {
    let address = match address.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(address)?,
    };
    let socket = UnixDatagram::unbound()?;
    // the thread of the actors never waits for systemd
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_of_the_abstract_namespace_is_reached_too() {
        let name = format!("m365-connector-test-{}", std::process::id());
        let heard = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        let systemd = Systemd {
            line: Some(open(&format!("@{name}").into()).unwrap()),
            wants_beats: false,
        };
        systemd.beat();
        systemd.ready();
        let mut said = [0; 64];
        let length = heard.recv(&mut said).unwrap();
        assert_eq!(&said[..length], b"READY=1", "beats are not wanted");
    }

    #[test]
    fn a_socket_that_nobody_reads_hinders_nobody() {
        let systemd = Systemd {
            line: Some(open(&"/nowhere/at/all".into()).unwrap()),
            wants_beats: true,
        };
        systemd.beat();
        systemd.stopping();
    }
}
