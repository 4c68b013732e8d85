//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

use crate::release::RELEASE;

/// Keeps Microsoft Teams presence and innovaphone PBX presence in step, both ways.
#[derive(Debug, Parser)]
#[command(version = RELEASE, about, long_about = None)]
pub struct CommandLine {
    /// Configuration file; the environment (CONNECTOR__SECTION__KEY) overrides it
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "CONNECTOR_CONFIG",
        hide_env_values = true
    )]
    config: Option<PathBuf>,

    /// What to do; serve unless given.
    #[command(subcommand)]
    command: Option<Command>,
}

/// What the program does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Runs the connector (the default)
    #[default]
    Serve,
    /// Runs the connector against a simulated Microsoft cloud and simulated PBXs; needs no account and no file
    Demo(Demo),
    /// Validates the configuration and prints the effective values with their origin
    CheckConfig,
    /// Runs every check from this machine and prints cause and remedy per line
    Doctor(Doctor),
    /// Asks the running instance whether it is ready
    Healthcheck,
    /// Prints the OpenAPI document of the management API
    Openapi,
    /// Writes everything in the database into a new file, also while the connector runs
    Backup(Backup),
    /// Puts a backup in the database's place, while no connector runs
    Restore(Restore),
    /// Takes the database back to an older build, while no connector runs
    Downgrade(Downgrade),
}

/// Where the backup goes.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Backup {
    /// The file to write; there is none of that name yet
    #[arg(value_name = "BACKUP")]
    pub file: PathBuf,
}

/// What is restored.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Restore {
    /// A file that `backup` has written, of SQLite or PostgreSQL alike
    #[arg(value_name = "BACKUP")]
    pub file: PathBuf,
    /// Also where the database holds something
    #[arg(long)]
    pub replace: bool,
}

/// How far back.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub struct Downgrade {
    /// The newest migration that the older build knows; it names it when it refuses the database
    #[arg(long, value_name = "MIGRATION")]
    pub to: String,
}

/// How large the simulated world is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::Args)]
pub struct Demo {
    /// How many people there are
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub users: u32,
    /// How many PBXs they are spread over
    #[arg(long, default_value_t = 2, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub pbxs: u32,
    /// Where page and API are served; the token is drawn anew at every start
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS")]
    pub listen: SocketAddr,
}

/// How the findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::Args)]
pub struct Doctor {
    /// As one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

impl CommandLine {
    /// The configuration file; an empty name, as an unset variable of a compose file leaves it, means none.
    pub fn config(&self) -> Option<PathBuf> {
        self.config.clone().filter(|file| !file.as_os_str().is_empty())
    }

    /// What to do.
    pub fn command(&self) -> Command {
        self.command.clone().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serve_is_the_default_and_options_stand_on_either_side() {
        let read = |line: &str| CommandLine::try_parse_from(line.split(' ')).unwrap();
        assert_eq!(read("m365-connector").command(), Command::Serve);
        assert_eq!(
            read("m365-connector demo --users 3").command(),
            Command::Demo(Demo {
                users: 3,
                pbxs: 2,
                listen: "127.0.0.1:0".parse().unwrap()
            })
        );
        for line in [
            "m365-connector --config a.toml check-config",
            "m365-connector check-config --config a.toml",
        ] {
            let line = read(line);
            assert_eq!(line.command(), Command::CheckConfig);
            assert_eq!(line.config(), Some(PathBuf::from("a.toml")));
        }
    }

    #[test]
    fn an_empty_world_is_refused() {
        assert!(CommandLine::try_parse_from(["m365-connector", "demo", "--users", "0"]).is_err());
    }
}
