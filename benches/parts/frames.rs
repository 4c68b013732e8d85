//! Messages of a PBX, as text in and events out; our own, as order in and text out.

use std::hint::black_box;

use criterion::Criterion;
use m365_pbx::Dialogues;
use m365_presence::identity::PbxGuid;
use m365_presence::ports::{PbxDialogue, PbxOrder};
use serde_json::{Value, json};

const USER: &str = "66eaaee678464cffb9a3c8ae259fedd2";

fn conversation() -> Box<dyn PbxDialogue> {
    let dialogues = Dialogues::new("innovaphone-microsoft365", "0a1b");
    Box::new(dialogues.begin())
}

/// The `src` of the first message that an order brings.
fn ordered(dialogue: &mut dyn PbxDialogue, order: PbxOrder) -> String {
    dialogue.order(order);
    let sent: Value = serde_json::from_str(&dialogue.outgoing()[0]).unwrap();
    sent["src"].as_str().unwrap().to_owned()
}

pub fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pbx");

    let mut dialogue = conversation();
    let src = ordered(&mut *dialogue, PbxOrder::ReplicateUsers);
    let start = json!({"mt": "ReplicateStartResult", "src": src, "api": "PbxTableUsers", "columns": {}});
    dialogue.receive(&start.to_string());
    let row = json!({"mt": "ReplicateNextResult", "src": src, "api": "PbxTableUsers", "columns": {
        "guid": USER, "h323": "ada.lovelace", "cn": "Ada Lovelace", "dn": "Lovelace, Ada", "loc": "pbx-main"}});
    let row = row.to_string();
    assert_eq!(dialogue.receive(&row).len(), 1);
    group.bench_function("row of the user table, and the request for the next", |bench| {
        bench.iter(|| (dialogue.receive(black_box(&row)), dialogue.outgoing()));
    });

    let mut dialogue = conversation();
    let (user, h323) = (PbxGuid::new(USER), "ada.lovelace".to_owned());
    let src = ordered(&mut *dialogue, PbxOrder::SubscribePresence { user, h323 });
    let update = json!({"mt": "PresenceUpdate", "src": src, "api": "PbxApi", "presence": [
        {"contact": "tel:", "status": "open", "activity": "busy", "note": "until three"},
        {"contact": "teams:", "status": "open", "activity": "meeting"},
        {"contact": "im:", "status": "closed"}]});
    let update = update.to_string();
    assert_eq!(dialogue.receive(&update).len(), 1);
    group.bench_function("presence update", |bench| {
        bench.iter(|| dialogue.receive(black_box(&update)));
    });

    let mut dialogue = conversation();
    group.bench_function("write of an entry, and its answer", |bench| {
        bench.iter(|| {
            let order = PbxOrder::SetEntry {
                note: String::new(),
                user: PbxGuid::new(USER),
                h323: "ada.lovelace".to_owned(),
                contact: "teams:".to_owned(),
                activity: "busy".to_owned(),
            };
            let src = ordered(&mut *dialogue, order);
            dialogue.receive(&format!(
                r#"{{"mt":"SetPresenceResult","src":"{src}","api":"PbxApi"}}"#
            ))
        });
    });
    group.finish();
}
