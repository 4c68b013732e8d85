//! A cable between a client and a server on loopback, which can be cut: then it swallows everything in silence.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Forwards connections to a port of this machine until it is dropped.
pub struct Cable {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    cut: AtomicBool,
    gone: AtomicBool,
}

impl Cable {
    /// Lays a cable to a port of this machine.
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let cable = Self {
            port: listener.local_addr().unwrap().port(),
            state: Arc::default(),
        };
        let state = Arc::clone(&cable.state);
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                if state.gone.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(far) = TcpStream::connect(("127.0.0.1", port)) else {
                    continue;
                };
                let (near_too, far_too) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                forward(near, far, Arc::clone(&state));
                forward(far_too, near_too, Arc::clone(&state));
            }
        });
        cable
    }

    /// The near end.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Cuts it: nothing passes, and neither side is told.
    pub fn cut(&self) {
        self.state.cut.store(true, Ordering::Relaxed);
    }

    /// Mends it: what was under way arrives late.
    pub fn mend(&self) {
        self.state.cut.store(false, Ordering::Relaxed);
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.state.gone.store(true, Ordering::Relaxed);
        TcpStream::connect(("127.0.0.1", self.port)).ok();
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, state: Arc<State>) {
    std::thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        loop {
            let length = from.read(&mut buffer).unwrap_or(0);
            while state.cut.load(Ordering::Relaxed) && !state.gone.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(5));
            }
            if length == 0 || to.write_all(buffer.get(..length).unwrap()).is_err() {
                to.shutdown(Shutdown::Both).ok();
                from.shutdown(Shutdown::Both).ok();
                return;
            }
        }
    });
}
