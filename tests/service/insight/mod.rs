//! What people ask the router, asked as they would: by the command line, of a deployment that works.

mod explain;
mod fairness;
mod standing;
mod why;

use serde_json::{Value, json};

use crate::support::Stage;
use crate::support::bodies::{command, phone, presence, webhook};

/// A team with French speakers, one that takes by hand, and what nobody is asked for.
pub const PLAN: &str = r#"
tenant = "acme"

[[channels]]
key = "whatsapp:123456789012345"

[[agents]]
id = "lea"
name = "Léa"
capacity = 1
skills = { french = 2 }

[[agents]]
id = "mark"
name = "Mark"
capacity = 1
skills = { french = 1 }

[[agents]]
id = "noel"
name = "Noël"
capacity = 1
skills = { french = 1 }

[[agents]]
id = "ana"
name = "Ana"

[[agents]]
id = "vera"
name = "Vera"

[[agents]]
id = "boss"
name = "Bo"
role = "admin"

[[teams]]
id = "support"
members = ["lea", "mark", "noel", "ana"]
managers = ["boss"]
strategy = "round_robin"

[[teams]]
id = "vip"
members = ["vera"]
managers = ["boss"]
strategy = "manual"

[[rules]]
name = "French"
when = 'message.text.contains("bonjour")'
team = "support"
skills = { french = 1 }

[[rules]]
name = "important"
when = 'message.text.contains("vip")'
team = "vip"

[[rules]]
name = "later"
when = 'message.text.contains("whenever")'
outcome = "nobody"

[default]
team = "support"
"#;

/// What a command of the program prints, as JSON.
pub async fn ask(stage: &Stage, arguments: &[&str]) -> Value {
    let (good, out, errors) = stage.run(arguments).await;
    assert!(good, "{arguments:?}: {errors}");
    serde_json::from_str(&out).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {out}"))
}

/// The rows of `why`, which count every open conversation without an owner once.
pub async fn why(stage: &Stage) -> Vec<Value> {
    let rows = ask(stage, &["why", "--json"]).await;
    let rows = rows.as_array().expect("an array").clone();
    let counted: i64 = rows
        .iter()
        .map(|row| row["waiting"].as_i64().expect("a number"))
        .sum();
    let unowned = "select count(*) from conversation where status = 'open' and owner_agent is null";
    assert_eq!(counted, stage.count(unowned).await, "{rows:#?}");
    rows
}

/// The row of a kind.
#[track_caller]
pub fn row<'a>(rows: &'a [Value], kind: &str) -> &'a Value {
    let found = rows.iter().find(|row| row["kind"] == kind);
    found.unwrap_or_else(|| panic!("no row of {kind}: {rows:#?}"))
}

/// This many wait unowned.
pub async fn until_unowned(stage: &Stage, count: i64) {
    let sql = "select count(*) from conversation where status = 'open' and owner_agent is null";
    stage.until_count(sql, count).await;
}

/// Customers from this number on write these texts, one after the other, and all of them have been decided on.
pub async fn write(stage: &Stage, first: usize, texts: &[&str]) {
    let before = stage.count("select count(*) from decision").await;
    for (n, text) in texts.iter().enumerate() {
        stage
            .send(&webhook(&phone(first + n), &format!("wamid.{}", first + n), text))
            .await;
        let decided = before + i64::try_from(n).expect("few") + 1;
        stage.until_count("select count(*) from decision", decided).await;
    }
}

/// They come or go, and it has taken effect.
pub async fn set(stage: &Stage, agent: &str, word: &str) {
    stage.send(&presence(agent, word)).await;
    let sql = format!("select count(*) from agent where id = '{agent}' and presence = '{word}'");
    stage.until_count(&sql, 1).await;
}

/// The conversation that somebody has.
pub async fn owned_by(stage: &Stage, agent: &str) -> String {
    let sql = format!(
        "select id::text from conversation where status = 'open' and owner_agent = '{agent}' order by id"
    );
    let found = stage.database.texts(&sql).await;
    found
        .first()
        .unwrap_or_else(|| panic!("{agent} has nothing"))
        .clone()
}

/// Does what the first way out of a row says.
pub async fn carry_out(stage: &Stage, row: &Value) {
    let way = &row["unblock"][0];
    let agent = way["agent"]
        .as_str()
        .unwrap_or_else(|| panic!("no way out: {row:#?}"));
    let lacks = way["lacks"].as_array().expect("an array");
    for lack in lacks {
        let body = match lack["what"].as_str().expect("a word") {
            "away" | "offline" => presence(agent, "online"),
            "capacity" => {
                assert_eq!(lack["close"], 1);
                let conversation = owned_by(stage, agent).await;
                command("close", agent, json!({ "conversation": conversation }))
            }
            "skill" => {
                let fields = json!({ "agent": { "id": agent, "skills": lack["skills"] } });
                command("agent.upsert", "boss", fields)
            }
            other => panic!("{other} is not of this scenario: {way}"),
        };
        stage.send(&body).await;
    }
    if lacks.is_empty() {
        // It waits for a person: they take it.
        let queue = row["team"].as_str();
        let sql = match queue {
            Some(team) => {
                format!("select id::text from conversation where status = 'open' and owner_queue = '{team}'")
            }
            None => "select id::text from conversation
              where status = 'open' and owner_agent is null and owner_queue is null"
                .into(),
        };
        let conversation = stage.database.texts(&sql).await.remove(0);
        let to = json!({ "conversation": conversation, "to": { "agent": agent } });
        stage.send(&command("assign", agent, to)).await;
    }
}
