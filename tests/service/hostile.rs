//! Hostile bodies of every adapter among good messages: each is dead-lettered once with its reason, every good one takes
//! effect in its order, and the worker stays up. Nobody reaches another tenant's conversations through a body.

use lapin::BasicProperties;
use serde_json::{Value, json};
use switchboard::contract::{partition, redacted};

use crate::support::bodies::{PLAN, command, fact, phone, webhook};
use crate::support::{PARTITIONS, Stage};

/// The settings of the tests allow bodies of so many bytes.
const LARGE: usize = 70_000;

/// A plan that has the channels of every gateway, and one of somebody else's.
const OTHERS: &str = r#"
tenant = "globex"

[[channels]]
key = "whatsapp:555"

[[agents]]
id = "zoe"
role = "admin"
"#;

fn plan() -> String {
    let channels = ["evolution:shop", "wuzapi:shop-1", "evolution-go:shop-2"];
    let channel = |key: &str| format!("\n[[channels]]\nkey = \"{key}\"\n");
    PLAN.to_owned() + &channels.map(channel).concat()
}

fn message_of(info: &Value) -> Value {
    json!({"Info": info, "Message": {"conversation": "hello"}})
}

/// One message of this customer as each gateway tells it.
fn every_form(phone: &str, id: &str) -> Vec<(&'static str, Value)> {
    let now = jiff::Timestamp::now().as_second();
    let chat = format!("{phone}@s.whatsapp.net");
    let info = json!({"ID": id, "Chat": chat, "Sender": chat, "IsFromMe": false, "IsGroup": false, "Timestamp": now});
    let hook = webhook(phone, id, "hello");
    let key = json!({"remoteJid": chat, "fromMe": false, "id": id});
    let evolution = json!({"key": key, "message": {"conversation": "hello"}, "messageTimestamp": now});
    let mut native = fact(phone, id, "");
    native["partitionkey"] = json!(null); // the one that everybody computes, as for the others
    vec![
        ("native", native),
        ("cloud_api", hook.clone()),
        ("unoapi", json!({"webhooks": [], "payload": hook, "split": true})),
        (
            "evolution",
            json!({"event": "messages.upsert", "instance": "shop", "data": [evolution], "apikey": "SECRET-KEY"}),
        ),
        (
            "wuzapi",
            json!({"type": "Message", "event": message_of(&info), "userID": "shop-1"}),
        ),
        (
            "evolution-go",
            json!({"event": "Message", "data": message_of(&info), "instanceId": "shop-2", "instanceToken": "SECRET-KEY"}),
        ),
    ]
}

/// Where each form has the id of its message, and its business number.
fn place_of(form: &str) -> (&'static str, &'static str) {
    match form {
        "native" => ("/data/message/id", "/data/channel"),
        "cloud_api" => (
            "/entry/0/changes/0/value/messages/0/id",
            "/entry/0/changes/0/value/metadata/phone_number_id",
        ),
        "unoapi" => (
            "/payload/entry/0/changes/0/value/messages/0/id",
            "/payload/entry/0/changes/0/value/metadata/phone_number_id",
        ),
        "evolution" => ("/data/0/key/id", "/instance"),
        "wuzapi" => ("/event/Info/ID", "/userID"),
        _ => ("/data/Info/ID", "/instanceId"),
    }
}

/// What can be done to a body, with the reason it ends with and words of the detail.
fn harmed(form: &str, body: &Value) -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let text = body.to_string();
    let (id, channel) = place_of(form);
    let with = |place: &str, value: Value| {
        let mut body = body.clone();
        *body.pointer_mut(place).expect("a place") = value;
        body.to_string()
    };
    let nowhere = if form == "native" { "whatsapp:999" } else { "999" };
    vec![
        (
            "unparseable",
            "is not JSON",
            text.as_bytes()[..text.len() / 2].to_vec(),
        ),
        ("unparseable", "is not UTF-8", [text.as_bytes(), &[0xff]].concat()),
        ("unparseable", "is not JSON", format!("{text}\0").into_bytes()),
        (
            "unparseable",
            "is not JSON",
            format!("{{\"a\":{}", "[".repeat(20_000)).into_bytes(),
        ),
        ("invalid", "is not a text", with(id, json!(7)).into_bytes()),
        (
            "invalid",
            "is not a text",
            with(id, json!([{"deep": [[[]]]}])).into_bytes(),
        ),
        ("invalid", "is missing", with(id, json!("\0")).into_bytes()),
        (
            "invalid",
            "is longer than 512 bytes",
            with(id, json!("i".repeat(600))).into_bytes(),
        ),
        (
            "unknown_channel",
            "no plan names the channel",
            with(channel, json!(nowhere)).into_bytes(),
        ),
        (
            "too_large",
            "bytes, more than the",
            format!("{text}{}", " ".repeat(LARGE)).into_bytes(),
        ),
    ]
}

