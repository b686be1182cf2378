//! Bulks: written when they are accepted, done a page at a time by each home lane, reported when the last item is done.

use std::sync::Arc;

use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::codec;
use super::{Session, StoreError};
use crate::domain::bulk::{
    Item, ItemDone, ItemOutcome, MAX_ITEMS, Order, Past, Report, Selection, Task, Was,
};
use crate::domain::event::BulkAccepted;
use crate::domain::ids::{ConversationId, Partition, Tenant};
use crate::domain::input::{Actor, Recipient, System};

pub(super) const STATEMENTS: &[&str] = &[FINISH];

/// A bulk to be carried out.
#[derive(Debug)]
pub struct NewBulk {
    /// Whose.
    pub tenant: Tenant,
    /// What was accepted.
    pub accepted: BulkAccepted,
    /// Who gave the command.
    pub actor: Actor,
    /// The lane that reports the end.
    pub home: Partition,
    /// The command, as people call it.
    pub cause: Arc<str>,
    /// The command's dedupe key.
    pub input: Uuid,
    /// The queue where the one who gave it waits, and what is given back to them with the answer.
    pub reply: Option<(String, Option<String>)>,
    /// When.
    pub at: Timestamp,
}

/// The first eleven parameters are the bulk's own; `$12` is the selection. A conversation without a home is done at once.
macro_rules! add {
    ($picked:literal) => {
        concat!(
            "with picked(place, conversation, home, outcome, code, reverts, reverts_epoch) as materialized (",
            $picked,
            "), items as (
              insert into bulk_item (tenant, bulk, place, conversation, home, outcome, code, reverts, reverts_epoch, at)
              select $1::text, $2::uuid, place, conversation, home, outcome, code, reverts, reverts_epoch,
                case when outcome is null then null else $11::timestamptz end
              from picked),
            run as (
              insert into bulk (tenant, id, undoes, home, actor, to_agent, to_team, note, cause, input, reply_queue,
                reply_correlation, created_at, reroutes_version, reroutes_rule, pending)
              select $1::text, $2::uuid, $3::uuid, $4::int4, $5::text, ($6::text[])[1], ($6::text[])[2],
                ($6::text[])[3], $7::text, $8::uuid, $9::text, $10::text, $11::timestamptz,
                (($6::text[])[4])::int4, ($6::text[])[5],
                (select count(*) from picked where outcome is null))
            insert into timer (tenant, kind, subject, id, lane, due)
            select $1::text, 'bulk', home || '/' || ($2::uuid)::text, gen_random_uuid(), home, clock_timestamp()
              from (select distinct home from picked where outcome is null) homes
            union all
            select $1::text, 'bulk_done', ($2::uuid)::text, gen_random_uuid(), $4::int4, clock_timestamp()
              where not exists (select from picked where outcome is null)
            returning lane"
        )
    };
}

const ADD_LISTED: &str = add!(
    "select (u.place - 1)::int4, u.id, c.home, case when c.id is null then 'rejected' end,
        case when c.id is null then 'not_found' end, null::uuid, null::int8
      from unnest($12::uuid[]) with ordinality u(id, place)
      left join conversation c on c.tenant = $1::text and c.id = u.id"
);

const ADD_OWNED: &str = add!(
    "select (row_number() over (order by id) - 1)::int4, id, home, null::text, null::text, null::uuid, null::int8
      from (select id, home from conversation
        where tenant = $1::text and owner_agent = ($12::text[])[1] and status <> 'closed'
        order by id limit (($12::text[])[2])::int8) owned"
);

const ADD_UNDO: &str = add!(
    "select place, conversation, home, case when outcome in ('assigned', 'queued') then null else 'skipped' end,
        null::text, null::uuid, null::int8
      from bulk_item where tenant = $1::text and bulk = $3::uuid and $12::text[] is not null"
);

/// The selection are engagements. Each names its conversation, and its decision the epoch it left it in.
const ADD_REROUTE: &str = add!(
    "select (u.place - 1)::int4, c.id, c.home, null::text, null::text, e.id, (d.detail->>'epoch')::int8
      from unnest($12::uuid[]) with ordinality u(id, place)
      join engagement e on e.tenant = $1::text and e.id = u.id
      join conversation c on c.tenant = e.tenant and c.id = e.conversation
      join decision d on d.tenant = e.tenant and d.id = e.decision"
);

