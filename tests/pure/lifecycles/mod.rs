//! The core under thousands of generated histories: what was promised holds after every input.

mod steps;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use switchboard::domain::agent::{Agent, Presence};
use switchboard::domain::conversation::{AssignClock, Contact, Conversation, Owner, PendingRequest, Status};
use switchboard::domain::decide::{decide, needs_roster};
use switchboard::domain::event::{By, Change, Kind, Recorded, RequestOutcome};
use switchboard::domain::fold::fold;
use switchboard::domain::ids::{AgentId, ConversationId, Partition, TeamId};
use switchboard::domain::input::{Body, Fact, Input, Message, What};
use switchboard::domain::plan::{Reopen, Strategy as Way};
use switchboard::domain::state::State;
use uuid::Uuid;

use steps::*;

/// Whether this agent could be given this waiting conversation now: written from the definition, not from the code.
fn eligible(state: &State, who: &Agent, waiting: &Conversation) -> bool {
    let Some(queue) = waiting.owner.queue() else {
        return false;
    };
    let member = state.teams[queue]
        .members
        .iter()
        .any(|member| member.agent == who.id);
    let own = who.profile.capacity.unwrap_or(0);
    let owned = |of_team: Option<&TeamId>| {
        let mine = state
            .conversations()
            .filter(|c| c.is_open() && c.owner.agent() == Some(&who.id));
        mine.filter(|c| of_team.is_none() || c.team.as_ref() == of_team)
            .count() as u32
    };
    let team_limit = state.plan.teams[queue].capacity.unwrap_or(0);
    member
        && who.profile.active
        && who.profile.may_reply
        && who.presence == Presence::Online
        && (own == 0 || owned(None) < own)
        && (team_limit == 0 || owned(Some(queue)) < team_limit)
        && !waiting.excluded.contains(&who.id)
}

fn check_state(state: &State, drained: bool) -> Result<(), TestCaseError> {
    for who in state.agents.values() {
        let mut owned: BTreeMap<Option<TeamId>, u32> = BTreeMap::new();
        for conversation in state
            .conversations()
            .filter(|c| c.is_open() && c.owner.agent() == Some(&who.id))
        {
            *owned.entry(conversation.team.clone()).or_default() += 1;
        }
        prop_assert_eq!(
            &who.loads,
            &owned,
            "loads of {} are the open conversations they own",
            who.id
        );
    }
    for conversation in state.conversations().filter(|c| c.exists()) {
        let closed = conversation.is_closed();
        prop_assert!(
            !closed || (conversation.request.is_none() && conversation.held_until.is_none()),
            "nothing is pending on what is closed: {conversation:?}"
        );
        let asked = conversation.request.as_ref();
        prop_assert!(
            asked.is_none_or(|request| conversation.owned_by() != Some(&request.to)),
            "nobody is asked for what they own: {conversation:?}"
        );
        prop_assert!(conversation.held_until.is_none() || conversation.status == Status::OnHold);
        let has_a_place =
            conversation.owner != Owner::Nobody || conversation.assign_clock != AssignClock::Off;
        let waits = conversation.is_open() && conversation.waiting_since.is_some() && !conversation.standby;
        prop_assert!(!waits || has_a_place, "nobody is stranded: {conversation:?}");
        let automatic = |queue: &TeamId| state.plan.strategy(queue) != Some(Way::Manual);
        let matchable = conversation.is_open() && conversation.owner.queue().is_some_and(automatic);
        if drained && matchable && !conversation.route.manual {
            for who in state.agents.values() {
                prop_assert!(
                    !eligible(state, who, conversation),
                    "{} idles while {conversation:?} waits",
                    who.id
                );
            }
        }
    }
    Ok(())
}

fn check_events(
    before: &State,
    after: &State,
    input: &Input,
    events: &[Recorded],
) -> Result<(), TestCaseError> {
    let mut seen: BTreeMap<ConversationId, (u64, u64)> = before
        .conversations()
        .map(|c| (c.id, (c.sequence, c.epoch)))
        .collect();
    let mut pending: BTreeMap<ConversationId, PendingRequest> = before
        .conversations()
        .filter_map(|c| Some((c.id, c.request.clone()?)))
        .collect();
    let rejected = events
        .iter()
        .any(|event| matches!(event.event.kind, Kind::CommandRejected(_)));
    if rejected {
        prop_assert_eq!(events.len(), 1, "a refusal is all that happens");
        for conversation in before.conversations() {
            prop_assert_eq!(
                after.conversation(conversation.id),
                Some(conversation),
                "a refusal changes nothing"
            );
        }
        prop_assert_eq!(&before.agents, &after.agents);
    } else if matches!(input.body, Body::Command(_)) {
        prop_assert!(!events.is_empty(), "an accepted command says something");
    }
    for event in events {
        let Some((conversation, change)) = event.change() else {
            continue;
        };
        let (sequence, epoch) = seen
            .get_mut(&conversation.id)
            .expect("every conversation is known");
        *sequence += u64::from(change.is_announced());
        *epoch += u64::from(change.raises_epoch());
        prop_assert_eq!((conversation.sequence, conversation.epoch), (*sequence, *epoch));
        if let Change::Assigned(assignment) = change {
            let by_strategy = assignment.by == By::Bulk && assignment.terms.strategy.is_some();
            let automatic = matches!(assignment.by, By::Auto | By::Sticky) || by_strategy;
            let decision = event.event.decision.as_ref();
            prop_assert_eq!(
                decision.is_some(),
                automatic,
                "automatic choices and only they have a decision"
            );
            if let Some(decision) = decision {
                let who = &after.agents[&assignment.agent];
                prop_assert_eq!(decision.chosen.as_ref(), Some(&assignment.agent));
                prop_assert!(who.profile.may_reply && who.profile.active && who.presence == Presence::Online);
                prop_assert!(!assignment.over_capacity, "never automatically above a capacity");
                prop_assert!(!conversation.excluded.contains(&assignment.agent));
                let chosen: Vec<_> = decision
                    .candidates
                    .iter()
                    .filter(|c| c.passed_over.is_none())
                    .collect();
                prop_assert_eq!(chosen.len(), 1, "exactly one candidate was not passed over");
            }
        }
        check_request(&mut pending, conversation, change)?;
        if let Change::Queued { .. } = change {
            let decision = event.event.decision.as_ref();
            prop_assert!(
                decision.is_some_and(|d| d.chosen.is_none()),
                "who waits has a record of why"
            );
        }
    }
    Ok(())
}

