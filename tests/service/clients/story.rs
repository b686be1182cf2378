//! What is said: every command and every kind of fact, so that every type of event is published.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::play::Play;
use crate::support::bodies::{CHANNEL, phone, webhook};

/// Martha and Mark take what comes; what is urgent goes to Mark and then up. The rest are asked for by name.
fn plan(request_timeout: &str) -> Value {
    json!({
        "tenant": "acme",
        "settings": {"request_timeout": request_timeout},
        "channels": [{"key": CHANNEL, "subscribers": ["sue"]}],
        "agents": [
            {"id": "martha", "name": "Martha"}, {"id": "mark", "name": "Mark"}, {"id": "sue", "name": "Sue"},
            {"id": "boss", "role": "manager"}, {"id": "root", "role": "admin"},
        ],
        "teams": [
            {"id": "support", "members": ["martha", "mark"], "managers": ["boss"], "strategy": "least_loaded"},
            {"id": "express", "members": ["mark"], "managers": ["boss"], "strategy": "least_loaded", "response": "quick"},
        ],
        "responses": [{
            "id": "quick", "respond_within": "3s", "warn_before": "2800ms", "on_breach": ["notify", "escalate"],
        }],
        "rules": [{"name": "urgent", "when": "message.text == 'urgent'", "team": "express"}],
        "default": {"team": "support"},
    })
}

/// A customer, of whom everything is known by their key.
struct Customer {
    key: String,
    phone: String,
}

impl Customer {
    fn new(n: usize) -> Self {
        let (key, phone) = (format!("customer-{n}"), phone(n));
        Self { key, phone }
    }

    fn contact(&self) -> Value {
        json!({"phone": format!("+{}", self.phone), "name": "Ana", "language": "pt"})
    }

    fn says(&self, id: &str, text: &str) -> Value {
        json!({
            "contact": self.contact(),
            "message": {"id": id, "kind": "text", "text": text, "timestamp": Timestamp::now().to_string()},
        })
    }
}

pub async fn tell(play: &mut Play) {
    play.does("root", "plan.apply", json!({"plan": plan("1h")})).await;
    play.does(
        "martha",
        "presence",
        json!({"agent": "martha", "presence": "online"}),
    )
    .await;
    let ana = places(play).await;
    requests(play, &ana).await;
    gate(play, &ana).await;
    let bea = several_at_once(play, &ana).await;
    clocks(play, &bea).await;
    one_known_as_two(play).await;
    people(play).await;
}

/// A customer's first message, as a webhook; then who has it, by all ways.
async fn places(play: &mut Play) -> String {
    let ana = Customer::new(1);
    play.foreign(&webhook(&ana.phone, "wamid.1", "hello")).await;
    let conversation = play.hears("conversation.assigned", "wamid.1").await;
    let key = play
        .witness
        .first("conversation.opened")
        .text("/partitionkey")
        .to_owned();
    let turn = play
        .fact("message.received", &key, ana.says("wamid.2", "are you there?"))
        .await;
    play.hears("message.received", &turn).await;
    let about = |fields: Value| about(&conversation, fields);
    play.does(
        "martha",
        "assign",
        about(json!({"to": {"team": "support"}, "note": "Not mine."})),
    )
    .await;
    play.does(
        "mark",
        "assign",
        about(json!({"to": {"agent": "mark"}, "expected_epoch": 3})),
    )
    .await;
    let stale = about(json!({"to": {"agent": "martha"}, "expected_epoch": 3}));
    play.is_refused("mark", "assign", stale, "epoch_conflict").await;
    play.does("mark", "unassign", about(json!({}))).await;
    play.does("boss", "assign", about(json!({"to": {"agent": "mark"}})))
        .await;
    play.does("boss", "assign", about(json!({"to": {"agent": "martha"}})))
        .await;
    conversation
}

/// Every way in which a request may end but time.
async fn requests(play: &mut Play, conversation: &str) {
    let about = |fields: Value| about(conversation, fields);
    let to_mark = || about(json!({"to": {"agent": "mark"}, "note": "You know her."}));
    play.is_refused("martha", "request", to_mark(), "target_unavailable")
        .await;
    play.does("mark", "presence", json!({"agent": "mark", "presence": "online"}))
        .await;
    play.does("martha", "request", to_mark()).await;
    play.is_refused("mark", "reject", about(json!({"reason": " "})), "reason_required")
        .await;
    play.does("mark", "reject", about(json!({"reason": "busy"})))
        .await;
    play.does("martha", "request", to_mark()).await;
    play.does("martha", "withdraw", about(json!({"reason": "solved"})))
        .await;
    play.does("martha", "request", to_mark()).await;
    play.does("mark", "accept", about(json!({}))).await;
    play.does("mark", "request", about(json!({"to": {"agent": "martha"}})))
        .await;
    play.does("mark", "close", about(json!({"note": "Done."}))).await;
    let reopened = play.does("mark", "reopen", about(json!({}))).await;
    let cause = reopened["data"]["cause"].as_str().expect("an id");
    play.repeats_itself(cause).await;
}

