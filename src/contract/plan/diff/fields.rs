//! Every key of a plan and what it says. Each part is taken apart without `..`: a key that comes to a plan has to come here.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::{Part, Value};
use crate::contract::duration;
use crate::contract::plan::calendars::DAYS;
use crate::contract::words::Wire;
use crate::domain::agent::{Profile, Skills};
use crate::domain::calendar::{Calendar, Span};
use crate::domain::condition::Condition;
use crate::domain::conversation::Relaxation;
use crate::domain::ids::AgentId;
use crate::domain::plan::{
    Burst, Channel, MayClaim, MayReassign, Moves, Outcome, Outside, Reopen, ResponsePolicy, Rule, Settings,
    Strategy, Target, Team,
};

/// Keys and what they say, in a fixed order.
pub(super) type Fields = Vec<(&'static str, Value)>;

pub(super) fn settings(settings: &Settings) -> Fields {
    let Settings {
        response,
        capacity,
        reopen,
        agents_may_claim,
        agents_may_reassign,
        supervisors_may_close,
        agents_view_all,
        assign_away,
        aging,
        request_timeout,
        timezone,
        on_away,
        on_offline,
        offline_after,
        burst,
        max_hops,
        max_age,
        close_idle_after,
        calendar,
    } = settings;
    vec![
        ("response", Value::maybe(response.as_ref())),
        ("capacity", Value::of(capacity)),
        ("reopen", Value::of(reopen_word(*reopen))),
        ("agents_may_claim", Value::of(claim_word(*agents_may_claim))),
        (
            "agents_may_reassign",
            Value::of(reassign_word(*agents_may_reassign)),
        ),
        (
            "supervisors_may_close",
            either(*supervisors_may_close, "any", "own"),
        ),
        ("agents_view", either(*agents_view_all, "all", "team")),
        ("assign_away", Value::of(assign_away)),
        ("aging", Value::lasting(*aging)),
        ("request_timeout", Value::lasting(*request_timeout)),
        ("on_away", Value::of(moves_word(*on_away))),
        ("on_offline", Value::of(moves_word(*on_offline))),
        ("offline_after", Value::lasting(*offline_after)),
        ("burst", Value::maybe(burst.map(burst_text))),
        ("max_hops", Value::of(max_hops)),
        ("max_age", if_any(*max_age)),
        ("close_idle_after", if_any(*close_idle_after)),
        ("calendar", Value::maybe(calendar.as_ref())),
        ("timezone", zone(timezone)),
    ]
}

pub(super) fn channel(channel: &Channel) -> Part {
    let says = |channel: &Channel| {
        let Channel {
            subscribers,
            phone_agent,
        } = channel;
        vec![
            ("subscribers", Value::list(subscribers)),
            ("phone_agent", Value::maybe(phone_agent.as_ref())),
        ]
    };
    Part {
        says: says(channel),
        usual: says(&Channel::default()),
    }
}

pub(super) fn agent(id: &AgentId, profile: &Profile) -> Part {
    let says = |profile: &Profile| {
        let Profile {
            name,
            role,
            capacity,
            skills,
            active,
            may_reply,
            // Whom the channels name.
            subscriptions: _,
            calendar,
        } = profile;
        vec![
            ("name", Value::of(name)),
            ("role", Value::of(role.wire())),
            ("capacity", Value::maybe(*capacity)),
            ("skills", levels(skills)),
            ("active", Value::of(active)),
            ("may_reply", Value::of(may_reply)),
            ("calendar", Value::maybe(calendar.as_ref())),
        ]
    };
    Part {
        says: says(profile),
        usual: says(&Profile::named(id)),
    }
}

pub(super) fn team(team: &Team) -> Part {
    let says = |team: &Team| {
        let Team {
            members,
            managers,
            strategy,
            capacity,
            response,
            fallback,
            calendar,
            outside,
        } = team;
        vec![
            ("members", Value::list(members)),
            ("managers", Value::list(managers)),
            ("strategy", Value::of(strategy.wire())),
            ("capacity", Value::maybe(capacity.filter(|limit| *limit > 0))),
            ("response", Value::maybe(response.as_ref())),
            ("fallback", Value::list(fallback)),
            ("calendar", Value::maybe(calendar.as_ref())),
            ("outside", Value::of(outside_word(*outside))),
        ]
    };
    let usual = Team {
        members: Vec::new(),
        managers: Vec::new(),
        strategy: Strategy::RoundRobin,
        capacity: None,
        response: None,
        fallback: Vec::new(),
        calendar: None,
        outside: Outside::default(),
    };
    Part {
        says: says(team),
        usual: says(&usual),
    }
}

pub(super) fn response(policy: &ResponsePolicy) -> Part {
    let says = |policy: &ResponsePolicy| {
        let ResponsePolicy {
            assign_within,
            respond_within,
            warn_before,
            working_hours,
            notify,
            reassign,
            escalate,
            escalate_to,
        } = policy;
        let on_breach = [(notify, "notify"), (reassign, "reassign"), (escalate, "escalate")];
        let does = on_breach.into_iter().filter(|(does, _)| **does);
        vec![
            ("assign_within", if_any(*assign_within)),
            ("respond_within", if_any(*respond_within)),
            ("warn_before", if_any(*warn_before)),
            ("hours", either(*working_hours, "working", "always")),
            ("on_breach", Value::list(does.map(|(_, word)| word))),
            ("escalate_to", Value::list(escalate_to)),
        ]
    };
    let usual = ResponsePolicy {
        assign_within: None,
        respond_within: None,
        ..ResponsePolicy::built_in()
    };
    Part {
        says: says(policy),
        usual: says(&usual),
    }
}

pub(super) fn calendar(calendar: &Calendar) -> Part {
    let says = |calendar: &Calendar| {
        let (timezone, hours, holidays) = calendar.parts();
        let worked = DAYS.iter().zip(hours).filter(|(_, spans)| !spans.is_empty());
        vec![
            ("timezone", zone(timezone)),
            (
                "hours",
                Value::list(worked.map(|(day, spans)| day_text(day, spans))),
            ),
            ("holidays", Value::list(holidays)),
        ]
    };
    Part {
        says: says(calendar),
        usual: says(&Calendar::new(TimeZone::UTC, Default::default(), [])),
    }
}

/// A day's spans, as plans have them: `mon 09:00-12:00 13:00-18:00`.
fn day_text(day: &str, spans: &[Span]) -> String {
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
    let spans = spans.iter().map(|span| {
        let Span { from, until } = *span;
        format!(" {}-{}", clock(from), clock(until))
    });
    format!("{day}{}", spans.collect::<String>())
}

fn zone(timezone: &TimeZone) -> Value {
    Value::of(timezone.iana_name().unwrap_or("UTC"))
}

pub(super) fn rule(rule: &Rule) -> Part {
    let Rule {
        name: _,
        when,
        target,
    } = rule;
    let when = ("when", Value::maybe(when.as_ref().map(Condition::source)));
    let mut part = default(target);
    part.says.insert(0, when);
    part.usual.push(("when", Value::Absent));
    part
}

pub(super) fn default(of: &Target) -> Part {
    Part {
        says: target(of),
        usual: target(&Target::default()),
    }
}

fn target(target: &Target) -> Fields {
    let Target {
        team,
        agent,
        outcome,
        skills,
        priority,
        response,
        reopen,
        fallback,
        relax,
    } = target;
    vec![
        ("team", Value::maybe(team.as_ref())),
        ("agent", Value::maybe(agent.as_ref())),
        ("outcome", Value::of(outcome_word(*outcome))),
        ("skills", levels(skills)),
        ("priority", Value::of(priority.wire())),
        ("response", Value::maybe(response.as_ref())),
        ("reopen", Value::maybe(reopen.map(reopen_word))),
        // None at all is another thing than none named: then the team's own are asked.
        ("fallback", fallback.as_ref().map_or(Value::Absent, Value::list)),
        ("relax", Value::list(relax.iter().map(step))),
    ]
}

fn step(step: &Relaxation) -> String {
    let Relaxation {
        after,
        drop,
        team,
        priority,
        notify,
    } = step;
    let does = [
        drop.as_ref().map(|skill| format!("drop {skill}")),
        team.as_ref().map(|team| format!("team {team}")),
        priority.map(|priority| format!("priority {}", priority.wire())),
        notify.then(|| "notify".into()),
    ];
    let does: Vec<String> = does.into_iter().flatten().collect();
    format!("after {} {}", duration::text(*after), does.join(" and "))
}

fn burst_text(burst: Burst) -> String {
    let Burst { limit, window } = burst;
    format!("{limit} in {}", duration::text(window))
}

fn if_any(duration: Option<Duration>) -> Value {
    duration.map_or(Value::Absent, Value::lasting)
}

fn levels(skills: &Skills) -> Value {
    Value::list(skills.iter().map(|(skill, level)| format!("{skill} = {level}")))
}

fn either(is: bool, yes: &str, no: &str) -> Value {
    Value::of(if is { yes } else { no })
}

fn reopen_word(reopen: Reopen) -> &'static str {
    match reopen {
        Reopen::Sticky => "sticky",
        Reopen::Reroute => "reroute",
        Reopen::Unassign => "unassign",
    }
}

fn claim_word(claim: MayClaim) -> &'static str {
    match claim {
        MayClaim::Teams => "teams",
        MayClaim::Any => "any",
        MayClaim::None => "none",
    }
}

fn reassign_word(reassign: MayReassign) -> &'static str {
    match reassign {
        MayReassign::Own => "own",
        MayReassign::Any => "any",
        MayReassign::None => "none",
    }
}

fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Auto => "auto",
        Outcome::Manual => "manual",
        Outcome::Nobody => "nobody",
    }
}

fn moves_word(moves: Moves) -> &'static str {
    match moves {
        Moves::Keep => "keep",
        Moves::Unanswered => "unanswered",
        Moves::All => "all",
    }
}

fn outside_word(outside: Outside) -> &'static str {
    match outside {
        Outside::Wait => "wait",
        Outside::Fallback => "fallback",
    }
}
