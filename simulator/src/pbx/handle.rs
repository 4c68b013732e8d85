//! The handle of a running PBX: everything that an administrator, a user or a fault can do to it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::{Builder, JoinHandle},
    time::Duration,
};

use tokio::sync::watch;

use super::{
    estate::{Domain, Estate, Exchange},
    faults::{Cut, Faults},
    frame::Frame,
    line::Line,
    message::Message,
    options::PbxOptions,
    outbox::SharedFaults,
    site::{Order, Site},
};
use crate::journal::Journal;

/// A simulated PBX that dials its App for as long as a clone of this handle lives.
///
/// Users are named by guid, `h323` or `cn`. Orders about a user who does not exist have no effect.
#[derive(Clone)]
pub struct Pbx {
    running: Arc<Running>,
}

struct Running {
    name: String,
    site: Site,
    orders: watch::Sender<Order>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.orders.send_replace(Order::Stop);
    }
}

impl Pbx {
    /// Starts a PBX alone in its estate, on its own thread, which dials at once.
    ///
    /// # Errors
    /// The system refused a thread.
    pub fn start(options: PbxOptions) -> std::io::Result<Self> {
        Self::start_in(&Estate::new(), options)
    }

    /// Starts a PBX in an estate that it shares with others.
    ///
    /// # Errors
    /// The system refused a thread.
    pub fn start_in(estate: &Estate, options: PbxOptions) -> std::io::Result<Self> {
        let faults = SharedFaults::default();
        let journal = Journal::new(options.journal_capacity);
        let (orders, receiver) = watch::channel(Order::Dial);
        let name = options.name.clone();
        let (url, dials) = (options.websocket_url(), options.dials);
        let (back_off, keep_alive) = (options.back_off, options.keep_alive);
        let exchange = estate.with(|domain| domain.found(options, Arc::clone(&faults)));
        let estate = estate.clone();
        let site = Site {
            estate,
            exchange,
            keep_alive,
            faults,
            journal,
            orders: receiver,
        };
        let line = Line {
            site: site.clone(),
            url,
            dials,
            back_off,
        };
        let thread = Builder::new()
            .name(format!("pbx-{name}"))
            .spawn(|| actix_rt::System::new().block_on(line.run()))?;
        let thread = Mutex::new(Some(thread));
        Ok(Self {
            running: Arc::new(Running {
                name,
                site,
                orders,
                thread,
            }),
        })
    }

