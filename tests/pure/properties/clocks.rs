//! The clocks, and the alarms that read them, under random histories with policies that do everything.
//!
//! | promise | checked by |
//! |---|---|
//! | an alarm that went off does not ask for a moment that has passed | `asks_for_later` |
//! | a clock warns once and is breached once in its run | `Runs` |
//! | whoever owns what waits for an answer is waited for | `is_waited_for` |
//! | a conversation moves no more often than the guard lets it | `Moves` |
//! | an alarm that is kept lazily never goes off too late | `is_in_time` |

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::prelude::*;
use switchboard::domain::alarm;
use switchboard::domain::conversation::{Clock, ClockKind, Conversation};
use switchboard::domain::event::{By, Change};
use switchboard::domain::ids::ConversationId;
use switchboard::domain::input::{Body, Timer};

use super::histories::{Act, Shape, act, shape};
use super::{Verdict, check_step, state};
use crate::support::inputs::by;
use crate::support::people::{offline, online};
use crate::support::plans::Draft;
use crate::support::step::Step;
use crate::support::world::World;
use crate::support::{MINUTE, agent, id};

const MAX_HOPS: u32 = 2;

/// What a policy does about a breach.
#[derive(Debug, Clone, Copy)]
struct Policy {
    notify: bool,
    reassign: bool,
    escalate: bool,
    warn: bool,
    max_hops: u32,
}

#[derive(Debug, Clone)]
enum Happening {
    Batch(Vec<Act>),
    /// The owner of a conversation answers.
    Answer(u8),
    /// The owner sets it aside.
    Hold(u8),
    TimePasses(u32),
}

fn policy() -> impl Strategy<Value = Policy> {
    let hops = prop_oneof![4 => Just(MAX_HOPS), 1 => Just(0)];
    (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>(), hops).prop_map(
        |(notify, reassign, escalate, warn, max_hops)| Policy {
            notify,
            reassign,
            escalate,
            warn,
            max_hops,
        },
    )
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let acts = act().prop_filter("policies stay as they are", |act| {
        !matches!(act, Act::Plan { .. })
    });
    let one = prop_oneof![
        6 => proptest::collection::vec(acts, 1..5).prop_map(Happening::Batch),
        2 => (0..8u8).prop_map(Happening::Answer),
        1 => (0..8u8).prop_map(Happening::Hold),
        6 => (0..7u32).prop_map(Happening::TimePasses),
        1 => (60 * 20..60 * 30u32).prop_map(Happening::TimePasses),
    ];
    proptest::collection::vec(one, 1..40)
}

/// Nobody in time: three minutes to be assigned, four to be answered, an hour until what is idle is closed.
fn plan(shape: Shape, policy: Policy) -> Draft {
    shape
        .plan(0)
        .policy("strict", |written| {
            written.assign_within = Some(3 * MINUTE);
            written.respond_within = Some(4 * MINUTE);
            written.warn_before = policy.warn.then_some(MINUTE);
            written.notify = policy.notify;
            written.reassign = policy.reassign;
            written.escalate = policy.escalate;
            written.escalate_to = vec![agent("cy")];
        })
        .usual_response("strict")
        .keeping()
        .setting(|settings| {
            settings.max_hops = policy.max_hops;
            settings.close_idle_after = Some(60 * MINUTE);
        })
}

fn world(shape: Shape, policy: Policy) -> World {
    let mut world = World::new(plan(shape, policy));
    world.add_person(online("ana").capacity(2));
    world.add_person(online("ben").capacity(3).skill("french", 1));
    world.add_person(online("cy"));
    world.add_person(offline("dora").capacity(1).manager());
    world.add_person(offline("root").admin());
    world
}

/// What has to hold of a history as a whole.
#[derive(Default)]
struct Ledger {
    warned: BTreeSet<(ConversationId, ClockKind, Timestamp)>,
    breached: BTreeSet<(ConversationId, ClockKind, Timestamp)>,
    moves: BTreeMap<(ConversationId, u32), u32>,
}

impl Ledger {
    fn read(&mut self, step: Step<'_>) -> Verdict {
        for moment in step.moments() {
            let Some((after, change)) = moment.recorded.change() else {
                continue;
            };
            let before = moment.world.conversations.get(&after.id);
            match change {
                Change::ResponseWarned { clock, .. } => {
                    let run = running_since(before, *clock);
                    let run = run.ok_or_else(|| TestCaseError::fail("a clock that stands still warns"))?;
                    prop_assert!(self.warned.insert((after.id, *clock, run)), "warned twice");
                }
                Change::ResponseBreached { clock, due, .. } => {
                    let run = running_since(before, *clock);
                    let run =
                        run.ok_or_else(|| TestCaseError::fail("a clock that stands still is breached"))?;
                    prop_assert!(*due <= step.now, "too early: {due} at {}", step.now);
                    prop_assert!(self.breached.insert((after.id, *clock, run)), "breached twice");
                }
                Change::Assigned(assignment) if assignment.by != By::Escalation => {
                    self.count(after, assignment.hop.is_some());
                }
                Change::Queued { hop, .. } => self.count(after, hop.is_some()),
                _ => {}
            }
        }
        let most = step.after.plan.settings.max_hops;
        let too_often = self.moves.iter().find(|(_, moves)| most > 0 && **moves > most);
        prop_assert!(too_often.is_none(), "{too_often:?}");
        Ok(())
    }

