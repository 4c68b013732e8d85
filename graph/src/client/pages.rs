//! Lists in pages: every page of a list, or none of it, and never a list without an end (graph.md 2.1).

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::time::Duration;

use awc::http::{Method, Uri};
use bytes::Bytes;
use m365_presence::identity::Credential;
use m365_presence::ports::GraphError;
use serde_json::Value;
use tokio::time::Instant;

use super::{Call, GraphClient};
use crate::fault::{member, refusal, unreadable};
use crate::http::{Answer, Family};

/// A page of 999 users is slow to make and large to carry.
const PAGE_DEADLINE: Duration = Duration::from_secs(60);

/// A list takes no longer, whatever its pages take.
const LIST_DEADLINE: Duration = Duration::from_secs(3600);

/// More pages than the largest directory has; beyond it the links lead in circles.
const MOST_PAGES: usize = 10_000;

/// Pages in a row that bring nobody new: a few are empty at times, so many lead nowhere.
const MOST_IDLE_PAGES: usize = 100;

/// A pause that Graph asks for in the middle of a long list is spent, unless it is longer; the pages before it are not
/// asked for again.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// What to list.
pub(super) struct Listing<'a> {
    pub(super) credential: &'a Credential,
    pub(super) family: Family,
    pub(super) first: String,
    /// Graph remembers no header from page to page, so they go with each.
    pub(super) headers: &'a [(&'static str, &'static str)],
}

/// What stands on a page.
pub(super) struct Page<T> {
    pub(super) items: T,
    /// The link to the next page, as it stands there.
    pub(super) next: Option<Value>,
}

impl Page<Vec<Value>> {
    /// Reads a page of whatever items.
    pub(super) async fn of_values(body: Bytes) -> Option<Self> {
        let mut page: Value = serde_json::from_slice(&body).ok()?;
        let next = member(&page, "@odata.nextLink").cloned();
        match page.get_mut("value").map(Value::take) {
            Some(Value::Array(items)) => Some(Self { items, next }),
            _ => None,
        }
    }
}

impl GraphClient {
    /// Reads page after page with `read`, and hands each to `take`, which answers how many items are new so far.
    pub(super) async fn pages<T>(
        &self,
        listing: Listing<'_>,
        read: impl AsyncFn(Bytes) -> Option<Page<T>>,
        mut take: impl FnMut(T) -> usize,
    ) -> Result<(), GraphError> {
        let begun = Instant::now();
        let (mut seen, mut known, mut idle) = (HashSet::new(), 0, 0);
        let mut next = Some(listing.first.clone());
        while let Some(url) = next {
            let answer = self.page(&listing, &url, !seen.is_empty()).await?;
            if !answer.is_success() {
                return Err(refusal(&answer));
            }
            let page = read(answer.body).await.ok_or_else(|| unreadable("page"))?;
            next = page.next.map(|link| self.next_link(&link)).transpose()?;
            let so_far = take(page.items);
            idle = if so_far > known { 0 } else { idle + 1 };
            known = so_far;
            let endless = !seen.insert(url) || seen.len() > MOST_PAGES || idle > MOST_IDLE_PAGES;
            if next.is_some() && (endless || begun.elapsed() > LIST_DEADLINE) {
                return Err(unreadable("list, because its pages have no end"));
            }
        }
        Ok(())
    }

    /// Asks for a page; one in the middle of a list also after a pause that Graph asks for.
    async fn page(
        &self,
        listing: &Listing<'_>,
        url: &str,
        in_the_middle: bool,
    ) -> Result<Answer, GraphError> {
        loop {
            let call = Call {
                headers: listing.headers,
                deadline: PAGE_DEADLINE,
                ..Call::new(listing.credential, listing.family, Method::GET, url)
            };
            let pause = match self.call(call).await {
                Ok(answer) => match answer.patience {
                    Some(pause) if in_the_middle => pause,
                    _ => return Ok(answer),
                },
                Err(GraphError::Throttled { retry_after }) if in_the_middle => retry_after,
                Err(error) => return Err(error),
            };
            if pause > LONGEST_PAUSE {
                return Err(GraphError::Throttled { retry_after: pause });
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Takes a link to the next page as it is, unless it would carry the token to another host.
    fn next_link(&self, link: &Value) -> Result<String, GraphError> {
        let link = link.as_str().ok_or_else(|| unreadable("page"))?;
        let link = sendable(link);
        let uri = link.parse::<Uri>();
        match &uri {
            Ok(uri) if self.endpoints.leads_to_graph(uri) => Ok(link.into_owned()),
            other => Err(GraphError::Refused {
                status: 421,
                code: "ForeignNextLink".to_owned(),
                message: format!(
                    "the next page is said to be at {}, which is not the graph host and gets no token",
                    other
                        .as_ref()
                        .map_or_else(|_| "an address that does not parse".to_owned(), origin_of)
                ),
            }),
        }
    }
}

/// Writes what no request line can carry as percent codes, and leaves everything else as Graph has written it.
fn sendable(link: &str) -> Cow<'_, str> {
    let odd = |byte: u8| !byte.is_ascii_graphic() || b"\"#<>\\^`{|}".contains(&byte);
    if !link.bytes().any(odd) {
        return Cow::Borrowed(link);
    }
    let mut encoded = String::with_capacity(link.len() + 16);
    for byte in link.bytes() {
        if odd(byte) {
            let _ = write!(encoded, "%{byte:02X}");
        } else {
            encoded.push(char::from(byte));
        }
    }
    Cow::Owned(encoded)
}

/// Where a link leads, for a person to read; what stands before an `@` is nobody's host.
fn origin_of(uri: &Uri) -> String {
    let Some(authority) = uri.authority() else {
        return "an address without a host".to_owned();
    };
    let port = authority
        .port_u16()
        .map(|port| format!(":{port}"))
        .unwrap_or_default();
    let scheme = uri.scheme_str().unwrap_or_default();
    format!("{scheme}://{}{port}", authority.host())
}

#[cfg(test)]
mod tests {
    use super::sendable;

    #[test]
    fn a_link_is_taken_as_it_is_but_for_what_no_request_line_carries() {
        let verbatim = "https://graph.microsoft.com/v1.0/users?$filter=userType+eq+%27Member%27&$top=3&$skiptoken=RFNwdAoAAQ~-_.!*'()";
        assert_eq!(sendable(verbatim), verbatim);
        assert_eq!(
            sendable("https://graph.microsoft.com/v1.0/users?$filter=a eq 'ä#'"),
            "https://graph.microsoft.com/v1.0/users?$filter=a%20eq%20'%C3%A4%23'"
        );
    }
}
