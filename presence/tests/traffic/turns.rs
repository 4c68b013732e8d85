use m365_presence::traffic::{Turns, Urgency};

#[test]
fn the_more_urgent_leave_first_and_equals_in_the_order_in_which_they_came() {
    let mut turns = Turns::new(8);
    let places: Vec<_> = (0..8).map(|_| turns.queue(Urgency::Call)).collect();
    assert!(places.into_iter().all(|ticket| turns.take(ticket)));
    let sweep = turns.queue(Urgency::Sweep);
    let renewal = turns.queue(Urgency::Renewal);
    let [first, second] = [turns.queue(Urgency::Choice), turns.queue(Urgency::Choice)];
    let call = turns.queue(Urgency::Call);
    assert!(!turns.take(call), "every place is taken");
    for _ in 0..8 {
        turns.leave();
    }
    for waits in [sweep, renewal, second, first] {
        assert!(!turns.take(waits), "it is the call's turn");
    }
    assert!(turns.take(call));
    assert!(!turns.take(second));
    for next in [first, second, renewal, sweep] {
        turns.leave();
        assert!(turns.take(next));
    }
}

#[test]
fn what_can_wait_never_takes_the_last_place() {
    for (urgency, room) in Urgency::ALL.into_iter().zip([16, 14, 12, 8]) {
        let mut turns = Turns::new(16);
        let taken = (0..100)
            .filter(|_| {
                let ticket = turns.queue(urgency);
                turns.take(ticket)
            })
            .count();
        assert_eq!(taken, room, "{urgency:?}");
    }
}

#[test]
fn who_gives_up_waiting_stands_in_nobody_s_way() {
    let mut turns = Turns::new(8);
    let gone = turns.queue(Urgency::Call);
    let next = turns.queue(Urgency::Sweep);
    assert!(!turns.take(next));
    turns.withdraw(gone);
    assert!(turns.take(next));
    assert!(!turns.take(next), "a ticket is good once");
    assert_eq!(turns.taken(), 1);
}
