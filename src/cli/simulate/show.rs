//! A simulation's findings for people.

use jiff::{SignedDuration, Timestamp};

use super::super::print::{self, say};
use super::{Findings, Run};
use crate::contract::words::Wire;
use crate::simulate::compare::{Comparison, Treated};
use crate::simulate::report::{AgentReport, Report, TeamReport, Waits};

/// People that a note names one by one.
const NAMED: usize = 5;

/// All of them.
pub fn findings(findings: &Findings) {
    let material = &findings.material;
    say!(
        "{}: {} arrivals from {} to {}, seed {}",
        material.source,
        material.arrivals.len(),
        second(material.begins),
        second(material.closes),
        findings.seed
    );
    for unknown in &material.unknown {
        say!("note: {unknown}");
    }
    for run in &findings.runs {
        notes(run);
    }
    say!("");
    summary(&findings.runs);
    for run in &findings.runs {
        people(run);
    }
    if let (Some(comparison), [first, second]) = (&findings.comparison, findings.runs.as_slice()) {
        compared(findings, comparison, &first.name, &second.name);
    }
}

fn notes(run: &Run) {
    let assumed = &run.played.assumed;
    if !assumed.is_empty() {
        let named: Vec<_> = assumed.iter().take(NAMED).map(ToString::to_string).collect();
        let more = match assumed.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let who = named.join(", ") + &more;
        say!(
            "note: {} names {who} and writes nothing of them: taken to have no skills",
            run.name
        );
    }
    if run.report.ends.unowned > 0 {
        let unowned = run.report.ends.unowned;
        say!(
            "note: {} leaves {unowned} to nobody: in a simulation no person takes them",
            run.name
        );
    }
}

/// A line a figure, a column a plan.
fn summary(runs: &[Run]) {
    match runs {
        [one] => {
            let rows = figures(&one.report).map(|(label, value)| [label.to_owned(), value]);
            print::table(["", &one.name], &rows);
        }
        [one, other] => {
            let pairs = figures(&one.report).into_iter().zip(figures(&other.report));
            let rows: Vec<_> = pairs
                .map(|((label, one), (_, other))| [label.to_owned(), one, other])
                .collect();
            print::table(["", &one.name, &other.name], &rows);
        }
        _ => {}
    }
}

fn figures(report: &Report) -> [(&'static str, String); 21] {
    let ends = &report.ends;
    let (waits, answers) = (&report.waits, &report.answers);
    [
        ("conversations", report.conversations.to_string()),
        ("  closed", ends.closed.to_string()),
        ("  with a person at the end", ends.in_hand.to_string()),
        ("  in a queue at the end", ends.queued.to_string()),
        ("  with nobody at the end", ends.unowned.to_string()),
        ("further messages", report.further.to_string()),
        ("had to wait for a person", percent(Some(waits.fraction_waited()))),
        ("never got one", waits.never.to_string()),
        ("wait for a person, mean", span(waits.mean)),
        ("  p50", span(waits.p50)),
        ("  p90", span(waits.p90)),
        ("  p95", span(waits.p95)),
        ("  p99", span(waits.p99)),
        ("  longest", span(waits.max)),
        ("first answer, mean", span(answers.mean)),
        ("  p50", span(answers.p50)),
        ("  p90", span(answers.p90)),
        ("  p95", span(answers.p95)),
        ("  p99", span(answers.p99)),
        ("  longest", span(answers.max)),
        ("breaches", breaches(report)),
    ]
}

fn breaches(report: &Report) -> String {
    let all: u64 = report.breaches.values().sum();
    let by_policy: Vec<_> = report
        .breaches
        .iter()
        .map(|(policy, count)| format!("{policy} {count}"))
        .collect();
    match by_policy.len() {
        0 | 1 => all.to_string(),
        _ => format!("{all} ({})", by_policy.join(", ")),
    }
}

fn people(run: &Run) {
    say!("\n{}: teams", run.name);
    let rows: Vec<_> = run.report.teams.iter().map(team).collect();
    print::table(
        [
            "team",
            "strategy",
            "came",
            "waited",
            "mean",
            "p95",
            "never",
            "uneven by",
        ],
        &rows,
    );
    say!("\n{}: people", run.name);
    let rows: Vec<_> = run.report.agents.iter().map(agent).collect();
    print::table(
        [
            "agent",
            "there",
            "got",
            "closed",
            "most at once",
            "busy",
            "of capacity",
            "open while gone",
        ],
        &rows,
    );
}

fn team(report: &TeamReport) -> [String; 8] {
    let Waits { mean, p95, never, .. } = report.waits;
    [
        report.team.as_ref().map_or("(none)".into(), ToString::to_string),
        print::or_dash(report.strategy.map(|strategy| strategy.wire())),
        report.conversations.to_string(),
        percent(Some(report.waits.fraction_waited())),
        span(mean),
        span(p95),
        never.to_string(),
        percent(report.unevenness()),
    ]
}

fn agent(report: &AgentReport) -> [String; 8] {
    let most = match report.capacity {
        0 => report.peak.to_string(),
        capacity => format!("{} of {capacity}", report.peak),
    };
    [
        report.agent.to_string(),
        span(report.there),
        report.chosen.to_string(),
        report.closed.to_string(),
        most,
        percent(report.busy),
        percent(report.utilisation),
        span(report.open_while_gone),
    ]
}

fn compared(findings: &Findings, comparison: &Comparison, first: &str, second: &str) {
    say!(
        "\n{second} instead of {first}, of {} conversations:",
        comparison.conversations
    );
    let rows = [
        ("the same person, as soon", comparison.same),
        ("the same person, sooner or later", comparison.same_agent),
        ("another person of the same team", comparison.other_agent),
        ("another team", comparison.other_team),
        ("a person now and not before", comparison.gained),
        ("no person any more", comparison.lost),
        ("sooner", comparison.sooner),
        ("later", comparison.later),
    ];
    let rows = rows.map(|(label, count)| [format!("  {label}"), count.to_string()]);
    print::table(["", ""], &rows);
    if comparison.differences.is_empty() {
        return;
    }
    say!("\nthe first that differ:");
    let rows: Vec<_> = comparison
        .differences
        .iter()
        .filter_map(|difference| {
            let arrival = findings.material.arrivals.get(difference.arrival)?;
            let at = second_of_day(arrival.at);
            Some([
                at,
                arrival.customer.to_string(),
                treated(&difference.first),
                treated(&difference.second),
            ])
        })
        .collect();
    print::table(["came", "customer", first, second], &rows);
}

fn treated(treated: &Treated) -> String {
    let team = treated
        .team
        .as_ref()
        .map(|team| format!("{team}/"))
        .unwrap_or_default();
    match (&treated.agent, treated.wait) {
        (Some(agent), Some(wait)) => format!("{team}{agent} after {}", span(wait)),
        _ => format!("{team}nobody"),
    }
}

fn second(at: Timestamp) -> String {
    at.round(jiff::Unit::Second).unwrap_or(at).to_string()
}

fn second_of_day(at: Timestamp) -> String {
    second(at).replace('T', " ")
}

fn percent(part: Option<f64>) -> String {
    part.map_or("-".into(), |part| format!("{:.1}%", part * 100.0))
}

/// A time with its two greatest units.
fn span(time: SignedDuration) -> String {
    let seconds = time.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, 0) if time.is_zero() => "0".into(),
        (0, 0, _) => format!("{:.1}s", time.as_secs_f64()),
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}
