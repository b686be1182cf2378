//! What the database remembers of a period, as arrivals; and what it does not.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::super::connect;
use super::files::Usual;
use super::{CliError, Material};
use crate::domain::conversation::Contact;
use crate::domain::ids::ConversationId;
use crate::domain::input::Message;
use crate::domain::plan::Plan;
use crate::simulate::chance::{Chance, Subject};
use crate::simulate::trace::{Arrival, MAX_ARRIVALS, Routed, in_order};
use crate::store::recorded::{self, Past};

/// What nobody can tell from the record, whatever the plan.
const ALWAYS_UNKNOWN: [&str; 3] = [
    "people's shifts are not recorded: without --shifts everyone is there all the time",
    "how long people took to their first answer is not recorded: it is drawn (--answer)",
    "further messages of open conversations are not recorded: only what began an episode is played",
];

/// Takes what was decided in a period about conversations that began in it.
pub async fn material(
    plan: &Plan,
    since: Timestamp,
    until: Option<Timestamp>,
    usual: &Usual,
    seed: u64,
) -> Result<Material, CliError> {
    let session = connect::store()?.session().await?;
    let until = until.unwrap_or(Timestamp::MAX);
    let limit = MAX_ARRIVALS as i64;
    let past = recorded::episodes(&session, &plan.tenant, since, until, limit).await?;
    let Some(last) = past.iter().map(|past| past.at).max() else {
        let tenant = &plan.tenant;
        return Err(format!("nothing is recorded of {tenant} in this time").into());
    };
    let unknown = unknown(plan, &past);
    Ok(Material {
        source: format!("what is recorded of {}", plan.tenant),
        begins: since,
        closes: last,
        arrivals: arrivals(plan, past, usual, seed),
        unknown,
    })
}

fn arrivals(plan: &Plan, past: Vec<Past>, usual: &Usual, seed: u64) -> Vec<Arrival> {
    let mut answers = Chance::new(seed, Subject::Answers);
    let mut services = Chance::new(seed, Subject::Services);
    let pinned = plan.reads().text;
    let mut kept: HashMap<ConversationId, Arc<Contact>> = HashMap::new();
    let message = Arc::new(Message {
        id: "recorded".into(),
        kind: "text".into(),
        turn: true,
        ..Message::default()
    });
    let gaps = gaps(&past);
    let arrivals = past.into_iter().zip(gaps).map(|(past, gap)| {
        // Drawn for each: one that is known leaves the others as they were.
        let drawn = usual.service.draw(&mut services).min(gap);
        Arrival {
            at: past.at,
            customer: past.conversation.to_string().into(),
            channel: past.channel,
            contact: kept
                .entry(past.conversation)
                .or_insert_with(|| Arc::new(past.contact))
                .clone(),
            message: message.clone(),
            answer: usual.answer.draw(&mut answers),
            service: past
                .service
                .and_then(|service| service.try_into().ok())
                .unwrap_or(drawn),
            routed: pinned.then(|| past.rule.map_or(Routed::Default, Routed::Rule)),
        }
    });
    in_order(arrivals.collect())
}

/// How long each may have lasted at most: what began again had ended.
fn gaps(past: &[Past]) -> Vec<Duration> {
    let mut next: HashMap<ConversationId, Timestamp> = HashMap::new();
    let gap = |past: &Past| {
        let next = next.insert(past.conversation, past.at);
        let gap = next.map(|next| next.duration_since(past.at));
        gap.and_then(|gap| gap.try_into().ok()).unwrap_or(Duration::MAX)
    };
    let mut gaps: Vec<_> = past.iter().rev().map(gap).collect();
    gaps.reverse();
    gaps
}

fn unknown(plan: &Plan, past: &[Past]) -> Vec<String> {
    let known = past
        .iter()
        .filter_map(|past| past.service)
        .filter(SignedDuration::is_positive)
        .count();
    let mut notes = vec![format!(
        "of {} conversations {known} have a known service time (from assignment to the last thing that happened); \
         for the others it is drawn (--service), and ends before the next episode of the same customer",
        past.len()
    )];
    notes.extend(ALWAYS_UNKNOWN.map(str::to_owned));
    if plan.reads().text {
        notes.push(
            "rules of the plan ask for texts, which are not kept: each conversation goes by the rule it went by \
             then, if the plan has one of that name, else by the rules with an empty text"
                .into(),
        );
    } else {
        notes.push(
            "the kind of messages, referrals and what they answer are not kept: rules see a plain text"
                .into(),
        );
    }
    notes
}
