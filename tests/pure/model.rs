//! One conversation and its request against a small model, in every state they can reach: two agents, a customer and the
//! timers, in any order and any number. Times, counters and names are made alike after each step, so that there are
//! finitely many states, and a timer may come due at any moment. A redelivery is no input: the inbox claims each once.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use switchboard::domain::agent::Presence;
use switchboard::domain::conversation::{Clock, Conversation, Owner, Status};
use switchboard::domain::event::Kind;
use switchboard::domain::fold::fold;
use switchboard::domain::ids::AgentId;
use switchboard::domain::input::{Body, Input, Recipient, Wish};
use switchboard::domain::plan::Strategy;
use switchboard::domain::state::State;
use uuid::Uuid;

use crate::company::{accept, ask, reject, reply, withdraw};
use crate::support::chats::unborn;
use crate::support::inputs::{by, hold_timer, recipient_timer, request_timer, turn};
use crate::support::lines::of_code;
use crate::support::people::{offline, online};
use crate::support::plans::support;
use crate::support::world::World;
use crate::support::{agent, id, start, team};

const AGENTS: [&str; 2] = ["ana", "ben"];
/// Timers come this late: after every moment that a step sets.
const LATE: Duration = Duration::from_secs(60 * 60);
/// States beyond which something is counted that should not be.
const MOST_STATES: usize = 100_000;

/// What somebody does, or the clock.
#[derive(Debug, Clone, Copy)]
enum Move {
    Turn,
    HoldEnds,
    RequestDue,
    RecipientGone,
    Presence(usize, bool),
    Ask(usize),
    Accept(usize),
    Reject(usize),
    Withdraw(usize),
    Close(usize),
    Reopen(usize),
    Hold(usize, bool),
    Resume(usize),
    Reply(usize),
    Take(usize),
    Give(usize),
    ToTeam(usize),
    Unassign(usize),
}

fn moves() -> Vec<Move> {
    let mut moves = vec![Move::Turn, Move::HoldEnds, Move::RequestDue, Move::RecipientGone];
    for who in 0..AGENTS.len() {
        moves.extend([Move::Presence(who, true), Move::Presence(who, false)]);
        moves.extend([Move::Hold(who, true), Move::Hold(who, false)]);
        let of_one: [fn(usize) -> Move; 12] = [
            Move::Ask,
            Move::Accept,
            Move::Reject,
            Move::Withdraw,
            Move::Close,
            Move::Reopen,
            Move::Resume,
            Move::Reply,
            Move::Take,
            Move::Give,
            Move::ToTeam,
            Move::Unassign,
        ];
        moves.extend(of_one.map(|make| make(who)));
    }
    moves
}

fn other(who: usize) -> usize {
    1 - who
}

fn body(this: Move) -> Body {
    let says = |who: usize, wish: Wish| by(AGENTS[who]).wishes(id(1), wish).into();
    let to = |who: usize| Wish::Assign(Recipient::Agent(agent(AGENTS[who])));
    match this {
        Move::Turn => turn(1).into(),
        Move::HoldEnds => hold_timer(1),
        Move::RequestDue => request_timer(1),
        Move::RecipientGone => recipient_timer(1),
        Move::Presence(who, there) => {
            let presence = if there {
                Presence::Online
            } else {
                Presence::Offline
            };
            by(AGENTS[who]).sets(AGENTS[who], presence).into()
        }
        Move::Ask(who) => says(who, ask(AGENTS[other(who)])),
        Move::Accept(who) => says(who, accept()),
        Move::Reject(who) => says(who, reject("busy")),
        Move::Withdraw(who) => says(who, withdraw("solved")),
        Move::Close(who) => says(who, Wish::Close),
        Move::Reopen(who) => says(who, Wish::Reopen),
        Move::Hold(who, timed) => {
            let until = timed.then(|| start() + Duration::from_secs(60));
            says(who, Wish::Hold { until })
        }
        Move::Resume(who) => says(who, Wish::Resume),
        Move::Reply(who) => says(who, reply("hello")),
        Move::Take(who) => says(who, to(who)),
        Move::Give(who) => says(who, to(other(who))),
        Move::ToTeam(who) => says(who, Wish::Assign(Recipient::Team(team("support")))),
        Move::Unassign(who) => says(who, Wish::Unassign),
    }
}

/// The whole of it, as the contract tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Model {
    status: Status,
    owner: Holder,
    last_owner: Option<usize>,
    /// Who asks; it is always the other who is asked.
    request: Option<usize>,
    timed: bool,
    there: [bool; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    Nobody,
    Queue,
    One(usize),
}

