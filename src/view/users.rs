//! Everybody of either side, and why somebody is not synchronised.

mod history;
mod own;
mod sought;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use m365_actors::license_check::{GetRoster, Roster};
use m365_actors::pbx_session::GetSights;
use m365_actors::presence_subscription::{self, GetAssignment};
use m365_actors::presence_sync::GetViews;
use m365_actors::user_sync::GetDirectory;
use m365_presence::board::{ClaimState, PersonView, Receipt};
use m365_presence::identity::{Account, PbxGuid, PbxName};
use m365_presence::matching::{Directory, Entry, Position, Reason};
use m365_presence::sharding::Assignment;
use m365_presence::visibility::{self, Hidden, Sight, Unseen};
use serde::Serialize;
use utoipa::ToSchema;

use super::listing::Listing;
use super::overview::{Posts, answered};
use super::shards::Shards;
pub use history::Resynced;
pub use own::{Own, OwnState, Whom};
pub use sought::Sought;

/// Users who are looked at together while some are looked for.
const GLANCE: usize = 1_000;

/// One user, or one pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct UserItem {
    /// Name at the PBX; null for a user of Teams only.
    pub h323: Option<String>,
    /// Long name at the PBX.
    pub cn: Option<String>,
    /// Home PBX.
    pub pbx: Option<String>,
    /// Object id in Teams.
    pub teams_id: Option<String>,
    /// Name shown in Teams.
    pub teams_name: Option<String>,
    /// Whether the PBX user holds the license.
    pub licensed: bool,
    /// Whether both sides are known and kept in step.
    pub synchronised: bool,
    /// Why not, one of a closed set.
    #[schema(value_type = Option<Reason>)]
    pub reason: Option<&'static str>,
    /// The state in one plain sentence.
    pub explanation: String,
    /// The communication user whose subscription watches the user.
    pub shard: Option<String>,
    /// The number of that shard, from 1 on in the configured order of the communication users.
    pub shard_number: Option<usize>,
    /// What Teams shows, as `availability/activity`.
    pub teams_presence: Option<String>,
    /// What the PBX shows, empty for none.
    pub pbx_presence: Option<String>,
    /// Our entry at the PBX, empty for none.
    pub shown_at_pbx: Option<String>,
    /// What the PBX does not show of the user to the connector, with cause and remedy.
    pub not_visible: Vec<Hidden>,
    /// Whether it is shown by a call of ours, for which the PBX treats the user as busy.
    pub alien_call: bool,
    /// What we hold in Teams.
    pub set_in_teams: Option<String>,
    /// How it stands with that, one of a closed set; null where nothing is asked for.
    #[schema(value_type = Option<ClaimState>)]
    pub teams_claim_state: Option<&'static str>,
    /// How it stands with the user's note at the PBX as the status message in Teams, one of the same set; null where there
    /// is none to carry over.
    #[schema(value_type = Option<ClaimState>)]
    pub note_in_teams: Option<&'static str>,
    /// What is decided and not written yet, and what holds it back.
    pub held_back: Vec<Receipt>,
    /// Whether the user has a Teams session; null where Teams does not tell.
    pub teams_signed_in: Option<bool>,
}

/// What the list is made of.
struct Sources {
    directory: Arc<Directory>,
    roster: Option<Roster>,
    assignment: Arc<Assignment>,
    views: HashMap<PbxGuid, PersonView>,
    sights: HashMap<PbxGuid, Sight>,
    license: String,
    subscriptions: Option<presence_subscription::Status>,
    reachable: Box<dyn Fn(&Entry) -> bool>,
}

/// How the settings bear on a user's reason.
#[derive(Clone, Debug)]
pub struct Terms {
    /// The license's name.
    pub license: String,
    /// Names (h323) at the PBX of those who are administrators in the PBX's client.
    pub administrators: Vec<String>,
}

