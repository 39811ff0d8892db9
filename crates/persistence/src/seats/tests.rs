use super::*;

const WAIT: Duration = Duration::from_secs(60);

fn tenant() -> Party {
    Party::Tenant(crate::new_id())
}

/// Takes as many seats as there are at once, without waiting.
async fn take_all(seats: &Seats, party: Party, weight: Weight) -> Vec<Seat> {
    let mut taken = Vec::new();
    while let Ok(seat) = seats.take(party, weight, Instant::now()).await {
        taken.push(seat);
    }
    taken
}

/// A task that waits for a seat and is in the queue.
async fn waiting(seats: &Seats, party: Party) -> tokio::task::JoinHandle<Result<Seat, Error>> {
    let before = seats.state().1.waiting;
    let all = seats.clone();
    let task = tokio::spawn(async move { all.take(party, Weight::Light, Instant::now() + WAIT).await });
    while seats.state().1.waiting == before {
        tokio::task::yield_now().await;
    }
    task
}

#[tokio::test]
async fn a_tenant_takes_as_many_seats_as_it_leaves_free() {
    for (seats, one, two) in [(1, 1, 0), (2, 1, 1), (4, 2, 1), (8, 4, 2), (16, 8, 4)] {
        let seats = Seats::new(seats, WAIT);
        let first = take_all(&seats, tenant(), Weight::Light).await;
        let second = take_all(&seats, tenant(), Weight::Light).await;
        assert_eq!((first.len(), second.len()), (one, two));
    }
}

#[tokio::test]
async fn heavy_work_has_a_part_of_the_seats_and_a_tenant_a_part_of_that() {
    let seats = Seats::new(8, WAIT);
    let noisy = tenant();
    let first = take_all(&seats, noisy, Weight::Heavy).await;
    let second = take_all(&seats, tenant(), Weight::Heavy).await;
    let third = take_all(&seats, tenant(), Weight::Heavy).await;
    assert_eq!((first.len(), second.len(), third.len()), (2, 1, 0));
    assert_eq!(take_all(&seats, tenant(), Weight::Light).await.len(), 2, "light work has the rest");
}

#[tokio::test]
async fn strangers_share_a_small_part_whatever_they_claim_to_be() {
    let seats = Seats::new(8, WAIT);
    let mut taken = Vec::new();
    for last in 1..=9 {
        let address = Party::stranger(Some([192, 0, 2, last].into()));
        taken.extend(take_all(&seats, address, Weight::Light).await);
    }
    assert_eq!(taken.len(), 2);
    assert_eq!(take_all(&seats, tenant(), Weight::Light).await.len(), 3);
}

#[tokio::test]
async fn the_house_and_a_probe_find_a_seat_whatever_tenants_hold() {
    let seats = Seats::new(8, WAIT);
    let mut taken = Vec::new();
    for _ in 0..20 {
        taken.extend(take_all(&seats, tenant(), Weight::Light).await);
    }
    assert_eq!(taken.len(), 7);
    assert_eq!(take_all(&seats, Party::Probe, Weight::Light).await.len(), 1);
    assert_eq!(take_all(&seats, Party::House, Weight::Light).await.len(), 1);
}

#[tokio::test]
async fn tenants_that_wait_take_turns() {
    let seats = Seats::new(1, WAIT);
    let (noisy, quiet) = (tenant(), tenant());
    let held = seats.take(noisy, Weight::Light, Instant::now() + WAIT).await.ok().unwrap();
    let first = waiting(&seats, noisy).await;
    let second = waiting(&seats, noisy).await;
    let other = waiting(&seats, quiet).await;
    drop(held);
    let held = first.await.unwrap().ok().unwrap();
    drop(held);
    let held = other.await.unwrap().ok().unwrap();
    assert!(!second.is_finished(), "the second of the noisy one comes after the first of the other");
    drop(held);
    assert!(second.await.unwrap().is_ok());
    assert_eq!(seats.state(), (0, Queue::default()));
}

#[tokio::test]
async fn who_hangs_up_leaves_the_queue_and_takes_no_seat_along() {
    let seats = Seats::new(1, WAIT);
    let one = tenant();
    let held = seats.take(one, Weight::Light, Instant::now() + WAIT).await.ok().unwrap();
    let gone = waiting(&seats, one).await;
    let stays = waiting(&seats, one).await;
    gone.abort();
    assert!(gone.await.is_err());
    assert_eq!(seats.state().1.waiting, 1);
    drop(held);
    drop(stays.await.unwrap().ok().unwrap());
    assert_eq!(seats.state().0, 0);
}

