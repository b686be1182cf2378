//! Leases move by release or expiry only, and no transaction of an old epoch gets past the fence.

use std::time::Duration;

use switchboard::domain::ids::Partition;
use switchboard::store::listen::{self, Hint};
use switchboard::store::{StoreError, lanes, outbox};
use uuid::Uuid;

use crate::support::database::{Database, LEASE};
use crate::support::wait::{until, within};

const LANE: Partition = Partition(1);
/// A lease that has run out as soon as it is looked at.
const NONE: Duration = Duration::ZERO;

async fn declared() -> Database {
    let database = Database::migrated().await;
    lanes::declare_partitions(&database.client().await, 4)
        .await
        .expect("lanes");
    database
}

/// A database with a lane in the hands of a worker, and its epoch.
async fn taken() -> (Database, Uuid, i64) {
    let (database, worker) = (declared().await, Uuid::now_v7());
    lanes::claim(&database.client().await, LANE, worker, LEASE)
        .await
        .expect("a claim")
        .expect("a free lane");
    let raised = lanes::raise_epoch(&database.session().await, LANE, worker)
        .await
        .expect("an epoch");
    (database, worker, raised.expect("its lane").0)
}

#[tokio::test]
async fn the_number_of_partitions_is_recorded_once_and_no_other_is_taken() {
    let database = declared().await;
    let client = database.client().await;
    assert_eq!(lanes::recorded_partitions(&client).await, Ok(Some(4)));
    assert_eq!(
        database.number("select count(*) from lane").await,
        5,
        "four and the ingress"
    );
    lanes::declare_partitions(&client, 4)
        .await
        .expect("the same again");
    let Err(StoreError::Setup(sentence)) = lanes::declare_partitions(&client, 8).await else {
        panic!("another number of partitions was taken");
    };
    assert!(sentence.contains("has 4 partitions, not 8"), "{sentence}");
    assert_eq!(database.number("select count(*) from lane").await, 5);
}

#[tokio::test]
async fn of_many_that_claim_a_lane_one_gets_it() {
    let database = declared().await;
    let claim = async || {
        let client = database.client().await;
        lanes::claim(&client, LANE, Uuid::now_v7(), LEASE)
            .await
            .expect("an answer")
            .is_some()
    };
    let got = tokio::join!(claim(), claim(), claim(), claim(), claim());
    let got = [got.0, got.1, got.2, got.3, got.4];
    assert_eq!(got.iter().filter(|got| **got).count(), 1, "{got:?}");
}

#[tokio::test]
async fn a_lane_says_whether_it_was_let_go_in_order() {
    let database = declared().await;
    let client = database.client().await;
    let (one, other) = (Uuid::now_v7(), Uuid::now_v7());
    assert_eq!(
        lanes::claim(&client, LANE, one, LEASE).await,
        Ok(Some(true)),
        "nobody had it before"
    );
    assert_eq!(
        lanes::claim(&client, LANE, other, LEASE).await,
        Ok(None),
        "it is somebody's"
    );
    lanes::release(&client, LANE, one, true).await.expect("released");
    assert_eq!(lanes::claim(&client, LANE, other, NONE).await, Ok(Some(true)));
    assert_eq!(
        lanes::claim(&client, LANE, one, LEASE).await,
        Ok(Some(false)),
        "its lease ran out"
    );
    lanes::release(&client, LANE, other, true)
        .await
        .expect("not its to release any more");
    assert_eq!(lanes::claim(&client, LANE, other, LEASE).await, Ok(None));
}

#[tokio::test]
async fn a_heartbeat_keeps_the_lanes_a_worker_has_and_no_other() {
    let database = declared().await;
    let client = database.client().await;
    let (worker, other) = (Uuid::now_v7(), Uuid::now_v7());
    for lane in [0, 1, 2] {
        lanes::claim(&client, Partition(lane), worker, NONE)
            .await
            .expect("a claim");
    }
    lanes::claim(&client, Partition(1), other, LEASE)
        .await
        .expect("a claim")
        .expect("run out");
    let mut kept = lanes::renew(&client, worker, LEASE, true)
        .await
        .expect("a heartbeat");
    kept.sort();
    assert_eq!(
        kept,
        [Partition(0), Partition(2)],
        "one run out and taken, one run out and kept"
    );
    let all = lanes::list(&client).await.expect("lanes");
    let holders: Vec<_> = all.iter().map(|lane| (lane.partition, lane.worker)).collect();
    let expected = [
        (Partition(0), Some(worker)),
        (Partition(1), Some(other)),
        (Partition(2), Some(worker)),
        (Partition(3), None),
        (lanes::INGRESS, None),
    ];
    assert_eq!(holders, expected);
}

#[tokio::test]
async fn workers_count_as_long_as_they_are_heard_from() {
    let database = declared().await;
    let client = database.client().await;
    let (here, gone, stopped) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    lanes::renew(&client, here, LEASE, true)
        .await
        .expect("a heartbeat");
    lanes::renew(&client, gone, NONE, true)
        .await
        .expect("a heartbeat");
    lanes::renew(&client, stopped, LEASE, true)
        .await
        .expect("a heartbeat");
    assert_eq!(lanes::live_workers(&client).await, Ok(2));
    lanes::forget_worker(&client, stopped).await.expect("forgotten");
    assert_eq!(lanes::live_workers(&client).await, Ok(1));
    let kept = lanes::renew(&client, stopped, LEASE, false).await;
    assert_eq!(kept, Ok(vec![]), "it may keep lanes and not count");
    assert_eq!(lanes::live_workers(&client).await, Ok(1));
}

