//! Who leaves next where only a few requests may be under way at a time.

use std::collections::BTreeSet;

/// How much it matters that something leaves soon; the first is the most urgent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Urgency {
    /// A call began or ended: others want to know at once whether somebody can be rung.
    Call,
    /// A user chose something.
    Choice,
    /// Something that holds is kept from ending: a lease, a subscription.
    Renewal,
    /// A look at everything, which tells late what else would be told soon.
    Sweep,
}

impl Urgency {
    /// Every urgency, the most urgent first.
    pub const ALL: [Self; 4] = [Self::Call, Self::Choice, Self::Renewal, Self::Sweep];

    /// The part of all places that requests of this urgency may fill, in eighths: what is slow and can wait never
    /// takes the last place from what cannot.
    const fn share(self) -> usize {
        match self {
            Self::Call => 8,
            Self::Choice => 7,
            Self::Renewal => 6,
            Self::Sweep => 4,
        }
    }
}

/// A place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket {
    urgency: Urgency,
    number: u64,
}

/// The queue before a bounded number of places: the more urgent first, and among equals whoever came first.
#[derive(Debug)]
pub struct Turns {
    places: usize,
    taken: usize,
    waiting: BTreeSet<Ticket>,
    next: u64,
}

impl Turns {
    /// Opens this many places, at least eight.
    pub fn new(places: usize) -> Self {
        Self {
            places: places.max(8),
            taken: 0,
            waiting: BTreeSet::new(),
            next: 0,
        }
    }

    /// Queues somebody.
    pub fn queue(&mut self, urgency: Urgency) -> Ticket {
        let ticket = Ticket {
            urgency,
            number: self.next,
        };
        self.next += 1;
        self.waiting.insert(ticket);
        ticket
    }

    /// Takes a place for a ticket whose turn it is; answers whether it was.
    pub fn take(&mut self, ticket: Ticket) -> bool {
        let room = self.places * ticket.urgency.share() / 8;
        // whoever is less urgent than the first has less room than the first
        let turn = self.waiting.first() == Some(&ticket) && self.taken < room;
        if turn {
            self.waiting.remove(&ticket);
            self.taken += 1;
        }
        turn
    }

    /// Gives a ticket back that is not wanted any more.
    pub fn withdraw(&mut self, ticket: Ticket) {
        self.waiting.remove(&ticket);
    }

    /// Frees a place.
    pub fn leave(&mut self) {
        self.taken = self.taken.saturating_sub(1);
    }

    /// Places that are taken.
    pub fn taken(&self) -> usize {
        self.taken
    }
}
