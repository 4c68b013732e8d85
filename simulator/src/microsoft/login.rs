//! The sign-in host: routes, faults, and how refusals look (reference 1.1 and 1.5).

use actix_web::http::Method;
use serde_json::{Value, json};
use url::form_urlencoded;
use uuid::Uuid;

use super::{
    answer::{Answer, Call},
    clock::entra_time,
    cloud::Cloud,
    device, discovery,
    entry::{Entry, Kind},
    faults::Family,
    refusal::{Aadsts, Refusal},
    strike,
    token::{self, Trace},
};

/// Answers one request to the sign-in host.
pub(super) async fn answer(cloud: &Cloud, call: &Call) -> Answer {
    let segments: Vec<&str> = call.path.trim_matches('/').split('/').collect();
    let family = match segments.as_slice() {
        [_, "oauth2", "v2.0", "token"] => Family::Token,
        [_, "oauth2", "v2.0", "devicecode"] => Family::DeviceCode,
        _ => Family::Discovery,
    };
    let mut trace = Trace::default();
    let mut code = 0;
    let refuse = |status| {
        let busy = Refusal::from(if status == 429 {
            Aadsts(90055)
        } else {
            Aadsts::BUSY
        });
        refused(
            cloud,
            call,
            Refusal {
                status,
                retry_after: None,
                ..busy
            },
        )
    };
    let work = async {
        route(cloud, call, &segments, &mut trace).unwrap_or_else(|refusal| {
            code = refusal.code.0;
            refused(cloud, call, refusal)
        })
    };
    let answer = strike::around(cloud, family, refuse, work).await;
    cloud.record(Entry {
        at: cloud.now(),
        kind: Kind::Request(family),
        who: trace.who,
        token: 0,
        what: format!("{} {}", call.method, call.path),
        status: answer.sent_status(),
        users: Vec::new(),
        detail: json!({
            "grant": trace.grant, "code": code, "scope": trace.scope, "claims": trace.claims,
            "assertion": trace.has_assertion,
        }),
    });
    with_headers(answer, call, code)
}

fn route(cloud: &Cloud, call: &Call, segments: &[&str], trace: &mut Trace) -> Result<Answer, Refusal> {
    let posts = call.method == Method::POST;
    let gets = call.method == Method::GET;
    match segments {
        [tenant, "oauth2", "v2.0", "token"] if posts => token::token(cloud, call, tenant, trace),
        [tenant, "oauth2", "v2.0", "devicecode"] if posts => device::device_code(cloud, call, tenant, trace),
        [_, "oauth2", "v2.0", "token" | "devicecode"] => Err(Refusal::from(Aadsts(9_002_313))),
        [tenant, "v2.0", ".well-known", "openid-configuration"] if gets => {
            discovery::configuration(cloud, tenant, true)
        }
        [tenant, ".well-known", "openid-configuration"] if gets => {
            discovery::configuration(cloud, tenant, false)
        }
        [_, "discovery", "v2.0", "keys"] if gets => Ok(discovery::keys(cloud, true)),
        [_, "discovery", "keys"] if gets => Ok(discovery::keys(cloud, false)),
        ["common", "discovery", "instance"] if gets => discovery::instance(call),
        ["common", "userrealm", user] if gets => {
            let user = form_urlencoded::parse(user.as_bytes())
                .next()
                .map(|(name, _)| name.into_owned());
            Ok(discovery::realm(&user.unwrap_or_default()))
        }
        _ => Ok(Answer::empty(404)),
    }
}

fn refused(cloud: &Cloud, call: &Call, refusal: Refusal) -> Answer {
    let time = entra_time(cloud.now());
    let correlation = call
        .header("client-request-id")
        .and_then(|id| Uuid::parse_str(id).ok())
        .unwrap_or_else(Uuid::new_v4);
    let code = refusal.code.0;
    let mut body = json!({
        "error": refusal.error,
        "error_description": format!(
            "AADSTS{code}: {}\r\nTrace ID: {}\r\nCorrelation ID: {correlation}\r\nTimestamp: {time}",
            refusal.text, call.request_id
        ),
        "error_codes": [code],
        "timestamp": time,
        "trace_id": call.request_id,
        "correlation_id": correlation,
        "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
    });
    if let Some(members) = body.as_object_mut() {
        let optional = [("suberror", refusal.suberror), ("claims", refusal.claims)];
        members.extend(
            optional
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?)))),
        );
    }
    let mut answer = Answer::json(refusal.status, body);
    if let Some(seconds) = refusal.retry_after {
        answer = answer.with("Retry-After", seconds.to_string());
    }
    answer
}

fn with_headers(mut answer: Answer, call: &Call, code: u32) -> Answer {
    if !answer.headers.iter().any(|(name, _)| *name == "Cache-Control") {
        answer = answer
            .with("Cache-Control", "no-store, no-cache")
            .with("Pragma", "no-cache")
            .with("Expires", "-1");
    }
    if call
        .header("return-client-request-id")
        .is_some_and(|wanted| wanted.eq_ignore_ascii_case("true"))
        && let Some(id) = call.header("client-request-id").map(str::to_owned)
    {
        answer = answer.with("client-request-id", id);
    }
    answer
        .with("x-ms-request-id", call.request_id.to_string())
        .with("x-ms-ests-server", "2.1.12381.24 - EUS ProdSlices")
        .with("x-ms-clitelem", format!("1,{code},0,,"))
        .with("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
        .with("X-Content-Type-Options", "nosniff")
        .with("P3P", "CP=\"DSP CUR OTPi IND OTRi ONL FIN\"")
}
