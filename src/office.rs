//! The right to be the active instance: at once with a file, by election with a server that others share.

use std::path::PathBuf;
use std::rc::Rc;

use anyhow::Context as _;
use m365_store::{Candidacy, Fence, KeySource, OpenError, SqlStore, StandingBy};

use crate::config::{DatabaseUrl, Layers, Settings};
use crate::reconfiguration::Desk;

/// What this instance does to become the active one, and to remain it.
pub enum Office {
    /// A lock beside the file keeps others off.
    File {
        /// The file.
        path: PathBuf,
        /// The key for the secrets in it.
        key: KeySource,
    },
    /// Instances that share a server elect one of them.
    Server(Box<Candidacy>),
}

/// Where the key for the secrets in the database comes from.
pub(crate) fn key_source(settings: &Settings) -> anyhow::Result<KeySource> {
    Ok(match &settings.database.key {
        Some(text) => KeySource::Given(text.expose().parse().context("database.key")?),
        None => KeySource::Beside,
    })
}

impl Office {
    /// Begins to seek it.
    ///
    /// # Errors
    /// What keeps the database from being used and would not pass, with cause and remedy.
    pub fn seek(settings: &Settings) -> anyhow::Result<Self> {
        let key = key_source(settings)?;
        Ok(match &settings.database.url {
            DatabaseUrl::Sqlite(path) => Self::File {
                path: path.clone(),
                key,
            },
            DatabaseUrl::Postgres(address) => Self::Server(Box::new(Candidacy::begin(address, &key)?)),
        })
    }

    /// What the active instance has stored, to be read only; `None` where this instance is about to open it itself.
    fn look_into(&self) -> Option<SqlStore> {
        match self {
            Self::File { .. } => None,
            Self::Server(candidacy) => candidacy.look_into(),
        }
    }

    /// What the settings come to with what the active instance has stored; without, what they are.
    pub async fn stored_over(&self, layers: &Layers, settings: &Settings) -> Settings {
        let Some(store) = self.look_into() else {
            return settings.clone();
        };
        match Desk::new(layers.clone(), settings.clone(), Rc::new(store)).await {
            Ok(desk) => desk.settings().clone(),
            Err(error) => {
                log::warn!("settings that were changed at run time are not known here: {error}");
                settings.clone()
            }
        }
    }

    /// Waits until this instance may become active.
    pub async fn elected(&mut self) {
        match self {
            Self::File { .. } => {}
            Self::Server(candidacy) => candidacy.elected().await,
        }
    }

    /// Opens the store of the active instance.
    ///
    /// # Errors
    /// The cause and its remedy, when the database cannot be used.
    pub async fn open(&mut self) -> Result<SqlStore, OpenError> {
        match self {
            Self::File { path, key } => SqlStore::open_file(path, key),
            Self::Server(candidacy) => candidacy.open().await,
        }
    }

    /// Why this instance is not active yet.
    pub fn standing_by(&self) -> Option<StandingBy> {
        match self {
            Self::File { .. } => None,
            Self::Server(candidacy) => candidacy.standing_by(),
        }
    }

    /// The fence before everything that leaves this instance.
    pub fn fence(&self) -> Fence {
        match self {
            Self::File { .. } => Fence::open(),
            Self::Server(candidacy) => candidacy.fence(),
        }
    }

    /// Waits until another instance was elected in this one's place.
    pub async fn lost(&mut self) {
        match self {
            Self::File { .. } => std::future::pending().await,
            Self::Server(candidacy) => candidacy.deposed().await,
        }
    }

    /// Whether another instance takes over when this one ends.
    pub fn has_successor(&self) -> bool {
        match self {
            Self::File { .. } => false,
            Self::Server(candidacy) => candidacy.has_successor(),
        }
    }

    /// Gives it up, once everything is written: the next one follows at once.
    pub async fn leave(self) {
        match self {
            Self::File { .. } => {}
            Self::Server(candidacy) => candidacy.resign().await,
        }
    }
}