/// Sends a good message before, between and behind the hostile ones, and looks at where all of them ended.
async fn play(stage: &mut Stage, send: impl AsyncFn(&Stage, &[u8], usize)) {
    let mut witness = stage.witness().await;
    let mut good = 0..;
    let mut hostile = Vec::new();
    for (form, body) in every_form(&phone(900), "wamid.hostile") {
        for (reason, words, bytes) in harmed(form, &body) {
            let n = good.next().expect("a number");
            let forms = every_form(&phone(n % 7), &format!("wamid.{n}"));
            let (_, message) = &forms[n % forms.len()];
            send(stage, message.to_string().as_bytes(), n).await;
            send(stage, &bytes, n).await;
            hostile.push((reason, words, bytes));
        }
    }
    let count = good.next().expect("a number");
    stage.worker();
    witness.until_events("message.received", count).await;
    let mut letters = witness.letters(hostile.len()).await;
    for (reason, words, bytes) in &hostile {
        // A letter is the body as it came, but for keys and media.
        let kept = redacted(bytes).unwrap_or_else(|| bytes.clone());
        let at = letters
            .iter()
            .position(|letter| letter.body == kept && letter.reason() == *reason);
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]);
        let letter = letters.remove(at.unwrap_or_else(|| panic!("no letter {reason} of {shown}")));
        let detail = &letter.headers["x-switchboard-detail"];
        assert!(detail.contains(words), "{detail} says nothing of {words}");
        assert!(
            !detail.contains("wamid") && !detail.contains(&phone(900)),
            "{detail}"
        );
    }
    assert!(letters.is_empty(), "each once");
    // In the order in which they were sent, for each conversation: a customer on one number.
    let mut received = vec![Vec::new(); 7 * 6];
    for one in witness.seen.iter().filter(|one| one.kind() == "message.received") {
        let n: usize = one.text("/data/message/id")["wamid.".len()..]
            .parse()
            .expect("a number");
        received[n % (7 * 6)].push(n);
    }
    let mut wanted = vec![Vec::new(); 7 * 6];
    (0..count).for_each(|n| wanted[n % (7 * 6)].push(n));
    assert_eq!(received, wanted);
    stage.assert_audit_is_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_bodies_of_every_adapter_through_the_open_door_harm_nothing_beside_them() {
    let mut stage = Stage::with_plan(&plan()).await;
    play(&mut stage, async |stage, body, _| stage.send_raw(body).await).await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_bodies_of_every_adapter_in_one_lane_harm_nothing_beside_them() {
    let mut stage = Stage::with_plan(&plan()).await;
    let lane = partition::of("one-lane", PARTITIONS).to_string();
    play(&mut stage, async |stage, body, _| {
        stage
            .publish("inbound", &lane, body, BasicProperties::default())
            .await;
    })
    .await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_names_another_tenants_channel_or_conversation_does_not_reach_it_from_here() {
    let mut stage = Stage::with_plan(&plan()).await;
    stage.apply(OTHERS).await;
    let mut witness = stage.witness().await;
    stage.worker();
    // A channel belongs to one tenant: whoever says something of it says it to that tenant.
    let mut theirs = fact(&phone(1), "wamid.theirs", "k");
    theirs["data"]["channel"] = json!("whatsapp:555");
    theirs["data"]["tenant"] = json!("acme");
    stage.send(&theirs).await;
    witness.until_events("message.received", 1).await;
    let told = witness.first("message.received");
    assert_eq!(told.text("/data/tenant"), "globex");
    let conversation = told.text("/subject").to_owned();
    // Their conversation is none of ours, and their channel cannot be claimed.
    let mut claim: Value = json!({"tenant": "acme", "channels": [{"key": "whatsapp:555"}]});
    claim["agents"] = json!([{"id": "boss", "role": "admin"}]);
    for (code, command) in [
        (
            "not_found",
            command("close", "boss", json!({"conversation": conversation})),
        ),
        ("invalid", command("plan.apply", "boss", json!({"plan": claim}))),
    ] {
        let before = witness.seen.len();
        stage.send(&command).await;
        let id = command["id"].as_str().expect("an id").to_owned();
        witness
            .until("the refusal", |seen| {
                seen.iter().skip(before).any(|one| one.text("/data/cause") == id)
            })
            .await;
        let refused = witness
            .seen
            .iter()
            .find(|one| one.text("/data/cause") == id)
            .expect("it");
        assert_eq!(
            (refused.kind(), refused.text("/data/code")),
            ("command.rejected", code),
            "{}",
            refused.body
        );
        assert_eq!(refused.text("/data/tenant"), "acme");
    }
    assert_eq!(
        stage
            .count("select count(*) from conversation where tenant = 'globex'")
            .await,
        1
    );
    assert_eq!(
        stage
            .count("select count(*) from conversation where tenant = 'acme'")
            .await,
        0
    );
    stage.assert_audit_is_clean().await;
    stage.end().await;
}
