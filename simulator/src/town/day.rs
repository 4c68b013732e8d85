//! What a day consists of: small scenes, each played by one person from its first act to its last.

use std::{ops::RangeInclusive, time::Duration};

use fastrand::Rng;

use super::act::{ACTIVITIES, Act, CallAct, PREFERABLE, PhoneAct, TeamsAct, TeamsState};

const AVAILABLE: TeamsState = TeamsState {
    availability: "Available",
    activity: "Available",
};

const OFFLINE: TeamsState = TeamsState {
    availability: "Offline",
    activity: "Offline",
};

/// The presences that a user sets at the PBX, with a plausible note.
const PBX_PRESENCES: [(&str, &str); 6] = [
    ("away", "back soon"),
    ("busy", ""),
    ("dnd", "finishing a report"),
    ("lunch", "back at one"),
    ("vacation", "back on Monday"),
    ("meeting", "weekly meeting"),
];

/// One scene.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scene {
    /// The Teams client reports a state, which stays until the person's next scene.
    Session(TeamsState),
    /// The user, at the client, chooses a Teams state and takes it back. Without a client nobody would see the choice.
    Preference(TeamsState),
    /// The user sets a presence at the PBX and clears it.
    Presence(&'static str, &'static str),
    /// Somebody calls, and they talk.
    Answered,
    /// Somebody calls, and nobody answers.
    Missed,
    /// The user calls somebody.
    Dialled,
    /// The user calls somebody and puts the call on hold in between.
    Held,
    /// The user leaves and comes back.
    Absence,
}

/// Returns every scene once.
pub(super) fn every_scene() -> Vec<Scene> {
    let sessions = ACTIVITIES.into_iter().map(Scene::Session);
    let preferences = PREFERABLE.into_iter().map(Scene::Preference);
    let presences = PBX_PRESENCES
        .into_iter()
        .map(|(activity, note)| Scene::Presence(activity, note));
    let rest = [
        Scene::Answered,
        Scene::Missed,
        Scene::Dialled,
        Scene::Held,
        Scene::Absence,
    ];
    sessions.chain(preferences).chain(presences).chain(rest).collect()
}

/// Writes the acts of a scene, each with the time that passes before it.
pub(super) fn script(scene: Scene, rng: &mut Rng) -> Vec<(Duration, Act)> {
    let mut script = Script {
        acts: Vec::new(),
        rng,
    };
    match scene {
        Scene::Session(state) => script.now(Act::Teams(TeamsAct::Show(state))),
        Scene::Preference(state) => {
            script.now(Act::Teams(TeamsAct::Show(AVAILABLE)));
            script.after(1..=2, Act::Teams(TeamsAct::Prefer(state)));
            script.after(12..=30, Act::Teams(TeamsAct::Forget));
        }
        Scene::Presence(activity, note) => {
            script.now(Act::Phone(PhoneAct::Presence { activity, note }));
            script.after(
                12..=30,
                Act::Phone(PhoneAct::Presence {
                    activity: "",
                    note: "",
                }),
            );
        }
        Scene::Answered => {
            script.call(0..=0, CallAct::Ring);
            script.call(1..=1, CallAct::Alert);
            script.call(3..=6, CallAct::Connect);
            script.call(10..=25, CallAct::End);
        }
        Scene::Missed => {
            script.call(0..=0, CallAct::Ring);
            script.call(1..=1, CallAct::Alert);
            script.call(6..=12, CallAct::End);
        }
        Scene::Dialled => {
            script.call(0..=0, CallAct::Dial);
            script.call(1..=2, CallAct::Alert);
            script.call(3..=8, CallAct::Connect);
            script.call(10..=25, CallAct::End);
        }
        Scene::Held => {
            script.call(0..=0, CallAct::Dial);
            script.call(1..=2, CallAct::Alert);
            script.call(2..=4, CallAct::Connect);
            script.call(4..=8, CallAct::Hold);
            script.call(3..=6, CallAct::Retrieve);
            script.call(4..=10, CallAct::End);
        }
        Scene::Absence => {
            script.now(Act::Teams(TeamsAct::Show(OFFLINE)));
            script.after(1..=1, Act::Phone(PhoneAct::Chat { online: false }));
            script.after(12..=25, Act::Phone(PhoneAct::Chat { online: true }));
            script.after(1..=1, Act::Teams(TeamsAct::Show(AVAILABLE)));
        }
    }
    script.acts
}

struct Script<'a> {
    acts: Vec<(Duration, Act)>,
    rng: &'a mut Rng,
}

impl Script<'_> {
    fn now(&mut self, act: Act) {
        self.after(0..=0, act);
    }

    fn call(&mut self, seconds: RangeInclusive<u64>, step: CallAct) {
        self.after(seconds, Act::Phone(PhoneAct::Call(step)));
    }

    fn after(&mut self, seconds: RangeInclusive<u64>, act: Act) {
        self.acts.push((Duration::from_secs(self.rng.u64(seconds)), act));
    }
}