    fn count(&mut self, after: &Conversation, moved: bool) {
        *self.moves.entry((after.id, after.episode)).or_default() += u32::from(moved);
    }
}

fn running_since(conversation: Option<&Conversation>, kind: ClockKind) -> Option<Timestamp> {
    let clock = match kind {
        ClockKind::Assign => &conversation?.assign_clock,
        ClockKind::Respond => &conversation?.respond_clock,
    };
    match clock {
        Clock::Running { since, .. } => Some(*since),
        Clock::Off | Clock::Breached => None,
    }
}

/// What is due changes the conversation so that it is not due again: nothing spins.
fn asks_for_later(step: Step<'_>) -> Verdict {
    if let Body::Timer(Timer::Alarm { conversation }) = &step.input.body
        && let Some(after) = step.after.conversations.get(conversation)
    {
        let next = alarm::next(after, &step.after.plan);
        prop_assert!(
            next.is_none_or(|next| next > step.now),
            "{next:?} again: {after:?}"
        );
    }
    Ok(())
}

fn is_waited_for(conversation: &Conversation) -> Verdict {
    let waits = conversation.waiting_since.is_some() && conversation.owned_by().is_some();
    prop_assert!(
        !waits || conversation.respond_clock != Clock::Off,
        "its owner may forget it: {conversation:?}"
    );
    let idle = conversation.owned_by().is_none() || conversation.waiting_since.is_none();
    prop_assert!(
        !idle || conversation.respond_clock == Clock::Off,
        "nobody is waited for: {conversation:?}"
    );
    prop_assert!(
        conversation.care.escalation.is_none()
            || conversation.waiting_since.is_some()
            || conversation.owned_by().is_none(),
        "looks for somebody in vain: {conversation:?}"
    );
    Ok(())
}

fn is_in_time(world: &World, conversation: &Conversation) -> Verdict {
    if let Some(next) = alarm::next(conversation, &world.plan) {
        let set = world.alarms.get(&conversation.id);
        prop_assert!(
            set.is_some_and(|set| *set <= next),
            "set to {set:?}, asked for {next}: {conversation:?}"
        );
    }
    Ok(())
}

fn check(step: Step<'_>, ledger: &mut Ledger) -> Verdict {
    check_step(step)?;
    ledger.read(step)?;
    asks_for_later(step)?;
    for conversation in step.after.conversations.values() {
        is_waited_for(conversation)?;
        is_in_time(step.after, conversation)?;
    }
    Ok(())
}

fn owner_says(world: &World, chat: u8, say: impl FnOnce(&str) -> Body) -> Vec<Body> {
    let conversation = world.conversations.get(&id(chat));
    let owner = conversation.and_then(Conversation::owned_by);
    owner.map(|owner| say(owner.as_str())).into_iter().collect()
}

fn play(shape: Shape, policy: Policy, happenings: &[Happening]) -> Verdict {
    let mut world = world(shape, policy);
    let mut ledger = Ledger::default();
    let nobody_else = BTreeSet::new();
    for happening in happenings {
        let bodies = match happening {
            Happening::Batch(acts) => acts.iter().map(|act| act.body(&world)).collect(),
            Happening::Answer(chat) => owner_says(&world, *chat, |owner| by(owner).replies(*chat).into()),
            Happening::Hold(chat) => owner_says(&world, *chat, |owner| by(owner).holds(*chat, None).into()),
            Happening::TimePasses(minutes) => {
                world.wait(MINUTE * *minutes);
                world.due(&nobody_else)
            }
        };
        let mut verdict = Ok(());
        let mut watch = |step: Step<'_>| {
            if verdict.is_ok() {
                verdict = check(step, &mut ledger);
            }
        };
        let batch = world.receive(bodies);
        world.run(batch, &nobody_else, &mut watch);
        world.finish(&mut watch);
        verdict?;
        state::check_conserving(&world)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn clocks_and_alarms_keep_their_promises_whatever_happens(
        shape in shape(),
        policy in policy(),
        happenings in happenings(),
    ) {
        play(shape, policy, &happenings)?;
    }
}