/// Adds bulks with their items and a timer in every lane that has some. Returns the lanes. After the batch's own
/// conversations are written: what they are is asked here.
pub async fn add(session: &Session, bulks: &[NewBulk]) -> Result<Vec<Partition>, StoreError> {
    let mut lanes = Vec::new();
    for bulk in bulks {
        lanes.extend(add_one(session, bulk).await?);
    }
    Ok(lanes)
}

async fn add_one(session: &Session, bulk: &NewBulk) -> Result<Vec<Partition>, StoreError> {
    let tenant = bulk.tenant.as_str();
    let home = i32::from(bulk.home.0);
    let actor = match &bulk.actor {
        Actor::Agent(agent) => Some(agent.as_str()),
        Actor::System(_) | Actor::Customer | Actor::Gateway => None,
    };
    let (queue, correlation) = match &bulk.reply {
        Some((queue, correlation)) => (Some(queue.as_str()), correlation.as_deref()),
        None => (None, None),
    };
    let version;
    let (run, undoes, target) = match &bulk.accepted {
        BulkAccepted::Assign { bulk, to, note, .. } => {
            let (agent, team) = match to {
                Recipient::Agent(agent) => (Some(agent.as_str()), None),
                Recipient::Team(team) => (None, Some(team.as_str())),
            };
            (*bulk, None, vec![agent, team, note.as_deref(), None, None])
        }
        BulkAccepted::Undo { bulk: undone } => (bulk.input, Some(*undone), vec![None; 5]),
        BulkAccepted::Reroute { bulk, made, .. } => {
            version = made.version.to_string();
            let what = vec![None, None, None, Some(version.as_str()), made.rule.as_deref()];
            (*bulk, None, what)
        }
    };
    let cause = &*bulk.cause;
    let limit = MAX_ITEMS.to_string();
    let (sql, listed, texts): (_, Vec<Uuid>, Vec<&str>) = match &bulk.accepted {
        BulkAccepted::Assign {
            selection: Selection::Listed(ids),
            ..
        } => (ADD_LISTED, ids.iter().map(|id| id.0).collect(), Vec::new()),
        BulkAccepted::Assign {
            selection: Selection::OwnedBy(agent),
            ..
        } => (ADD_OWNED, Vec::new(), vec![agent.as_str(), &limit]),
        BulkAccepted::Undo { .. } => (ADD_UNDO, Vec::new(), Vec::new()),
        BulkAccepted::Reroute { engagements, .. } => (ADD_REROUTE, engagements.to_vec(), Vec::new()),
    };
    let is_listed = sql == ADD_LISTED || sql == ADD_REROUTE;
    let selection: &(dyn tokio_postgres::types::ToSql + Sync) = if is_listed { &listed } else { &texts };
    let rows = session
        .query(
            sql,
            &[
                &tenant,
                &run,
                &undoes,
                &home,
                &actor,
                &target,
                &cause,
                &bulk.input,
                &queue,
                &correlation,
                &bulk.at,
                selection,
            ],
        )
        .await?;
    rows.iter().map(|row| codec::partition(row.get(0))).collect()
}

/// A bulk being carried out.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its name here: for an undoing, its own.
    pub id: Uuid,
    /// What is asked for every item.
    pub order: Arc<Order>,
    /// The command, as people call it.
    pub cause: Arc<str>,
    /// The command's dedupe key.
    pub input: Uuid,
    /// The queue where the one who gave it waits, and what is given back to them with the answer.
    pub reply: Option<(String, Option<String>)>,
}