impl Model {
    /// Applies a move, or says why it is refused.
    fn make(&mut self, this: Move) -> Result<(), &'static str> {
        let closed = self.status == Status::Closed;
        let owner = match self.owner {
            Holder::One(who) if !closed => Some(who),
            _ => None,
        };
        match this {
            Move::Turn if closed => {
                self.status = Status::Open;
                self.owner = match self.last_owner {
                    Some(who) if self.there[who] => Holder::One(who),
                    _ => Holder::Queue,
                };
            }
            Move::Turn => self.resume(),
            Move::HoldEnds if self.timed => self.resume(),
            Move::RequestDue => self.request = None,
            Move::RecipientGone if self.request.is_some_and(|from| !self.there[other(from)]) => {
                self.request = None;
            }
            Move::HoldEnds | Move::RecipientGone => {}
            Move::Presence(who, there) => self.there[who] = there,
            Move::Ask(_) if closed => return Err("closed"),
            Move::Ask(who) if owner == Some(other(who)) => return Err("already_assigned"),
            Move::Ask(who) if owner != Some(who) => return Err("not_permitted"),
            Move::Ask(_) if self.request.is_some() => return Err("request_pending"),
            Move::Ask(who) if !self.there[other(who)] => return Err("target_unavailable"),
            Move::Ask(who) => self.request = Some(who),
            Move::Accept(_) | Move::Reject(_) | Move::Withdraw(_) if self.request.is_none() => {
                return Err("no_pending_request");
            }
            Move::Accept(who) | Move::Reject(who) if self.request == Some(who) => {
                return Err("not_permitted");
            }
            Move::Accept(who) if !self.there[who] => return Err("target_unavailable"),
            Move::Accept(who) => self.give(Holder::One(who)),
            Move::Reject(_) => self.request = None,
            Move::Withdraw(who) if self.request != Some(who) => return Err("not_permitted"),
            Move::Withdraw(_) => self.request = None,
            Move::Reopen(_) if !closed => return Err("invalid"),
            Move::Reopen(who) if self.last_owner != Some(who) => return Err("not_assignee"),
            Move::Reopen(_) => self.status = Status::Open,
            Move::Resume(_) if self.status == Status::Open => return Err("invalid"),
            Move::Unassign(_) if self.owner == Holder::Nobody && !closed => return Err("invalid"),
            Move::Close(_) | Move::Hold(..) | Move::Resume(_) | Move::Reply(_) | Move::Unassign(_)
                if closed =>
            {
                return Err("closed");
            }
            Move::Close(who) | Move::Hold(who, _) | Move::Resume(who) if owner != Some(who) => {
                return Err("not_assignee");
            }
            Move::Close(_) => {
                self.resume();
                (self.status, self.request) = (Status::Closed, None);
            }
            Move::Hold(_, timed) => (self.status, self.timed) = (Status::OnHold, timed),
            Move::Resume(_) => self.resume(),
            Move::Reply(who) if owner == Some(other(who)) => return Err("not_assignee"),
            Move::Reply(who) if owner.is_none() => self.give(Holder::One(who)),
            Move::Reply(_) => {}
            Move::Take(_) if owner.is_some() => return Err("already_assigned"),
            Move::Take(who) => self.give(Holder::One(who)),
            Move::Give(who) if owner == Some(other(who)) => return Err("already_assigned"),
            Move::ToTeam(_) if self.owner == Holder::Queue && !closed => return Err("already_assigned"),
            Move::Give(who) | Move::ToTeam(who) | Move::Unassign(who) if owner != Some(who) => {
                return Err("not_permitted");
            }
            Move::Give(who) => self.give(Holder::One(other(who))),
            Move::ToTeam(_) => self.give(Holder::Queue),
            Move::Unassign(_) => self.give(Holder::Nobody),
        }
        Ok(())
    }

    fn resume(&mut self) {
        (self.status, self.timed) = (Status::Open, false);
    }

    /// Whoever gets it, the request has nothing left to be about; what was closed is open, what is on hold stays so.
    fn give(&mut self, to: Holder) {
        if self.status == Status::Closed {
            self.status = Status::Open;
        }
        if let Holder::One(who) = to {
            self.last_owner = Some(who);
        }
        (self.owner, self.request) = (to, None);
    }

    /// The core's state in the model's words.
    fn of(state: &State) -> Self {
        let conversation = state.conversation(id(1)).expect("it is there");
        let number = |who: &AgentId| AGENTS.iter().position(|name| *name == who.as_str());
        let there = |name: &str| state.agents[&agent(name)].presence == Presence::Online;
        Self {
            status: conversation.status,
            owner: match &conversation.owner {
                Owner::Nobody => Holder::Nobody,
                Owner::Team(_) => Holder::Queue,
                Owner::Agent(who) => Holder::One(number(who).expect("one of the two")),
            },
            last_owner: conversation.last_owner.as_ref().and_then(number),
            request: conversation.request.as_ref().map(|request| {
                let (from, to) = (number(&request.from), number(&request.to));
                assert_eq!(from.map(other), to, "the other is asked");
                from.expect("one of the two")
            }),
            timed: conversation.held_until.is_some(),
            there: AGENTS.map(there),
        }
    }
}