impl Posts {
    /// A page of the users who are looked for, beginning after a position.
    pub async fn users(
        &self,
        after: Option<&Position>,
        limit: usize,
        sought: &Sought,
        terms: &Terms,
    ) -> Option<Listing<UserItem>> {
        let Some(directory) = answered(self.user_sync.ask(GetDirectory)).await? else {
            return Some(Listing::default());
        };
        let mut rest = after.map_or(directory.entries(), |position| directory.after(position));
        // one more than the page holds tells whether there is another page
        let glance = if sought.is_everybody() { limit + 1 } else { GLANCE };
        let mut found = Vec::new();
        while found.len() <= limit && !rest.is_empty() {
            let (looked_at, later) = rest.split_at(rest.len().min(glance));
            rest = later;
            let fitting = looked_at.iter().filter(|entry| sought.fits_names(entry));
            let fitting: Vec<Entry> = fitting.cloned().collect();
            let sources = self.sources(&directory, &fitting, terms).await;
            let items = fitting
                .iter()
                .map(|entry| (entry.position(), sources.item(entry)));
            found.extend(items.filter(|(_, item)| sought.fits_state(item)));
        }
        let more = found.len() > limit;
        found.truncate(limit);
        let next_cursor = found
            .last()
            .filter(|_| more)
            .and_then(|(position, _)| cursor(position));
        Some(Listing {
            items: found.into_iter().map(|(_, item)| item).collect(),
            next_cursor,
        })
    }

    /// One PBX user by name; `Some(None)` when there is none.
    pub async fn user(&self, h323: &str, terms: &Terms) -> Option<Option<UserItem>> {
        let Some(directory) = answered(self.user_sync.ask(GetDirectory)).await? else {
            return Some(None);
        };
        let Some(entry) = directory.by_h323(h323).cloned() else {
            return Some(None);
        };
        let sources = self
            .sources(&directory, std::slice::from_ref(&entry), terms)
            .await;
        Some(Some(sources.item(&entry)))
    }

    /// The PBX users of these object ids, as far as they are known.
    pub async fn users_by_guid(&self, guids: &BTreeSet<PbxGuid>, terms: &Terms) -> Vec<UserItem> {
        let Some(Some(directory)) = answered(self.user_sync.ask(GetDirectory)).await else {
            return Vec::new();
        };
        let entries = guids.iter().filter_map(|guid| directory.by_guid(guid));
        let entries: Vec<Entry> = entries.cloned().collect();
        let sources = self.sources(&directory, &entries, terms).await;
        entries.iter().map(|entry| sources.item(entry)).collect()
    }

    async fn sources(&self, directory: &Arc<Directory>, entries: &[Entry], terms: &Terms) -> Sources {
        let guids = entries
            .iter()
            .filter_map(|entry| entry.pbx.as_ref().map(|user| user.guid.clone()))
            .collect();
        let (roster, assignment, subscriptions, views, sights) = futures_util::join!(
            answered(self.license_check.ask(GetRoster)),
            answered(self.presence_subscription.ask(GetAssignment)),
            answered(self.presence_subscription.ask(presence_subscription::GetStatus)),
            answered(self.presence_sync.ask(GetViews(guids))),
            self.sights(entries),
        );
        let sessions = self.sessions.clone();
        Sources {
            directory: Arc::clone(directory),
            roster: roster.flatten(),
            assignment: assignment.unwrap_or_default(),
            views: views.unwrap_or_default().into_iter().collect(),
            sights,
            license: terms.license.clone(),
            subscriptions,
            reachable: Box::new(move |entry| {
                entry
                    .pbx
                    .as_ref()
                    .is_some_and(|user| sessions.carrying(&user.home).is_some())
            }),
        }
    }

    /// How the PBXs that carry these users show them.
    async fn sights(&self, entries: &[Entry]) -> HashMap<PbxGuid, Sight> {
        let mut by_home: HashMap<&PbxName, Vec<PbxGuid>> = HashMap::new();
        for user in entries.iter().filter_map(|entry| entry.pbx.as_ref()) {
            by_home.entry(&user.home).or_default().push(user.guid.clone());
        }
        let asked = by_home.into_iter().filter_map(|(home, guids)| {
            let session = self.sessions.carrying(home)?;
            Some(async move { answered(session.ask(GetSights(guids))).await })
        });
        let told = futures_util::future::join_all(asked).await;
        told.into_iter().flatten().flatten().collect()
    }
}

