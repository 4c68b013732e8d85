//! What a seed decides about a life: how either world behaves, and how often something fails.

use std::time::Duration;

use fastrand::Rng;
use m365_presence::board::OnThePhone;

use crate::pbx_world::PhoneStyle;

/// How calls in Teams are shown at the PBX, and what it makes of calls of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlienCalls {
    /// They are entries.
    Off,
    /// They are calls of ours, which end with their connection at once.
    Taken,
    /// They are calls of ours, which the PBX counts for a while after their connection died.
    Haunting,
    /// The PBX refuses calls of ours.
    Refused,
    /// The session can put none on anybody.
    Impossible,
}

/// The traits of one life.
#[derive(Debug)]
pub struct Traits {
    pub numbered_notices: bool,
    pub numbered_reads: bool,
    /// Longest delay of a notification, ms.
    pub longest_delay: i64,
    pub drops: f64,
    pub duplicates: f64,
    pub lost_reads: f64,
    pub lost_writes: f64,
    pub refused_writes: f64,
    pub crashes: f64,
    pub pbx_losses: usize,
    pub restarts: usize,
    pub roster_changes: usize,
    pub phone_style: PhoneStyle,
    pub keeps_empty: bool,
    pub ours_visible: bool,
    pub app_wins_ties: bool,
    pub mode: OnThePhone,
    pub renewal: Duration,
    pub alien_calls: AlienCalls,
    /// Whether the PBX tells of calls by line state.
    pub lines: bool,
}

impl Traits {
    pub fn draw(rng: &mut Rng) -> Self {
        let some = |rng: &mut Rng, most: f64| if rng.bool() { rng.f64() * most } else { 0.0 };
        let delays = [0, 2_000, 10_000, 60_000];
        let styles = [PhoneStyle::Hiding, PhoneStyle::Added, PhoneStyle::CallsOnly];
        Self {
            numbered_notices: rng.bool(),
            numbered_reads: rng.bool(),
            longest_delay: delays[rng.usize(0..delays.len())],
            drops: some(rng, 0.5),
            duplicates: some(rng, 0.3),
            lost_reads: some(rng, 0.5),
            lost_writes: some(rng, 0.5),
            refused_writes: some(rng, 0.2),
            crashes: some(rng, 0.1),
            pbx_losses: rng.usize(0..3),
            restarts: rng.usize(0..2),
            roster_changes: rng.usize(0..3),
            phone_style: styles[rng.usize(0..styles.len())],
            keeps_empty: rng.bool(),
            ours_visible: rng.u8(0..4) > 0,
            app_wins_ties: rng.bool(),
            mode: if rng.u8(0..3) == 0 {
                OnThePhone::DoNotDisturb
            } else {
                OnThePhone::InACall
            },
            renewal: Duration::from_secs([60, 300][rng.usize(0..2)]),
            alien_calls: AlienCalls::Off,
            lines: true,
        }
    }

    /// Draws how calls in Teams are shown, by a chance of its own: half of all lives know nothing of calls of ours.
    pub fn draw_alien_calls(&mut self, seed: u64) {
        let mut rng = Rng::with_seed(!seed);
        if rng.bool() {
            return;
        }
        self.alien_calls = match rng.u8(0..6) {
            0..=2 => AlienCalls::Taken,
            3 => AlienCalls::Haunting,
            4 => AlienCalls::Refused,
            _ => AlienCalls::Impossible,
        };
        self.lines = rng.u8(0..4) > 0;
        if self.alien_calls == AlienCalls::Haunting {
            // who leaves takes along what was known of the traces of calls of ours
            self.roster_changes = 0;
        }
    }
}
