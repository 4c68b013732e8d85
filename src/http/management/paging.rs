//! Pages of a list: `?limit=` is 1 to 1000, 100 unless asked otherwise, larger is clipped; `?cursor=` goes on.

use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use super::parameters;
use crate::http::problem::Problem;
use crate::view::listing::Listing;

const DEFAULT_LIMIT: usize = 100;
const LARGEST_LIMIT: usize = 1_000;

/// The question for a page, as it was asked.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Paging {
    /// Items that the page may hold; more than 1000 are clipped.
    #[param(schema_with = parameters::limit, required = false, example = 100)]
    limit: Option<String>,
    /// Where the page begins: the `next_cursor` of the page before; nothing begins anew.
    cursor: Option<String>,
}

impl Paging {
    /// Items that the page may hold.
    pub(super) fn limit(&self) -> Result<usize, Problem> {
        let Some(limit) = &self.limit else {
            return Ok(DEFAULT_LIMIT);
        };
        let refusal = || Problem::bad_request(format!("limit is a number from 1 to 1000, not '{limit}'"));
        if limit.is_empty() || !limit.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(refusal());
        }
        // digits alone that make no number are too many of them
        match limit.parse().unwrap_or(LARGEST_LIMIT) {
            0 => Err(refusal()),
            limit => Ok(limit.min(LARGEST_LIMIT)),
        }
    }

    /// Where the page begins, in the list's own terms; `None` for its first item.
    pub(super) fn after<Place>(
        &self,
        parse: impl Fn(&str) -> Option<Place>,
    ) -> Result<Option<Place>, Problem> {
        let refusal =
            || Problem::bad_request("cursor is not one that this list gave; leave it out to begin anew");
        let place = |text: &str| parse(text).ok_or_else(refusal);
        let cursor = self.cursor.as_deref().filter(|cursor| !cursor.is_empty());
        cursor.map(place).transpose()
    }

    /// Answers a page of a list that is at hand as a whole; its cursors count items.
    pub(super) fn page<Item: Serialize>(
        &self,
        items: impl IntoIterator<Item = Item>,
    ) -> Result<HttpResponse, Problem> {
        let limit = self.limit()?;
        let begin = self.after(|text| text.parse::<usize>().ok())?.unwrap_or(0);
        let end = begin.saturating_add(limit);
        let rest = items.into_iter().skip(begin).take(limit.saturating_add(1));
        Ok(HttpResponse::Ok().json(Listing::cut(rest.collect(), limit, |_| end.to_string())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(text: &str) -> Option<usize> {
        let paging = Paging {
            limit: Some(text.to_owned()),
            cursor: None,
        };
        paging.limit().ok()
    }

    #[test]
    fn a_limit_is_a_positive_number_and_clipped() {
        assert_eq!(limit("1"), Some(1));
        assert_eq!(limit("1000"), Some(1_000));
        assert_eq!(limit("1001"), Some(1_000));
        assert_eq!(limit("99999999999999999999999999"), Some(1_000));
        for wrong in ["", "0", "000", "-1", "+1", "1.5", "all"] {
            assert_eq!(limit(wrong), None, "{wrong:?}");
        }
    }
}
