//! The past as a simulation replays it: what began, by which rule, and how long it took.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use tokio_postgres::Row;

use super::codec;
use super::{Session, StoreError};
use crate::domain::conversation::Contact;
use crate::domain::ids::{ChannelKey, ConversationId, Tenant};

/// An episode that began.
#[derive(Debug, Clone)]
pub struct Past {
    /// Of which conversation.
    pub conversation: ConversationId,
    /// When it was decided where it goes.
    pub at: Timestamp,
    /// The business number.
    pub channel: ChannelKey,
    /// What is known of the customer today.
    pub contact: Contact,
    /// The rule it went by.
    pub rule: Option<Arc<str>>,
    /// From its first assignment to the last thing that happened, where that is known: of a closed conversation's last
    /// episode.
    pub service: Option<SignedDuration>,
}

/// Decisions of a period with which episodes began, the oldest first, at most `limit`.
///
/// Nothing says in so many words that an episode began, so what else leaves a decision is left out: what our own timers,
/// sweeps and commands caused, and what a person asked for; a choice that took the conversation from somebody or from a
/// queue (its engagement says so); and a wait that goes on (the decision before it found nobody, and nobody took it since).
pub async fn episodes(
    session: &Session,
    tenant: &Tenant,
    since: Timestamp,
    until: Timestamp,
    limit: i64,
) -> Result<Vec<Past>, StoreError> {
    let sql = "with told as (
        select d.conversation, d.id, d.at, d.rule, d.chosen, d.cause, d.detail,
          lag(d.at) over w as before_at, lag(d.chosen) over w as before_chosen, lead(d.at) over w as after_at,
          row_number() over w as place
        from decision d where d.tenant = $1 window w as (partition by d.conversation order by d.at, d.id))
      select t.conversation, t.at, c.channel, c.contact, t.rule,
        case when c.status = 'closed' and t.after_at is null and taken.created_at < c.last_activity
          then extract(epoch from c.last_activity - taken.created_at)::float8 end
      from told t
      join conversation c on c.tenant = $1 and c.id = t.conversation
      left join engagement own on own.tenant = $1 and own.conversation = t.conversation and own.decision = t.id
      left join lateral (
        select created_at from engagement where tenant = $1 and conversation = t.conversation and created_at >= t.at
          and (t.after_at is null or created_at <= t.after_at) and status in ('done', 'accepted')
        order by created_at limit 1) taken on true
      where t.at >= $2 and t.at < $3
        and t.cause not like 'timer/%' and t.cause not like 'sweep/%' and t.cause not like 'cli/%'
        and not t.detail ? 'asked_by' and own.requester is null and (own.from_owner is null or own.from_owner = 'nobody')
        and (t.chosen is not null or t.place = 1 or t.before_chosen is not null or exists (
          select from engagement g where g.tenant = $1 and g.conversation = t.conversation
            and g.created_at >= t.before_at and g.created_at < t.at and g.status in ('done', 'accepted')))
      order by t.at, t.conversation limit $4";
    let rows = session
        .query(sql, &[&tenant.as_str(), &since, &until, &limit])
        .await?;
    rows.iter().map(past).collect()
}

fn past(row: &Row) -> Result<Past, StoreError> {
    let contact: Value = row.get(3);
    let seconds: Option<f64> = row.get(5);
    Ok(Past {
        conversation: ConversationId(row.get(0)),
        at: row.get(1),
        channel: codec::channel(row.get(2))?,
        contact: codec::contact(&contact),
        rule: row.get::<_, Option<&str>>(4).map(Arc::from),
        service: seconds.and_then(|seconds| SignedDuration::try_from_secs_f64(seconds).ok()),
    })
}
