//! One change of a user's Teams presence on the board: observation, decision, ledger, write and its acceptance.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use criterion::{BenchmarkId, Criterion};
use m365_presence::board::{Board, Direction, Member, OnThePhone, Outcome, Restraint, Rules, TeamsCalls};
use m365_presence::identity::PbxName;
use m365_presence::mapping::{PbxToTeams, TeamsToPbx};
use m365_presence::teams::{Source, TeamsObservation, TeamsPresence};

use crate::populace::Populace;

/// What a user shows in turn.
const STATES: [&str; 2] = ["Busy", "Away"];

/// So much time passes between two changes: nobody changes faster than the board lets writes leave.
const PAUSE: TimeDelta = TimeDelta::seconds(2);

struct Scene {
    board: Board,
    members: Vec<Member>,
    now: DateTime<Utc>,
    changes: usize,
}

impl Scene {
    /// Puts users on the board whose two sides are known.
    fn of(users: usize) -> Self {
        let now = DateTime::UNIX_EPOCH;
        let rules = Rules {
            teams_to_pbx: TeamsToPbx::default(),
            pbx_to_teams: PbxToTeams::default(),
            contact: "teams:".to_owned(),
            direction: Direction {
                teams_to_pbx: true,
                pbx_to_teams: true,
            },
            on_the_phone: OnThePhone::InACall,
            teams_calls: TeamsCalls::Entry,
            notes_to_pbx: false,
            notes_to_teams: false,
            renewal: Duration::from_secs(300),
            restraint: Restraint::default(),
        };
        let Populace { teams, pbx } = Populace::of(users);
        let members: Vec<Member> = pbx
            .into_iter()
            .zip(teams)
            .map(|(pbx, teams)| Member { pbx, teams: teams.id })
            .collect();
        let mut board = Board::new(rules, Vec::new());
        board.set_roster(members.clone(), now);
        let home = PbxName::new("pbx-main");
        for member in &members {
            board.see_presence(&home, &member.pbx.guid, &[]);
            board.see_calls(&home, &member.pbx.guid, 0);
            board.see_teams(
                &TeamsObservation {
                    note: None,
                    user: member.teams.clone(),
                    presence: TeamsPresence::new("Available", "Available"),
                    sequence: None,
                    source: Source::Read { begun_at: now },
                },
                now,
            );
        }
        board.due(now);
        Self {
            board,
            members,
            now,
            changes: 0,
        }
    }

    /// Lets the next user change; answers how many entries were written.
    fn change(&mut self) -> usize {
        let round = self.changes / self.members.len();
        let member = &self.members[self.changes % self.members.len()];
        self.changes += 1;
        if self.changes.is_multiple_of(self.members.len()) {
            self.now += PAUSE;
        }
        let state = STATES[round % STATES.len()];
        self.board.see_teams(
            &TeamsObservation {
                note: None,
                user: member.teams.clone(),
                presence: TeamsPresence::new(state, state),
                sequence: Some(format!("{:016}", self.changes)),
                source: Source::Notified {
                    received_at: self.now,
                },
            },
            self.now,
        );
        let due = self.board.due(self.now);
        for entry in &due.entries {
            self.board
                .entry_written(&entry.user, &Outcome::Accepted, self.now);
        }
        self.board.due(self.now);
        due.entries.len()
    }
}

pub fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("board");
    for users in [1_000, 10_000, 50_000] {
        let mut scene = Scene::of(users);
        assert_eq!(scene.change(), 1, "a change is written");
        group.bench_function(BenchmarkId::new("change of one user among", users), |bench| {
            bench.iter(|| scene.change());
        });
    }
    group.finish();
}
