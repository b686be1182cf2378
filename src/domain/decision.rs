//! Why an automatic choice came out as it did: what a decision record keeps.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::ids::{AgentId, ConversationId, TeamId};
use super::plan::Strategy;

/// Why an automatic choice came out as it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Its name.
    pub id: Uuid,
    /// For which conversation.
    pub conversation: ConversationId,
    /// The rule that matched; `None`: the default or none.
    pub rule: Option<Arc<str>>,
    /// The plan in force.
    pub plan_version: u32,
    /// Whose members were candidates.
    pub team: Option<TeamId>,
    /// How one was chosen.
    pub strategy: Option<Strategy>,
    /// Who; nobody if the conversation waits.
    pub chosen: Option<AgentId>,
    /// The first [`MAX_CANDIDATES`] of them, in the order they were looked at.
    pub candidates: Vec<Candidate>,
    /// All of them, counted by why they were passed over.
    pub passed_over: BTreeMap<PassedOver, u32>,
    /// Rules whose condition failed to answer.
    pub failed_rules: Vec<Arc<str>>,
}

/// Candidates a decision record lists one by one: a record must stay small where teams are large.
pub const MAX_CANDIDATES: usize = 20;

/// One candidate of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub agent: AgentId,
    /// Why not them; `None`: chosen.
    pub passed_over: Option<PassedOver>,
}

/// Why a candidate was passed over: the first filter that stopped them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PassedOver {
    /// Deactivated or unknown.
    Inactive,
    /// Has no permission to reply.
    MayNotReply,
    /// Not there.
    Offline,
    /// There, but takes nothing new.
    Away,
    /// Had it already in this episode.
    Excluded,
    /// Does not work at this hour.
    Hours,
    /// Lacks a skill.
    Skill,
    /// At their own limit.
    Capacity,
    /// At the team's limit.
    TeamCapacity,
    /// At the tenant's limit.
    TenantCapacity,
    /// Was given as much in a short while as the burst guard allows.
    Burst,
    /// Eligible, but the strategy preferred another.
    Outranked,
}
