//! Timers come due once, outbox rows come out in order.

use jiff::Timestamp;
use switchboard::domain::conversation::{Conversation, Owner, PendingRequest};
use switchboard::domain::ids::{Partition, Tenant};
use switchboard::store::timers::{self, DueTimer, NewTimer, TimerKind};
use switchboard::store::{Session, lanes, outbox};

use uuid::Uuid;

use super::build::{HOME, acme, agent_id, conversation, keep, second, tenant};
use crate::support::database::Database;
use crate::support::wait::within;

fn timer(kind: TimerKind, subject: &str, due: Option<Timestamp>) -> NewTimer {
    NewTimer {
        tenant: acme(),
        kind,
        subject: subject.into(),
        lane: HOME,
        due,
    }
}

async fn due(session: &Session, lane: Partition, limit: i64) -> Vec<DueTimer> {
    timers::due(session, lane, limit).await.expect("timers")
}

fn subjects(timers: &[DueTimer]) -> Vec<&str> {
    timers.iter().map(|timer| timer.subject.as_str()).collect()
}

#[tokio::test]
async fn due_timers_of_a_lane_come_the_oldest_first_and_no_more_than_asked() {
    let database = Database::migrated().await;
    let session = database.transaction().await;
    let far: Timestamp = "2100-01-01T00:00:00Z".parse().expect("a time");
    let set = [
        timer(TimerKind::Assign, "third", None),
        timer(TimerKind::Assign, "second", Some(second(2))),
        timer(TimerKind::Assign, "first", Some(second(1))),
        timer(TimerKind::Assign, "not yet", Some(far)),
        NewTimer {
            lane: Partition(HOME.0 + 1),
            ..timer(TimerKind::Assign, "elsewhere", None)
        },
    ];
    session
        .commit_after(timers::set(&session, &set))
        .await
        .expect("a commit");
    assert_eq!(
        subjects(&due(&session, HOME, 10).await),
        ["first", "second", "third"]
    );
    assert_eq!(subjects(&due(&session, HOME, 2).await), ["first", "second"]);
}

#[tokio::test]
async fn a_timer_that_comes_due_after_the_batch_began_is_left_to_the_next() {
    let database = Database::migrated().await;
    let batch = database.transaction().await;
    let now = lanes::clock(&batch).await.expect("the batch's time").now;
    database
        .run("insert into timer values ('acme', 'drain', '', gen_random_uuid(), 3, clock_timestamp())")
        .await;
    let came_due = database.texts("select due::text from timer").await;
    assert_eq!(
        due(&batch, HOME, 10).await,
        [],
        "due at {came_due:?}, decided at {now}"
    );
    batch.rollback().await;
    assert_eq!(due(&database.session().await, HOME, 10).await.len(), 1);
}

#[tokio::test]
async fn timers_of_every_kind_can_be_set_read_and_cleared() {
    let database = Database::migrated().await;
    let session = database.transaction().await;
    let kinds = [
        TimerKind::Assign,
        TimerKind::Hold,
        TimerKind::Request,
        TimerKind::Recipient,
        TimerKind::Presence,
        TimerKind::Drain,
        TimerKind::Reexamine,
        TimerKind::Stranded,
    ];
    let due_long_ago = |kind: &TimerKind| timer(*kind, "same", Some(second(1)));
    let set: Vec<_> = kinds.iter().map(due_long_ago).collect();
    timers::set(&session, &set).await.expect("set");
    let mut read: Vec<_> = due(&session, HOME, 10)
        .await
        .iter()
        .map(|timer| timer.kind)
        .collect();
    read.sort();
    assert_eq!(read, kinds);
    let clear: Vec<(Tenant, TimerKind, String)> = kinds[1..]
        .iter()
        .map(|kind| (acme(), *kind, "same".to_owned()))
        .collect();
    timers::clear(&session, &clear).await.expect("cleared");
    assert_eq!(due(&session, HOME, 10).await.len(), 1);
    session.rollback().await;
}

#[tokio::test]
async fn whoever_goes_has_what_they_were_offered_looked_at_by_its_home_at_once() {
    let database = Database::migrated().await;
    let asked = |to: &str, home: u16| Conversation {
        home: Partition(home),
        request: Some(PendingRequest {
            id: Uuid::now_v7(),
            from: agent_id("martha"),
            to: agent_id(to),
            note: None,
            expires_at: second(120),
        }),
        ..conversation(Owner::Agent(agent_id("martha")))
    };
    let all = [
        asked("mark", HOME.0),
        asked("mark", 1),
        asked("ana", HOME.0),
        conversation(Owner::Nobody),
    ];
    keep(database.transaction().await, &acme(), &all).await;
    keep(
        database.transaction().await,
        &tenant("other"),
        &[asked("mark", HOME.0)],
    )
    .await;
    let session = database.transaction().await;
    let (acme, mark) = (acme(), agent_id("mark"));
    let mut homes = timers::fan_out(&session, &[(&acme, &mark)]).await.expect("set");
    homes.sort();
    assert_eq!(homes, [Partition(1), HOME]);
    session.commit().await.expect("a commit");
    // A lane that claims the timer and waits for the match row does not keep its holder waiting.
    let claiming = database.transaction().await;
    let claimed = due(&claiming, HOME, 10).await;
    let is_of = |timer: &DueTimer| timer.subject.starts_with(&all[0].id.to_string());
    assert!(
        claimed
            .iter()
            .all(|timer| timer.kind == TimerKind::Recipient && is_of(timer))
    );
    let ids: Vec<Uuid> = claimed.iter().map(|timer| timer.id).collect();
    assert_eq!(timers::claim(&claiming, &ids).await.expect("claimed").len(), 1);
    let again = database.transaction().await;
    let set = timers::fan_out(&again, &[(&acme, &mark)])
        .await
        .expect("set without waiting");
    assert_eq!(set.len(), 2);
    again.rollback().await;
    claiming.rollback().await;
}

