//! A simulation's findings as JSON: times in seconds, parts as fractions of one.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Findings, Run};
use crate::contract::words::Wire;
use crate::simulate::compare::{Comparison, Treated};
use crate::simulate::report::{AgentReport, TeamReport, Turns, Waits};

/// All of them.
pub fn of(findings: &Findings) -> Value {
    let material = &findings.material;
    json!({
        "source": material.source,
        "seed": findings.seed,
        "arrivals": material.arrivals.len(),
        "begins": material.begins.to_string(),
        "closes": material.closes.to_string(),
        "unknown": material.unknown,
        "plans": findings.runs.iter().map(run).collect::<Vec<_>>(),
        "comparison": findings.comparison.as_ref().map(|comparison| compared(findings, comparison)),
    })
}

fn run(run: &Run) -> Value {
    let report = &run.report;
    let breaches: serde_json::Map<_, _> = report
        .breaches
        .iter()
        .map(|(policy, count)| (policy.to_string(), json!(count)))
        .collect();
    json!({
        "plan": run.name,
        "tenant": run.played.plan.tenant.as_str(),
        "conversations": report.conversations,
        "further_messages": report.further,
        "ends": {
            "closed": report.ends.closed,
            "in_hand": report.ends.in_hand,
            "queued": report.ends.queued,
            "unowned": report.ends.unowned,
        },
        "wait": waits(&report.waits),
        "first_answer": waits(&report.answers),
        "breaches": breaches,
        "assumed_agents": run.played.assumed.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "routed_as_recorded": run.played.pinned,
        "teams": report.teams.iter().map(team).collect::<Vec<_>>(),
        "agents": report.agents.iter().map(agent).collect::<Vec<_>>(),
    })
}

fn waits(waits: &Waits) -> Value {
    json!({
        "ended": waits.ended,
        "never": waits.never,
        "waited": waits.waited,
        "fraction_waited": waits.fraction_waited(),
        "mean": seconds(waits.mean),
        "p50": seconds(waits.p50),
        "p90": seconds(waits.p90),
        "p95": seconds(waits.p95),
        "p99": seconds(waits.p99),
        "max": seconds(waits.max),
    })
}

fn team(report: &TeamReport) -> Value {
    json!({
        "team": report.team.as_ref().map(ToString::to_string),
        "strategy": report.strategy.map(|strategy| strategy.wire()),
        "conversations": report.conversations,
        "wait": waits(&report.waits),
        "unevenness": report.unevenness(),
        "turns": report.turns.iter().map(turns).collect::<Vec<_>>(),
    })
}

fn turns(turns: &Turns) -> Value {
    json!({ "agent": turns.agent.as_str(), "chosen": turns.chosen, "ideal": turns.ideal })
}

fn agent(report: &AgentReport) -> Value {
    json!({
        "agent": report.agent.as_str(),
        "capacity": report.capacity,
        "there": seconds(report.there),
        "chosen": report.chosen,
        "closed": report.closed,
        "peak": report.peak,
        "busy": report.busy,
        "utilisation": report.utilisation,
        "open_while_gone": seconds(report.open_while_gone),
    })
}

fn compared(findings: &Findings, comparison: &Comparison) -> Value {
    let differences = comparison.differences.iter().filter_map(|difference| {
        let arrival = findings.material.arrivals.get(difference.arrival)?;
        Some(json!({
            "at": arrival.at.to_string(),
            "customer": &*arrival.customer,
            "first": treated(&difference.first),
            "second": treated(&difference.second),
        }))
    });
    json!({
        "conversations": comparison.conversations,
        "same": comparison.same,
        "same_agent": comparison.same_agent,
        "other_agent": comparison.other_agent,
        "other_team": comparison.other_team,
        "gained": comparison.gained,
        "lost": comparison.lost,
        "sooner": comparison.sooner,
        "later": comparison.later,
        "differences": differences.collect::<Vec<_>>(),
    })
}

fn treated(treated: &Treated) -> Value {
    json!({
        "team": treated.team.as_ref().map(ToString::to_string),
        "agent": treated.agent.as_ref().map(ToString::to_string),
        "wait": treated.wait.map(seconds),
    })
}

fn seconds(time: SignedDuration) -> f64 {
    (time.as_secs_f64() * 1000.0).round() / 1000.0
}
