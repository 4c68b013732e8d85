//! The people of a world, and what they do.

use std::time::Duration;

use m365_simulator::microsoft::{Pair, User as TeamsUser};
use m365_simulator::pbx::{CallId, Direction, Pbx, Peer, User as PbxUser};
use uuid::Uuid;

use super::{LICENSE, MASTER, OWN, World};

/// The one Teams client that everybody uses.
const CLIENT: &str = "desktop";

/// A preferred state of the user's own choice outlives every test.
const CHOICE: Duration = Duration::from_secs(24 * 60 * 60);

/// The name of a user on both sides, from the short name at the PBX.
pub fn long_name(h323: &str) -> String {
    let mut letters = h323.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string());
    format!("{}{} Example", first.unwrap_or_default(), letters.as_str())
}

impl World {
    /// Adds a licensed user who exists on both sides.
    pub fn add_person(&self, h323: &str, home: &str) {
        self.add_to_pbx(h323, home);
        self.master().assign(h323, LICENSE);
        self.add_to_teams(h323);
    }

    /// Adds a user at the PBX only, without a license.
    pub fn add_to_pbx(&self, h323: &str, home: &str) {
        self.master().add_user(PbxUser::new(h323, &long_name(h323), home));
    }

    /// Adds a user in Teams only, available at the client.
    pub fn add_to_teams(&self, h323: &str) -> Uuid {
        let user = TeamsUser::new(&long_name(h323), &format!("{h323}@{}", self.tenant().domain));
        let id = user.id;
        self.cloud().put_user(self.tenant().id, user);
        self.teams_ids.borrow_mut().insert(h323.to_owned(), id);
        self.in_teams(h323, "Available", "Available");
        id
    }

    /// The object id of a user in Teams.
    pub fn teams_id(&self, h323: &str) -> Uuid {
        let ids = self.teams_ids.borrow();
        *ids.get(h323)
            .unwrap_or_else(|| panic!("{h323} was never in teams"))
    }

    /// The object id of a communication user, by its number.
    pub fn account_id(&self, number: usize) -> Uuid {
        let name = super::plan::account_name(number);
        let mut id = None;
        self.cloud()
            .change_account(&name, |account| id = Some(account.user));
        id.unwrap_or_else(|| panic!("there is no {name}"))
    }

    /// Lets a user's Teams client show something.
    pub fn in_teams(&self, h323: &str, availability: &str, activity: &str) {
        let pair = Pair::new(availability, activity);
        assert!(self.cloud().set_client(self.teams_id(h323), CLIENT, pair));
    }

    /// Lets a user choose a state in Teams by hand.
    pub fn choose_in_teams(&self, h323: &str, availability: &str, activity: &str) {
        let pair = Pair::new(availability, activity);
        assert!(self.cloud().prefer(self.teams_id(h323), pair, CHOICE));
    }

    /// Lets a user choose a state at the PBX; an empty one takes it back.
    pub fn choose_at_pbx(&self, h323: &str, activity: &str) {
        self.master().set_presence(h323, OWN, activity, "");
    }

    /// Lets a user who lives at the master PBX telephone.
    pub fn call(&self, h323: &str) -> CallId {
        call_at(self.pbx(MASTER), h323)
    }
}

/// Lets a user who lives at a PBX telephone.
pub fn call_at(pbx: &Pbx, h323: &str) -> CallId {
    let peer = Peer {
        e164: "0049302312500".to_owned(),
        ..Peer::default()
    };
    let call = pbx.start_call(h323, Direction::Outgoing, peer);
    let call = call.unwrap_or_else(|| panic!("{h323} does not live at {}", pbx.name()));
    pbx.alert(call);
    pbx.connect(call);
    call
}