/// Forgets everything that only counts or tells the time.
fn alike(state: &mut State) {
    let mut it: Conversation = state.take(id(1)).expect("it is there");
    if it.exists() {
        (it.sequence, it.epoch, it.episode) = (9, 9, it.episode.min(2));
    }
    (it.last_activity, it.window_expires_at) = (start(), None);
    (it.replied_at, it.unechoed) = (None, Vec::new());
    it.waiting_since = it.waiting_since.map(|_| start());
    it.queued_at = it.queued_at.map(|_| start());
    if let Clock::Running { since, due, .. } = &mut it.assign_clock {
        (*since, *due) = (start(), start() + LATE);
    }
    if let Some(request) = &mut it.request {
        (request.id, request.expires_at) = (Uuid::nil(), start() + LATE / 2);
    }
    state.put(it);
    for agent in state.agents.values_mut() {
        (agent.last_assigned, agent.last_chosen) = (None, None);
    }
}

/// What distinguishes two states: all that the core can see.
fn print(state: &State) -> String {
    let agents: Vec<_> = state
        .agents
        .values()
        .map(|agent| (agent.presence, &agent.loads))
        .collect();
    format!(
        "{:?} {agents:?} {}",
        state.conversation(id(1)),
        state.drain_pending
    )
}

/// Promises that hold between two states, whatever happened.
fn check(before: &State, after: &State, events: &[switchboard::domain::event::Recorded]) {
    let (old, new) = (before.conversation(id(1)), after.conversation(id(1)));
    let (old, new) = (old.expect("it is there"), new.expect("it is there"));
    let announced = events.iter().filter_map(|event| event.change());
    let (mut sequence, mut epoch) = (old.sequence, old.epoch);
    for (then, change) in announced {
        sequence += u64::from(change.is_announced());
        epoch += u64::from(change.raises_epoch());
        assert_eq!((then.sequence, then.epoch), (sequence, epoch), "gap-free (P3)");
    }
    let moved = old.owner != new.owner || old.status != new.status;
    assert!(
        !moved || new.epoch > old.epoch,
        "a change of owner or status raises the epoch (P4)"
    );
    let waits = new.is_open() && new.waiting_since.is_some();
    let watched = new.owner != Owner::Nobody || new.assign_clock != Clock::Off;
    assert!(!waits || watched, "nobody is stranded (P7)");
    for agent in after.agents.values() {
        assert_eq!(
            agent.load(),
            u32::from(new.carried_by() == Some(&agent.id)),
            "loads (P5)"
        );
    }
}

#[test]
fn the_core_and_the_model_agree_in_every_state_that_can_be_reached() {
    let mut world = World::new(support(Strategy::Manual, &AGENTS));
    world.add_person(online("ana"));
    world.add_person(offline("ben"));
    let mut first = world.whole_state();
    first.put(unborn(id(1)));
    alike(&mut first);
    let mut seen = BTreeSet::from([print(&first)]);
    let mut ahead = VecDeque::from([first]);
    let mut steps = 0_u64;
    let mut outcomes: HashMap<&'static str, u64> = HashMap::new();
    while let Some(before) = ahead.pop_front() {
        let exists = before.conversation(id(1)).is_some_and(Conversation::exists);
        for this in moves()
            .into_iter()
            .filter(|this| exists || matches!(this, Move::Turn))
        {
            let mut model = Model::of(&before);
            let expected = model.make(this);
            let late = matches!(this, Move::HoldEnds | Move::RequestDue | Move::RecipientGone);
            let now: Timestamp = if late { start() + LATE } else { start() };
            let input = Input {
                cause: "a step".into(),
                key: Uuid::from_u128(steps.into()),
                body: body(this),
            };
            let mut after = before.clone();
            let events = fold(&mut after, &input, now);
            let refused = events.iter().find_map(|event| match &event.event.kind {
                Kind::CommandRejected(refusal) => Some(of_code(refusal.code)),
                _ => None,
            });
            let told = || format!("{this:?} of {}", print(&before));
            assert_eq!(refused, expected.err(), "{}", told());
            assert_eq!(Model::of(&after), model, "{}", told());
            if refused.is_some() {
                assert_eq!(print(&after), print(&before), "a refusal changes nothing");
            }
            check(&before, &after, &events);
            *outcomes.entry(refused.unwrap_or("done")).or_default() += 1;
            steps += 1;
            alike(&mut after);
            if seen.insert(print(&after)) {
                assert!(
                    seen.len() < MOST_STATES,
                    "something keeps counting: {}",
                    print(&after)
                );
                ahead.push_back(after);
            }
        }
    }
    println!("{} states, {steps} steps: {outcomes:?}", seen.len());
    let met: BTreeSet<&str> = outcomes.into_keys().collect();
    let every = [
        "already_assigned",
        "closed",
        "done",
        "invalid",
        "no_pending_request",
        "not_assignee",
        "not_permitted",
        "request_pending",
        "target_unavailable",
    ];
    assert_eq!(met, every.into());
}