#[tokio::test]
async fn a_stranger_that_proves_known_moves_to_its_tenant_or_waits_for_its_turn() {
    let seats = Seats::new(4, WAIT);
    let known: TenantId = crate::new_id();
    let stranger = Party::stranger(None);
    let mut first = seats.take(stranger, Weight::Light, Instant::now()).await.ok().unwrap();
    assert!(first.belongs_to(known));
    let mut second = seats.take(stranger, Weight::Light, Instant::now()).await.ok().unwrap();
    assert!(seats.take(stranger, Weight::Light, Instant::now()).await.is_err(), "one seat for strangers");
    assert!(second.belongs_to(known));
    assert!(second.belongs_to(known), "work that runs again stays where it is");
    let mut third = seats.take(stranger, Weight::Light, Instant::now()).await.ok().unwrap();
    assert!(!third.belongs_to(known), "the tenant holds two of three seats");
    assert_eq!(third.owner(), Some(known));
    drop((first, second, third));
    assert_eq!(seats.state().0, 0);
    assert_eq!(take_all(&seats, Party::Tenant(known), Weight::Light).await.len(), 2);
}

#[test]
fn of_heavy_work_that_takes_long_a_tenant_does_one_at_a_time() {
    let start = Instant::now();
    let mut hall = Hall::new(Plan::of(8), Duration::from_secs(1));
    let (noisy, other) = (tenant(), tenant());
    let mut turns = Vec::new();
    let mut at_once = |hall: &mut Hall, party| {
        turns.extend((0..4).map(|_| hall.ask(party, Weight::Heavy, start)));
        hall.grant(start).len()
    };
    assert_eq!(at_once(&mut hall, noisy), 2);
    // The first two are quick, and two more follow them. From then on they take long.
    hall.leave(noisy, Weight::Heavy, Duration::from_millis(1), start);
    hall.leave(noisy, Weight::Heavy, Duration::from_millis(1), start);
    assert_eq!(hall.grant(start).len(), 2);
    hall.leave(noisy, Weight::Heavy, Duration::from_secs(1), start);
    hall.leave(noisy, Weight::Heavy, Duration::from_secs(1), start);
    assert_eq!(at_once(&mut hall, noisy), 1);
    assert_eq!(at_once(&mut hall, other), 1, "of the two others, as many as it leaves free");
}

#[test]
fn a_queue_is_as_long_as_what_can_be_answered_in_time() {
    let start = Instant::now();
    let mut hall = Hall::new(Plan::of(4), Duration::from_secs(1));
    let (noisy, quiet) = (tenant(), tenant());
    let mut held = Vec::new();
    for _ in 0..2 {
        held.push(hall.ask(noisy, Weight::Light, start));
        assert_eq!(hall.grant(start).len(), 1);
    }
    // One and a half seats when others want some too, and work of 50 ms: in a second, 30 are through.
    for _ in 0..200 {
        hall.leave(noisy, Weight::Light, Duration::from_millis(50), start);
        held.push(hall.ask(noisy, Weight::Light, start));
        assert_eq!(hall.grant(start).len(), 1);
    }
    let mut queued = Vec::new();
    while let Some(turn) = hall.ask(noisy, Weight::Light, start) {
        queued.push(turn);
    }
    assert_eq!(queued.len(), 30, "1.5 seats in a second of patience");
    assert_eq!(hall.queue, Queue { waiting: 30, refused_full: 1, refused_late: 0 });
    assert!(hall.ask(quiet, Weight::Light, start).is_some(), "it has a free seat");
}

#[test]
fn a_line_that_does_not_move_takes_nobody_else() {
    let start = Instant::now();
    let mut hall = Hall::new(Plan::of(4), Duration::from_secs(1));
    let stuck = tenant();
    let held: Vec<_> = (0..2).map(|_| hall.ask(stuck, Weight::Light, start)).collect();
    assert_eq!((held.len(), hall.grant(start).len()), (2, 2));
    let mut queued = Vec::new();
    while let Some(turn) = hall.ask(stuck, Weight::Light, start + Duration::from_secs(5)) {
        queued.push(turn);
    }
    assert_eq!(queued.len(), 16, "a few always may wait");
    let mut fresh = Vec::new();
    while let Some(turn) = hall.ask(stuck, Weight::Heavy, start + Duration::from_secs(5)) {
        fresh.push(turn);
    }
    assert!(fresh.len() > 100, "nothing is known of this line yet");
}
