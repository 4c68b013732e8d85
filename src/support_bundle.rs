//! The support bundle: what somebody else needs to help, as one JSON document without secrets and without names.
//!
//! Secrets never stand in any of its parts to begin with; what a foreign text might repeat of them is taken out all the
//! same. Whoever is named on either side appears under a pseudonym that is the same throughout one bundle.

mod pseudonyms;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use m365_actors::supervision::NodeSnapshot;
use m365_presence::matching::Directory;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::diagnosis::Finding;
use crate::diagnosis::running::{Known, diagnose};
use crate::http::management::Management;
use crate::log::Numbered;
use crate::reconfiguration::Item;
use crate::view::overview::Overview;
use crate::view::sessions::{self, SessionInFull};
use crate::view::status::Status;
use crate::view::subscriptions::{self, SubscriptionInFull};
use crate::view::users::Sought;
use pseudonyms::Pseudonyms;

/// How the reader should take the names.
const ABOUT: &str = "Secrets are left out. Names and addresses of people are replaced: the same name is the same word in this bundle, and another one in every other.";

/// The bundle, before names are replaced.
#[derive(Serialize, ToSchema)]
pub struct SupportBundle {
    /// When it was made.
    made_at: DateTime<Utc>,
    /// How the reader should take the names.
    about: &'static str,
    /// How it stands.
    status: Status,
    /// Every check.
    diagnosis: Vec<Finding>,
    /// The settings in force, secrets masked.
    settings: Vec<Item>,
    /// The supervision tree.
    actors: Vec<NodeSnapshot>,
    /// What every actor says of itself.
    overview: Overview,
    /// The Graph subscriptions; null while their actor is being restarted.
    subscriptions: Option<Vec<SubscriptionInFull>>,
    /// The PBX connections.
    sessions: Vec<SessionInFull>,
    /// Users by why they are not synchronised; `synchronised` those who are.
    users_by_reason: BTreeMap<&'static str, usize>,
    /// The last records of the log.
    log: Vec<Arc<Numbered>>,
}

/// Makes the bundle; takes as long as the diagnosis.
pub async fn bundle(management: &Management) -> Value {
    let known = Known::of(management).await;
    let findings = diagnose(management, &known).await;
    let Known { overview, directory } = known;
    let users = management
        .posts
        .users(None, usize::MAX - 1, &Sought::default(), &management.terms.get())
        .await;
    let mut reasons: BTreeMap<&'static str, usize> = BTreeMap::new();
    for user in users.iter().flat_map(|page| &page.items) {
        let reason = user
            .reason
            .unwrap_or(if user.synchronised { "synchronised" } else { "none" });
        *reasons.entry(reason).or_default() += 1;
    }
    let told = SupportBundle {
        made_at: Utc::now(),
        about: ABOUT,
        status: management.status_of(&overview),
        diagnosis: findings,
        settings: management.settings.picture().items.clone(),
        actors: management.tree.snapshot(),
        subscriptions: subscriptions::in_full(&overview),
        sessions: sessions::in_full(&overview, management.posts.sessions.master_name()),
        overview: overview.clone(),
        users_by_reason: reasons,
        log: management.log.recent(),
    };
    let mut pseudonyms = Pseudonyms::new(&management.subject.get().secrets);
    for name in names(directory.as_deref(), &overview) {
        pseudonyms.hide_name(name);
    }
    pseudonyms.finish(written(&told))
}

/// Everybody's names and addresses, as far as they are known.
fn names<'a>(directory: Option<&'a Directory>, overview: &'a Overview) -> impl Iterator<Item = &'a str> {
    let entries = directory.map_or(&[][..], Directory::entries).iter();
    let people = entries.flat_map(|entry| {
        let pbx = entry.pbx.iter();
        let pbx = pbx.flat_map(|user| [user.h323.as_str(), user.cn.as_str(), user.guid.as_str()]);
        let teams = entry.teams.iter().flat_map(|user| {
            let known = [
                &user.display_name,
                &user.mail,
                &user.mail_nickname,
                &user.on_premises_distinguished_name,
                &user.on_premises_sam_account_name,
                &user.on_premises_user_principal_name,
                &user.user_principal_name,
            ];
            known
                .into_iter()
                .flatten()
                .map(String::as_str)
                .chain([user.id.as_str()])
        });
        pbx.chain(teams)
    });
    let credentials = overview
        .token_refresh
        .iter()
        .flat_map(|status| &status.credentials);
    let signed_in = credentials.filter_map(|credential| credential.signed_in_as.as_deref());
    people.chain(signed_in)
}

fn written(part: &impl Serialize) -> Value {
    serde_json::to_value(part).unwrap_or_else(|error| Value::String(error.to_string()))
}