/// A bulk by its name.
pub async fn run(session: &Session, tenant: &Tenant, id: Uuid) -> Result<Option<Run>, StoreError> {
    let sql = "select undoes, actor, to_agent, to_team, note, cause, input, reply_queue, reply_correlation, reroutes_version
      from bulk where tenant = $1 and id = $2";
    let Some(row) = session.query_opt(sql, &[&tenant.as_str(), &id]).await? else {
        return Ok(None);
    };
    let text = |index: usize| row.get::<_, Option<&str>>(index);
    let undoes: Option<Uuid> = row.get(0);
    let reroutes = row.get::<_, Option<i32>>(9).is_some();
    let task = match (text(2), text(3)) {
        (Some(agent), _) => Task::Assign {
            to: Recipient::Agent(codec::agent_id(agent)?),
            note: text(4).map(Arc::from),
        },
        (None, Some(team)) => Task::Assign {
            to: Recipient::Team(codec::team_id(team)?),
            note: text(4).map(Arc::from),
        },
        (None, None) if reroutes => Task::Reroute,
        (None, None) => Task::Undo,
    };
    let order = Order {
        bulk: undoes.unwrap_or(id),
        actor: actor(text(1))?,
        task,
    };
    Ok(Some(Run {
        id,
        order: Arc::new(order),
        cause: row.get::<_, &str>(5).into(),
        input: row.get(6),
        reply: text(7).map(|queue| (queue.to_owned(), text(8).map(str::to_owned))),
    }))
}

fn actor(text: Option<&str>) -> Result<Actor, StoreError> {
    match text {
        Some(agent) => Ok(Actor::Agent(codec::agent_id(agent)?)),
        None => Ok(Actor::System(System::Cli)),
    }
}

/// A bulk that was accepted, as a later command has to know it; undoings are none.
pub async fn past(session: &Session, tenant: &Tenant, bulk: Uuid) -> Result<Option<Past>, StoreError> {
    let sql = "select actor, pending from bulk where tenant = $1 and id = $2 and undoes is null";
    let row = session.query_opt(sql, &[&tenant.as_str(), &bulk]).await?;
    row.map(|row| {
        Ok(Past {
            actor: actor(row.get(0))?,
            pending: codec::from_int4(row.get(1))?,
        })
    })
    .transpose()
}

/// Whether there is a bulk, or an undoing, of this name.
pub async fn exists(session: &Session, tenant: &Tenant, bulk: Uuid) -> Result<bool, StoreError> {
    let sql = "select from bulk where tenant = $1 and id = $2";
    let row = session.query_opt(sql, &[&tenant.as_str(), &bulk]).await?;
    Ok(row.is_some())
}

/// The next items of this home that are not done, in the order of the selection.
pub async fn pending(
    session: &Session,
    tenant: &Tenant,
    run: &Run,
    home: Partition,
    limit: i64,
) -> Result<Vec<Item>, StoreError> {
    let sql = "select i.place, i.conversation, case when r.id is null then w.from_status else 'open' end,
        coalesce('agent/' || r.to_agent, w.from_owner), w.from_team, coalesce(i.reverts_epoch, w.epoch),
        coalesce(r.id, w.engagement), coalesce(r.created_at, w.at)
      from bulk_item i left join bulk_item w
        on w.tenant = i.tenant and w.bulk = $4 and w.bulk <> i.bulk and w.place = i.place
      left join engagement r on r.tenant = i.tenant and r.id = i.reverts
      where i.tenant = $1 and i.bulk = $2 and i.home = $3 and i.outcome is null order by i.place limit $5";
    let rows = session
        .query(
            sql,
            &[
                &tenant.as_str(),
                &run.id,
                &i32::from(home.0),
                &run.order.bulk,
                &limit,
            ],
        )
        .await?;
    let item = |row: &Row| {
        Ok(Item {
            run: run.id,
            order: run.order.clone(),
            place: codec::from_int4(row.get(0))?,
            conversation: ConversationId(row.get(1)),
            was: was(row)?,
        })
    };
    rows.iter().map(item).collect()
}

fn was(row: &Row) -> Result<Option<Was>, StoreError> {
    let Some(status) = row.get::<_, Option<&str>>(2) else {
        return Ok(None);
    };
    let team = row.get::<_, Option<&str>>(4);
    Ok(Some(Was {
        status: codec::status(status)?,
        owner: codec::owner(row.get(3))?,
        team: team.map(codec::team_id).transpose()?,
        epoch: codec::from_int8(row.get(5))?,
        engagement: row.get(6),
        at: row.get(7),
    }))
}

