//! Where a waiting conversation stands in its team's queue, and how long it will probably wait: looked up when asked for.

use std::time::Duration;

use serde_json::{Value, json};

use super::{CliError, sentence};
use crate::domain::conversation::Conversation;
use crate::domain::ids::TeamId;
use crate::domain::plan::{Plan, Strategy};
use crate::domain::standing::{self, LOOK_BACK};
use crate::store::Session;
use crate::store::insight::{self, MOST_AHEAD};

/// A waiting conversation's place and prospects.
#[derive(Debug, Default)]
pub struct Standing {
    /// 1: it comes next. Counted among all that wait in its team's queue for a strategy, whatever they ask for.
    position: Option<i64>,
    wait: Option<Duration>,
    /// Why there is no estimate.
    unknown: Option<&'static str>,
}

impl Standing {
    /// Of a conversation, under its tenant's plan.
    pub async fn of(session: &Session, plan: &Plan, conversation: &Conversation) -> Result<Self, CliError> {
        let without = |unknown| Self {
            unknown: Some(unknown),
            ..Self::default()
        };
        let waits = conversation.is_open() && conversation.owner.agent().is_none();
        let team = conversation
            .owner
            .queue()
            .filter(|_| conversation.may_be_matched());
        match team {
            Some(team) => Self::in_queue(session, plan, conversation, team).await,
            None if waits && conversation.standby => Ok(without("standby")),
            None if waits => Ok(without("for_a_person")),
            None => Ok(without("not_waiting")),
        }
    }

    async fn in_queue(
        session: &Session,
        plan: &Plan,
        conversation: &Conversation,
        team: &TeamId,
    ) -> Result<Self, CliError> {
        insight::begin(session).await?;
        let before = standing::before(plan, conversation);
        let ahead = insight::ahead(session, &plan.tenant, team, &before).await?;
        let pace = insight::pace(session, &plan.tenant, team).await?;
        session.commit().await?;
        let position = ahead + 1;
        let by_hand = plan.strategy(team) == Some(Strategy::Manual);
        let assigned = u32::try_from(pace.assigned).unwrap_or(u32::MAX);
        let wait = standing::estimate(position.unsigned_abs(), assigned, pace.within);
        let (wait, unknown) = match (wait, by_hand) {
            (_, true) => (None, Some("for_a_person")),
            (None, false) => (None, Some("too_few_assignments")),
            (wait, false) => (wait, None),
        };
        Ok(Self {
            position: Some(position),
            wait,
            unknown,
        })
    }

    /// Adds it to what programs read of a conversation.
    pub fn add_to(&self, value: &mut Value) {
        value["position"] = json!(self.position);
        value["estimated_wait"] = json!(self.wait.map(|wait| wait.as_secs()));
        value["estimated_wait_unknown"] = json!(self.unknown);
    }

    /// In words, for a conversation that waits in a queue.
    pub fn sentence(&self, conversation: &Conversation) -> Option<String> {
        let (position, team) = (self.position?, conversation.owner.queue()?);
        let place = if position > MOST_AHEAD {
            format!("waits behind at least {MOST_AHEAD} in {team}")
        } else {
            format!("number {position} in {team}")
        };
        let wait = match (self.wait, self.unknown) {
            (Some(wait), _) => format!("about {} at the pace of the last hour", sentence::about(wait)),
            (None, Some("for_a_person")) => "until a person takes it".into(),
            (None, _) => format!(
                "fewer than {} were assigned out of this queue in the last {}: too few to say when",
                standing::FEWEST_ASSIGNMENTS,
                sentence::about(LOOK_BACK)
            ),
        };
        Some(format!("{place}; {wait}"))
    }
}
