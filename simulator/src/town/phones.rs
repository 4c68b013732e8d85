//! The phones of a town, at simulated PBXs.

use std::collections::HashMap;

use super::{
    Phones,
    act::{CallAct, PhoneAct},
    person::Person,
};
use crate::pbx::{CallId, Direction, Pbx, Peer};

/// Carries out what people do at the PBXs where they live; whoever lives at none of them does nothing.
pub struct PbxPhones {
    pbxs: Vec<Pbx>,
    calls: HashMap<usize, CallId>,
}

impl PbxPhones {
    /// Serves the users of these PBXs, which share one estate.
    #[must_use]
    pub fn new(pbxs: Vec<Pbx>) -> Self {
        Self {
            pbxs,
            calls: HashMap::new(),
        }
    }

    /// Adds people to the PBXs in turn, beginning with the first, and assigns a license to each of them.
    #[must_use]
    pub fn settle(pbxs: Vec<Pbx>, people: &[Person], license: &str) -> Self {
        if let Some(first) = pbxs.first() {
            let homes = pbxs.iter().cycle();
            first.add_users(
                people
                    .iter()
                    .zip(homes)
                    .map(|(person, home)| person.pbx_user(home.name())),
            );
            for person in people {
                first.assign(&person.h323(), license);
            }
        }
        Self::new(pbxs)
    }

    fn home(&self, person: &Person) -> Option<Pbx> {
        let home = self.pbxs.first()?.user(&person.h323())?.loc;
        self.pbxs.iter().find(|pbx| pbx.name() == home).cloned()
    }

    fn call(&mut self, pbx: &Pbx, person: &Person, step: CallAct) {
        let direction = match step {
            CallAct::Ring => Direction::Incoming,
            CallAct::Dial => Direction::Outgoing,
            CallAct::Alert | CallAct::Connect | CallAct::Hold | CallAct::Retrieve | CallAct::End => {
                self.continue_call(pbx, person, step);
                return;
            }
        };
        // A number in the range that is set aside for films and fiction.
        let peer = Peer {
            e164: format!("004930231250{:02}", person.number % 100),
            ..Peer::default()
        };
        if let Some(call) = pbx.start_call(&person.h323(), direction, peer) {
            self.calls.insert(person.number, call);
        }
    }

    fn continue_call(&mut self, pbx: &Pbx, person: &Person, step: CallAct) {
        let Some(call) = self.calls.get(&person.number).copied() else {
            return;
        };
        match step {
            CallAct::Ring | CallAct::Dial => {}
            CallAct::Alert => pbx.alert(call),
            CallAct::Connect => pbx.connect(call),
            CallAct::Hold => pbx.hold(call),
            CallAct::Retrieve => pbx.retrieve(call),
            CallAct::End => {
                self.calls.remove(&person.number);
                pbx.end(call);
            }
        }
    }
}

impl Phones for PbxPhones {
    fn act(&mut self, person: &Person, act: PhoneAct) {
        let Some(pbx) = self.home(person) else { return };
        match act {
            PhoneAct::Presence { activity, note } => pbx.set_presence(&person.h323(), "tel:", activity, note),
            PhoneAct::Chat { online } => pbx.set_chat(&person.h323(), online, ""),
            PhoneAct::Call(step) => self.call(&pbx, person, step),
        }
    }
}
