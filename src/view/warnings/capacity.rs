//! The places in the presence subscriptions, before they are all taken.

use m365_presence::light::WarningCode;

use super::Warning;
use crate::view::overview::Overview;
use crate::view::shards::Shards;

/// Fewer free places than this share of all are too few.
const FREE_PERCENT: usize = 5;

pub(super) fn warning(overview: &Overview) -> Option<Warning> {
    let status = overview.presence_subscription.as_ref()?;
    let shards = Shards::of(status);
    let (taken, places, filling) = (shards.taken(), shards.places(), shards.filling());
    if !status.roster_known || places == 0 {
        return None;
    }
    if status.overflow > 0 {
        let cause = format!(
            "{} licensed users find no place in a presence subscription: all {places} are taken ({filling})",
            status.overflow
        );
        return Some(Warning::new(WarningCode::OverCapacity, "", &cause));
    }
    is_nearly_full(taken, places).then(|| {
        let cause = format!("{taken} of {places} places in the presence subscriptions are taken ({filling})");
        Warning::new(WarningCode::NearlyFull, "", &cause)
    })
}

fn is_nearly_full(taken: usize, places: usize) -> bool {
    places.saturating_sub(taken).saturating_mul(100) < places.saturating_mul(FREE_PERCENT)
}

#[cfg(test)]
mod tests {
    use super::is_nearly_full;

    #[test]
    fn fewer_than_five_in_a_hundred_free_places_are_too_few() {
        for (taken, places, nearly) in [
            (0, 650, false),
            (617, 650, false), // 33 free: 5.08 %
            (618, 650, true),  // 32 free: 4.92 %
            (650, 650, true),
            (1_235, 1_300, false), // exactly 5 %
            (1_236, 1_300, true),
        ] {
            assert_eq!(is_nearly_full(taken, places), nearly, "{taken} of {places}");
        }
    }
}
