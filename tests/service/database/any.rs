//! Any conversation, as far as the database is concerned.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use switchboard::domain::conversation::{
    Care, Clock, Contact, Conversation, EscalationReason, Hop, HopReason, Owner, PendingEscalation,
    PendingRequest, Priority, Relaxation, Route, Status,
};
use switchboard::domain::ids::{AgentId, ChannelKey, ConversationId, Partition, PolicyId, TeamId, Tenant};
use uuid::Uuid;

/// A text that is an id: no spaces, no control characters, and what people find to put into one.
fn id_text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9@._/:'\"\\\\{},+\u{e9}\u{4f60}\u{1f600}-]{1,64}"
}

/// A text that people write; the contract takes NUL out.
fn text() -> impl Strategy<Value = Arc<str>> {
    proptest::string::string_regex("[^\u{0}]{0,40}")
        .expect("a pattern")
        .prop_map(Arc::from)
}

fn name() -> impl Strategy<Value = Arc<str>> {
    proptest::string::string_regex("[^\u{0}]{1,20}")
        .expect("a pattern")
        .prop_map(Arc::from)
}

/// To the microsecond, as the contract gives them.
fn time() -> impl Strategy<Value = Timestamp> {
    (0_i64..4_102_444_800_000_000)
        .prop_map(|micros| Timestamp::from_microsecond(micros).expect("before 2100"))
}

pub fn tenant() -> impl Strategy<Value = Tenant> {
    id_text().prop_map(|text| Tenant::new(&text).expect("an id"))
}

pub fn agent_id() -> impl Strategy<Value = AgentId> {
    id_text().prop_map(|text| AgentId::new(&text).expect("an id"))
}

pub fn team_id() -> impl Strategy<Value = TeamId> {
    id_text().prop_map(|text| TeamId::new(&text).expect("an id"))
}

fn policy_id() -> impl Strategy<Value = PolicyId> {
    id_text().prop_map(|text| PolicyId::new(&text).expect("an id"))
}

fn owner() -> impl Strategy<Value = Owner> {
    prop_oneof![
        Just(Owner::Nobody),
        team_id().prop_map(Owner::Team),
        agent_id().prop_map(Owner::Agent),
    ]
}

fn priority() -> impl Strategy<Value = Priority> {
    prop_oneof![
        Just(Priority::Low),
        Just(Priority::Normal),
        Just(Priority::High),
        Just(Priority::Urgent)
    ]
}

fn skills() -> impl Strategy<Value = BTreeMap<Arc<str>, u8>> {
    btree_map(name(), any::<u8>(), 0..4)
}

fn route() -> impl Strategy<Value = Route> {
    (
        option::of(text()),
        option::of(agent_id()),
        skills(),
        option::of(policy_id()),
        any::<bool>(),
        vec(relaxation(), 0..3),
        0..3_usize,
        option::of(time()),
    )
        .prop_map(
            |(rule, agent, skills, response, manual, relax, relaxed, since)| Route {
                rule,
                agent,
                skills,
                response,
                manual,
                // Where there is nothing to relax, nothing is kept of it.
                relaxed: if relax.is_empty() { 0 } else { relaxed },
                relaxing_since: since.filter(|_| !relax.is_empty()),
                relax: relax.into(),
            },
        )
}

fn relaxation() -> impl Strategy<Value = Relaxation> {
    (
        0..100_000_u64,
        option::of(text()),
        option::of(team_id()),
        option::of(priority()),
        any::<bool>(),
    )
        .prop_map(|(after, drop, team, priority, notify)| Relaxation {
            after: Duration::from_millis(after),
            drop,
            team,
            priority,
            notify,
        })
}

fn care() -> impl Strategy<Value = Care> {
    let hop = (agent_id(), any::<bool>()).prop_map(|(from, silent)| Hop {
        from,
        why: if silent {
            HopReason::Silent
        } else {
            HopReason::Absent
        },
    });
    let why = select(vec![
        EscalationReason::Breach,
        EscalationReason::Hops,
        EscalationReason::Window,
    ]);
    let pending = (why, policy_id(), time()).prop_map(|(why, policy, retry_at)| PendingEscalation {
        why,
        policy,
        retry_at,
    });
    (
        vec(hop, 0..4),
        any::<bool>(),
        option::of(pending),
        option::of(time()),
        option::of(time()),
        any::<bool>(),
        option::of(text()),
    )
        .prop_map(
            |(hops, exclusions_cleared, escalation, window_told, owner_looked_at, stale, handoff)| Care {
                hops,
                exclusions_cleared,
                escalation,
                window_told,
                owner_looked_at,
                stale,
                handoff,
            },
        )
}

