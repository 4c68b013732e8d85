//! The program.

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use m365_connector::cli::{Command, CommandLine};
use m365_connector::config::{Layers, Settings};
use m365_connector::healthcheck;
use m365_connector::keeping;
use m365_connector::log::Log;
use m365_connector::serve::Mode;

/// The configuration is not valid.
const MISCONFIGURED: u8 = 2;

fn main() -> anyhow::Result<ExitCode> {
    let line = CommandLine::parse();
    match line.command() {
        Command::Serve => serve(&line),
        Command::Demo(demo) => m365_connector::demo::run(demo),
        Command::CheckConfig => check_config(&line),
        Command::Doctor(doctor) => {
            m365_connector::diagnosis::doctor::run(&Layers::read(line.config().as_deref()), doctor.json)
        }
        Command::Healthcheck => check_health(&line),
        Command::Openapi => describe_api(),
        Command::Backup(backup) => keeping(&line, |settings| keeping::back_up(settings, &backup)),
        Command::Restore(restore) => keeping(&line, |settings| keeping::restore(settings, &restore)),
        Command::Downgrade(downgrade) => keeping(&line, |settings| keeping::downgrade(settings, &downgrade)),
    }
}

fn serve(line: &CommandLine) -> anyhow::Result<ExitCode> {
    let layers = Layers::read(line.config().as_deref());
    let resolution = layers.resolve();
    let Some(settings) = resolution.settings.clone() else {
        write!(io::stderr(), "{}", resolution.findings())?;
        return Ok(ExitCode::from(MISCONFIGURED));
    };
    let log = start_log(&settings)?;
    for problem in &resolution.problems {
        log::warn!(key = problem.key.as_str(); "{} {}", problem.key, problem.cause);
    }
    m365_connector::serve::serve(layers, settings, log, Mode::default(), |_addresses| {})
}

fn start_log(settings: &Settings) -> anyhow::Result<Arc<Log>> {
    let levels = std::env::var("CONNECTOR_LOG").ok();
    Ok(Log::start(&settings.logging, levels.as_deref())?)
}

/// Does something with the database that the configuration names, and prints what was done.
fn keeping(
    line: &CommandLine,
    work: impl FnOnce(&Settings) -> anyhow::Result<String>,
) -> anyhow::Result<ExitCode> {
    let resolution = Layers::read(line.config().as_deref()).resolve();
    let Some(settings) = &resolution.settings else {
        write!(io::stderr(), "{}", resolution.findings())?;
        return Ok(ExitCode::from(MISCONFIGURED));
    };
    writeln!(io::stdout(), "{}", work(settings)?)?;
    Ok(ExitCode::SUCCESS)
}

fn check_config(line: &CommandLine) -> anyhow::Result<ExitCode> {
    let resolution = Layers::read(line.config().as_deref()).resolve();
    write!(io::stdout(), "{}", resolution.table())?;
    write!(io::stderr(), "{}", resolution.findings())?;
    Ok(match resolution.settings {
        Some(_) => ExitCode::SUCCESS,
        None => ExitCode::from(MISCONFIGURED),
    })
}

fn describe_api() -> anyhow::Result<ExitCode> {
    let document = m365_connector::http::management::document();
    writeln!(io::stdout(), "{}", document.to_pretty_json()?)?;
    Ok(ExitCode::SUCCESS)
}

fn check_health(line: &CommandLine) -> anyhow::Result<ExitCode> {
    let address = match Layers::read(line.config().as_deref()).management_address() {
        Ok(address) => address,
        Err(problems) => {
            for problem in problems {
                writeln!(io::stderr(), "{problem}")?;
            }
            return Ok(ExitCode::FAILURE);
        }
    };
    match healthcheck::ask(address) {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(unhealthy) => {
            writeln!(io::stderr(), "{unhealthy}")?;
            Ok(ExitCode::FAILURE)
        }
    }
}
