//! The connector in a life: starts, crashes, the ledger, and what the board asks for.

use super::*;

impl Life {
    pub(super) fn crash(&mut self) {
        if self.board.take().is_none() {
            return;
        }
        self.note("crash");
        self.run += 1;
        self.waiting.clear();
        self.gathering = false;
        let wait = self.rng.i64(1_500..30_000);
        self.plan(self.now + wait, Event::Start);
    }

    pub(super) fn start(&mut self) {
        if self.board.is_some() {
            return;
        }
        self.count_intents_as_set();
        if self.sabotage == Sabotage::NoLedger {
            self.ledger.clear();
        }
        let rows = self.ledger.values().cloned();
        let rows = rows.map(|row| self.sabotage.cut(row)).collect();
        let mut board = Board::new(self.rules(), rows);
        let now = time(self.now);
        for conduct in &mut self.conduct {
            conduct.begin(self.now);
        }
        let roster_first = self.rng.bool();
        if roster_first {
            board.set_roster(self.members(), now);
        }
        self.board = Some(board);
        self.report_alien_calls();
        for user in 0..USERS {
            self.tell_board(user);
        }
        if !roster_first {
            let members = self.members();
            self.board.as_mut().unwrap().set_roster(members, now);
        }
        self.sweep();
    }

    /// An intent that a crash has left counts as set.
    pub(super) fn count_intents_as_set(&mut self) {
        for row in self.ledger.values() {
            if row.slot == Slot::Preferred && row.state == LedgerState::Intended {
                self.conduct[user_of(&row.pbx_user)].count_as_set();
            }
        }
    }

    pub(super) fn rules(&self) -> Rules {
        Rules {
            teams_to_pbx: self.sabotage.disguise_mapping(TeamsToPbx::default()),
            pbx_to_teams: PbxToTeams::default(),
            contact: OURS.to_owned(),
            direction: Direction {
                teams_to_pbx: true,
                pbx_to_teams: true,
            },
            on_the_phone: self.traits.mode,
            teams_calls: match self.traits.alien_calls {
                AlienCalls::Off => TeamsCalls::Entry,
                _ => TeamsCalls::AlienCall,
            },
            notes_to_pbx: false,
            notes_to_teams: false,
            renewal: self.traits.renewal,
            restraint: Restraint::default(),
        }
    }

    pub(super) fn members(&self) -> Vec<Member> {
        let member = |(user, account): (usize, &Option<usize>)| {
            account.map(|account| Member {
                pbx: PbxUser {
                    guid: guid(user),
                    h323: format!("user{user}"),
                    cn: format!("User {user}"),
                    home: PbxName::new(PBX),
                },
                teams: teams(account),
            })
        };
        self.pairing.iter().enumerate().filter_map(member).collect()
    }

    pub(super) fn change_roster(&mut self) {
        let user = self.rng.usize(0..USERS);
        let before = self.pairing;
        match self.pairing[user] {
            Some(_) if self.rng.u8(0..3) == 0 => self.pairing.swap(0, 1),
            Some(_) => self.pairing[user] = None,
            None => self.pairing[user] = Some(user).filter(|own| !self.pairing.contains(&Some(*own))),
        }
        for (user, before) in before.iter().enumerate() {
            if *before != self.pairing[user] {
                self.conduct[user].in_roster = false;
            }
        }
        self.note(format!("roster {:?}", self.pairing));
        let members = self.members();
        let now = time(self.now);
        if let Some(board) = &mut self.board {
            board.set_roster(members, now);
        }
    }

    pub(super) fn store(&mut self, changes: Vec<LedgerChange>) {
        for change in changes {
            self.note(format!("  ledger {}", brief(&change)));
            match change {
                LedgerChange::Put(row) => {
                    self.meddle(&row);
                    self.ledger.insert((row.pbx_user.clone(), row.slot), row);
                }
                LedgerChange::Remove { pbx_user, slot } => {
                    self.ledger.remove(&(pbx_user, slot));
                }
            }
        }
    }

    /// What was refused is tried again at once: somebody has mended the cause.
    pub(super) fn resync(&mut self) {
        let now = time(self.now);
        if let Some(board) = &mut self.board {
            for user in 0..USERS {
                board.resync(&guid(user), now);
                if !self.traits.ours_visible {
                    self.conduct[user].doubt_entry();
                }
            }
        }
    }

    /// Without the override rule: as soon as the user takes the slot back, the PBX seems to change to and fro.
    pub(super) fn meddle(&mut self, row: &LedgerRow) {
        let user = user_of(&row.pbx_user);
        if self.sabotage == Sabotage::NoOverride && row.state == LedgerState::Overridden && self.pbx_up {
            self.plan(self.now, Event::Flicker(user));
        }
    }

    pub(super) fn flicker(&mut self, user: usize) -> Result<(), Breach> {
        if let Some(board) = &mut self.board {
            let mut entries = self.extensions[user].picture();
            entries.retain(|entry| entry.contact == OURS);
            board.see_presence(&PBX.into(), &guid(user), &entries);
            self.pump()?;
        }
        self.tell_board(user);
        Ok(())
    }

    /// Asks the board what is to be done until it has nothing more to say, and lets it happen.
    pub(super) fn pump(&mut self) -> Result<(), Breach> {
        let Some(board) = &mut self.board else {
            return Ok(());
        };
        let due = board.due(time(self.now));
        for (member, leaving) in board.people() {
            let conduct = &mut self.conduct[user_of(&member.pbx.guid)];
            if !leaving && !conduct.in_roster {
                conduct.join(self.now);
            }
        }
        if self.rng.f64() < self.traits.crashes && !due.ledger.is_empty() && !self.calm {
            if self.rng.bool() {
                self.store(due.ledger);
            } else {
                for change in &due.ledger {
                    if let LedgerChange::Remove {
                        pbx_user,
                        slot: Slot::Preferred,
                    } = change
                    {
                        self.conduct[user_of(pbx_user)].uncertain = true;
                    }
                }
            }
            self.crash();
            return Ok(());
        }
        self.check_transitions(&due)?;
        self.store(due.ledger);
        self.waiting.extend(due.reads.iter().map(account_of));
        self.gather(50);
        for (guid, write) in due.teams {
            self.write_teams(user_of(&guid), write)?;
        }
        for write in due.entries {
            self.write_entry(write)?;
        }
        for write in due.alien_calls {
            self.write_alien_call(write)?;
        }
        if let Some(board) = &self.board
            && let Some(at) = board.next_deadline(time(self.now))
        {
            let at = (at - time(0)).num_milliseconds() + 1;
            let planned = self
                .events
                .range((self.now, 0)..=(at, u64::MAX))
                .any(|(_, event)| matches!(event, Event::Wake(run) if *run == self.run));
            if !planned {
                self.plan(at, Event::Wake(self.run));
            }
        }
        Ok(())
    }
}
