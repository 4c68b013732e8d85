//! `m365-connector doctor`: the checks from this machine, one line each, with cause and remedy.
//!
//! What only a running instance knows, its connections and its sign-ins, it is asked for over the management listener.
//! Where none runs, the doctor signs in itself, once, and says what has to wait.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use chrono::Utc;
use m365_graph::{Endpoints, EntraIdentity, GraphClock, HttpClient};
use m365_presence::clock::Clock;
use m365_presence::identity::{Account, Credential};
use m365_presence::ports::{Identity, Presented, SignInError};
use serde::Deserialize;

use super::{Finding, Outcome, database, microsoft, public_url};
use crate::assembly::identity_settings;
use crate::config::{Direction, Layers, Settings, SignIn};

/// The running instance makes every check before it answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// Runs every check and writes the findings; 0 when none fails, 1 otherwise.
///
/// # Errors
/// Standard output is closed.
pub fn run(layers: &Layers, json: bool) -> anyhow::Result<ExitCode> {
    let system = actix_web::rt::System::new();
    let findings = system.block_on(examine(layers));
    let mut out = io::stdout().lock();
    if json {
        writeln!(
            out,
            "{}",
            serde_json::json!({"items": findings, "next_cursor": null})
        )?;
    } else {
        for finding in &findings {
            write(&mut out, finding)?;
        }
        let count = |outcome| {
            findings
                .iter()
                .filter(|finding| finding.outcome == outcome)
                .count()
        };
        let (failed, warned) = (count(Outcome::Fail), count(Outcome::Warn));
        writeln!(
            out,
            "\n{} checks: {failed} failed, {warned} to look at",
            findings.len()
        )?;
    }
    let failed = findings.iter().any(|finding| finding.outcome == Outcome::Fail);
    Ok(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn write(out: &mut impl Write, finding: &Finding) -> io::Result<()> {
    let word = match finding.outcome {
        Outcome::Pass => "ok     ",
        Outcome::Warn => "warning",
        Outcome::Fail => "FAILED ",
        Outcome::Skipped => "skipped",
    };
    writeln!(out, "{word}  {}: {}", finding.check, finding.found)?;
    for (name, text) in [("cause", &finding.cause), ("remedy", &finding.remedy)] {
        if let Some(text) = text {
            writeln!(out, "         {name:<6} {text}")?;
        }
    }
    Ok(())
}

async fn examine(layers: &Layers) -> Vec<Finding> {
    let resolution = layers.resolve();
    let mut findings: Vec<Finding> = resolution
        .problems
        .iter()
        .map(|problem| {
            let outcome = if problem.is_error() {
                Outcome::Fail
            } else {
                Outcome::Warn
            };
            Finding {
                check: format!("configuration: {}", problem.key),
                outcome,
                found: problem.cause.clone(),
                cause: problem
                    .allowed
                    .as_ref()
                    .map(|allowed| format!("allowed is {allowed}")),
                remedy: problem.remedy.clone().or_else(|| problem.example.clone()),
            }
        })
        .collect();
    let Some(settings) = resolution.settings else {
        return findings;
    };
    if findings.is_empty() {
        findings.push(Finding::pass("configuration", "valid"));
    }
    match ask_running(layers, &settings).await {
        Some(told) => findings.extend(told.into_iter().filter(|told| told.check != "configuration")),
        None => findings.extend(alone(&settings).await),
    }
    findings
}

/// The findings of the running instance, if one answers.
async fn ask_running(layers: &Layers, settings: &Settings) -> Option<Vec<Finding>> {
    #[derive(Deserialize)]
    struct Told {
        items: Vec<Finding>,
    }
    let address: SocketAddr = layers.management_address().ok()?;
    let client = awc::Client::builder().timeout(PATIENCE).finish();
    let mut answer = client
        .get(format!("http://{address}/api/v1/diagnosis"))
        .bearer_auth(settings.management.token.expose())
        .send()
        .await
        .ok()?;
    if !answer.status().is_success() {
        return None;
    }
    let told: Told = answer.json().await.ok()?;
    Some(told.items)
}

/// What can be told where no instance runs.
async fn alone(settings: &Settings) -> Vec<Finding> {
    let mut findings = vec![Finding::skipped(
        "running instance",
        "none answers at management.listen with management.token; PBX connections and subscriptions are known to a running one only",
    )];
    let looked = settings.clone();
    let look = actix_web::rt::task::spawn_blocking(move || database::look(&looked));
    findings.extend(look.await.ok());
    findings.extend(database::space(&settings.database));
    let clock = GraphClock::new();
    findings.extend(sign_in(settings, &clock).await);
    findings.push(microsoft::clock(clock.offset()));
    findings.extend(public_url::check(settings.public.url.as_deref(), Utc::now()).await);
    findings
}

async fn sign_in(settings: &Settings, clock: &GraphClock) -> Vec<Finding> {
    let identity = match identity(settings, clock) {
        Ok(identity) => identity,
        Err(error) => {
            return vec![Finding::fail("sign-in", "not tried").because(format!("{error:#}"))];
        }
    };
    let writes = settings.sync.direction != Direction::TeamsToPbx;
    let mut findings = tried(&identity, Credential::App, writes).await;
    for user in &settings.microsoft.communication_users {
        let credential = Credential::Communication(Account::new(&user.username));
        match user.sign_in {
            SignIn::Password(_) => findings.extend(tried(&identity, credential, writes).await),
            SignIn::DeviceCode => findings.push(Finding::skipped(
                format!("sign-in of {credential}"),
                "by device code: only the running connector holds the stored sign-in",
            )),
        }
    }
    findings
}

fn identity(settings: &Settings, clock: &GraphClock) -> anyhow::Result<EntraIdentity> {
    let microsoft = &settings.microsoft;
    let endpoints = Endpoints::new(
        microsoft.cloud,
        microsoft.login_url.as_deref(),
        microsoft.graph_url.as_deref(),
    )?;
    let http = Rc::new(HttpClient::new(
        m365_graph::client_config()?,
        Rc::new(clock.clone()),
    ));
    Ok(EntraIdentity::new(
        http,
        endpoints,
        &identity_settings(settings)?,
    )?)
}

async fn tried(identity: &EntraIdentity, credential: Credential, writes: bool) -> Vec<Finding> {
    let check = format!("sign-in of {credential}");
    let refused = match identity.sign_in(&credential, Presented::default()).await {
        Ok(signed_in) => {
            let mut findings = vec![Finding::pass(check, "signed in")];
            let granted = signed_in.permissions.as_ref();
            findings.extend(granted.map(|granted| microsoft::permission(&credential, granted, writes)));
            return findings;
        }
        Err(SignInError::Refused { code, detail, .. }) => Finding::fail(check, code.as_str())
            .because(detail)
            .remedied_by(code.remedy()),
        Err(error) => Finding::fail(check, "no answer")
            .because(error.to_string())
            .remedied_by("check this host's DNS, proxy and outgoing HTTPS to the Microsoft sign-in service"),
    };
    vec![refused]
}
