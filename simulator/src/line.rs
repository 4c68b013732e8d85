//! A line between a client and a server on loopback that can be cut, frozen and mended: what firewalls, routers and
//! stopped processes do to connections, apart from what servers answer.
//!
//! ```
//! use m365_simulator::line::{Line, State};
//!
//! let server = std::net::TcpListener::bind("127.0.0.1:0")?;
//! let line = Line::to(server.local_addr()?)?;
//! line.set(State::Frozen);
//! // a client connects to `line.address()` and waits
//! line.set(State::Open);
//! # Ok::<(), std::io::Error>(())
//! ```

use std::{
    io::{Error, ErrorKind, Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

/// How often a thread looks whether the state has changed.
const LOOK: Duration = Duration::from_millis(10);

/// What becomes of connections and of what travels on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Everything passes.
    Open,
    /// Every connection is closed as soon as it is made, and those that there were are cut.
    Closed,
    /// Nothing passes, and nothing is lost: as before a stopped process. When the line opens, all of it arrives.
    Frozen,
    /// Connections are accepted, and what travels on them is lost for ever: as behind a firewall that forgot them.
    Swallowing,
    /// Each connection is cut after so many bytes of answers.
    Breaking(usize),
}

struct Shared {
    state: Mutex<State>,
    connections: AtomicU64,
}

impl Shared {
    fn state(&self) -> State {
        *self.lock()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while the line is frozen; answers its state then.
    fn thawed(&self) -> State {
        loop {
            match self.state() {
                State::Frozen => std::thread::sleep(LOOK),
                state => return state,
            }
        }
    }
}

/// A line; dropping it closes it.
pub struct Line {
    shared: Arc<Shared>,
    address: SocketAddr,
    ended: Arc<AtomicU64>,
    thread: Option<JoinHandle<()>>,
}

impl Line {
    /// Leads a line to a server; it is open.
    ///
    /// # Errors
    /// When no socket is to be had.
    pub fn to(server: SocketAddr) -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State::Open),
            connections: AtomicU64::new(0),
        });
        let ended = Arc::new(AtomicU64::new(0));
        let (theirs, end) = (Arc::clone(&shared), Arc::clone(&ended));
        let thread = std::thread::Builder::new()
            .name("line".to_owned())
            .spawn(move || accept(&listener, server, &theirs, &end))?;
        Ok(Self {
            shared,
            address,
            ended,
            thread: Some(thread),
        })
    }

    /// Where clients connect.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as the beginning of a URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Changes what becomes of connections, those that there are included.
    pub fn set(&self, state: State) {
        *self.shared.lock() = state;
    }

    /// How many connections were made so far.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.set(State::Closed);
        self.ended.store(1, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // a line that broke by itself is as closed
            let _broken = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, server: SocketAddr, shared: &Arc<Shared>, ended: &AtomicU64) {
    while ended.load(Ordering::Relaxed) == 0 {
        if shared.state() == State::Frozen {
            std::thread::sleep(LOOK);
            continue;
        }
        match listener.accept() {
            Ok((client, _)) => {
                shared.connections.fetch_add(1, Ordering::Relaxed);
                if shared.state() != State::Closed {
                    connect(client, server, shared);
                }
            }
            Err(_none_or_gone) => std::thread::sleep(LOOK),
        }
    }
}

/// Carries both directions of a connection, each on a thread that ends with it.
fn connect(client: TcpStream, server: SocketAddr, shared: &Arc<Shared>) {
    let carried = || -> std::io::Result<()> {
        client.set_nonblocking(false)?;
        let server = TcpStream::connect(server)?;
        let (from, to) = (client.try_clone()?, server.try_clone()?);
        let line = Arc::clone(shared);
        std::thread::Builder::new().spawn(move || carry(from, to, &line, None))?;
        let line = Arc::clone(shared);
        std::thread::Builder::new().spawn(move || carry(server, client, &line, Some(0)))?;
        Ok(())
    };
    if let Err(error) = carried() {
        log::warn!(error:% = error; "a connection could not be led on");
    }
}

/// Carries one direction until either end closes. `answered` counts what has passed where it is an answer.
fn carry(mut from: TcpStream, mut to: TcpStream, line: &Shared, mut answered: Option<usize>) {
    let ended = pump(&mut from, &mut to, line, &mut answered);
    if ended.is_err() {
        // the other side may be gone already
        let _gone = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    } else {
        let _gone = to.shutdown(Shutdown::Write);
    }
}

fn pump(
    from: &mut TcpStream,
    to: &mut TcpStream,
    line: &Shared,
    answered: &mut Option<usize>,
) -> std::io::Result<()> {
    let cut = || Err(Error::from(ErrorKind::ConnectionAborted));
    from.set_read_timeout(Some(LOOK))?;
    let mut buffer = [0; 16 * 1024];
    let mut swallowed = false;
    loop {
        if line.thawed() == State::Closed {
            return cut();
        }
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => continue,
            Err(error) => return Err(error),
        };
        let mut passing = buffer.get(..read).unwrap_or_default();
        match line.thawed() {
            State::Closed => return cut(),
            State::Swallowing => swallowed = true,
            State::Breaking(limit) => {
                if let Some(answered) = answered {
                    let left = limit.saturating_sub(*answered);
                    *answered += read;
                    passing = passing.get(..left).unwrap_or(passing);
                    to.write_all(passing)?;
                    if *answered >= limit {
                        return cut();
                    }
                    continue;
                }
            }
            State::Open | State::Frozen => {}
        }
        // what follows something lost makes no sense to anybody
        if !swallowed {
            to.write_all(passing)?;
        }
    }
}