#[tokio::test]
async fn only_the_holder_of_a_running_lease_raises_the_epoch() {
    let (database, worker, epoch) = taken().await;
    let session = database.session().await;
    assert_eq!(lanes::raise_epoch(&session, LANE, Uuid::now_v7()).await, Ok(None));
    let (next, _) = lanes::raise_epoch(&session, LANE, worker)
        .await
        .expect("an answer")
        .expect("its lane");
    assert_eq!(next, epoch + 1);
    database
        .run("update lane set lease_until = clock_timestamp()")
        .await;
    assert_eq!(
        lanes::raise_epoch(&session, LANE, worker).await,
        Ok(None),
        "the lease ran out"
    );
}

#[tokio::test]
async fn a_transaction_of_an_older_epoch_is_refused_at_the_fence() {
    let (database, worker, epoch) = taken().await;
    let session = database.transaction().await;
    let fence = lanes::fence(&session, LANE, epoch)
        .await
        .expect("an answer")
        .expect("ours");
    assert_eq!(fence.directory_version, 1);
    session.commit().await.expect("a commit");
    lanes::raise_epoch(&database.session().await, LANE, worker)
        .await
        .expect("an epoch");
    let session = database.transaction().await;
    assert_eq!(lanes::fence(&session, LANE, epoch).await, Ok(None));
    session.rollback().await;
}

#[tokio::test]
async fn raising_the_epoch_waits_for_what_is_in_hand_and_then_sees_it() {
    let (database, worker, epoch) = taken().await;
    let batch = database.transaction().await;
    lanes::fence(&batch, LANE, epoch)
        .await
        .expect("an answer")
        .expect("ours");
    let taker = database.session().await;
    let batch_ends = async {
        database.until_waiting(1).await;
        batch
            .commit_after(outbox::add(&batch, &[(LANE, "left".into())]))
            .await
            .expect("a commit");
    };
    let raise = lanes::raise_epoch(&taker, LANE, worker);
    let (raised, ()) = within("the raise", async { tokio::join!(raise, batch_ends) }).await;
    assert_eq!(raised.expect("an answer").expect("its lane").0, epoch + 1);
    let left = outbox::read(&taker, LANE, &[], 10).await.expect("rows");
    assert_eq!(left.len(), 1);
}

#[tokio::test]
async fn a_fence_that_waited_for_the_epoch_to_rise_is_refused() {
    let (database, _, epoch) = taken().await;
    let taker = database.client().await;
    taker
        .batch_execute("begin; update lane set epoch = epoch + 1")
        .await
        .expect("raised");
    let late = database.transaction().await;
    let taken = async {
        database.until_waiting(1).await;
        taker.batch_execute("commit").await.expect("a commit");
    };
    let (fence, ()) = within("the fence", async {
        tokio::join!(lanes::fence(&late, LANE, epoch), taken)
    })
    .await;
    assert_eq!(fence, Ok(None));
    late.rollback().await;
}

#[tokio::test]
async fn heartbeats_and_claims_do_not_wait_for_batches_nor_batches_for_them() {
    let (database, worker, epoch) = taken().await;
    let batch = database.transaction().await;
    lanes::fence(&batch, LANE, epoch)
        .await
        .expect("an answer")
        .expect("ours");
    let client = database.client().await;
    // With a bound that a wait for the batch, which does not end, would exceed.
    client
        .batch_execute("set lock_timeout = '1s'; begin")
        .await
        .expect("set");
    assert_eq!(lanes::renew(&client, worker, LEASE, true).await, Ok(vec![LANE]));
    lanes::release(&client, LANE, worker, true)
        .await
        .expect("released");
    lanes::claim(&client, LANE, worker, LEASE)
        .await
        .expect("no wait")
        .expect("free");
    let next = database.transaction().await;
    let fence = within("the fence", lanes::fence(&next, LANE, epoch)).await;
    assert!(
        fence.expect("an answer").is_some(),
        "a heartbeat under way does not hold up the next batch"
    );
    client.batch_execute("commit").await.expect("a commit");
    next.commit().await.expect("a commit");
    batch.commit().await.expect("a commit");
}

#[tokio::test]
async fn attempts_are_counted_for_one_message_until_it_gets_through() {
    let database = declared().await;
    let session = database.session().await;
    let (culprit, other) = (Uuid::now_v7(), Uuid::now_v7());
    assert_eq!(lanes::note_attempt(&session, LANE, culprit).await, Ok(1));
    assert_eq!(lanes::note_attempt(&session, LANE, culprit).await, Ok(2));
    assert_eq!(lanes::note_attempt(&session, LANE, other).await, Ok(1));
    lanes::clear_attempt(&session, LANE).await.expect("cleared");
    assert_eq!(lanes::note_attempt(&session, LANE, other).await, Ok(1));
}

#[tokio::test]
async fn hints_reach_who_listens() {
    let database = declared().await;
    let store = database.store();
    let (hint, mut hints) = tokio::sync::mpsc::channel(16);
    let listening = listen::listen(&store, |heard| {
        let _ = hint.try_send(heard);
    });
    let session = database.session().await;
    let client = database.client().await;
    let mut seen = Vec::new();
    let heard = async {
        // The first ones may come before LISTEN does.
        until("all hints", async || {
            listen::notify(&session, &[Partition(2), Partition(3)])
                .await
                .expect("sent");
            listen::notify_leases(&client).await.expect("sent");
            while let Ok(heard) = hints.try_recv() {
                seen.push(heard);
            }
            let all = [Hint::Rows(Partition(2)), Hint::Rows(Partition(3)), Hint::Leases];
            all.iter().all(|one| seen.contains(one)).then_some(())
        })
        .await;
    };
    tokio::select! {
        ended = listening => panic!("{ended:?}"),
        () = heard => {}
    }
}
