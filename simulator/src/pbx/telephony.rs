//! Calls of the users who live on a PBX, as their phones would make them.

use super::{
    calls::{Call, CallId, Direction, Peer, Phase, Step},
    dialogue::Change,
    estate::Domain,
    handle::Pbx,
};

impl Pbx {
    /// Starts a call of a user who lives on this PBX; anybody else's is `None`.
    pub fn start_call(&self, user: &str, direction: Direction, peer: Peer) -> Option<CallId> {
        let home = self.options()?.name;
        self.estate().with(|domain| {
            let guid = domain.directory.find(user)?;
            let id = CallId(domain.next_call);
            let resident = domain
                .directory
                .get_mut(&guid)
                .filter(|resident| resident.user.loc == home)?;
            domain.next_call = id.0.saturating_add(1);
            let was_occupied = resident.is_occupied();
            let call = Call {
                id,
                direction,
                phase: Phase::Setup,
                held: false,
                peer,
                alien: false,
            };
            resident.calls.push(call.clone());
            let presence_changed = resident.is_occupied() != was_occupied;
            domain.tell_call(&guid, call, Step::Started, presence_changed);
            Some(id)
        })
    }

    /// Lets the called side of a call ring.
    pub fn alert(&self, call: CallId) {
        self.step(call, Step::Alerted, |call| call.phase = Phase::Alert);
    }

    /// Connects a call: both sides talk.
    pub fn connect(&self, call: CallId) {
        self.step(call, Step::Connected, |call| call.phase = Phase::Connected);
    }

    /// Puts a call on hold.
    pub fn hold(&self, call: CallId) {
        self.step(call, Step::Held, |call| call.held = true);
    }

    /// Takes a call off hold.
    pub fn retrieve(&self, call: CallId) {
        self.step(call, Step::Retrieved, |call| call.held = false);
    }

    /// Parks a call: it occupies its user no more.
    pub fn park(&self, call: CallId) {
        self.step(call, Step::Parked, |call| call.phase = Phase::Parked);
    }

    /// Hands a connected call over to another user who lives on this PBX, as a transfer or a pickup does; returns the
    /// call as it goes on there.
    pub fn hand_over(&self, call: CallId, user: &str) -> Option<CallId> {
        let taken = self.start_call(user, Direction::Incoming, Peer::default())?;
        self.connect(taken);
        self.end(call);
        Some(taken)
    }

    /// Ends a call.
    pub fn end(&self, call: CallId) {
        self.estate().with(|domain| {
            if let Some(guid) = domain.caller(call) {
                domain.end_call(&guid, call);
            }
        });
    }

    /// Counts the calls of a user, alien calls included.
    #[must_use]
    pub fn calls(&self, user: &str) -> usize {
        self.count_calls(user, |_| true)
    }

    /// Counts the alien calls that Apps have put on a user.
    #[must_use]
    pub fn alien_calls(&self, user: &str) -> usize {
        self.count_calls(user, |call| call.alien)
    }

    fn count_calls(&self, user: &str, counted: impl Fn(&Call) -> bool) -> usize {
        self.estate().with(|domain| {
            let calls = domain.resident(user).map(|resident| resident.calls.iter());
            calls.map_or(0, |calls| calls.filter(|call| counted(call)).count())
        })
    }

    fn step(&self, id: CallId, step: Step, alter: impl FnOnce(&mut Call)) {
        self.estate().with(|domain| {
            let Some(guid) = domain.caller(id) else { return };
            let Some(resident) = domain.directory.get_mut(&guid) else {
                return;
            };
            let was_occupied = resident.is_occupied();
            let Some(call) = resident.calls.iter_mut().find(|call| call.id == id) else {
                return;
            };
            alter(call);
            let call = call.clone();
            let presence_changed = resident.is_occupied() != was_occupied;
            domain.tell_call(&guid, call, step, presence_changed);
        });
    }
}

impl Domain {
    fn caller(&self, id: CallId) -> Option<String> {
        let caller = self
            .directory
            .residents()
            .find(|resident| resident.calls.iter().any(|call| call.id == id));
        caller.map(|resident| resident.user.guid.clone())
    }

    pub(super) fn end_calls(&mut self, guid: &str) {
        let calls = self
            .directory
            .get(guid)
            .map(|resident| resident.calls.clone())
            .unwrap_or_default();
        for call in calls {
            self.end_call(guid, call.id);
        }
    }

    fn end_call(&mut self, guid: &str, id: CallId) {
        let Some(resident) = self.directory.get_mut(guid) else {
            return;
        };
        let Some(place) = resident.calls.iter().position(|call| call.id == id) else {
            return;
        };
        let was_occupied = resident.is_occupied();
        let call = resident.calls.remove(place);
        let presence_changed = resident.is_occupied() != was_occupied;
        self.tell_call(guid, call, Step::Ended, presence_changed);
    }

    fn tell_call(&mut self, guid: &str, call: Call, step: Step, presence_changed: bool) {
        let guid = guid.to_owned();
        self.tell(&[Change::Call {
            guid: guid.clone(),
            call: Box::new(call),
            step,
        }]);
        if presence_changed {
            self.tell(&[Change::Presence { guid }]);
        }
    }
}
