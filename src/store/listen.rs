//! Hints between lanes: NOTIFY after a commit, LISTEN on a connection of its own. A hint may be lost; lanes also poll.

use futures_util::StreamExt;
use tokio_postgres::{AsyncMessage, Client};

use super::{Session, Store, StoreError};
use crate::domain::ids::Partition;

/// What another worker, or another lane of this one, has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// Rows wait for this lane.
    Rows(Partition),
    /// Who has which lane, or how many share them, has changed.
    Leases,
}

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

/// Says to all workers that it is worth a look at who has which lane.
pub async fn notify_leases(client: &Client) -> Result<(), StoreError> {
    client.batch_execute("notify switchboard_lease").await?;
    Ok(())
}

/// Hands every hint to `wake`, until the connection ends.
pub async fn listen(store: &Store, wake: impl Fn(Hint)) -> Result<(), StoreError> {
    let (client, mut messages) = store.listening_client().await?;
    // The connection moves only while its messages are asked for: LISTEN and the stream have to run side by side.
    let subscribe = client.batch_execute("listen switchboard_lane; listen switchboard_lease");
    tokio::pin!(subscribe);
    let mut subscribed = false;
    loop {
        tokio::select! {
            done = &mut subscribe, if !subscribed => { done?; subscribed = true; }
            message = messages.next() => match message {
                Some(Ok(AsyncMessage::Notification(hint))) => {
                    if hint.channel() == "switchboard_lease" {
                        wake(Hint::Leases);
                    } else if let Ok(lane) = hint.payload().parse() {
                        wake(Hint::Rows(Partition(lane)));
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error.into()),
                None => return Err(StoreError::Unreachable("the listening connection ended".into())),
            }
        }
    }
}
