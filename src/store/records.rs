//! What is kept for people: engagement records, decision records and notes.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::codec;
use super::{Session, StoreError};
use crate::domain::conversation::Owner;
use crate::domain::event::{By, Decision};
use crate::domain::ids::{AgentId, ConversationId, Tenant};

pub(super) const STATEMENTS: &[&str] = &[ADD_ENGAGEMENTS, END_ENGAGEMENTS, ADD_DECISIONS, ADD_NOTES];

/// How an assignment operation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngagementStatus {
    /// Somebody was asked, and has not answered.
    Requested,
    /// They took it.
    Accepted,
    /// They declined.
    Rejected,
    /// It was taken back.
    Withdrawn,
    /// They did not answer in time.
    TimedOut,
    /// Something else happened meanwhile.
    Superseded,
    /// It was done at once.
    Done,
    /// It was done and undone.
    Undone,
}

/// One assignment operation.
#[derive(Debug)]
pub struct Engagement<'a> {
    /// Whose.
    pub tenant: &'a Tenant,
    /// Its name.
    pub id: Uuid,
    /// Of which conversation.
    pub conversation: ConversationId,
    /// Which way.
    pub by: By,
    /// Who had it before.
    pub from: &'a Owner,
    /// Who got it; nobody where it waits in a queue.
    pub to: Option<&'a AgentId>,
    /// Who asked for it, if a person did.
    pub requester: Option<&'a AgentId>,
    /// Whether it is done, or waits for an answer.
    pub status: EngagementStatus,
    /// Told by the one who gave it.
    pub note: Option<&'a str>,
    /// The decision behind it.
    pub decision: Option<Uuid>,
    /// When.
    pub at: Timestamp,
}

const ADD_ENGAGEMENTS: &str = "insert into engagement (tenant, id, conversation, way, from_owner, to_agent, requester,
    status, note, decision, created_at, updated_at)
  select u.tenant, u.id, u.conversation, u.way, u.from_owner, u.to_agent, u.requester, u.status, u.note, u.decision,
    u.at, u.at
  from unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::uuid[], $10::timestamptz[], $11::text[])
    u(tenant, id, conversation, way, from_owner, to_agent, requester, note, decision, at, status)
  on conflict do nothing";

/// Adds engagement records.
pub async fn add_engagements(session: &Session, records: &[Engagement<'_>]) -> Result<(), StoreError> {
    if records.is_empty() {
        return Ok(());
    }
    let tenants: Vec<&str> = records.iter().map(|r| r.tenant.as_str()).collect();
    let ids: Vec<Uuid> = records.iter().map(|r| r.id).collect();
    let conversations: Vec<Uuid> = records.iter().map(|r| r.conversation.0).collect();
    let ways: Vec<&str> = records.iter().map(|r| codec::by_word(r.by)).collect();
    let from: Vec<String> = records.iter().map(|r| codec::owner_text(r.from)).collect();
    let to: Vec<Option<&str>> = records.iter().map(|r| r.to.map(AgentId::as_str)).collect();
    let requesters: Vec<Option<&str>> = records.iter().map(|r| r.requester.map(AgentId::as_str)).collect();
    let notes: Vec<Option<&str>> = records.iter().map(|r| r.note).collect();
    let decisions: Vec<Option<Uuid>> = records.iter().map(|r| r.decision).collect();
    let times: Vec<Timestamp> = records.iter().map(|r| r.at).collect();
    let statuses: Vec<&str> = records
        .iter()
        .map(|r| codec::engagement_status_word(r.status))
        .collect();
    session
        .execute(
            ADD_ENGAGEMENTS,
            &[
                &tenants,
                &ids,
                &conversations,
                &ways,
                &from,
                &to,
                &requesters,
                &notes,
                &decisions,
                &times,
                &statuses,
            ],
        )
        .await?;
    Ok(())
}

/// How a request came out.
#[derive(Debug)]
pub struct Ending<'a> {
    /// Whose.
    pub tenant: &'a Tenant,
    /// The request's engagement record.
    pub id: Uuid,
    /// How it came out.
    pub status: EngagementStatus,
    /// Why.
    pub reason: Option<&'a str>,
    /// When.
    pub at: Timestamp,
}

const END_ENGAGEMENTS: &str =
    "update engagement e set status = u.status, reason = u.reason, updated_at = u.at
  from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[]) u(tenant, id, status, reason, at)
  where e.tenant = u.tenant and e.id = u.id";

/// Says in their engagement records how requests came out.
pub async fn end_engagements(session: &Session, endings: &[Ending<'_>]) -> Result<(), StoreError> {
    if endings.is_empty() {
        return Ok(());
    }
    let tenants: Vec<&str> = endings.iter().map(|e| e.tenant.as_str()).collect();
    let ids: Vec<Uuid> = endings.iter().map(|e| e.id).collect();
    let statuses: Vec<&str> = endings
        .iter()
        .map(|e| codec::engagement_status_word(e.status))
        .collect();
    let reasons: Vec<Option<&str>> = endings.iter().map(|e| e.reason).collect();
    let times: Vec<Timestamp> = endings.iter().map(|e| e.at).collect();
    session
        .execute(END_ENGAGEMENTS, &[&tenants, &ids, &statuses, &reasons, &times])
        .await?;
    Ok(())
}

/// What somebody wrote down for colleagues.
#[derive(Debug)]
pub struct Note<'a> {
    /// Whose.
    pub tenant: &'a Tenant,
    /// Its name.
    pub id: Uuid,
    /// On which conversation.
    pub conversation: ConversationId,
    /// Who wrote it.
    pub author: &'a str,
    /// What.
    pub text: &'a str,
    /// When.
    pub at: Timestamp,
}

