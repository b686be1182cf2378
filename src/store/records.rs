//! What is kept for people: engagement records and decision records.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::codec;
use super::{Session, StoreError};
use crate::domain::conversation::Owner;
use crate::domain::event::{By, Decision};
use crate::domain::ids::{AgentId, ConversationId, Tenant};

pub(super) const STATEMENTS: &[&str] = &[ADD_ENGAGEMENTS, ADD_DECISIONS];

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
    /// Who got it.
    pub to: &'a AgentId,
    /// Who asked for it, if a person did.
    pub requester: Option<&'a AgentId>,
    /// Told by the one who gave it.
    pub note: Option<&'a str>,
    /// The decision behind it.
    pub decision: Option<Uuid>,
    /// When.
    pub at: Timestamp,
}

const ADD_ENGAGEMENTS: &str = "insert into engagement (tenant, id, conversation, way, from_owner, to_agent, requester,
    status, note, decision, created_at, updated_at)
  select u.tenant, u.id, u.conversation, u.way, u.from_owner, u.to_agent, u.requester, 'done', u.note, u.decision,
    u.at, u.at
  from unnest($1::text[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::uuid[], $10::timestamptz[])
    u(tenant, id, conversation, way, from_owner, to_agent, requester, note, decision, at)
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
    let to: Vec<&str> = records.iter().map(|r| r.to.as_str()).collect();
    let requesters: Vec<Option<&str>> = records.iter().map(|r| r.requester.map(AgentId::as_str)).collect();
    let notes: Vec<Option<&str>> = records.iter().map(|r| r.note).collect();
    let decisions: Vec<Option<Uuid>> = records.iter().map(|r| r.decision).collect();
    let times: Vec<Timestamp> = records.iter().map(|r| r.at).collect();
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
            ],
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
    let details: Vec<Value> = all().map(detail).collect();
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

/// What a decision record says of its candidates.
fn detail(decision: &Decision) -> Value {
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
    detail
}
