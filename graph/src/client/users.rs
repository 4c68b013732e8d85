//! The directory: all users, page by page, filtered locally, because a server-side filter cannot explain why
//! somebody is missing (graph.md 2.1).

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use m365_presence::identity::{Credential, TeamsId};
use m365_presence::ports::{GraphError, Users};
use m365_presence::teams::TeamsUser;

use super::pages::{Listing, Page};
use super::{GraphClient, directory_page};
use crate::http::Family;

/// The service plans that make a Teams user (graph.md 2.1): TEAMS1, GCC, GCC High and DoD in both spellings, free.
pub const DEFAULT_TEAMS_PLANS: [&str; 7] = [
    "57ff2da0-773e-42df-b2af-ffb7a2317929",
    "304767db-7d23-49e8-a945-4a7eb65f9f28",
    "9953b155-8aef-4c56-92f3-72b0487fce41",
    "fd500458-c24c-478e-856c-a6067a8376cd",
    "495922d5-f138-498b-8967-4acdcdfb2a74",
    "ec0dd2de-a877-4059-a9b8-5838b5629b2a",
    "4fa4026d-ce74-4962-a151-8e96d57ea8e4",
];

const PATH: &str = "/users?$select=id,displayName,mail,mailNickname,onPremisesDistinguishedName,\
    onPremisesSamAccountName,onPremisesUserPrincipalName,userPrincipalName,accountEnabled,assignedPlans,userType\
    &$count=true&$top=999";

/// Graph remembers no header from page to page, so it goes with each.
const HEADERS: [(&str, &str); 1] = [("ConsistencyLevel", "eventual")];

impl Users for GraphClient {
    fn list(&self) -> LocalBoxFuture<'_, Result<Vec<TeamsUser>, GraphError>> {
        async move {
            let listing = Listing {
                credential: &Credential::App,
                family: Family::Directory,
                first: self.endpoints.graph(PATH),
                headers: &HEADERS,
            };
            // A user who moves between pages while they are read is told twice: the newer reading counts.
            let mut known: BTreeMap<TeamsId, TeamsUser> = BTreeMap::new();
            let take = |users: Vec<TeamsUser>| {
                known.extend(users.into_iter().map(|user| (user.id.clone(), user)));
                known.len()
            };
            self.pages(listing, async |body| self.read_page(body).await, take)
                .await?;
            Ok(known.into_values().collect())
        }
        .boxed_local()
    }
}

impl GraphClient {
    /// Reads a page apart from the actors' thread, which ten megabytes would hold up.
    async fn read_page(&self, body: Bytes) -> Option<Page<Vec<TeamsUser>>> {
        let teams_plans = Arc::clone(&self.teams_plans);
        let read = tokio::task::spawn_blocking(move || directory_page::read(&body, &teams_plans));
        let page = read.await.ok()??;
        Some(Page {
            items: page.users?,
            next: page.next,
        })
    }
}
