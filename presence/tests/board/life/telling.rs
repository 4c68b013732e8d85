//! What an administrator is told in a life: the timeline at every step, and in the end how every claim stands.

use m365_presence::board::{ClaimState, Due, Side};

use super::*;
use crate::invariants::ensure;

impl Life {
    /// Every write stands in the timeline, unless it only repeats what stands; nothing else does.
    pub(super) fn check_transitions(&self, due: &Due) -> Result<(), Breach> {
        let mut planned: Vec<(PbxGuid, Side, &str)> = due
            .transitions
            .iter()
            .flat_map(|told| {
                let planned = told.planned.iter();
                planned.map(|planned| (told.user.clone(), planned.side, planned.what.as_str()))
            })
            .collect();
        let mut take = |user: &PbxGuid, side: Side, what: &str| {
            let place = planned
                .iter()
                .position(|told| *told == (user.clone(), side, what));
            place.map(|place| planned.swap_remove(place)).is_some()
        };
        for (user, write) in &due.teams {
            let told = take(user, Side::Teams, &write.change.to_string());
            let repeats = self.conduct[user_of(user)].repeats(&write.change);
            ensure(told || repeats, Rule::Told, || {
                format!("{} of {user} stands in no transition", write.change)
            })?;
        }
        for entry in &due.entries {
            let told = take(&entry.user, Side::Pbx, &entry.activity);
            ensure(told, Rule::Told, || {
                format!("entry {:?} stands in no transition", entry.activity)
            })?;
        }
        for call in &due.alien_calls {
            let told = take(&call.user, Side::PbxCall, if call.on { "on" } else { "off" });
            ensure(told, Rule::Told, || {
                format!("a call of ours, {}, stands in no transition", call.on)
            })?;
        }
        ensure(planned.is_empty(), Rule::Told, || {
            format!("{planned:?} is told and not written")
        })?;
        let silent = due.transitions.iter().find(|told| {
            told.why.is_empty() || (told.seen.is_empty() && told.planned.is_empty() && told.held.is_empty())
        });
        ensure(silent.is_none(), Rule::Told, || {
            format!("{silent:?} tells nothing")
        })
    }

    /// In the end every claim is told as what the world makes of it.
    pub(super) fn check_told(&self) -> Result<(), Breach> {
        let board = self.board.as_ref().unwrap();
        let blocks = self.traits.mode == OnThePhone::DoNotDisturb;
        for user in 0..USERS {
            let Some(account) = self.pairing[user] else {
                continue;
            };
            let world = &self.accounts[account];
            let told = self.told(user, &self.picture(user));
            let (pair, _) = world.effective();
            let shown = oracle::entry_for(pair);
            let wish = oracle::wish(&told, blocks);
            let fitting: &[ClaimState] = if told.on_the_phone && !blocks {
                if shown == "on-the-phone" {
                    &[ClaimState::Shown, ClaimState::Lifted]
                } else {
                    &[ClaimState::Masked]
                }
            } else if wish.is_none() {
                &[]
            } else if world.slot.is_some_and(|slot| slot.by == By::Connector) {
                match pair.0 {
                    "Offline" => &[ClaimState::NoSession],
                    _ => &[ClaimState::Shown],
                }
            } else {
                // what the user chose may look like what we set
                &[ClaimState::Overridden, ClaimState::Shown, ClaimState::NoSession]
            };
            let view = board.view(&guid(user), time(self.now)).unwrap();
            let right = match view.teams_claim_state {
                Some(state) => fitting.contains(&state),
                None => fitting.is_empty(),
            };
            ensure(right, Rule::Told, || {
                format!(
                    "user {user} is told as {:?} ({}), teams shows {pair:?}, {told:?}, slot {:?}",
                    view.teams_claim_state, view.why, world.slot
                )
            })?;
            let signed_in = view.teams_signed_in.unwrap_or(world.client.is_some());
            ensure(signed_in == world.client.is_some(), Rule::Told, || {
                format!("user {user} is told as signed in: {signed_in}, shown {pair:?}")
            })?;
        }
        Ok(())
    }
}
