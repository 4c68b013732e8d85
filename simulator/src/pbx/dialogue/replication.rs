//! PbxTableUsers: the user table, pulled row by row, and its live changes (reference 2).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::{Map, Value};

use super::{
    super::{
        directory::{Directory, Resident},
        faults::Cut,
        login::sha256_hex,
        message::{Message, Request},
        options::PbxOptions,
        outbox::Outbox,
        user::{COLUMNS, User},
    },
    Change, Ground,
};

const API: &str = "PbxTableUsers";

/// The replications that one connection has started, by their source.
#[derive(Debug, Default)]
pub(super) struct Replications {
    started: BTreeMap<String, Replication>,
}

#[derive(Debug)]
struct Replication {
    columns: BTreeSet<String>,
    pseudo: BTreeSet<String>,
    /// The rows of the initial table that were not pulled yet.
    left: VecDeque<String>,
    pulled: u64,
}

impl Replications {
    pub(super) fn serve(&mut self, request: &Request, ground: &Ground<'_>, outbox: &mut Outbox) {
        match request.mt.as_str() {
            "ReplicateStart" => self.start(request, ground, outbox),
            "ReplicateNext" => self.next(request, ground, outbox),
            _ => {}
        }
    }

    fn start(&mut self, request: &Request, ground: &Ground<'_>, outbox: &mut Outbox) {
        if let Some(error) = &ground.faults.replication_error {
            outbox.send(request.result().with("error", error.clone()));
            return;
        }
        let columns = request
            .member("columns")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        let columns: BTreeSet<String> = COLUMNS
            .into_iter()
            .filter(|name| columns.contains_key(*name))
            .map(str::to_owned)
            .collect();
        let pseudo = match request.member("pseudo").and_then(Value::as_array) {
            Some(kinds) => kinds
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            None => BTreeSet::from([String::new()]),
        };
        let mut replication = Replication {
            columns,
            pseudo,
            left: VecDeque::new(),
            pulled: 0,
        };
        let rows = ground.directory.residents().map(|resident| &resident.user);
        replication.left = rows
            .filter(|user| replication.holds(user, ground.options))
            .map(|user| user.guid.clone())
            .collect();
        let delivered: Map<String, Value> = replication
            .columns
            .iter()
            .map(|name| (name.clone(), Value::Object(Map::new())))
            .collect();
        let mut answer = request.result();
        if ground.options.numbered_replication {
            let table: String = sha256_hex(&ground.options.name).chars().take(32).collect();
            answer = answer.with("guid", table).with("usn", 0);
        }
        outbox.send(answer.with("columns", delivered));
        self.started.insert(request.key(), replication);
    }

    fn next(&mut self, request: &Request, ground: &Ground<'_>, outbox: &mut Outbox) {
        let Some(replication) = self.started.get_mut(&request.key()) else {
            return;
        };
        let residents = &ground.directory;
        let row = loop {
            // A row that was deleted since the start is not delivered any more.
            match replication.left.pop_front() {
                Some(guid) => match residents.get(&guid) {
                    Some(resident) => break Some(resident),
                    None => continue,
                },
                None => break None,
            }
        };
        let Some(resident) = row else {
            outbox.send(request.result());
            return;
        };
        replication.pulled = replication.pulled.saturating_add(1);
        if ground.faults.close_at_row == Some(replication.pulled) {
            outbox.cut(Cut::Close);
            return;
        }
        if ground.faults.interleaved_updates
            && let Some(first) = residents
                .residents()
                .find(|other| replication.holds(&other.user, ground.options))
        {
            let update = Message::indication("ReplicateUpdate", &request.key(), API);
            outbox.send(replication.row(update, first, ground.options));
        }
        outbox.send(replication.row(request.result(), resident, ground.options));
    }

    pub(super) fn tell(
        &self,
        change: &Change,
        directory: &Directory,
        options: &PbxOptions,
        outbox: &mut Outbox,
    ) {
        for (src, replication) in &self.started {
            let (before, after) = match change {
                Change::Added { guid } => (None, directory.get(guid)),
                Change::Updated { guid, before } => (Some(before.as_ref()), directory.get(guid)),
                Change::Removed { user } => (Some(user.as_ref()), None),
                Change::Presence { .. } | Change::Monitor { .. } | Change::Call { .. } => return,
            };
            let before = before.filter(|user| replication.holds(user, options));
            let after = after.filter(|resident| replication.holds(&resident.user, options));
            match (before, after) {
                (None, None) => {}
                (None, Some(resident)) => {
                    let add = Message::indication("ReplicateAdd", src, API);
                    outbox.send(replication.row(add, resident, options));
                }
                (Some(_), Some(resident)) => {
                    let update = Message::indication("ReplicateUpdate", src, API);
                    let update = replication.row(update, resident, options);
                    if outbox.faults().doubled_updates {
                        outbox.send(update.clone());
                    }
                    outbox.send(update);
                }
                (Some(user), None) => {
                    let mut columns = user.row(&replication.columns);
                    if outbox.faults().bare_deletes {
                        columns.retain(|name, _| name == "guid");
                    }
                    outbox.send(Message::indication("ReplicateDel", src, API).with("columns", columns));
                }
            }
        }
    }
}

impl Replication {
    fn holds(&self, user: &User, options: &PbxOptions) -> bool {
        user.lives_in_table_of(options) && self.pseudo.contains(&user.pseudo)
    }

    fn row(&self, message: Message, resident: &Resident, options: &PbxOptions) -> Message {
        message
            .with_some("usn", options.numbered_replication.then_some(resident.usn))
            .with("columns", resident.user.row(&self.columns))
    }
}
