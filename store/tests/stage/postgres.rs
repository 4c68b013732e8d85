//! A PostgreSQL server of our own: the machine's programs, in a temporary folder, on loopback.
//!
//! It runs below a shell that reads from a pipe which this process holds. However this process ends, the pipe closes,
//! and the shell ends the server and removes the folder.
#![allow(dead_code, reason = "each test binary uses its part")]

use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// The superuser's password; its letters must be escaped in an address.
pub const PASSWORD: &str = "p@ss/w%rd";

const PATIENCE: Duration = Duration::from_secs(60);

/// A running server, until it is dropped.
pub struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
    port: u16,
    options: Vec<String>,
    next: AtomicU32,
    watcher: Child,
}

impl Postgres {
    /// The server that the tests of one binary share.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&[]))
    }

    /// Starts a server with further options, e.g. `ssl=on`.
    pub fn start(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap().keep();
        let mut server = Self {
            programs: programs(),
            port: free_port(),
            options: options.iter().map(ToString::to_string).collect(),
            next: AtomicU32::new(1),
            watcher: Command::new("true").spawn().unwrap(),
            folder,
        };
        std::fs::write(server.folder.join("password"), PASSWORD).unwrap();
        if let Some(user) = other_user() {
            let owner = Command::new("chown")
                .arg("-R")
                .arg(user)
                .arg(&server.folder)
                .status();
            assert!(owner.unwrap().success());
        }
        let data = server.data();
        let password = format!("--pwfile={}", server.folder.join("password").display());
        let made = server
            .program("initdb")
            .args(["-D", &data, "-U", "postgres", "-A", "scram-sha-256", &password])
            .args(["-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"])
            .output();
        assert_success("initdb", &made.unwrap());
        server.start_again();
        server
    }

    /// Starts the server again after [`Self::stop`], with the same data and port.
    pub fn start_again(&mut self) {
        let log = self.folder.join("log");
        let mut command = self.program("postgres");
        command.args(["-D", &self.data(), "-p", &self.port.to_string()]);
        command.arg("-k").arg(&self.folder);
        for option in ["listen_addresses=127.0.0.1", "fsync=off", "shared_buffers=16MB"] {
            command.args(["-c", option]);
        }
        for option in &self.options {
            command.args(["-c", option]);
        }
        let mut words = vec![command.get_program().to_owned()];
        words.extend(command.get_args().map(ToOwned::to_owned));
        let script = r#"exec >>"$0/log" 2>&1; "$@" </dev/null & server=$!; order=$(cat);
            kill -QUIT $server; wait $server; [ "$order" = keep ] || rm -rf "$0""#;
        self.watcher = Command::new("setsid")
            .args(["sh", "-c", script])
            .arg(&self.folder)
            .args(words)
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !self.psql("postgres", "SELECT 1").status.success() {
            assert!(
                begun.elapsed() < PATIENCE,
                "the server does not start: {}",
                std::fs::read_to_string(&log).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Stops the server as a crash would.
    pub fn stop(&mut self) {
        let mut orders = self.watcher.stdin.take().unwrap();
        orders.write_all(b"keep").unwrap();
        drop(orders);
        self.watcher.wait().unwrap();
    }

    /// Makes an empty database and returns its address.
    pub fn new_database(&self) -> String {
        let name = format!("test{}", self.next.fetch_add(1, Ordering::Relaxed));
        self.run("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// The address of a database, for the superuser.
    pub fn url(&self, database: &str) -> String {
        let password = PASSWORD
            .replace('%', "%25")
            .replace('@', "%40")
            .replace('/', "%2F");
        format!(
            "postgres://postgres:{password}@127.0.0.1:{}/{database}",
            self.port
        )
    }

    /// Freezes all of the server's processes until what is returned is dropped; their sockets stay open.
    pub fn freeze(&self) -> Frozen {
        let text = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        let postmaster = text.lines().next().unwrap().to_owned();
        let children = Command::new("pgrep").args(["-P", &postmaster]).output().unwrap();
        let children = String::from_utf8(children.stdout).unwrap();
        let all: Vec<_> = children
            .split_whitespace()
            .map(str::to_owned)
            .chain([postmaster])
            .collect();
        send("-STOP", &all);
        Frozen(all)
    }

    /// The port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the server, which holds its socket, too.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs statements, and returns what they answer: columns parted by `|`.
    pub fn run(&self, database: &str, statements: &str) -> String {
        let output = self.psql(database, statements);
        assert_success(statements, &output);
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    fn psql(&self, database: &str, statements: &str) -> Output {
        Command::new(self.programs.join("psql"))
            .env("PGPASSWORD", PASSWORD)
            .args([
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                "127.0.0.1",
                "-U",
                "postgres",
            ])
            .args(["-p", &self.port.to_string(), "-d", database, "-c", statements])
            .output()
            .unwrap()
    }

    fn data(&self) -> String {
        self.folder.join("data").to_str().unwrap().to_owned()
    }

    /// One of the server's programs, as a user who is not root, for root may not run it.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = match other_user() {
            Some(user) => {
                let mut command = Command::new("setpriv");
                command
                    .args(["--reuid", user, "--regid", user, "--clear-groups"])
                    .arg(program);
                command
            }
            None => Command::new(program),
        };
        command.current_dir(&self.folder);
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.watcher.stdin.take());
        self.watcher.wait().ok();
    }
}

/// A server that does nothing at all.
pub struct Frozen(Vec<String>);

impl Drop for Frozen {
    fn drop(&mut self) {
        send("-CONT", &self.0);
    }
}

fn send(signal: &str, processes: &[String]) {
    let sent = Command::new("kill").arg(signal).args(processes).status();
    assert!(sent.unwrap().success());
}

/// The name of a database in its address.
pub fn database_of(url: &str) -> &str {
    url.rsplit('/').next().unwrap()
}

/// Makes a certificate for localhost that signs itself, and returns the two PEM files.
pub fn certificate(folder: &Path) -> (PathBuf, PathBuf) {
    let (certificate, key) = (folder.join("server.crt"), folder.join("server.key"));
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args([
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output();
    assert_success("openssl", &made.unwrap());
    if let Some(user) = other_user() {
        Command::new("chown").arg(user).arg(&key).status().unwrap();
    }
    (certificate, key)
}

fn assert_success(what: &str, output: &Output) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {text}");
}

/// The folder of the newest server that is installed.
fn programs() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .map(|version| version.unwrap().path().join("bin"))
        .filter(|folder| folder.join("postgres").exists())
        .collect();
    found.sort();
    found.pop().expect(
        "these tests need a PostgreSQL server, and never pass without one: apt-get install postgresql",
    )
}

/// Who runs the server when the tests run as root.
fn other_user() -> Option<&'static str> {
    let id = |arguments: &[&str]| Command::new("id").args(arguments).output().unwrap();
    if String::from_utf8_lossy(&id(&["-u"]).stdout).trim() != "0" {
        return None;
    }
    Some(if id(&["postgres"]).status.success() {
        "postgres"
    } else {
        "nobody"
    })
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
