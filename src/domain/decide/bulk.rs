//! Bulks: accepted as one command, carried out one conversation at a time, reported once.

use std::sync::Arc;

use jiff::Timestamp;
use uuid::Uuid;

use super::super::bulk::{Item, ItemDone, ItemOutcome, MAX_ITEMS, Order, Past, Report, Selection, Task, Was};
use super::super::conversation::{Conversation, Owner, Status};
use super::super::event::{BulkAccepted, By, Change, Code, Event, Kind, Reason};
use super::super::ids::{AgentId, TeamId};
use super::super::input::{Actor, Command, Recipient};
use super::super::permission;
use super::super::state::State;
use super::clocks;
use super::commands::{Refused, known, refusal, reopen_if_closed, say};
use super::placing::{self, Arrival, Background, Given, Place};
use super::reroute;
use super::story::Story;

/// What a `bulk_assign` asks for.
pub struct Wanted<'a> {
    /// What people call it.
    pub bulk: Uuid,
    /// Which conversations.
    pub selection: &'a Selection,
    /// To whom.
    pub to: &'a Recipient,
    /// For whoever gets one.
    pub note: &'a Option<Arc<str>>,
    /// Whether the name is taken.
    pub taken: bool,
}

/// Whether a bulk is taken on. Rights are judged item by item, where the conversation is known.
pub fn accept(state: &State, command: &Command, wanted: Wanted<'_>, now: Timestamp) -> Event {
    let outcome = acceptable(state, command, &wanted).map(|()| BulkAccepted::Assign {
        bulk: wanted.bulk,
        selection: wanted.selection.clone(),
        to: wanted.to.clone(),
        note: wanted.note.clone(),
    });
    accepted(command, outcome, now)
}

fn acceptable(state: &State, command: &Command, wanted: &Wanted<'_>) -> Result<(), Refused> {
    if wanted.taken {
        return Err((Code::Invalid, "there is a bulk of this name already"));
    }
    if matches!(wanted.selection, Selection::Listed(ids) if ids.len() > MAX_ITEMS) {
        return Err((Code::Invalid, "a bulk has at most 10,000 conversations"));
    }
    permission::acting(state, &command.actor).map_err(say)?;
    if let Selection::OwnedBy(agent) = wanted.selection
        && !state.agents.contains_key(agent)
    {
        return Err((
            Code::UnknownAgent,
            "there is no such agent whose conversations to give away",
        ));
    }
    known(state, wanted.to)?;
    may_receive(state, wanted.to)
}

/// Whether what was given away by a bulk is given back: by whoever gave it away, and by admins.
pub fn accept_undo(
    state: &State,
    command: &Command,
    bulk: Uuid,
    past: Option<&Past>,
    now: Timestamp,
) -> Event {
    let outcome = undoable(state, command, past).map(|()| BulkAccepted::Undo { bulk });
    accepted(command, outcome, now)
}

fn undoable(state: &State, command: &Command, past: Option<&Past>) -> Result<(), Refused> {
    if past.is_some_and(|past| past.pending > 0) {
        return Err((Code::Invalid, "the bulk is still being carried out"));
    }
    let past = past.ok_or((Code::NotFound, "there is no such bulk"))?;
    let acting = permission::acting(state, &command.actor).map_err(say)?;
    permission::undo_bulk(acting, &past.actor).map_err(say)
}

/// The event of a bulk that is taken on, or refused.
pub fn accepted(command: &Command, outcome: Result<BulkAccepted, Refused>, now: Timestamp) -> Event {
    match outcome {
        Ok(accepted) => event(command.actor.clone(), Kind::BulkAccepted(accepted), now),
        Err((code, message)) => refusal(command, None, code, message.into(), Vec::new(), now),
    }
}

/// One conversation of a bulk: what happens to it, and what becomes of the item. A refusal is an outcome, not an event.
pub fn item(state: &State, item: &Item, now: Timestamp) -> Vec<Event> {
    let conversation = state
        .conversation(item.conversation)
        .filter(|conversation| conversation.exists());
    let mut done = ItemDone {
        run: item.run,
        place: item.place,
        outcome: ItemOutcome::Skipped,
        was: None,
        undone: None,
    };
    let mut events = Vec::new();
    match (&item.order.task, conversation) {
        (Task::Assign { .. } | Task::Reroute, None) => done.outcome = ItemOutcome::Rejected(Code::NotFound),
        (Task::Assign { to, note }, Some(conversation)) => {
            let mut story = Story::of(conversation, now);
            match assign(state, &mut story, &item.order, to, note.clone()) {
                Ok(outcome) => done.outcome = outcome,
                Err((code, _)) => done.outcome = ItemOutcome::Rejected(code),
            }
            done.was = left(conversation, &story);
            events = story.events;
        }
        (Task::Reroute, Some(conversation)) => {
            let story = reroute::again(state, conversation, &item.order, item.was.as_ref(), now);
            done.was = left(conversation, &story);
            done.outcome = match done.was {
                Some(_) => placed(&story),
                None => ItemOutcome::Unchanged,
            };
            done.undone = done.was.as_ref().and(item.was.as_ref()).map(|was| was.engagement);
            events = story.events;
        }
        (Task::Undo, conversation) => {
            if let Some((conversation, was)) = conversation.zip(item.was.as_ref()) {
                events = undo(state, conversation, &item.order, was, now);
            }
            if !events.is_empty() {
                done.outcome = ItemOutcome::Undone;
                done.undone = item.was.as_ref().map(|was| was.engagement);
            }
        }
    }
    let kind = Kind::BulkItemDone(Box::new(done));
    events.push(event(item.order.actor.clone(), kind, now));
    events
}

