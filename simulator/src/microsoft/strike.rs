//! Lets injected faults strike around the work of an endpoint.

use std::{future::Future, time::Duration};

use chrono::TimeDelta;

use super::{
    answer::{Answer, Body, Ending},
    clock::http_date,
    cloud::{Cloud, State},
    faults::{ErrorBody, Family, Fault, RetryAfter},
};

const WEB_PAGE: &str = "<!DOCTYPE html><html><head><title>Service unavailable</title></head><body><h1>Our services aren't available right now</h1></body></html>";

/// Does the work of an endpoint, or what a fault makes of it; `refuse` words an error status as the endpoint would.
pub(super) async fn around(
    cloud: &Cloud,
    family: Family,
    refuse: impl FnOnce(u16) -> Answer,
    work: impl Future<Output = Answer>,
) -> Answer {
    let fault = {
        let mut state = cloud.state();
        let State { faults, rng, .. } = &mut *state;
        faults.draw(family, rng)
    };
    match fault {
        None => work.await,
        Some(Fault::Throttled(retry_after)) => announced(cloud, refuse(429), retry_after),
        Some(Fault::Failed {
            status,
            body,
            retry_after,
        }) => {
            let answer = match body {
                ErrorBody::Json => refuse(status),
                ErrorBody::Html => Answer {
                    body: Body::Text("text/html; charset=utf-8", WEB_PAGE.to_owned()),
                    ..Answer::empty(status)
                },
                ErrorBody::Empty => Answer::empty(status),
                ErrorBody::Text(text) => Answer {
                    body: Body::Text("application/json; charset=utf-8", text.to_owned()),
                    ..Answer::empty(status)
                },
            };
            announced(cloud, answer, retry_after)
        }
        Some(Fault::Slow(wait)) => {
            let answer = work.await;
            tokio::time::sleep(wait).await;
            answer
        }
        Some(Fault::WrongDate(date_shift)) => Answer {
            date_shift,
            ..work.await
        },
        Some(Fault::Closed) => Answer {
            ending: Ending::Closed,
            ..Answer::empty(503)
        },
        Some(Fault::AnswerLost) => Answer {
            ending: Ending::Closed,
            ..work.await
        },
        Some(Fault::Truncated) => Answer {
            ending: Ending::Truncated,
            ..work.await
        },
    }
}

/// Refuses by a limit: comes back when the window is over.
pub(super) fn until(answer: Answer, left: Duration) -> Answer {
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    answer.with("Retry-After", seconds.max(1).to_string())
}

fn announced(cloud: &Cloud, answer: Answer, retry_after: RetryAfter) -> Answer {
    match retry_after {
        RetryAfter::Silent => answer,
        RetryAfter::Seconds(seconds) => answer.with("Retry-After", seconds.to_string()),
        RetryAfter::Date(seconds) => answer.with(
            "Retry-After",
            http_date(cloud.now() + TimeDelta::seconds(i64::from(seconds))),
        ),
    }
}
