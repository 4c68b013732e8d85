//! What supervision costs per message: the same actor, the same messages, a supervised mailbox and a bare one.

use std::time::{Duration, Instant};

use actix::{Actor, Addr, Handler, Message, MessageResult, Supervised};
use m365_actors::supervision::{self, Post, Seat, Settings, Strategy, SupervisorSpec};

use crate::median;

/// Messages that either mailbox holds.
const CAPACITY: usize = 2_048;

/// Messages that are sent before the sender waits for the last one.
const BURST: u64 = 1_000;

/// Bursts in one measurement.
const BURSTS: u64 = 100;

/// Questions in one measurement, each answered before the next is asked.
const QUESTIONS: u64 = 20_000;

/// Measurements of each side.
const ROUNDS: usize = 31;

#[derive(Default)]
struct Sum(u64);

/// Adds to the sum.
#[derive(Message)]
#[rtype(result = "()")]
struct Add(u64);

/// Asks for the sum.
#[derive(Message)]
#[rtype(result = "u64")]
struct Ask;

struct Supervision(Sum);

impl Actor for Supervision {
    type Context = supervision::Context<Self>;
}

impl Supervised for Supervision {}

impl Handler<Add> for Supervision {
    type Result = ();

    fn handle(&mut self, message: Add, _ctx: &mut Self::Context) {
        self.0.0 += message.0;
    }
}

impl Handler<Ask> for Supervision {
    type Result = MessageResult<Ask>;

    fn handle(&mut self, _message: Ask, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(self.0.0)
    }
}

struct Bare(Sum);

impl Actor for Bare {
    type Context = actix::Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(CAPACITY);
    }
}

impl Handler<Add> for Bare {
    type Result = ();

    fn handle(&mut self, message: Add, _ctx: &mut Self::Context) {
        self.0.0 += message.0;
    }
}

impl Handler<Ask> for Bare {
    type Result = MessageResult<Ask>;

    fn handle(&mut self, _message: Ask, _ctx: &mut Self::Context) -> Self::Result {
        MessageResult(self.0.0)
    }
}

/// Whatever the messages go through.
trait Mailbox {
    fn add(&self, number: u64);
    async fn ask(&self) -> u64;
}

impl Mailbox for Post<Supervision> {
    fn add(&self, number: u64) {
        self.tell(Add(number)).unwrap();
    }

    async fn ask(&self) -> u64 {
        Self::ask(self, Ask).await.unwrap()
    }
}

impl Mailbox for Addr<Bare> {
    fn add(&self, number: u64) {
        self.try_send(Add(number)).unwrap();
    }

    async fn ask(&self) -> u64 {
        self.send(Ask).await.unwrap()
    }
}

async fn tell(mailbox: &impl Mailbox) -> Duration {
    let began = Instant::now();
    for _ in 0..BURSTS {
        for number in 0..BURST {
            mailbox.add(number);
        }
        mailbox.ask().await;
    }
    began.elapsed()
}

async fn ask(mailbox: &impl Mailbox) -> Duration {
    let began = Instant::now();
    for _ in 0..QUESTIONS {
        mailbox.ask().await;
    }
    began.elapsed()
}

pub fn measure() {
    actix_rt::System::new().block_on(async {
        let seat = Seat::with_capacity("sum", CAPACITY);
        let post = seat.post();
        let root =
            SupervisorSpec::new("root", Strategy::OneForOne).child(seat.occupy(Supervision(Sum::default())));
        let tree = supervision::start(root, Settings::default()).unwrap();
        let bare = Bare(Sum::default()).start();
        let (mut told, mut asked) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for _ in 0..ROUNDS {
            told.0.push(tell(&post).await);
            told.1.push(tell(&bare).await);
            asked.0.push(ask(&post).await);
            asked.1.push(ask(&bare).await);
        }
        print("messages told", BURSTS * BURST, told);
        print("questions asked and answered", QUESTIONS, asked);
        tree.shutdown().await;
    });
}

fn print(what: &str, count: u64, (supervised, bare): (Vec<Duration>, Vec<Duration>)) {
    let [supervised, bare] = [supervised, bare].map(|times| count as f64 / median(times).as_secs_f64());
    println!("| {what} a second, bare mailbox | {bare:.0} | | |");
    println!(
        "| {what} a second, supervised mailbox | {supervised:.0} | {:.2} | > 0.90 |",
        supervised / bare
    );
}