/// How a conversation was found and is left, if something happened to it.
fn left(found: &Conversation, story: &Story) -> Option<Was> {
    let happened = !story.events.is_empty();
    happened.then(|| Was {
        epoch: story.draft.epoch,
        engagement: story.draft.id.derive("engagement", story.draft.sequence),
        ..Was::found(found, story.at())
    })
}

fn placed(story: &Story) -> ItemOutcome {
    match story.draft.owner {
        Owner::Agent(_) => ItemOutcome::Assigned,
        Owner::Team(_) | Owner::Nobody => ItemOutcome::Queued,
    }
}

/// As a single `assign`, with the bulk's own rights and way.
fn assign(
    state: &State,
    story: &mut Story,
    order: &Order,
    to: &Recipient,
    note: Option<Arc<str>>,
) -> Result<ItemOutcome, Refused> {
    let acting = permission::acting(state, &order.actor).map_err(say)?;
    known(state, to)?;
    if has_it(&story.draft, to) {
        return Ok(ItemOutcome::Unchanged);
    }
    permission::bulk_assign(state, acting, &story.draft, to).map_err(say)?;
    may_receive(state, to)?;
    let exclude = story.draft.owned_by().cloned();
    // Before the reopening, which forgets it.
    let own = story.draft.team.clone();
    reopen_if_closed(story, &order.actor);
    match to {
        Recipient::Agent(agent) => give(state, story, order, agent, own.as_ref(), note),
        Recipient::Team(team) => send(state, story, order, team, exclude, note),
    }
    Ok(placed(story))
}

fn has_it(conversation: &Conversation, to: &Recipient) -> bool {
    !conversation.is_closed()
        && match to {
            Recipient::Agent(agent) => conversation.owner.agent() == Some(agent),
            Recipient::Team(team) => conversation.owner.queue() == Some(team),
        }
}

fn may_receive(state: &State, to: &Recipient) -> Result<(), Refused> {
    match to {
        Recipient::Agent(agent) if state.active_agent(agent).is_some_and(|a| !a.profile.may_reply) => {
            Err((Code::TargetUnavailable, "they may not reply to customers"))
        }
        Recipient::Agent(_) | Recipient::Team(_) => Ok(()),
    }
}

/// To a person, whatever their presence and capacity.
fn give(
    state: &State,
    story: &mut Story,
    order: &Order,
    agent: &AgentId,
    own: Option<&TeamId>,
    note: Option<Arc<str>>,
) {
    let given = Given {
        agent: agent.clone(),
        team: placing::team_after_giving(state, own, agent),
        by: By::Bulk,
        note,
        exclude: None,
        hop: None,
    };
    let assignment = placing::by_hand(state, story, given);
    story.then(order.actor.clone(), Change::Assigned(Box::new(assignment)));
}

/// To a team: its strategy picks, by the loads that the items before this one left; or it waits.
fn send(
    state: &State,
    story: &mut Story,
    order: &Order,
    team: &TeamId,
    exclude: Option<AgentId>,
    note: Option<Arc<str>>,
) {
    let place = Place {
        team: team.clone(),
        route: Default::default(),
        priority: story.draft.priority,
        exclude,
        hop: None,
        by: By::Bulk,
        if_waiting: Reason::Transfer,
        note,
        background: Background::default(),
    };
    let (since, actor) = (story.at(), order.actor.clone());
    let arrival = Arrival {
        message: None,
        since,
        actor,
    };
    placing::in_team(state, story, place, arrival);
}

/// Back to where the bulk found it, unless somebody has replied or changed it since, or there is no way back. Nothing
/// happened: it is skipped.
fn undo(state: &State, conversation: &Conversation, order: &Order, was: &Was, now: Timestamp) -> Vec<Event> {
    let mut story = Story::of(conversation, now);
    if conversation.epoch != was.epoch || replied_since(conversation, was) {
        return story.events;
    }
    match &was.owner {
        _ if was.status == Status::Closed => story.then(
            order.actor.clone(),
            Change::Closed {
                reason: Reason::Command,
                note: None,
            },
        ),
        Owner::Agent(agent) => {
            if known(state, &Recipient::Agent(agent.clone())).is_ok() {
                give(state, &mut story, order, agent, was.team.as_ref(), None);
            }
        }
        Owner::Team(team) => {
            if state.plan.teams.contains_key(team) {
                let exclude = conversation.owned_by().cloned();
                send(state, &mut story, order, team, exclude, None);
            }
        }
        Owner::Nobody => {
            let draft = &story.draft;
            let assign_clock =
                clocks::clock_with_nobody(&state.plan, draft, &draft.route, was.team.as_ref(), now);
            let unassigned = Change::Unassigned {
                reason: Reason::Command,
                note: None,
                assign_clock,
            };
            story.then(order.actor.clone(), unassigned);
        }
    }
    story.events
}

/// Within a batch items come last: a reply of the same time was there before.
fn replied_since(conversation: &Conversation, was: &Was) -> bool {
    conversation.replied_at.is_some_and(|replied| replied > was.at)
}

/// All items are done.
pub fn done(report: &Arc<Report>, now: Timestamp) -> Event {
    event(report.actor.clone(), Kind::BulkDone(report.clone()), now)
}

fn event(actor: Actor, kind: Kind, at: Timestamp) -> Event {
    Event {
        at,
        actor,
        decision: None,
        kind,
    }
}
