//! What a pair of Teams means at the PBX, and an activity of the PBX in Teams.

use std::hint::black_box;

use criterion::Criterion;
use m365_presence::mapping::{PbxToTeams, TeamsToPbx};
use m365_presence::teams::TeamsPresence;

pub fn measure(criterion: &mut Criterion) {
    let (teams, pbx) = (TeamsToPbx::default(), PbxToTeams::default());
    let in_a_call = TeamsPresence::new("Busy", "InAConferenceCall");
    let unnamed = TeamsPresence::new("Away", "SomethingNewer");
    let mut group = criterion.benchmark_group("mapping");
    group.bench_function("teams to pbx, by activity", |bench| {
        bench.iter(|| teams.map(black_box(&in_a_call)));
    });
    group.bench_function("teams to pbx, by availability", |bench| {
        bench.iter(|| teams.map(black_box(&unnamed)));
    });
    group.bench_function("pbx to teams", |bench| {
        bench.iter(|| pbx.map(black_box("vacation")));
    });
    group.finish();
}
