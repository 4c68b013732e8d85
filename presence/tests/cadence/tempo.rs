//! How soon somebody is read again.

use m365_presence::cadence::{Reading, Watch};

use super::{Desk, seconds, user};

#[test]
fn whom_a_subscription_watches_is_compared_once_a_sweep() {
    let mut desk = Desk::new(Reading::Hybrid, seconds(300), 3, Watch::Trusted);
    desk.read();
    assert_eq!(desk.reads_of(&user(0), seconds(3_000)), 10);
}

#[test]
fn whom_a_subscription_watches_is_never_read_again_where_notifications_are_all_that_counts() {
    let mut desk = Desk::new(Reading::Subscription, seconds(300), 3, Watch::Trusted);
    assert_eq!(desk.read().len(), 1);
    assert_eq!(desk.pass(seconds(86_400)), []);
}

#[test]
fn whom_nobody_watches_is_read_every_ten_seconds_however_presence_is_read() {
    for reading in [Reading::Hybrid, Reading::Subscription] {
        for watch in [Watch::Nobody, Watch::Doubted] {
            let mut desk = Desk::new(reading, seconds(300), 1, watch);
            desk.read();
            assert_eq!(desk.reads_of(&user(0), seconds(100)), 10, "{reading:?} {watch:?}");
        }
    }
}

#[test]
fn a_shorter_sweep_is_the_tempo_of_those_whom_nobody_watches() {
    for reading in [Reading::Hybrid, Reading::Subscription, Reading::Polling] {
        let mut desk = Desk::new(reading, seconds(1), 1, Watch::Nobody);
        desk.read();
        assert_eq!(desk.reads_of(&user(0), seconds(100)), 100, "{reading:?}");
    }
}

#[test]
fn polling_reads_people_at_rest_as_often_as_it_is_told_to() {
    for sweep in [10, 60] {
        let mut desk = Desk::new(Reading::Polling, seconds(sweep), 1, Watch::Nobody);
        desk.read();
        assert_eq!(desk.reads_of(&user(0), seconds(10 * sweep)), 10);
    }
}

#[test]
fn who_has_changed_is_read_every_three_seconds_at_first_and_less_and_less_often() {
    let mut desk = Desk::new(Reading::Polling, seconds(60), 1, Watch::Nobody);
    desk.read();
    desk.show(&user(0), "Away");
    let changed_at = desk.now;
    let calls = desk.pass(seconds(1_200));
    let times: Vec<u64> = calls.iter().map(|(at, _)| (*at - changed_at).as_secs()).collect();
    assert_eq!(times[..9], [3, 6, 9, 12, 15, 18, 21, 24, 27]);
    let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.windows(2).all(|pair| pair[0] <= pair[1]), "{gaps:?}");
    assert_eq!(gaps.last(), Some(&60));
}

#[test]
fn who_is_in_a_teams_call_or_meeting_is_read_every_three_seconds_while_it_lasts() {
    for activity in ["InACall", "inaconferencecall", "InAMeeting", "Presenting"] {
        let mut desk = Desk::new(Reading::Polling, seconds(60), 1, Watch::Nobody);
        desk.read();
        desk.show(&user(0), activity);
        desk.pass(seconds(3_600));
        assert_eq!(desk.reads_of(&user(0), seconds(300)), 100, "{activity}");
        desk.show(&user(0), "Available");
        desk.pass(seconds(3_600));
        assert_eq!(desk.reads_of(&user(0), seconds(300)), 5, "{activity}");
    }
}

#[test]
fn who_is_on_the_phone_at_the_pbx_is_read_every_three_seconds_while_it_lasts() {
    let mut desk = Desk::new(Reading::Polling, seconds(60), 1, Watch::Nobody);
    desk.read();
    desk.cadence.note_phone(&user(0), true, desk.now);
    desk.pass(seconds(3_600));
    assert_eq!(desk.reads_of(&user(0), seconds(300)), 100);
    desk.cadence.note_phone(&user(0), false, desk.now);
    desk.pass(seconds(3_600));
    assert_eq!(desk.reads_of(&user(0), seconds(300)), 5);
}

#[test]
fn a_call_of_somebody_whom_a_subscription_watches_changes_nothing() {
    let mut desk = Desk::new(Reading::Hybrid, seconds(300), 1, Watch::Trusted);
    desk.read();
    desk.cadence.note_phone(&user(0), true, desk.now);
    assert_eq!(desk.reads_of(&user(0), seconds(3_000)), 10);
}

#[test]
fn who_loses_the_subscription_is_read_at_once_and_who_gets_one_is_left_alone() {
    let mut desk = Desk::new(Reading::Hybrid, seconds(300), 2, Watch::Trusted);
    desk.read();
    desk.pass(seconds(100));
    let lost = user(0);
    desk.cadence.set_watch(|id| {
        if *id == lost {
            Watch::Nobody
        } else {
            Watch::Trusted
        }
    });
    let calls = desk.read();
    assert_eq!(calls[0].users, [user(0)]);
    desk.cadence.set_watch(|_| Watch::Trusted);
    assert_eq!(desk.pass(seconds(199)), []);
}

#[test]
fn an_endless_sweep_is_no_trouble() {
    let mut desk = Desk::new(Reading::Hybrid, std::time::Duration::MAX, 1, Watch::Trusted);
    desk.read();
    assert_eq!(desk.pass(seconds(86_400)), []);
}
