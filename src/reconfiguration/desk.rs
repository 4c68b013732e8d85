//! Where a change is judged, stored, and made known.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use chrono::Utc;
use m365_presence::ports::{
    AuditRecord, NumberedRecord, SettingChange, SettingsStore, StoreError, StoredSetting,
};
use m365_presence::secret::{MASK, Secret};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::watch;
use utoipa::ToSchema;

use super::concern::{Part, concerned};
use super::patch::{Patch, Wanted};
use super::picture::Picture;
use super::{ChangeOrder, Refused};
use crate::config::{Layer, Layers, Resolution, Settings};

/// What a change has come to.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Changed {
    /// The keys whose value in force may be another one now.
    pub changed: Vec<String>,
    /// Whom that concerns.
    pub concerns: BTreeSet<Part>,
    /// Identifies the settings in force now.
    #[serde(skip)]
    pub etag: String,
}

/// Layers with what they come to.
type Judged = (Layers, Resolution, Settings);

/// The settings in force, and everything that a change must respect.
pub struct Desk {
    layers: Layers,
    stored: BTreeMap<String, Value>,
    settings: Settings,
    picture: watch::Sender<Arc<Picture>>,
    revision: u64,
    store: Rc<dyn SettingsStore>,
}

impl Desk {
    /// Takes up the work with what the file and the environment say, and overlays what is stored. Stored settings that
    /// are not valid together with those are left out, and the log says which.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn new(
        layers: Layers,
        settings: Settings,
        store: Rc<dyn SettingsStore>,
    ) -> Result<Self, StoreError> {
        let resolution = layers.resolve();
        let stored: BTreeMap<String, Value> = store
            .settings()
            .await?
            .into_iter()
            .map(|setting| (setting.key, parsed(&setting.value)))
            .collect();
        let mut desk = Self {
            layers,
            stored: BTreeMap::new(),
            settings,
            picture: watch::Sender::new(Arc::new(Picture::of(&resolution, 0))),
            revision: 0,
            store,
        };
        for effective in &resolution.effective {
            log::debug!(key = effective.key.as_str(), origin:? = effective.origin; "a setting is in force");
        }
        if !stored.is_empty() {
            match desk.judge(&stored) {
                Ok((layers, resolution, settings)) => desk.take_over(layers, &resolution, settings, stored),
                Err(refused) => log::error!(
                    "the stored settings do not fit to the file any more and are left out: {refused}; correct the file, or change them over the api"
                ),
            }
        }
        Ok(desk)
    }

    /// The settings in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Follows the picture of the settings in force.
    pub(super) fn watch(&self) -> watch::Receiver<Arc<Picture>> {
        self.picture.subscribe()
    }

    /// Makes a change: judged as a whole, stored with its record, and only then in force.
    ///
    /// # Errors
    /// [`Refused`]; nothing has changed then.
    pub async fn change(&mut self, order: &ChangeOrder) -> Result<Changed, Refused> {
        let before = Arc::clone(&self.picture.borrow());
        if order
            .etag
            .as_ref()
            .is_some_and(|etag| *etag != before.etag && etag != "*")
        {
            return Err(Refused::Stale);
        }
        let (stored, (layers, resolution, settings)) = self.judge_patch(&order.patch)?;
        let after = Picture::of(&resolution, self.revision);
        let records = records(&order.patch, &before, &after, &order.who);
        let changes: Vec<_> = order
            .patch
            .wanted
            .iter()
            .map(|(key, wanted)| change(key, wanted.value.as_ref()))
            .collect();
        self.store
            .change_settings(&changes, &records)
            .await
            .map_err(|error| Refused::NotStored(error.to_string()))?;
        self.revision += 1;
        self.take_over(layers, &resolution, settings, stored);
        let changed: Vec<String> = order.patch.wanted.keys().cloned().collect();
        for key in &changed {
            log::info!(key = key.as_str(); "the setting {key} is changed at run time");
        }
        Ok(Changed {
            concerns: changed.iter().flat_map(|key| concerned(key)).copied().collect(),
            changed,
            etag: self.picture.borrow().etag.clone(),
        })
    }

    /// Keeps a record of something that was ordered elsewhere.
    pub async fn record(&self, record: AuditRecord) {
        if let Err(error) = self.store.change_settings(&[], &[record]).await {
            log::error!("an order cannot be recorded in the audit: {error}");
        }
    }

    /// Reads the audit.
    ///
    /// # Errors
    /// [`Refused::NotStored`].
    pub async fn audit(&self, before: Option<i64>, limit: usize) -> Result<Vec<NumberedRecord>, Refused> {
        let found = self.store.audit(before, limit).await;
        found.map_err(|error| Refused::NotStored(error.to_string()))
    }

    /// What would be stored, and what that comes to. Everything that is wrong is told at once.
    fn judge_patch(&self, patch: &Patch) -> Result<(BTreeMap<String, Value>, Judged), Refused> {
        let mut stored = self.stored.clone();
        let mut refusals = Vec::new();
        for (key, wanted) in &patch.wanted {
            match (self.unstorable(key, wanted), &wanted.value) {
                (Some(refused), _) => refusals.push(refused),
                (None, Some(value)) => drop(stored.insert(key.clone(), value.clone())),
                (None, None) => drop(stored.remove(key)),
            }
        }
        let nameless = patch.unknown.iter().map(|name| (name.clone(), Value::Null));
        let mut tried = stored.clone();
        tried.extend(nameless);
        match self.judge(&tried) {
            Ok(judged) if refusals.is_empty() => return Ok((stored, judged)),
            Ok(_valid_without_them) => {}
            Err(invalid) => refusals.push(invalid),
        }
        Err(Refused::all(refusals))
    }

    fn unstorable(&self, key: &str, wanted: &Wanted) -> Option<Refused> {
        let key = key.to_owned();
        if let Some(variable) = self.layers.environment_variable(&key) {
            return Some(Refused::SetByEnvironment { key, variable });
        }
        if key.starts_with("database.") {
            return Some(Refused::NotStorable { key });
        }
        let masked = wanted.facts.secret && wanted.value.as_ref().is_some_and(|value| value == MASK);
        masked.then_some(Refused::Masked { key })
    }

    fn judge(&self, stored: &BTreeMap<String, Value>) -> Result<Judged, Refused> {
        let layers = Layers {
            stored: Layer::stored(stored.iter().map(|(key, value)| (key.clone(), value.clone()))),
            ..self.layers.clone()
        };
        let resolution = layers.resolve();
        match resolution.settings.clone() {
            Some(settings) => Ok((layers, resolution, settings)),
            None => {
                let errors = resolution
                    .problems
                    .into_iter()
                    .filter(crate::config::Problem::is_error);
                Err(Refused::Invalid(errors.collect()))
            }
        }
    }

    fn take_over(
        &mut self,
        layers: Layers,
        resolution: &Resolution,
        settings: Settings,
        stored: BTreeMap<String, Value>,
    ) {
        self.layers = layers;
        self.settings = settings;
        self.stored = stored;
        self.picture
            .send_replace(Arc::new(Picture::of(resolution, self.revision)));
    }
}

fn parsed(value: &Secret) -> Value {
    serde_json::from_str(value.expose()).unwrap_or_default()
}

fn change(key: &str, value: Option<&Value>) -> SettingChange {
    let key = key.to_owned();
    match value {
        Some(value) => SettingChange::Put(StoredSetting {
            key,
            value: Secret::new(value.to_string()),
        }),
        None => SettingChange::Remove { key },
    }
}

/// What the audit keeps; the pictures mask secrets.
fn records(patch: &Patch, before: &Picture, after: &Picture, who: &str) -> Vec<AuditRecord> {
    let record = |key: &String| AuditRecord {
        at: Utc::now(),
        who: who.to_owned(),
        what: key.clone(),
        before: before.value(key),
        after: after.value(key),
    };
    patch.wanted.keys().map(record).collect()
}