#[tokio::test]
async fn a_timer_set_again_is_another_one_and_what_was_due_before_is_not_claimed() {
    let database = Database::migrated().await;
    let session = database.transaction().await;
    timers::set(&session, &[timer(TimerKind::Assign, "one", Some(second(1)))])
        .await
        .expect("set");
    let before = due(&session, HOME, 10).await;
    // The later of two settings in one batch wins.
    let elsewhere = NewTimer {
        lane: Partition(HOME.0 + 1),
        ..timer(TimerKind::Assign, "one", Some(second(3)))
    };
    let twice = [
        timer(TimerKind::Assign, "one", Some(second(2))),
        elsewhere.clone(),
    ];
    timers::set(&session, &twice).await.expect("set");
    assert!(due(&session, HOME, 10).await.is_empty());
    let after = due(&session, elsewhere.lane, 10).await;
    assert_eq!(subjects(&after), ["one"]);
    assert_ne!(after[0].id, before[0].id);
    assert_eq!(timers::claim(&session, &[before[0].id]).await, Ok(vec![]));
    assert_eq!(
        timers::claim(&session, &[after[0].id]).await,
        Ok(vec![after[0].id])
    );
    session.rollback().await;
}

#[tokio::test]
async fn of_two_that_claim_a_timer_one_has_it() {
    let database = Database::migrated().await;
    let session = database.transaction().await;
    session
        .commit_after(timers::set(&session, &[timer(TimerKind::Assign, "one", None)]))
        .await
        .expect("a commit");
    let ids = [due(&session, HOME, 1).await[0].id];
    let (first, second) = (database.transaction().await, database.transaction().await);
    assert_eq!(timers::claim(&first, &ids).await, Ok(ids.to_vec()));
    let commits = async {
        database.until_waiting(1).await;
        first.commit().await.expect("a commit");
    };
    let (claimed, ()) = within("the claim", async {
        tokio::join!(timers::claim(&second, &ids), commits)
    })
    .await;
    assert_eq!(claimed, Ok(vec![]));
    second.commit().await.expect("a commit");
}

#[tokio::test]
async fn outbox_rows_come_out_in_the_order_they_were_written_and_go_by_key() {
    let database = Database::migrated().await;
    let session = database.transaction().await;
    let (here, there) = (Partition(0), Partition(1));
    let row = |lane, body: &str| (lane, body.to_owned());
    let first = outbox::add(&session, &[row(here, "one"), row(there, "other")])
        .await
        .expect("rows");
    assert_eq!(
        first.iter().map(|(lane, _)| *lane).collect::<Vec<_>>(),
        [here, there]
    );
    let second = outbox::add(&session, &[row(here, "two"), row(here, "three")])
        .await
        .expect("rows");
    let ids = [first[0].1, second[0].1, second[1].1];
    assert!(ids.is_sorted());
    let all = [
        (ids[0], "one".to_owned()),
        (ids[1], "two".to_owned()),
        (ids[2], "three".to_owned()),
    ];
    assert_eq!(outbox::read(&session, here, &[], 10).await, Ok(all.to_vec()));
    assert_eq!(outbox::read(&session, here, &[], 2).await, Ok(all[..2].to_vec()));
    assert_eq!(
        outbox::read(&session, here, &[ids[0], ids[1]], 10).await,
        Ok(all[2..].to_vec())
    );
    outbox::delete(&session, here, &[ids[0], first[1].1])
        .await
        .expect("deleted");
    assert_eq!(outbox::read(&session, here, &[], 10).await, Ok(all[1..].to_vec()));
    assert_eq!(
        outbox::read(&session, there, &[], 10).await.expect("rows").len(),
        1,
        "not this lane's to delete"
    );
    session.rollback().await;
}

#[tokio::test]
async fn of_two_batches_that_change_one_conversation_the_later_has_the_later_row() {
    let database = Database::migrated().await;
    let there = super::build::waiting("support", 0);
    super::build::keep_one(&database, &there).await;
    let ids = [(acme(), there.id)];
    let (first, second) = (database.transaction().await, database.transaction().await);
    let lock = |session| switchboard::store::conversations::lock(session, &ids);
    lock(&first).await.expect("a lock");
    // The second one has begun before the first one draws its id.
    let later = async {
        lock(&second).await.expect("a lock");
        second
            .commit_after(outbox::add(&second, &[(HOME, "second".into())]))
            .await
            .expect("a commit");
    };
    let earlier = async {
        database.until_waiting(1).await;
        first
            .commit_after(outbox::add(&first, &[(HOME, "first".into())]))
            .await
            .expect("a commit");
    };
    within("both", async { tokio::join!(later, earlier) }).await;
    let rows = outbox::read(&database.transaction().await, HOME, &[], 10)
        .await
        .expect("rows");
    let bodies: Vec<_> = rows.iter().map(|(_, body)| body.as_str()).collect();
    assert_eq!(bodies, ["first", "second"]);
}