fn clock() -> impl Strategy<Value = Clock> {
    prop_oneof![
        Just(Clock::Off),
        Just(Clock::Breached),
        (policy_id(), time(), option::of(time()), time()).prop_map(|(policy, since, warn, due)| {
            Clock::Running {
                policy,
                since,
                warn,
                due,
            }
        }),
    ]
}

fn contact() -> impl Strategy<Value = Arc<Contact>> {
    (text(), text(), text(), btree_map(name(), text(), 0..4)).prop_map(
        |(name, language, country, attributes)| {
            Arc::new(Contact {
                name,
                language,
                country,
                attributes,
            })
        },
    )
}

fn request() -> impl Strategy<Value = PendingRequest> {
    (agent_id(), agent_id(), option::of(text()), time()).prop_map(|(from, to, note, expires_at)| {
        PendingRequest {
            id: Uuid::now_v7(),
            from,
            to,
            note,
            expires_at,
        }
    })
}

/// What never changes of a conversation.
fn identity() -> impl Strategy<Value = Conversation> {
    ("[a-z]{1,10}:[a-zA-Z0-9:_-]{1,40}", "[0-9a-f]{16}", 0..=u16::MAX).prop_map(|(channel, key, home)| {
        let channel = ChannelKey::new(&channel).expect("a channel");
        Conversation::unborn(
            ConversationId(Uuid::now_v7()),
            channel,
            key.into(),
            Partition(home),
        )
    })
}

/// What of a conversation can be anything at any time.
fn standing() -> impl Strategy<Value = Conversation> {
    let who = (
        owner(),
        option::of(team_id()),
        option::of(agent_id()),
        btree_set(agent_id(), 0..4),
    );
    let numbers = (
        1_u32..1_000_000,
        1_u64..1 << 62,
        1_u64..1 << 62,
        any::<bool>(),
        0..3_u8,
    );
    let pending = (
        option::of(time()),
        option::of(request()),
        vec(time(), 0..4),
        option::of(time()),
        clock(),
        option::of(time()),
        care(),
    );
    let times = (option::of(time()), option::of(time()), option::of(time()), time());
    (
        identity(),
        who,
        numbers,
        times,
        priority(),
        route(),
        clock(),
        contact(),
        pending,
    )
        .prop_map(
            |(unborn, who, numbers, times, priority, route, assign_clock, contact, pending)| {
                let (owner, team, last_owner, excluded): (_, _, _, BTreeSet<AgentId>) = who;
                let (episode, epoch, sequence, standby, status) = numbers;
                let (held_until, request, unechoed, replied_at, respond_clock, owned_since, care) = pending;
                let status = [Status::Open, Status::OnHold, Status::Closed][usize::from(status)];
                let (waiting_since, queued_at, window_expires_at, last_activity) = times;
                Conversation {
                    status,
                    held_until: held_until.filter(|_| status == Status::OnHold),
                    request: request.filter(|_| status != Status::Closed),
                    unechoed,
                    replied_at,
                    respond_clock,
                    owned_since,
                    care,
                    owner,
                    team,
                    last_owner,
                    priority,
                    episode,
                    epoch,
                    sequence,
                    standby,
                    route,
                    excluded,
                    waiting_since,
                    queued_at,
                    assign_clock,
                    window_expires_at,
                    last_activity,
                    contact,
                    ..unborn
                }
            },
        )
}

/// A conversation as it is founded, and as it may be later.
pub fn then_and_now() -> impl Strategy<Value = (Conversation, Conversation)> {
    (standing(), standing()).prop_map(|(then, now)| {
        let Conversation {
            id,
            channel,
            partition_key,
            home,
            ..
        } = then.clone();
        (
            then,
            Conversation {
                id,
                channel,
                partition_key,
                home,
                ..now
            },
        )
    })
}