/// Set aside, told apart, answered: through the gate and around it.
async fn gate(play: &mut Play, conversation: &str) {
    let about = |fields: Value| about(conversation, fields);
    let ana = Customer::new(1);
    let key = play
        .witness
        .first("conversation.opened")
        .text("/partitionkey")
        .to_owned();
    let around = play
        .fact("message.sent", &key, ana.says("wamid.3", "from a phone"))
        .await;
    play.hears("reply.unauthorized", &around).await;
    play.does("mark", "hold", about(json!({}))).await;
    play.does("mark", "resume", about(json!({}))).await;
    play.does(
        "mark",
        "note",
        about(json!({"text": "Speaks French: «çà et là» 🙂"})),
    )
    .await;
    play.does("mark", "priority", about(json!({"priority": "high"})))
        .await;
    let reply = json!({"message": {"type": "text", "text": {"body": "Olá \"Ana\"\n🙂", "n": 12.50}}});
    play.does("mark", "reply", about(reply.clone())).await;
    play.is_refused("martha", "reply", about(reply), "not_assignee")
        .await;
}

/// A bot hands a second customer over; both conversations move together, and back.
async fn several_at_once(play: &mut Play, first: &str) -> String {
    let bea = Customer::new(2);
    let handover = json!({"contact": bea.contact(), "reason": "asked for a person"});
    let handed_over = play.fact("handover.requested", &bea.key, handover).await;
    let second = play.hears("conversation.assigned", &handed_over).await;
    let both = json!({"conversations": [first, second], "to": {"agent": "sue"}, "note": "please"});
    let done = play.does("root", "bulk_assign", both).await;
    let bulk = done["data"]["bulk"].clone();
    play.does("root", "bulk_undo", json!({"bulk": bulk})).await;
    second
}

/// What time does: a request that nobody answers, a hold that ends, a policy that warns, is broken, and goes up.
async fn clocks(play: &mut Play, conversation: &str) {
    let about = |fields: Value| about(conversation, fields);
    play.does("root", "plan.apply", json!({"plan": plan("200ms")}))
        .await;
    let first = play
        .witness
        .seen
        .iter()
        .rev()
        .find(|seen| seen.text("/subject") == conversation && seen.text("/data/owner/kind") == "agent");
    let owner = first.expect("it has an owner").text("/data/owner/id").to_owned();
    let other = if owner == "mark" { "martha" } else { "mark" };
    play.does(&owner, "request", about(json!({"to": {"agent": other}})))
        .await;
    play.witness
        .until_events("notification.request_timed_out", 2)
        .await;
    let soon = Timestamp::now() + std::time::Duration::from_millis(500);
    play.does(&owner, "hold", about(json!({"until": soon.to_string()})))
        .await;
    play.witness.until_events("notification.resumed", 1).await;

    play.does("boss", "presence", json!({"agent": "boss", "presence": "online"}))
        .await;
    let cleo = Customer::new(3);
    let urgent = play
        .fact("message.received", &cleo.key, cleo.says("wamid.4", "urgent"))
        .await;
    play.hears("conversation.assigned", &urgent).await;
    play.witness.until_events("conversation.escalated", 1).await;
    play.witness.until_events("notification.escalated", 1).await;
}

/// One customer is known by a phone, another by an id; then a message has both.
async fn one_known_as_two(play: &mut Play) {
    let (eve, fay) = (Customer::new(5), Customer::new(6));
    let says = |customer: &Customer, id: &str, contact: Value| {
        let mut said = customer.says(id, "hello");
        said["contact"] = contact;
        said
    };
    let known_by_id = json!({"bsuid": "BR.1029384756"});
    let both = json!({"phone": eve.phone, "bsuid": "BR.1029384756"});
    let by_phone = eve.says("wamid.6", "hello");
    let by_phone = play.fact("message.received", &eve.key, by_phone).await;
    play.hears("message.received", &by_phone).await;
    let by_id = says(&fay, "wamid.7", known_by_id);
    let by_id = play.fact("message.received", &fay.key, by_id).await;
    play.hears("message.received", &by_id).await;
    let by_both = says(&eve, "wamid.8", both);
    let by_both = play.fact("message.received", &eve.key, by_both).await;
    play.hears("contact.identity_conflict", &by_both).await;
}

/// People come and go; nobody is left to serve; a customer is forgotten.
async fn people(play: &mut Play) {
    let zoe = json!({"id": "zoe", "name": "Zoe", "teams": ["support"], "skills": {"french": 2}});
    play.does("root", "agent.upsert", json!({"agent": zoe})).await;
    play.does("root", "agent.remove", json!({"agent": "zoe"})).await;
    play.is_refused(
        "martha",
        "agent.remove",
        json!({"agent": "mark"}),
        "not_permitted",
    )
    .await;
    for agent in ["martha", "mark"] {
        play.does(agent, "presence", json!({"agent": agent, "presence": "offline"}))
            .await;
    }
    let dora = Customer::new(4);
    let turn = play
        .fact("message.received", &dora.key, dora.says("wamid.5", "anybody?"))
        .await;
    play.hears("conversation.queued", &turn).await;
    play.does(
        "root",
        "contact.forget",
        json!({"contact": {"phone": dora.phone}}),
    )
    .await;
}

fn about(conversation: &str, mut fields: Value) -> Value {
    fields["conversation"] = json!(conversation);
    fields
}