    /// Closes the connection and ends the PBX; its users stay in the estate. Blocks until the thread has ended.
    pub fn stop(&self) {
        self.running.orders.send_replace(Order::Stop);
        let thread = self
            .running
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // A thread that panicked has already told so.
            thread.join().ok();
        }
    }

    /// Returns the name of the PBX.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.running.name
    }

    /// Returns the estate, to start further PBXs in it.
    #[must_use]
    pub fn estate(&self) -> &Estate {
        &self.running.site.estate
    }

    /// Returns the record of every message in either direction.
    #[must_use]
    pub fn journal(&self) -> &Journal<Frame> {
        &self.running.site.journal
    }

    /// Blocks until a message in the journal, past or coming, is accepted; returns it, or `None` after `timeout`.
    #[must_use]
    pub fn wait_for(&self, wanted: impl FnMut(&Frame) -> bool, timeout: Duration) -> Option<Frame> {
        self.running.site.journal.wait_for(wanted, timeout)
    }

    /// Returns whether the PBX is connected and logged in.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.exchange(|exchange| exchange.is_connected())
            .unwrap_or_default()
    }

    /// Counts the logins that have succeeded since the start.
    #[must_use]
    pub fn logins(&self) -> u64 {
        self.exchange(|exchange| exchange.logins).unwrap_or_default()
    }

    /// Counts the logins that were accepted at the PBX's own endpoint since the start.
    #[must_use]
    pub fn admissions(&self) -> u64 {
        self.exchange(|exchange| exchange.admissions).unwrap_or_default()
    }

    /// Counts the logins that were refused at the PBX's own endpoint since the start.
    #[must_use]
    pub fn rejections(&self) -> u64 {
        self.exchange(|exchange| exchange.rejections).unwrap_or_default()
    }

    /// Counts the connections that were made since the start, logged in or not.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.exchange(|exchange| exchange.connections).unwrap_or_default()
    }

    /// Blocks until at least this many logins have succeeded; returns whether they have within `timeout`.
    #[must_use]
    pub fn wait_for_logins(&self, logins: u64, timeout: Duration) -> bool {
        let number = self.running.site.exchange;
        let enough = |domain: &Domain| {
            domain
                .exchange(number)
                .is_some_and(|exchange| exchange.logins >= logins)
        };
        self.running.site.estate.wait_until(timeout, enough)
    }

    /// Blocks until the PBX is connected and logged in; returns whether it is within `timeout`.
    #[must_use]
    pub fn wait_until_connected(&self, timeout: Duration) -> bool {
        let number = self.running.site.exchange;
        let connected = |domain: &Domain| domain.exchange(number).is_some_and(Exchange::is_connected);
        self.running.site.estate.wait_until(timeout, connected)
    }

    /// Alters the faults; they apply from the next message on.
    pub fn inject(&self, alter: impl FnOnce(&mut Faults)) {
        alter(
            &mut self
                .running
                .site
                .faults
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    /// Alters the options that are read at each use. The address, the back-off and the keep-alive stay as started;
    /// what the login or PbxInfo says applies from the next connection on.
    pub fn configure(&self, alter: impl FnOnce(&mut PbxOptions)) {
        self.alter_exchange(|exchange| alter(&mut exchange.options));
    }

    /// Cuts the present connections. After a close or an abort the PBX dials again.
    pub fn cut(&self, cut: Cut) {
        self.alter_exchange(|exchange| exchange.outboxes().for_each(|outbox| outbox.cut(cut)));
    }

    /// Closes the connections, accepted ones too, and neither dials nor keeps any until [`Pbx::resume`].
    pub fn rest(&self) {
        self.running
            .orders
            .send_if_modified(|order| replace_unless_stopped(order, Order::Rest));
    }

    /// Dials again, at once.
    pub fn resume(&self) {
        self.running
            .orders
            .send_if_modified(|order| replace_unless_stopped(order, Order::Dial));
    }

    /// Sends any text, JSON or not, on the present connections.
    pub fn send_text(&self, text: &str) {
        self.alter_exchange(|exchange| {
            exchange
                .outboxes()
                .for_each(|outbox| outbox.send_text(text.to_owned()))
        });
    }

    /// Sends a message of an unknown `mt` that is `bytes` long or a little longer.
    pub fn send_large(&self, bytes: usize) {
        self.send_text(
            &Message::new("Unheard")
                .with("filler", "x".repeat(bytes))
                .to_text(),
        );
    }

    /// Sends many messages of an unknown `mt`, as fast as they can be taken.
    pub fn flood(&self, messages: usize) {
        self.alter_exchange(|exchange| {
            for outbox in exchange.outboxes() {
                for number in 0..messages {
                    outbox.send(Message::new("Unheard").with("number", number));
                }
            }
        });
    }

    pub(super) fn site(&self) -> &Site {
        &self.running.site
    }

    pub(super) fn options(&self) -> Option<PbxOptions> {
        self.exchange(|exchange| exchange.options.clone())
    }

    pub(super) fn exchange<Outcome>(&self, read: impl FnOnce(&Exchange) -> Outcome) -> Option<Outcome> {
        self.running
            .site
            .estate
            .with(|domain| domain.exchange(self.running.site.exchange).map(read))
    }

    fn alter_exchange(&self, alter: impl FnOnce(&mut Exchange)) {
        self.running.site.estate.with(|domain| {
            if let Some(exchange) = domain.exchange_mut(self.running.site.exchange) {
                alter(exchange);
            }
        });
    }
}

fn replace_unless_stopped(order: &mut Order, next: Order) -> bool {
    let replaced = *order != Order::Stop && *order != next;
    if replaced {
        *order = next;
    }
    replaced
}
