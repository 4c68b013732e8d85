//! The supervisor's log tells the story, always with the same fields.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

mod supervision_cast;

use std::collections::BTreeMap;
use std::sync::Mutex;

use log::kv::{Error, Key, Value, VisitSource};
use m365_actors::supervision::{
    ExitKind, ExitReason, Intensity, Settings, Strategy, SupervisorSpec, TARGET, stage,
};
use supervision_cast::{Diary, Provoke, Role, Trouble, error, pass, seconds};

struct Record {
    message: String,
    fields: BTreeMap<String, String>,
}

static RECORDS: Mutex<Vec<Record>> = Mutex::new(Vec::new());

struct Recorder;

struct Fields(BTreeMap<String, String>);

impl<'kvs> VisitSource<'kvs> for Fields {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), Error> {
        self.0.insert(key.to_string(), value.to_string());
        Ok(())
    }
}

impl log::Log for Recorder {
    fn enabled(&self, _metadata: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        if record.target() == TARGET {
            let mut fields = Fields(BTreeMap::new());
            record.key_values().visit(&mut fields).unwrap();
            RECORDS.lock().unwrap().push(Record {
                message: record.args().to_string(),
                fields: fields.0,
            });
        }
    }

    fn flush(&self) {}
}

#[test]
fn every_event_is_one_record_that_can_be_read_alone() {
    log::set_logger(&Recorder).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let diary = Diary::default();
    let cast = || {
        let (player, spec) = Role::new("player").cast(&diary);
        let upper = SupervisorSpec::new("upper", Strategy::OneForOne);
        let upper = upper
            .intensity(Intensity {
                restarts: 0,
                window: seconds(60),
            })
            .child(spec);
        (
            SupervisorSpec::new("root", Strategy::OneForOne).child(upper),
            player,
        )
    };
    stage::play(cast, Settings::default(), async |stage, player| {
        for (name, kind) in [
            ("player", ExitKind::Lost),
            ("player", ExitKind::Bug),
            ("upper", ExitKind::Bug),
        ] {
            stage.expect_end(name, kind);
        }
        player
            .tell(Provoke(Trouble::End(ExitReason::lost("graph answered 503"))))
            .unwrap();
        pass(seconds(5)).await;
        player.tell(Provoke(error())).unwrap();
        pass(seconds(5)).await;
    });
    let records = RECORDS.lock().unwrap();
    let beginnings = [
        "root started, run 1",
        "upper started, run 1",
        "player started, run 1",
        "player ended: lost: graph answered 503; restart in 0.",
        "player started, run 2",
        "player ended: bug: out of order",
        "upper gives up: more than 0 failures in 60 s, player last: bug: out of order",
        "upper ended: bug: more than 0 failures in 60 s",
        "upper started, run 2",
        "player started, run 3",
        "player ended: ordered",
        "upper ended: ordered",
        "root ended: ordered",
    ];
    let messages: Vec<_> = records.iter().map(|record| record.message.as_str()).collect();
    assert_eq!(messages.len(), beginnings.len(), "{messages:#?}");
    for (record, beginning) in records.iter().zip(beginnings) {
        assert!(
            record.message.starts_with(beginning),
            "{:?} begins otherwise",
            record.message
        );
        let keys: Vec<_> = record.fields.keys().map(String::as_str).collect();
        assert_eq!(
            keys,
            ["actor", "place", "reason", "run", "streak", "wait"],
            "{}",
            record.message
        );
    }
    assert_eq!(
        messages[5], "player ended: bug: out of order",
        "no restart follows when the intensity is spent"
    );
    assert_eq!(records[3].fields["reason"], "lost: graph answered 503");
    assert!(records[3].fields["place"].starts_with("handler of Provoke at "));
}
