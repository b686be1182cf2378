//! Hints between lanes: NOTIFY after a commit, LISTEN on a connection of its own. A hint may be lost; lanes also poll.

use futures_util::StreamExt;
use tokio_postgres::AsyncMessage;

use super::{Session, Store, StoreError};
use crate::domain::ids::Partition;

/// Says that rows wait for these lanes. After the commit and on its own: inside a transaction it would make all commits
/// of the database wait for each other.
pub async fn notify(session: &Session, lanes: &[Partition]) -> Result<(), StoreError> {
    if lanes.is_empty() {
        return Ok(());
    }
    let numbers: Vec<String> = lanes.iter().map(|lane| lane.0.to_string()).collect();
    session
        .execute(
            "select pg_notify('switchboard_lane', n) from unnest($1::text[]) n",
            &[&numbers],
        )
        .await?;
    Ok(())
}

/// Hands every hint to `wake`, until the connection ends.
pub async fn listen(store: &Store, wake: impl Fn(Partition)) -> Result<(), StoreError> {
    let (client, mut messages) = store.listening_client().await?;
    // The connection moves only while its messages are asked for: LISTEN and the stream have to run side by side.
    let subscribe = client.batch_execute("listen switchboard_lane");
    tokio::pin!(subscribe);
    let mut subscribed = false;
    loop {
        tokio::select! {
            done = &mut subscribe, if !subscribed => { done?; subscribed = true; }
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(hint))) => {
                    if let Ok(lane) = hint.payload().parse() {
                        wake(Partition(lane));
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Err(StoreError::Unreachable("the listening connection ended".into())),
            }
        }
    }
}
