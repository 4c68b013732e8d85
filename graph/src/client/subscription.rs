//! Graph's subscriptions (graph.md 3).

use std::collections::BTreeMap;
use std::time::Duration;

use awc::http::Method;
use chrono::{DateTime, NaiveDateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use m365_presence::identity::{Credential, SubscriptionId};
use m365_presence::ports::{
    Created, Deleted, GraphError, GraphSubscription, READ_LIMIT, Renewed, SubscriptionKind,
    SubscriptionRequest, Subscriptions,
};
use m365_presence::secret::Secret;
use serde_json::{Map, Value, json};

use super::declined::declined;
use super::pages::{Listing, Page};
use super::{Call, GraphClient};
use crate::endpoints::segment;
use crate::fault::{Fault, member, refusal, unreadable};
use crate::http::{Answer, Family};

/// A create spans the validation of both notification URLs, ten seconds each.
const CREATE_DEADLINE: Duration = Duration::from_secs(30);

impl Subscriptions for GraphClient {
    fn create<'a>(
        &'a self,
        request: &'a SubscriptionRequest,
    ) -> LocalBoxFuture<'a, Result<Created, GraphError>> {
        self.create_subscription(request).boxed_local()
    }

    fn renew<'a>(
        &'a self,
        credential: &'a Credential,
        id: &'a SubscriptionId,
        expires_at: DateTime<Utc>,
        certificate: Option<&'a str>,
    ) -> LocalBoxFuture<'a, Result<Renewed, GraphError>> {
        async move {
            let url = self.endpoints.graph(&path(id));
            let mut body = json!({ "expirationDateTime": instant(expires_at) });
            if let Some((id, members)) = certificate.zip(body.as_object_mut()) {
                self.name_certificate(id, members)?;
            }
            let call = Call::new(credential, Family::Subscriptions, Method::PATCH, &url).json(body);
            let answer = self.call(call).await?;
            match answer.status {
                200..=299 => Ok(Renewed::Live(read_answer(&answer)?)),
                404 | 410 => Ok(Renewed::Gone),
                _ => Err(refusal(&answer)),
            }
        }
        .boxed_local()
    }

    fn delete<'a>(
        &'a self,
        credential: &'a Credential,
        id: &'a SubscriptionId,
    ) -> LocalBoxFuture<'a, Result<Deleted, GraphError>> {
        async move {
            let (v1, beta) = (
                self.endpoints.graph(&path(id)),
                self.endpoints.graph_beta(&path(id)),
            );
            let delete = |url| self.call(Call::new(credential, Family::Subscriptions, Method::DELETE, url));
            let answer = delete(&v1).await?;
            match answer.status {
                200..=299 | 404 | 410 => return Ok(Deleted::Gone),
                400..=499 if answer.patience.is_none() => {}
                _ => return Err(refusal(&answer)),
            }
            // v1.0 does not promise to delete presence subscriptions, beta does.
            let answer = delete(&beta).await?;
            match answer.status {
                200..=299 => Ok(Deleted::Gone),
                404 | 410 if Fault::read(answer.json().as_ref()).code == "ResourceNotFound" => {
                    Ok(Deleted::Gone)
                }
                400..=499 if answer.patience.is_none() => Ok(Deleted::Refused),
                _ => Err(refusal(&answer)),
            }
        }
        .boxed_local()
    }

    fn list<'a>(
        &'a self,
        credential: &'a Credential,
    ) -> LocalBoxFuture<'a, Result<Vec<GraphSubscription>, GraphError>> {
        async move {
            let listing = Listing {
                credential,
                family: Family::SubscriptionList,
                first: self.endpoints.graph("/subscriptions"),
                headers: &[],
            };
            let mut known = BTreeMap::new();
            let take = |items: Vec<Value>| {
                let subscriptions = items.iter().filter_map(read);
                known.extend(subscriptions.map(|subscription| (subscription.id.clone(), subscription)));
                known.len()
            };
            self.pages(listing, Page::of_values, take).await?;
            Ok(known.into_values().collect())
        }
        .boxed_local()
    }

    fn notification_url(&self) -> &str {
        &self.settings.notification_url
    }
}

