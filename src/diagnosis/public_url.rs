//! The way from the outside to this connector: name, certificate, and a real validation round trip.

use chrono::{DateTime, Utc};
use m365_presence::expiry::{Nearness, nearness};
use url::Url;

use super::Finding;
use super::exchange::{Answer, Look, Lost, post};

const NAME: &str = "name of the public address";
const CERTIFICATE: &str = "certificate of the public address";

/// What Microsoft sends, with a blank and a colon, which travel encoded (graph.md 3.3).
const TOKEN: &str = "Validation: m365-connector asks itself";

/// Looks at the public address from here. That is not quite from outside: inside of the house a name may lead elsewhere.
pub(super) async fn check(public_url: Option<&str>, now: DateTime<Utc>) -> Vec<Finding> {
    let Some(public_url) = public_url else {
        return vec![Finding::skipped(
            NAME,
            "public.url is not set; with sync.read = \"polling\" nobody needs to reach the connector",
        )];
    };
    let mut findings = Vec::new();
    for (path, what) in [
        ("/graph/notifications", "validation of the notification address"),
        ("/graph/lifecycle", "validation of the lifecycle address"),
    ] {
        let Ok(mut url) = Url::parse(&format!("{public_url}{path}")) else {
            return vec![
                Finding::fail(NAME, format!("{public_url} is no address"))
                    .remedied_by("correct public.url; m365-connector check-config tells what is allowed"),
            ];
        };
        url.query_pairs_mut().append_pair("validationToken", TOKEN);
        let look = post(&url).await;
        if findings.is_empty() {
            findings.extend(name(&url, &look));
            findings.extend(certificate(&url, &look, now));
        }
        if let Some(answer) = answer(what, &look) {
            findings.push(answer);
        }
    }
    findings
}

fn name(url: &Url, look: &Look) -> Vec<Finding> {
    let host = url.host_str().unwrap_or_default();
    let remedy = "check the public DNS entry, and that this machine asks a DNS server that knows it";
    match &look.answer {
        Err(Lost::Name(error)) => vec![
            Finding::fail(NAME, format!("{host} leads nowhere"))
                .because(error.to_string())
                .remedied_by(remedy),
        ],
        Err(Lost::Connection(error)) => vec![
            Finding::pass(NAME, format!("{host} leads to {}", look.addresses.join(", "))),
            Finding::fail("connection to the public address", format!("nobody answers at {host}"))
                .because(error.to_string())
                .remedied_by("check firewall, port forwarding and the reverse proxy; where a name leads to the outer address of this very network, the router may not lead back in: ask from outside"),
        ],
        _ => vec![Finding::pass(NAME, format!("{host} leads to {}", look.addresses.join(", ")))],
    }
}

fn certificate(url: &Url, look: &Look, now: DateTime<Utc>) -> Option<Finding> {
    if url.scheme() != "https" {
        return Some(Finding::skipped(
            CERTIFICATE,
            "plain http on a loopback address has none",
        ));
    }
    if let Err(Lost::Tls(error)) = &look.answer {
        return Some(refused_certificate(&error.to_string()));
    }
    let until = look.certificate.as_ref()?.validity().until;
    let ends = format!("accepted, and good until {}", until.format("%Y-%m-%d"));
    Some(match nearness(until, now) {
        None => Finding::pass(CERTIFICATE, ends),
        Some(Nearness::Near) => Finding::warn(CERTIFICATE, ends).remedied_by("have it renewed in time"),
        Some(_) => Finding::fail(CERTIFICATE, ends)
            .because("it ends within days, and its renewal has not come yet")
            .remedied_by("renew it now; without it Microsoft sends nothing"),
    })
}

/// Names the cause of a refused certificate by rustls' words, and what helps.
fn refused_certificate(error: &str) -> Finding {
    let known = [
        (
            "Expired",
            "it has expired",
            "renew the certificate at whatever terminates TLS",
        ),
        (
            "NotValidYet",
            "it is not valid yet",
            "check the clock of this machine and of the one that made it",
        ),
        (
            "NotValidForName",
            "it is for another name",
            "have a certificate made for the host of public.url",
        ),
        (
            "UnknownIssuer",
            "no publicly known authority has signed it, or the intermediate certificates are missing",
            "serve a publicly signed certificate with its whole chain; Microsoft accepts nothing else",
        ),
    ];
    let row = known.iter().find(|(word, _, _)| error.contains(word));
    let (cause, remedy) = row.map_or(
        (
            error,
            "check whatever terminates TLS: it must speak TLS 1.2 or 1.3 on this port",
        ),
        |(_, cause, remedy)| (*cause, *remedy),
    );
    Finding::fail(CERTIFICATE, "not accepted")
        .because(cause)
        .remedied_by(remedy)
}