// The bulk's row is locked last of all, and only here: whoever counts it down to nothing has the end reported.
const FINISH: &str = "with done as (
    update bulk_item i set outcome = u.outcome, code = u.code, at = $12::timestamptz, from_status = u.from_status,
      from_owner = u.from_owner, from_team = u.from_team, epoch = u.epoch, engagement = u.engagement
    from unnest($1::text[], $2::uuid[], $3::int4[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
      $9::int8[], $10::uuid[], $11::uuid[])
      u(tenant, bulk, place, outcome, code, from_status, from_owner, from_team, epoch, engagement, undone)
    where i.tenant = u.tenant and i.bulk = u.bulk and i.place = u.place and i.outcome is null
    returning i.tenant, i.bulk, u.undone),
  taken_back as (
    update engagement e set status = 'undone', updated_at = $12
    from done where e.tenant = done.tenant and e.id = done.undone),
  counted as (
    update bulk b set pending = b.pending - d.items
    from (select tenant, bulk, count(*)::int4 as items from done group by tenant, bulk) d
    where b.tenant = d.tenant and b.id = d.bulk
    returning b.tenant, b.id, b.home, b.pending)
  insert into timer (tenant, kind, subject, id, lane, due)
  select tenant, 'bulk_done', id::text, gen_random_uuid(), home, clock_timestamp() from counted where pending = 0
  returning lane";

/// Writes what became of items. Returns the lanes that have an end to report.
pub async fn finish(
    session: &Session,
    done: &[(Tenant, ItemDone)],
    at: Option<Timestamp>,
) -> Result<Vec<Partition>, StoreError> {
    let Some(at) = at.filter(|_| !done.is_empty()) else {
        return Ok(Vec::new());
    };
    let items = || done.iter().map(|(_, item)| item);
    let was = || items().map(|item| item.was.as_ref());
    let tenants: Vec<&str> = done.iter().map(|(tenant, _)| tenant.as_str()).collect();
    let runs: Vec<Uuid> = items().map(|item| item.run).collect();
    let places: Vec<i32> = items().map(|item| codec::int4(item.place)).collect();
    let outcomes: Vec<&str> = items()
        .map(|item| codec::item_outcome_word(item.outcome))
        .collect();
    let codes: Vec<Option<&str>> = items().map(|item| refused_with(item.outcome)).collect();
    let statuses: Vec<Option<&str>> = was()
        .map(|was| was.map(|was| codec::status_word(was.status)))
        .collect();
    let owners: Vec<Option<String>> = was()
        .map(|was| was.map(|was| codec::owner_text(&was.owner)))
        .collect();
    let teams: Vec<Option<&str>> = was()
        .map(|was| was.and_then(|was| was.team.as_ref()).map(|team| team.as_str()))
        .collect();
    let epochs: Vec<Option<i64>> = was().map(|was| was.map(|was| codec::int8(was.epoch))).collect();
    let engagements: Vec<Option<Uuid>> = was().map(|was| was.map(|was| was.engagement)).collect();
    let undone: Vec<Option<Uuid>> = items().map(|item| item.undone).collect();
    let rows = session
        .query(
            FINISH,
            &[
                &tenants,
                &runs,
                &places,
                &outcomes,
                &codes,
                &statuses,
                &owners,
                &teams,
                &epochs,
                &engagements,
                &undone,
                &at,
            ],
        )
        .await?;
    rows.iter().map(|row| codec::partition(row.get(0))).collect()
}

fn refused_with(outcome: ItemOutcome) -> Option<&'static str> {
    match outcome {
        ItemOutcome::Rejected(code) => Some(codec::code_word(code)),
        _ => None,
    }
}

/// What became of all items of a bulk.
pub async fn report(session: &Session, tenant: &Tenant, run: &Run) -> Result<Report, StoreError> {
    let sql =
        "select conversation, outcome, code from bulk_item where tenant = $1 and bulk = $2 order by place";
    let rows = session.query(sql, &[&tenant.as_str(), &run.id]).await?;
    let result = |row: &Row| {
        let outcome = codec::item_outcome(row.get(1), row.get(2))?;
        Ok((ConversationId(row.get(0)), outcome))
    };
    Ok(Report {
        bulk: run.order.bulk,
        actor: run.order.actor.clone(),
        undo: run.order.task == Task::Undo,
        results: rows.iter().map(result).collect::<Result<_, StoreError>>()?,
    })
}
