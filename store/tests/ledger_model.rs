//! Whatever changes are applied, the ledger equals a map that they are applied to as well.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod stage;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use m365_presence::identity::{PbxGuid, PbxName, TeamsId};
use m365_presence::ports::{LedgerChange, LedgerRow, LedgerState, Slot, Store};
use m365_presence::teams::TeamsPresence;
use proptest::prelude::*;
use stage::Place;

fn slot() -> impl Strategy<Value = Slot> {
    prop_oneof![
        Just(Slot::Session),
        Just(Slot::Preferred),
        Just(Slot::PbxEntry),
        Just(Slot::AlienCall),
        Just(Slot::StatusMessage)
    ]
}

fn time() -> impl Strategy<Value = DateTime<Utc>> {
    (0_i64..4_102_444_800_000_000).prop_map(|micros| DateTime::from_timestamp_micros(micros).unwrap())
}

fn row() -> impl Strategy<Value = LedgerRow> {
    let state = prop_oneof![
        Just(LedgerState::Intended),
        Just(LedgerState::Confirmed),
        Just(LedgerState::Overridden)
    ];
    let names = (any::<String>(), any::<String>(), any::<String>(), any::<String>());
    (
        0..6_u8,
        slot(),
        state,
        names,
        time(),
        proptest::option::of(time()),
    )
        .prop_map(
            |(user, slot, state, (h323, home, activity, stands_for), written_at, until)| LedgerRow {
                pbx_user: PbxGuid::new(user.to_string()),
                h323,
                home: PbxName::new(home),
                teams_user: TeamsId::new("5e2f"),
                slot,
                state,
                value: TeamsPresence::new("Busy", activity),
                stands_for,
                written_at,
                until,
                replaces: Vec::new(),
            },
        )
}

fn change() -> impl Strategy<Value = LedgerChange> {
    prop_oneof![
        3 => row().prop_map(LedgerChange::Put),
        1 => (0..6_u8, slot())
            .prop_map(|(user, slot)| LedgerChange::Remove { pbx_user: PbxGuid::new(user.to_string()), slot }),
    ]
}

type Model = BTreeMap<(PbxGuid, Slot), LedgerRow>;

fn apply(model: &mut Model, change: LedgerChange) {
    match change {
        LedgerChange::Put(row) => model.insert((row.pbx_user.clone(), row.slot), row),
        LedgerChange::Remove { pbx_user, slot } => model.remove(&(pbx_user, slot)),
    };
}

async fn found(store: &dyn Store) -> Model {
    let rows = store.ledger().await.unwrap();
    rows.into_iter()
        .map(|row| ((row.pbx_user.clone(), row.slot), row))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_equals_its_model_after_any_changes_and_a_restart(
        batches in prop::collection::vec(prop::collection::vec(change(), 0..20), 0..8),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let place = Place::new();
            let store = place.open();
            let mut model = Model::new();
            for batch in batches {
                store.change_ledger(&batch).await.unwrap();
                batch.into_iter().for_each(|change| apply(&mut model, change));
                assert_eq!(found(&store).await, model);
            }
            store.close().await;
            assert_eq!(found(&place.open()).await, model);
        });
    }
}