/// At most one request is pending; it ends by exactly one event of its own, before whatever leaves it nothing to be about.
fn check_request(
    pending: &mut BTreeMap<ConversationId, PendingRequest>,
    after: &Conversation,
    change: &Change,
) -> Result<(), TestCaseError> {
    match change {
        Change::Requested(request) => {
            let before = pending.insert(after.id, request.clone());
            prop_assert!(before.is_none(), "one request at a time");
        }
        Change::RequestEnded { request, outcome } => {
            let before = pending.remove(&after.id);
            prop_assert_eq!(before.as_ref(), Some(request));
            let declined = matches!(outcome, RequestOutcome::Rejected(_) | RequestOutcome::TimedOut);
            prop_assert!(!declined || after.excluded.contains(&request.to));
        }
        Change::Assigned(_) | Change::Queued { .. } | Change::Unassigned { .. } | Change::Closed { .. } => {
            prop_assert!(!pending.contains_key(&after.id), "it was ended first");
        }
        _ => {}
    }
    prop_assert_eq!(after.request.as_ref(), pending.get(&after.id));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn promises_hold_after_every_input_of_any_history(
        steps in proptest::collection::vec(step(), 1..60),
        strategy in prop_oneof![Just(Way::RoundRobin), Just(Way::LeastLoaded), Just(Way::LongestIdle), Just(Way::Ranked)],
        reopen in prop_oneof![Just(Reopen::Sticky), Just(Reopen::Reroute), Just(Reopen::Unassign)],
        aging in prop_oneof![Just(0u64), Just(600)],
    ) {
        let mut state = beginning(plan(strategy, reopen, aging));
        let mut now: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        for (number, step) in steps.iter().enumerate() {
            now += SignedDuration::from_secs(7);
            if let Step::Clock { minutes, .. } = step {
                now += SignedDuration::from_mins(*minutes);
            }
            let input = input(step, number, &state, now);
            let before = state.clone();
            if !needs_roster(&input, input.conversation().and_then(|id| state.conversation(id))) {
                let mut poorer = state.clone();
                poorer.agents.clear();
                poorer.teams.clear();
                let same = format!("{:?}", decide(&poorer, &input, now)) == format!("{:?}", decide(&state, &input, now));
                prop_assert!(same, "what needs no roster is decided alike without one");
            }
            let events = fold(&mut state, &input, now);
            let mut twin = before.clone();
            prop_assert_eq!(format!("{:?}", fold(&mut twin, &input, now)), format!("{:?}", &events), "the same again");
            check_events(&before, &state, &input, &events)?;
            check_state(&state, !state.drain_pending)?;
        }
    }

    #[test]
    fn round_robin_counts_stay_within_one_of_each_other_while_all_are_eligible(turns in 1..60usize, members in 2..5usize) {
        let mut plan = plan(Way::RoundRobin, Reopen::Reroute, 600);
        let everyone: Vec<AgentId> = AGENTS[..members.min(AGENTS.len())].iter().map(|name| agent(name)).collect();
        plan.teams.get_mut(&team("one")).unwrap().members = everyone.clone();
        let mut state = beginning(plan);
        for who in state.agents.values_mut() {
            who.profile.capacity = Some(0);
            who.presence = Presence::Online;
        }
        let mut counts: BTreeMap<AgentId, i64> = everyone.iter().map(|id| (id.clone(), 0)).collect();
        let now: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        for number in 0..turns {
            let id = ConversationId(Uuid::from_u128(number as u128 + 5000));
            state.put(Conversation::unborn(id, channel(), "k".into(), Partition(0)));
            let message = Message { id: format!("m{number}").into(), kind: "text".into(), turn: true, ..Message::default() };
            let fact = Fact { conversation: id, channel: channel(), contact: Contact::default(), at: now, standby: false, what: What::Received(message) };
            let input = Input { cause: "c".into(), key: Uuid::from_u128(number as u128), body: Body::Fact(fact) };
            for event in fold(&mut state, &input, now) {
                if let Some((_, Change::Assigned(assignment))) = event.change() {
                    *counts.get_mut(&assignment.agent).unwrap() += 1;
                }
            }
            let (least, most) = (counts.values().min().unwrap(), counts.values().max().unwrap());
            prop_assert!(most - least <= 1, "{counts:?}");
        }
        prop_assert_eq!(counts.values().sum::<i64>(), turns as i64);
    }
}
