//! Encrypted notifications per second and core, from the raw body to the state that it tells: parsed, vouched for by its
//! validation token, decrypted. Each costs one RSA decryption with a key of ours, which bounds what can be had; so the
//! figure stands beside what `openssl speed` makes of the same key size on the same core.
//!
//! The process is tied to one core for this, where the system lets it, and so is the `openssl` that it starts. Both are
//! measured by processor time, in turn. An OpenSSL before 3.2 does not print decryptions; then its signatures stand for
//! them, which are the same operation on the private key. Where there is none, that of aws-lc, which we use, stands in.

use std::process::Command;
use std::time::Duration;

use aws_lc_rs::rsa::{
    OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, OaepPublicEncryptingKey, PrivateDecryptingKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::Utc;

use crate::post::{FULL, Post};

const ROUNDS: usize = 5;

/// Processor time of a round: far above the resolution of a hundredth of a second.
const ROUND: Duration = Duration::from_secs(1);

/// Different bodies, so that no cache knows them all.
const BODIES: usize = 20;

/// Clock ticks of `/proc/self/stat` in a second.
const TICKS: f64 = 100.0;

pub fn measure() {
    let tied = tie_to_one_core();
    let system = actix_rt::System::new();
    let post = system.block_on(async { Post::new() });
    let cases = [("alone", 1), ("fifty together", FULL)];
    let bodies = cases.map(|(_, count)| {
        let bodies: Vec<_> = (0..BODIES).map(|_| post.caught(count, true)).collect();
        for body in &bodies {
            let opened = system.block_on(post.open(body));
            assert_eq!(opened.notices.len(), count, "{:?}", opened.discarded);
        }
        bodies
    });
    let mut yardstick = Yardstick::new();
    let mut bare = Vec::new();
    let mut opened = cases.map(|_| Vec::new());
    for _ in 0..ROUNDS {
        bare.push(yardstick.per_second());
        for (((_, count), bodies), rates) in cases.iter().zip(&bodies).zip(&mut opened) {
            rates.push(rate(|| {
                for body in bodies {
                    system.block_on(post.open(body));
                }
                bodies.len() * count
            }));
        }
    }
    let bare = median(bare);
    let core = if tied { "on one core" } else { "not tied to a core" };
    println!("| {}, {core} | {bare:.0} a second | 1 | |", yardstick.name());
    for ((name, _), rates) in cases.iter().zip(opened) {
        let rate = median(rates);
        println!(
            "| encrypted notifications verified and decrypted, {name} | {rate:.0} a second and core | {:.2} | > 0.80 |",
            rate / bare
        );
    }
}

/// What bare decryption costs.
enum Yardstick {
    OpenSsl { version: String, column: String },
    AwsLc(Box<Bare>),
}

/// A key of aws-lc, and something encrypted for it.
struct Bare {
    key: OaepPrivateDecryptingKey,
    ciphertext: Vec<u8>,
}

impl Yardstick {
    fn new() -> Self {
        let version = Command::new("openssl").arg("version").output().ok();
        let version = version.and_then(|output| String::from_utf8(output.stdout).ok());
        match version.filter(|version| version.starts_with("OpenSSL")) {
            Some(version) => Self::OpenSsl {
                version: version.split(' ').take(2).collect::<Vec<_>>().join(" "),
                column: String::new(),
            },
            None => Self::AwsLc(Box::new(Bare::new())),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::OpenSsl { version, column } => format!("{version} speed rsa2048, {column}"),
            Self::AwsLc(_) => "aws-lc's bare RSA-2048 decryption, there being no openssl".to_owned(),
        }
    }

    /// Private operations per second of processor time.
    fn per_second(&mut self) -> f64 {
        match self {
            Self::OpenSsl { column, .. } => {
                let (name, rate) = openssl_speed().expect("openssl speed prints what it measured");
                *column = name;
                rate
            }
            Self::AwsLc(bare) => rate(|| bare.decrypt_many()),
        }
    }
}

impl Bare {
    fn new() -> Self {
        let made = m365_graph::generate_notification_key(Utc::now()).unwrap();
        let der = STANDARD.decode(made.private_key.expose()).unwrap();
        let private = PrivateDecryptingKey::from_pkcs8(&der).unwrap();
        let public = OaepPublicEncryptingKey::new(private.public_key()).unwrap();
        let mut ciphertext = vec![0; public.ciphertext_size()];
        public
            .encrypt(&OAEP_SHA1_MGF1SHA1, &[7; 32], &mut ciphertext, None)
            .unwrap();
        Self {
            key: OaepPrivateDecryptingKey::new(private).unwrap(),
            ciphertext,
        }
    }

    fn decrypt_many(&self) -> usize {
        let mut room = vec![0; self.key.min_output_size()];
        for _ in 0..FULL {
            self.key
                .decrypt(&OAEP_SHA1_MGF1SHA1, &self.ciphertext, &mut room, None)
                .unwrap();
        }
        FULL
    }
}

/// What `openssl speed` prints last: a line of headings, and one of figures with the rates at its end.
fn openssl_speed() -> Option<(String, f64)> {
    let output = Command::new("openssl")
        .args(["speed", "-seconds", "1", "rsa2048"])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut lines = text.lines().rev();
    let figures: Vec<&str> = lines
        .find(|line| line.trim_start().starts_with("rsa"))?
        .split_whitespace()
        .collect();
    let headings: Vec<&str> = lines.next()?.split_whitespace().collect();
    ["decr./s", "sign/s"].into_iter().find_map(|wanted| {
        let from_the_end = headings.iter().rev().position(|heading| *heading == wanted)?;
        let figure = figures.iter().rev().nth(from_the_end)?;
        Some((wanted.to_owned(), figure.parse().ok()?))
    })
}

/// How often something is done per second of this process' own time.
fn rate(mut work: impl FnMut() -> usize) -> f64 {
    let began = processor_time();
    let mut done = 0;
    loop {
        done += work();
        let took = processor_time() - began;
        if took >= ROUND.as_secs_f64() {
            return done as f64 / took;
        }
    }
}

/// Seconds of all threads of this process, in user and kernel mode.
fn processor_time() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let ticks = |field: usize| fields[field].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / TICKS
}

/// Ties all threads to the core that a thread runs on now; those that come later follow them.
fn tie_to_one_core() -> bool {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let core = stat
        .rsplit_once(") ")
        .unwrap()
        .1
        .split(' ')
        .nth(36)
        .unwrap()
        .to_owned();
    let process = std::process::id().to_string();
    let tied = Command::new("taskset").args(["-acp", &core, &process]).output();
    tied.is_ok_and(|output| output.status.success())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_unstable_by(f64::total_cmp);
    rates[rates.len() / 2]
}
