//! The checks, asked of the running instance.

use std::sync::Arc;

use m365_actors::user_sync::GetDirectory;
use m365_presence::clock::Clock;
use m365_presence::identity::Account;
use m365_presence::matching::Directory;
use m365_presence::secret::Secret;

use super::{Finding, database, microsoft, pbx, public_url};
use crate::config::Settings;
use crate::http::management::Management;
use crate::view::overview::{Overview, answered};
use crate::view::status::Counts;

/// What of the settings the checks need.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Where the connector is reached.
    pub public_url: Option<String>,
    /// Where state is kept.
    pub database: crate::config::Database,
    /// The communication users.
    pub accounts: Vec<Account>,
    /// Whether presence is written to Teams.
    pub writes: bool,
    /// Whether calls in Teams are to be calls at the PBX.
    pub alien_calls: bool,
    /// What must not stand in any text, wherever that comes from.
    pub secrets: Vec<Secret>,
}

impl Subject {
    /// Takes it from the settings.
    pub fn of(settings: &Settings) -> Self {
        let users = settings.microsoft.communication_users.iter();
        Self {
            public_url: settings.public.url.clone(),
            database: settings.database.clone(),
            accounts: users.map(|user| Account::new(&user.username)).collect(),
            alien_calls: settings.pbx.teams_calls == crate::config::TeamsCalls::AlienCall
                && settings.sync.direction != crate::config::Direction::PbxToTeams,
            writes: settings.sync.direction != crate::config::Direction::TeamsToPbx,
            secrets: settings.secrets(),
        }
    }
}

/// What the actors know at one time.
pub struct Known {
    /// What every actor says of itself.
    pub overview: Overview,
    /// Everybody of either side, once both sides are known.
    pub directory: Option<Arc<Directory>>,
}

impl Known {
    /// Asks the actors.
    pub async fn of(management: &Management) -> Self {
        let overview = management.posts.look().await;
        let directory = answered(management.posts.user_sync.ask(GetDirectory)).await;
        Self {
            overview,
            directory: directory.flatten(),
        }
    }
}

/// Runs every check upon what is known; takes as long as the public address needs to answer.
pub async fn diagnose(management: &Management, known: &Known) -> Vec<Finding> {
    let subject = management.subject.get();
    let Known { overview, directory } = known;
    let status = management.status_of(overview);
    let mut findings = vec![Finding {
        check: "configuration".to_owned(),
        outcome: super::Outcome::Pass,
        found: "valid: the connector runs by it".to_owned(),
        cause: None,
        remedy: None,
    }];
    let records = management.settings.audit(None, 1).await;
    findings.push(database::answered(records.map_err(|refused| {
        m365_presence::ports::StoreError {
            detail: refused.to_string(),
        }
    })));
    findings.extend(database::space(&subject.database));
    findings.push(microsoft::clock(management.clock.offset()));
    findings.extend(public_url::check(subject.public_url.as_deref(), management.clock.now()).await);
    findings.extend(microsoft::sign_ins(overview));
    findings.extend(microsoft::permissions(overview, subject.writes));
    findings.extend(microsoft::directory(
        overview,
        directory.as_deref(),
        &subject.accounts,
    ));
    findings.extend(microsoft::subscriptions(overview));
    findings.push(pbx::master(&status.lights.master_pbx));
    findings.extend(pbx::rights(overview));
    findings.extend(pbx::visibility(overview));
    if subject.alien_calls {
        findings.extend(pbx::alien_calls(overview));
    }
    findings.extend(pbx::licenses(&status.licenses, &Counts::of(overview)));
    findings
}
