//! A person's session from the login to its end.

use std::time::Duration;

use m365_pbx::{Errand, UserSession};
use tokio::time::Instant;

use super::{Seat, Visitor, Visitors};
use crate::pbx_connection::wire::{BEAT_AFTER, DROP_AFTER, Heard, Stuck, Wire};

/// A session ends after this time. Its page logs in anew, and so learns what has become of its rights at the PBX.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Messages that a session may send from one sign of life to the next; its page sends a handful.
const MOST_MESSAGES: u32 = 60;

/// A password that was checked and is wrong is answered this late.
const REFUSAL_DELAY: Duration = Duration::from_millis(500);

/// Attends to a person's session until it ends.
pub(crate) async fn attend(
    wire: &mut impl Wire,
    mut session: UserSession,
    visitor: Visitor,
    visitors: &Visitors,
) {
    let Some(seat) = visitors.enter(visitor) else {
        // the session ends either way
        let _said = say_all(wire, UserSession::no_room()).await;
        return;
    };
    // whoever is stuck has nothing to be told
    let _ended = converse(wire, &mut session, seat).await;
}

async fn converse(wire: &mut impl Wire, session: &mut UserSession, mut seat: Seat) -> Result<(), Stuck> {
    let end = Instant::now() + LONGEST;
    let mut heard_at = Instant::now();
    let mut messages = 0;
    let mut beat = tokio::time::interval(BEAT_AFTER);
    loop {
        tokio::select! {
            heard = wire.hear() => {
                heard_at = Instant::now();
                match heard {
                    Heard::Text(text) => {
                        messages += 1;
                        if messages > MOST_MESSAGES {
                            return Ok(());
                        }
                        let (frames, errand) = session.receive(&text);
                        if errand == Errand::Unproven {
                            tokio::time::sleep(REFUSAL_DELAY).await;
                        }
                        say_all(wire, frames).await?;
                        if errand == Errand::Subscription {
                            tell(wire, session, &mut seat).await?;
                        }
                    }
                    Heard::Ping(payload) => wire.pong(&payload).await?,
                    Heard::Sign => {}
                    Heard::End(_) => return Ok(()),
                }
            }
            changed = seat.told.changed() => {
                if changed.is_err() {
                    return Ok(());
                }
                tell(wire, session, &mut seat).await?;
            }
            _ = beat.tick() => {
                messages = 0;
                if heard_at.elapsed() > DROP_AFTER {
                    return Ok(());
                }
                wire.beat().await?;
            }
            () = tokio::time::sleep_until(end) => return Ok(()),
        }
    }
}

/// Tells the newest state, if there is one yet.
async fn tell(wire: &mut impl Wire, session: &UserSession, seat: &mut Seat) -> Result<(), Stuck> {
    let told = seat.told.borrow_and_update().clone();
    match told {
        Some(state) => say_all(wire, session.tell(&state)).await,
        None => Ok(()),
    }
}

async fn say_all(wire: &mut impl Wire, frames: Vec<String>) -> Result<(), Stuck> {
    for frame in frames {
        wire.say(frame).await?;
    }
    Ok(())
}