const ADD_NOTES: &str = "insert into note (tenant, id, conversation, author, text, created_at)
  select * from unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[])
  on conflict do nothing";

/// Adds notes.
pub async fn add_notes(session: &Session, notes: &[Note<'_>]) -> Result<(), StoreError> {
    if notes.is_empty() {
        return Ok(());
    }
    let tenants: Vec<&str> = notes.iter().map(|n| n.tenant.as_str()).collect();
    let ids: Vec<Uuid> = notes.iter().map(|n| n.id).collect();
    let conversations: Vec<Uuid> = notes.iter().map(|n| n.conversation.0).collect();
    let authors: Vec<&str> = notes.iter().map(|n| n.author).collect();
    let texts: Vec<&str> = notes.iter().map(|n| n.text).collect();
    let times: Vec<Timestamp> = notes.iter().map(|n| n.at).collect();
    session
        .execute(
            ADD_NOTES,
            &[&tenants, &ids, &conversations, &authors, &texts, &times],
        )
        .await?;
    Ok(())
}

/// A decision, with what it was because of.
#[derive(Debug)]
pub struct DecisionRecord<'a> {
    /// Whose.
    pub tenant: &'a Tenant,
    /// The input's cause.
    pub cause: &'a str,
    /// When.
    pub at: Timestamp,
    /// The person because of whose command it was decided, if it was one.
    pub asked_by: Option<&'a AgentId>,
    /// The epoch it left the conversation in.
    pub epoch: Option<u64>,
    /// What was decided.
    pub decision: &'a Decision,
}

const ADD_DECISIONS: &str = "insert into decision (tenant, id, conversation, at, cause, rule, plan_version, team, strategy,
    chosen, detail)
  select * from unnest($1::text[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::text[], $6::text[], $7::int4[],
    $8::text[], $9::text[], $10::text[], $11::jsonb[])
  on conflict do nothing";

/// Adds decision records.
pub async fn add_decisions(session: &Session, records: &[DecisionRecord<'_>]) -> Result<(), StoreError> {
    if records.is_empty() {
        return Ok(());
    }
    let all = || records.iter().map(|record| record.decision);
    let tenants: Vec<&str> = records.iter().map(|r| r.tenant.as_str()).collect();
    let ids: Vec<Uuid> = all().map(|d| d.id).collect();
    let conversations: Vec<Uuid> = all().map(|d| d.conversation.0).collect();
    let times: Vec<Timestamp> = records.iter().map(|r| r.at).collect();
    let causes: Vec<&str> = records.iter().map(|r| r.cause).collect();
    let rules: Vec<Option<&str>> = all().map(|d| d.rule.as_deref()).collect();
    let versions: Vec<i32> = all().map(|d| codec::int4(d.plan_version)).collect();
    let teams: Vec<Option<&str>> = all().map(|d| d.team.as_ref().map(|team| team.as_str())).collect();
    let strategies: Vec<Option<&str>> = all().map(|d| d.strategy.map(codec::strategy_word)).collect();
    let chosen: Vec<Option<&str>> = all().map(|d| d.chosen.as_ref().map(AgentId::as_str)).collect();
    let details: Vec<Value> = records.iter().map(detail).collect();
    session
        .execute(
            ADD_DECISIONS,
            &[
                &tenants,
                &ids,
                &conversations,
                &times,
                &causes,
                &rules,
                &versions,
                &teams,
                &strategies,
                &chosen,
                &details,
            ],
        )
        .await?;
    Ok(())
}

/// What a decision record says of its candidates, of who asked for it, and of the conversation it left.
fn detail(record: &DecisionRecord<'_>) -> Value {
    let decision = record.decision;
    let candidate = |candidate: &crate::domain::event::Candidate| json!({ "agent": candidate.agent.as_str(), "passed_over": candidate.passed_over.map(codec::passed_over_word) });
    let counts = decision
        .passed_over
        .iter()
        .map(|(why, n)| (codec::passed_over_word(*why).into(), json!(n)));
    let mut detail = json!({
        "candidates": decision.candidates.iter().map(candidate).collect::<Vec<_>>(),
        "passed_over": Value::Object(counts.collect()),
    });
    if !decision.failed_rules.is_empty() {
        detail["failed_rules"] = decision.failed_rules.iter().map(|rule| json!(&**rule)).collect();
    }
    if let Some(agent) = record.asked_by {
        detail["asked_by"] = json!(agent.as_str());
    }
    if let Some(epoch) = record.epoch {
        detail["epoch"] = json!(epoch);
    }
    detail
}