impl GraphClient {
    async fn create_subscription(&self, request: &SubscriptionRequest) -> Result<Created, GraphError> {
        if request.users.len() > READ_LIMIT {
            return Ok(Created::TooManyUsers);
        }
        let mut body = json!({
            "changeType": match request.kind {
                SubscriptionKind::Users => "updated,deleted",
                SubscriptionKind::Presence(_) => "updated",
            },
            "resource": resource(request),
            "notificationUrl": self.settings.notification_url,
            "lifecycleNotificationUrl": self.settings.lifecycle_url,
            "expirationDateTime": instant(request.expires_at),
            "clientState": request.client_state.expose(),
            "latestSupportedTlsVersion": "v1_2",
        });
        let rich = request.certificate.is_some();
        if let Some((id, members)) = request.certificate.as_deref().zip(body.as_object_mut()) {
            members.insert("includeResourceData".to_owned(), true.into());
            self.name_certificate(id, members)?;
        }
        let credential = request.kind.credential();
        let url = self.endpoints.graph("/subscriptions");
        let call = Call {
            deadline: CREATE_DEADLINE,
            ..Call::new(&credential, Family::Subscriptions, Method::POST, &url).json(body)
        };
        let answer = self.call(call).await?;
        if answer.is_success() {
            return Ok(Created::Live(read_answer(&answer)?));
        }
        let error = refusal(&answer);
        let declined = match &error {
            GraphError::Refused { status, message, .. } => {
                declined(*status, message.clone(), &answer.beginning(), rich)
            }
            _ => None,
        };
        declined.ok_or(error)
    }

    /// Names a key of ours with its certificate.
    fn name_certificate(&self, id: &str, members: &mut Map<String, Value>) -> Result<(), GraphError> {
        let certificate = self.keys.certificate(id).ok_or_else(|| GraphError::Lost {
            detail: "the notification key is not at hand".to_owned(),
        })?;
        members.insert("encryptionCertificate".to_owned(), certificate.into());
        members.insert("encryptionCertificateId".to_owned(), id.into());
        Ok(())
    }
}

fn path(id: &SubscriptionId) -> String {
    format!("/subscriptions/{}", segment(id.as_str()))
}

fn resource(request: &SubscriptionRequest) -> String {
    match request.kind {
        SubscriptionKind::Users => "/users".to_owned(),
        SubscriptionKind::Presence(_) => {
            let ids: Vec<String> = request
                .users
                .iter()
                .map(|user| format!("'{}'", user.as_str().replace('\'', "''")))
                .collect();
            format!("/communications/presences?$filter=id in ({})", ids.join(","))
        }
    }
}

/// Spells an instant with the seven fractional digits that Graph uses.
fn instant(at: DateTime<Utc>) -> String {
    format!(
        "{}.{:07}Z",
        at.format("%Y-%m-%dT%H:%M:%S"),
        at.timestamp_subsec_nanos() % 1_000_000_000 / 100
    )
}

/// Reads an instant: three to seven fractional digits or none, `Z` or an offset; without either it is UTC.
fn read_instant(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.to_utc())
        .or_else(|_| text.parse::<NaiveDateTime>().map(|at| at.and_utc()))
        .ok()
}

fn read_answer(answer: &Answer) -> Result<GraphSubscription, GraphError> {
    answer
        .json()
        .as_ref()
        .and_then(read)
        .ok_or_else(|| unreadable("subscription"))
}

fn read(item: &Value) -> Option<GraphSubscription> {
    let text = |name| {
        member(item, name)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
    };
    Some(GraphSubscription {
        id: SubscriptionId::new(text("id")?),
        resource: text("resource").unwrap_or_default().to_owned(),
        notification_url: text("notificationUrl").unwrap_or_default().to_owned(),
        expires_at: read_instant(text("expirationDateTime")?)?,
        client_state: text("clientState").map(Secret::new),
        certificate_id: text("encryptionCertificateId").map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_of_every_spelling_are_read_and_ours_has_seven_digits() {
        let expected: DateTime<Utc> = "2026-09-14T10:00:00.1234567Z".parse().unwrap();
        assert_eq!(instant(expected), "2026-09-14T10:00:00.1234567Z");
        for (text, fine) in [
            ("2026-09-14T10:00:00.123Z", true),
            ("2026-09-14T10:00:00.1234567+00:00", true),
            ("2026-09-14T10:00:00Z", true),
            ("2026-09-14T10:00:00", true),
            ("soon", false),
            ("", false),
        ] {
            assert_eq!(read_instant(text).is_some(), fine, "{text}");
        }
    }
}
