//! A page of any list.

use serde::Serialize;
use utoipa::ToSchema;

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Listing<Item> {
    /// What the page holds.
    pub items: Vec<Item>,
    /// What `?cursor=` goes on with; null at the end of the list.
    pub next_cursor: Option<String>,
}

impl<Item> Default for Listing<Item> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            next_cursor: None,
        }
    }
}

impl<Item> Listing<Item> {
    /// Makes a page of what was found for a limit and one item beyond, if there is one; `cursor` tells where the next
    /// page begins by the last item of this one.
    pub fn cut(mut found: Vec<Item>, limit: usize, cursor: impl Fn(&Item) -> String) -> Self {
        let more = found.len() > limit;
        found.truncate(limit);
        let next_cursor = found.last().filter(|_| more).map(cursor);
        Self {
            items: found,
            next_cursor,
        }
    }
}
