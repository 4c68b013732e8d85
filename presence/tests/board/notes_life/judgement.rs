//! What is expected of a life of words when all is calm, when the user says his last word, and after a release.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{Event, Life, SWEEP};

const SEEDS: u64 = 600;

impl Life {
    /// From now on everything goes well.
    fn calm(&mut self) {
        self.trouble = 0.0;
        self.plan(self.now, Event::Start);
        self.live(30 * 60_000);
    }

    fn release(&mut self) {
        let now = self.time(self.now);
        self.board.as_mut().unwrap().release_all(now);
        self.pump();
        self.live(60_000);
        assert!(self.board.as_ref().unwrap().is_empty());
        assert!(self.ledger.is_empty(), "{:?}", self.ledger);
        assert_eq!(self.entry.1, "");
    }
}

fn judge(life: &mut Life) {
    life.live(life.span);
    life.calm();
    let said = life.said_at(life.now);
    assert!(
        said.is_empty() || said.starts_with('t') || said == life.own_note,
        "{said} is left"
    );
    let carried = if life.rules.notes_to_pbx && said.starts_with('t') {
        said.as_str()
    } else {
        ""
    };
    assert_eq!(life.entry.1, carried);
    let before = life.writes;
    life.live(60 * 60_000);
    assert_eq!(life.writes, before, "there is no reason to write");
    life.happen(Event::SayAtPbx("p last".to_owned()));
    life.pump();
    life.live(60_000);
    assert_eq!(life.said_at(life.now), "p last");
    if life.rng.bool() {
        life.happen(Event::SayInTeams("t last".to_owned()));
        life.live(2 * SWEEP);
        let carried = if life.rules.notes_to_pbx { "t last" } else { "" };
        assert_eq!(
            (life.said_at(life.now).as_str(), life.entry.1.as_str()),
            ("t last", carried)
        );
        life.release();
        assert_eq!(life.said_at(life.now), "t last");
    } else {
        life.release();
        assert_eq!(life.said_at(life.now), "");
    }
    assert!(life.writes < 300, "{} writes", life.writes);
}

/// Reruns one seed and shows its life, or lives others:
/// `NOTES_SEED=42 cargo test -p m365-presence --test board lives_of_words`, or `NOTES_SEED=2000..9000`.
#[test]
fn random_lives_of_words_keep_what_is_written_later_and_carry_nothing_back() {
    let asked = std::env::var("NOTES_SEED").unwrap_or_else(|_| format!("0..{SEEDS}"));
    let number = |text: &str| text.parse::<u64>().unwrap();
    let (shows, seeds) = match asked.split_once("..") {
        Some((start, end)) => (false, number(start)..number(end)),
        None => (true, number(&asked)..number(&asked) + 1),
    };
    for seed in seeds {
        let mut life = Life::new(seed);
        let judged = catch_unwind(AssertUnwindSafe(|| judge(&mut life)));
        if shows || judged.is_err() {
            eprintln!("{}", life.trace.join("\n"));
        }
        assert!(judged.is_ok(), "seed {seed}");
    }
}
