//! `switchboard chat`: conversations by view, and one with its history.

use std::process::ExitCode;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};
use uuid::Uuid;

use super::print::say;
use super::standing::Standing;
use super::viewer::Viewer;
use super::{CliError, Done, connect, print, world};
use crate::domain::conversation::{Owner, PendingRequest};
use crate::domain::ids::{AgentId, ConversationId, Tenant};
use crate::store::conversations::Loaded;
use crate::store::read::{self, View};

/// Conversations listed at most, unless asked for more.
const LIMIT: i64 = 100;

/// List conversations, or show one with its history.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the conversations of a view, those that waited longest first.
    ///
    /// Example: switchboard chat list --view team
    List {
        /// Which.
        #[arg(long, value_enum, default_value = "all")]
        view: ViewName,
        /// Whose.
        #[arg(long)]
        tenant: Option<String>,
        /// Only what this person may see; for --view mine: theirs.
        #[arg(long = "as")]
        agent: Option<String>,
        /// At most this many.
        #[arg(long, default_value_t = LIMIT)]
        limit: i64,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show one conversation with its assignments; of one that waits also its position and how long it will probably wait.
    ///
    /// The position counts all that wait in the same team's queue, whatever they ask of a person, in the order in which
    /// they are given away. The wait is a guess from the team's pace in the last hour.
    ///
    /// Example: switchboard chat show 0193a7c2-…
    Show {
        /// Its id.
        id: Uuid,
        /// Only if this person may see it.
        #[arg(long = "as")]
        agent: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// The views of an inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ViewName {
    /// Open, with nobody.
    New,
    /// Open, in a team's queue.
    Team,
    /// Open or on hold, with a person.
    Assigned,
    /// Those of --as.
    Mine,
    /// Closed.
    Closed,
    /// All.
    All,
}

pub async fn run(command: Command) -> Done {
    match command {
        Command::List {
            view,
            tenant,
            agent,
            limit,
            json,
        } => list(view, tenant, agent, limit, json).await,
        Command::Show { id, agent, json } => show(ConversationId(id), agent, json).await,
    }
}

async fn list(view: ViewName, tenant: Option<String>, agent: Option<String>, limit: i64, json: bool) -> Done {
    let tenant = tenant.map(|tenant| Tenant::new(&tenant)).transpose()?;
    let agent = agent.map(|agent| AgentId::new(&agent)).transpose()?;
    let view = match view {
        ViewName::New => View::New,
        ViewName::Team => View::Team,
        ViewName::Assigned => View::Assigned,
        ViewName::Mine => View::Mine(agent.as_ref().ok_or("--view mine needs --as AGENT")?),
        ViewName::Closed => View::Closed,
        ViewName::All => View::All,
    };
    let store = connect::store()?;
    let session = store.session().await?;
    let (tenant, eyes) = match &agent {
        Some(agent) => {
            let viewer = Viewer::find(&store, &session, tenant, agent).await?;
            (Some(viewer.tenant().clone()), viewer.eyes()?)
        }
        None => (tenant, None),
    };
    let found = read::conversations(&session, tenant.as_ref(), view, eyes.as_ref(), limit).await?;
    if json {
        print::json(&found.iter().map(value).collect::<Vec<_>>())?;
    } else {
        print::table(
            [
                "conversation",
                "channel",
                "status",
                "owner",
                "team",
                "priority",
                "waiting since",
            ],
            &found.iter().map(row).collect::<Vec<_>>(),
        );
        if found.len() as i64 == limit {
            eprintln!("only the first {limit}: ask for more with --limit");
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn show(id: ConversationId, agent: Option<String>, json: bool) -> Done {
    let agent = agent.map(|agent| AgentId::new(&agent)).transpose()?;
    let store = connect::store()?;
    let session = store.session().await?;
    let found = read::conversation(&session, id).await?;
    let loaded = found.ok_or_else(|| CliError::from(format!("there is no conversation {id}")))?;
    if let Some(agent) = &agent {
        let viewer = Viewer::find(&store, &session, Some(loaded.tenant.clone()), agent).await?;
        viewer.must_see(&loaded.conversation)?;
    }
    let notes = read::notes(&session, &loaded.tenant, id).await?;
    let engagements = read::engagements(&session, &loaded.tenant, id).await?;
    let plan = world::directory(&store).await?.plan(&loaded.tenant);
    let standing = Standing::of(&session, &plan, &loaded.conversation).await?;
    let mut object = value(&loaded);
    standing.add_to(&mut object);
    if json {
        let mut value = object;
        value["notes"] = serde_json::to_value(&notes)?;
        value["engagements"] = serde_json::to_value(&engagements)?;
        print::json(&value)?;
        return Ok(ExitCode::SUCCESS);
    }
    for (name, value) in object.as_object().into_iter().flatten() {
        say!("{name:<22} {}", shown(value));
    }
    if let Some(sentence) = standing.sentence(&loaded.conversation) {
        say!("{sentence}");
    }
    say!("");
    for note in &notes {
        say!("{}  {} noted: {}", note.created_at, note.author, note.text);
    }
    let rows: Vec<_> = engagements
        .iter()
        .map(|one| {
            [
                one.created_at.to_string(),
                one.way.clone(),
                print::or_dash(one.from.as_deref()),
                print::or_dash(one.to.as_deref()),
                print::or_dash(one.requester.as_deref()),
                one.status.clone(),
                print::or_dash(one.note.as_deref()),
            ]
        })
        .collect();
    print::table(["when", "way", "from", "to", "asked by", "status", "note"], &rows);
    Ok(ExitCode::SUCCESS)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::String(text) => text.clone(),
        Value::Object(object) => {
            let text = |key: &str| object.get(key).and_then(Value::as_str);
            [text("kind"), text("id")]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join("/")
        }
        other => other.to_string(),
    }
}

fn row(loaded: &Loaded) -> [String; 7] {
    let (status, priority) = read::words(loaded);
    let conversation = &loaded.conversation;
    [
        conversation.id.to_string(),
        conversation.channel.to_string(),
        status.into(),
        shown(&owner(&conversation.owner)),
        print::or_dash(conversation.team.as_ref().map(|team| team.as_str())),
        priority.into(),
        print::or_dash(conversation.waiting_since.map(|at| at.to_string()).as_deref()),
    ]
}

fn owner(owner: &Owner) -> Value {
    match owner {
        Owner::Nobody => json!({ "kind": "nobody" }),
        Owner::Team(team) => json!({ "kind": "team", "id": team.as_str() }),
        Owner::Agent(agent) => json!({ "kind": "agent", "id": agent.as_str() }),
    }
}

fn request(request: Option<&PendingRequest>) -> Value {
    request.map_or(Value::Null, |request| {
        json!({
            "request": request.id.to_string(),
            "from": request.from.as_str(),
            "to": request.to.as_str(),
            "note": request.note.as_deref(),
            "expires_at": request.expires_at.to_string(),
        })
    })
}

/// A conversation as outside tools read it.
fn value(loaded: &Loaded) -> Value {
    let conversation = &loaded.conversation;
    let (status, priority) = read::words(loaded);
    let mut owner = owner(&conversation.owner);
    if let Owner::Agent(_) = conversation.owner {
        owner["team"] = json!(conversation.team.as_ref().map(|team| team.as_str()));
    }
    json!({
        "conversation": conversation.id.to_string(),
        "tenant": loaded.tenant.as_str(),
        "channel": conversation.channel.as_str(),
        "status": status,
        "owner": owner,
        "team": conversation.team.as_ref().map(|team| team.as_str()),
        "priority": priority,
        "episode": conversation.episode,
        "epoch": conversation.epoch,
        "sequence": conversation.sequence,
        "waiting_since": conversation.waiting_since.map(|at| at.to_string()),
        "window_expires_at": conversation.window_expires_at.map(|at| at.to_string()),
        "request": request(conversation.request.as_ref()),
        "held_until": conversation.held_until.map(|at| at.to_string()),
        "partitionkey": &*conversation.partition_key,
        "partition": conversation.home.0,
        "standby": conversation.standby,
    })
}