fn answer(what: &str, look: &Look) -> Option<Finding> {
    match &look.answer {
        Ok(answer) => Some(judge(what, answer)),
        Err(Lost::Answer(error)) => Some(
            Finding::fail(what, "the connection stands, but no answer comes")
                .because(error.clone())
                .remedied_by(
                    "check that the reverse proxy leads /graph/ to this connector, and its timeouts",
                ),
        ),
        Err(Lost::Name(_) | Lost::Connection(_) | Lost::Tls(_)) => None,
    }
}

/// What an answer says about who has given it.
fn judge(what: &str, answer: &Answer) -> Finding {
    let Answer {
        status,
        content_type,
        location,
        body,
    } = answer;
    let html = content_type.contains("html") || body.trim_start().starts_with('<');
    if *status == 200 && body == TOKEN && !html {
        return Finding::pass(what, "the token came back as Microsoft expects it");
    }
    let found = format!(
        "HTTP {status}, {}",
        if content_type.is_empty() {
            "no content type"
        } else {
            content_type
        }
    );
    let (cause, remedy) = match status {
        200 if html => (
            "a web page came back: a proxy's sign-in, or another web server".to_owned(),
            "lead /graph/ to this connector without any sign-in or portal before it",
        ),
        200 => (
            "the token came back changed".to_owned(),
            "let the reverse proxy pass query and body of /graph/ unchanged",
        ),
        300..=399 => (
            format!("a redirect to {location}; Microsoft follows none"),
            "use in public.url the address that answers itself, and let the proxy not redirect /graph/",
        ),
        401 | 403 => (
            "somebody asks for a sign-in before this connector".to_owned(),
            "exempt /graph/ from authentication at the reverse proxy; notifications carry their own proof",
        ),
        404 => (
            "a web server answers, but not this connector: an App Platform, or a proxy rule with another path".to_owned(),
            "check the path of the rule, with its case: /graph/notifications and /graph/lifecycle; and that public.url has no path of its own unless the proxy removes it",
        ),
        502..=504 => (
            "the reverse proxy answers, but does not reach this connector".to_owned(),
            "check the proxy's backend: it is public.listen of this connector",
        ),
        _ => (
            "this is not how this connector answers".to_owned(),
            "check which server answers at public.url",
        ),
    };
    Finding::fail(what, found).because(cause).remedied_by(remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnosis::Outcome;

    fn judged(status: u16, content_type: &str, body: &str) -> Finding {
        judge(
            "x",
            &Answer {
                status,
                content_type: content_type.to_owned(),
                location: "https://elsewhere".to_owned(),
                body: body.to_owned(),
            },
        )
    }

    #[test]
    fn only_the_token_itself_passes() {
        assert_eq!(
            judged(200, "text/plain; charset=utf-8", TOKEN).outcome,
            Outcome::Pass
        );
        for (status, content_type, body, hint) in [
            (200, "text/html", TOKEN, "web page"),
            (
                200,
                "text/plain",
                "Validation:+m365-connector+asks+itself",
                "changed",
            ),
            (302, "", "", "redirect to https://elsewhere"),
            (401, "text/html", "<html>", "sign-in"),
            (404, "text/html", "", "App Platform"),
            (502, "text/html", "", "reverse proxy"),
            (418, "", "", "not how this connector answers"),
        ] {
            let finding = judged(status, content_type, body);
            assert_eq!(finding.outcome, Outcome::Fail);
            assert!(finding.cause.as_ref().unwrap().contains(hint), "{finding:?}");
            assert!(finding.remedy.is_some());
        }
    }

    #[test]
    fn a_refused_certificate_names_its_cause() {
        let finding = refused_certificate("invalid peer certificate: Expired");
        assert_eq!(finding.cause.as_deref(), Some("it has expired"));
        assert!(
            refused_certificate("received corrupt message")
                .remedy
                .unwrap()
                .contains("TLS 1.2")
        );
    }
}