impl Sources {
    fn item(&self, entry: &Entry) -> UserItem {
        let guid = entry.pbx.as_ref().map(|user| &user.guid);
        let licensed = guid.is_some_and(|guid| {
            self.roster
                .as_ref()
                .is_some_and(|roster| roster.licensed.contains(guid))
        });
        let view = guid.and_then(|guid| self.views.get(guid));
        let teams_id = entry.teams.as_ref().map(|user| &user.id);
        let shard = teams_id.and_then(|id| self.assignment.account_of(id));
        let reason = self.reason(entry, licensed, shard.is_some(), view);
        let not_visible = guid
            .and_then(|guid| self.sights.get(guid))
            .filter(|_| view.is_some())
            .map(|sight| visibility::hidden(sight, view.is_some_and(|view| view.entry_unseen)))
            .unwrap_or_default();
        let hides_all = not_visible.iter().find(|hidden| hidden.what == Unseen::Presence);
        let explanation = match (reason, view) {
            (Some(Reason::PresenceUnknown), _) if let Some(hidden) = hides_all => {
                format!("{}: {}", hidden.cause, hidden.remedy)
            }
            (Some(reason), _) => self.directory.explanation(entry, reason, &self.license),
            (None, Some(view)) => with_unseen(self.with_shard(&view.why, shard), &not_visible),
            (None, None) => "the user is synchronised".to_owned(),
        };
        UserItem {
            h323: entry.pbx.as_ref().map(|user| user.h323.clone()),
            cn: entry.pbx.as_ref().map(|user| user.cn.clone()),
            pbx: entry.pbx.as_ref().map(|user| user.home.to_string()),
            teams_id: teams_id.map(ToString::to_string),
            teams_name: entry.teams.as_ref().and_then(|user| user.display_name.clone()),
            licensed,
            synchronised: reason.is_none() && view.is_some_and(|view| view.synchronised),
            reason: reason.map(Reason::as_str),
            explanation,
            shard: shard.map(ToString::to_string),
            shard_number: shard.and_then(|account| self.shards()?.number_of(account)),
            teams_presence: view.and_then(|view| view.teams_presence.clone()),
            pbx_presence: view.and_then(|view| view.pbx_presence.clone()),
            shown_at_pbx: view.and_then(|view| view.shown_at_pbx.clone()),
            not_visible,
            alien_call: view.is_some_and(|view| view.alien_call),
            set_in_teams: view.and_then(|view| view.set_in_teams.clone()),
            teams_claim_state: view
                .and_then(|view| view.teams_claim_state)
                .map(ClaimState::as_str),
            note_in_teams: view.and_then(|view| view.note_in_teams).map(ClaimState::as_str),
            held_back: view.map(|view| view.held_back.clone()).unwrap_or_default(),
            teams_signed_in: view.and_then(|view| view.teams_signed_in),
        }
    }

    fn shards(&self) -> Option<Shards<'_>> {
        self.subscriptions.as_ref().map(Shards::of)
    }

    /// A sentence that goes on with how the user is observed.
    fn with_shard(&self, why: &str, shard: Option<&Account>) -> String {
        match self.shards().and_then(|shards| shards.clause_for(shard)) {
            Some(clause) => format!("{why}; {clause}"),
            None => why.to_owned(),
        }
    }

    fn reason(
        &self,
        entry: &Entry,
        licensed: bool,
        sharded: bool,
        view: Option<&PersonView>,
    ) -> Option<Reason> {
        if let Some(reason) = entry.verdict.reason() {
            return Some(reason);
        }
        if !licensed {
            return Some(Reason::NoLicense);
        }
        let unserved = |status: &presence_subscription::Status| status.unserved > 0;
        if !sharded && self.subscriptions.as_ref().is_some_and(unserved) {
            return Some(Reason::OverCapacity);
        }
        if !(self.reachable)(entry) {
            return Some(Reason::PbxAway);
        }
        let known = view.is_some_and(|view| view.synchronised);
        (!known).then_some(Reason::PresenceUnknown)
    }
}

/// A sentence that goes on with what the PBX does not show.
fn with_unseen(why: String, not_visible: &[Hidden]) -> String {
    let said = not_visible.iter().map(|hidden| match hidden.what {
        Unseen::Presence | Unseen::Entries => "; the pbx does not show what the user chooses",
        Unseen::OnThePhone => "; the pbx does not show whether the user is on the phone",
    });
    said.fold(why, |why, clause| why + clause)
}

/// A position as opaque text.
fn cursor(position: &Position) -> Option<String> {
    let json = serde_json::to_vec(position).ok()?;
    Some(json.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Reads a cursor back.
pub fn parse_cursor(text: &str) -> Option<Position> {
    let digits = text
        .as_bytes()
        .chunks(2)
        .map(|pair| std::str::from_utf8(pair).ok());
    let bytes: Option<Vec<u8>> = digits.map(|pair| u8::from_str_radix(pair?, 16).ok()).collect();
    serde_json::from_slice(&bytes?).ok()
}
