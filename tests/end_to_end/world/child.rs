//! The connector as a process.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// An orderly end may take this long (10 s), and some more on a busy machine.
const END: Duration = Duration::from_secs(20);

/// A running connector; it is killed when this is dropped.
pub struct Child {
    process: std::process::Child,
}

impl Child {
    /// Runs `serve` by these words with a configuration file and these variables alone; standard error goes to the log.
    pub fn serve(
        through: &[String],
        configuration: &Path,
        environment: &[(String, String)],
        folder: &Path,
        log: &Path,
    ) -> Self {
        let path = configuration.to_str().unwrap();
        let program = program(through);
        Self::run_in(
            program,
            &["serve", "--config", path],
            environment,
            folder,
            (log, log),
        )
    }

    /// Runs the program in a folder, with nothing from the environment.
    pub fn run(arguments: &[&str], folder: &Path, stdout: &Path, stderr: &Path) -> Self {
        Self::run_in(program(&[]), arguments, &[], folder, (stdout, stderr))
    }

    fn run_in(
        mut program: Command,
        arguments: &[&str],
        environment: &[(String, String)],
        folder: &Path,
        (stdout, stderr): (&Path, &Path),
    ) -> Self {
        let append = |path: &Path| OpenOptions::new().create(true).append(true).open(path).unwrap();
        let process = program
            .args(arguments)
            .env_clear()
            .envs(environment.iter().cloned())
            .env("TMPDIR", folder)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(append(stdout))
            .stderr(append(stderr))
            .spawn()
            .unwrap();
        Self { process }
    }

    /// Sends SIGTERM and waits for the end; answers whether the exit code was 0.
    pub fn terminate(self) -> bool {
        self.signal("TERM");
        self.exit_code() == Some(0)
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let order = format!("kill -{name} {}", self.process.id());
        let sent = Command::new("sh").args(["-c", &order]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits for the end, and answers the exit code; `None` after a signal.
    pub fn exit_code(mut self) -> Option<i32> {
        let asked = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return status.code();
            }
            assert!(asked.elapsed() < END, "the connector did not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends SIGKILL and waits for the end.
    pub fn kill(self) {
        drop(self);
    }

    /// Resident memory in KiB.
    pub fn resident_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// The connector's program, run by these words: they replace themselves by it.
pub(super) fn program(through: &[String]) -> Command {
    let connector = env!("CARGO_BIN_EXE_m365-connector");
    let Some((first, rest)) = through.split_first() else {
        return Command::new(connector);
    };
    let mut program = Command::new(first);
    program.args(rest).arg(connector);
    program
}
