//! The demonstration shows everything that the connector does, by itself and at once.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use crate::world::Demo;

/// The concept promises that everything is seen within this time.
const TWO_MINUTES: Duration = Duration::from_secs(120);

const TEAMS_ACTIVITIES: [&str; 15] = [
    "Available",
    "Away",
    "BeRightBack",
    "Busy",
    "DoNotDisturb",
    "InACall",
    "InAConferenceCall",
    "InAMeeting",
    "Inactive",
    "Offline",
    "OffWork",
    "OutOfOffice",
    "PresenceUnknown",
    "Presenting",
    "UrgentInterruptionsOnly",
];

const SHOWN_AT_PBX: [&str; 5] = ["away", "busy", "dnd", "meeting", "on-the-phone"];

const PBX_STATES: [&str; 7] = [
    "on-the-phone",
    "busy",
    "meeting",
    "dnd",
    "away",
    "lunch",
    "vacation",
];

const SET_IN_TEAMS: [&str; 5] = [
    "Busy/InACall",
    "Busy/Busy",
    "DoNotDisturb/DoNotDisturb",
    "Away/Away",
    "BeRightBack/BeRightBack",
];

#[test]
fn two_hundred_people_are_synchronised_and_live_through_every_state() {
    let demo = Demo::start(200);
    demo.until_synchronised(200);
    let seen = RefCell::new(BTreeSet::new());
    let missing = || {
        let mut seen = seen.borrow_mut();
        for user in demo.get("/api/v1/users?limit=1000").json()["items"]
            .as_array()
            .unwrap()
        {
            let text = |member: &str| user[member].as_str().unwrap_or_default().to_owned();
            let teams = text("teams_presence");
            seen.insert(("teams", teams.rsplit('/').next().unwrap().to_owned()));
            seen.insert(("shown", text("shown_at_pbx")));
            seen.insert(("pbx", text("pbx_presence")));
            seen.extend(
                text("set_in_teams")
                    .split(" + ")
                    .map(|set| ("set", set.to_owned())),
            );
        }
        let wanted = TEAMS_ACTIVITIES.map(|name| ("teams", name)).into_iter();
        let wanted = wanted.chain(SHOWN_AT_PBX.map(|name| ("shown", name)));
        let wanted = wanted.chain(PBX_STATES.map(|name| ("pbx", name)));
        let wanted = wanted.chain(SET_IN_TEAMS.map(|name| ("set", name)));
        let unseen = wanted.filter(|(place, name)| !seen.contains(&(*place, (*name).to_owned())));
        unseen.collect::<Vec<_>>()
    };
    demo.wait_for(TWO_MINUTES, "every state to be seen", || missing().is_empty());
    demo.until_synchronised(200);
    assert!(demo.end(), "the exit code is 0");
}
