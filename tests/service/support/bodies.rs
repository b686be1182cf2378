//! Bodies as gateways and clients send them, and plans.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

pub const CHANNEL: &str = "whatsapp:123456789012345";

/// One team of two, two conversations each.
pub const PLAN: &str = r#"
tenant = "acme"

[[channels]]
key = "whatsapp:123456789012345"
subscribers = ["mark", "martha"]

[[agents]]
id = "martha"
name = "Martha"
capacity = 2

[[agents]]
id = "mark"
name = "Mark"
capacity = 2

[[agents]]
id = "boss"
role = "admin"

[[teams]]
id = "support"
members = ["mark", "martha"]
managers = ["boss"]
strategy = "least_loaded"

[default]
team = "support"
"#;

/// The same with room for everybody.
pub fn roomy_plan() -> String {
    PLAN.replace("capacity = 2", "capacity = 0")
}

pub fn phone(n: usize) -> String {
    format!("55119{n:08}")
}

/// A Cloud API webhook body with one text message.
pub fn webhook(from: &str, id: &str, text: &str) -> Value {
    webhook_of(&[(from, id, text)])
}

/// A Cloud API webhook body with several messages.
pub fn webhook_of(messages: &[(&str, &str, &str)]) -> Value {
    let now = Timestamp::now().as_second().to_string();
    let contacts: Vec<Value> = messages
        .iter()
        .map(|(from, _, _)| json!({"profile": {"name": "Ana"}, "wa_id": from}))
        .collect();
    let messages: Vec<Value> = messages
        .iter()
        .map(|(from, id, text)| {
            json!({"from": from, "id": id, "timestamp": now, "type": "text", "text": {"body": text}})
        })
        .collect();
    json!({
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": "messages", "value": {
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": "1", "phone_number_id": "123456789012345"},
            "contacts": contacts,
            "messages": messages,
        }}]}],
    })
}

/// A native fact with a partition key of its own.
pub fn fact(phone: &str, id: &str, key: &str) -> Value {
    json!({
        "specversion": "1.0", "id": format!("event-{id}"), "source": "gateway", "type": "whatsapp.message.received",
        "partitionkey": key,
        "data": {
            "channel": CHANNEL,
            "contact": {"phone": format!("+{phone}"), "name": "Ana"},
            "message": {"id": id, "kind": "text", "text": "hello", "timestamp": Timestamp::now().to_string()},
        },
    })
}

/// A command of an agent, with more fields.
pub fn command(name: &str, actor: &str, fields: Value) -> Value {
    let mut data = json!({"tenant": "acme", "actor": actor});
    for (key, value) in fields.as_object().into_iter().flatten() {
        data[key] = value.clone();
    }
    json!({
        "specversion": "1.0", "id": Uuid::new_v4().to_string(), "source": "crm",
        "type": format!("switchboard.command.{name}"), "data": data,
    })
}

pub fn presence(agent: &str, presence: &str) -> Value {
    command("presence", agent, json!({"agent": agent, "presence": presence}))
}
