//! Bodies of gateways that are linked like a second phone, and of those that wrap a webhook.

use proptest::prelude::*;
use serde_json::{Value, json};
use switchboard::contract::{DeadReason, Skip};
use switchboard::domain::input::Origin;

use super::cloud_api::skipped;
use super::{assert_dead, fixture, identifiers, only_fact, read_body, received, sent};

/// A message as Evolution API publishes it.
pub fn evolution(key: Value, message: Value) -> Value {
    json!({
        "event": "messages.upsert", "instance": "shop", "server_url": "http://gateway.test", "apikey": "SECRET-KEY",
        "date_time": "2026-11-21T10:00:04.000Z", "sender": "15550001111@s.whatsapp.net",
        "data": {
            "key": key, "pushName": "Ana", "message": message, "messageType": "whatever",
            "messageTimestamp": 1_795_255_203, "instanceId": "7d", "source": "android",
        },
    })
}

pub fn from_ana() -> Value {
    json!({"remoteJid": "5511999990000@s.whatsapp.net", "fromMe": false, "id": "3EB0AA"})
}

/// A message as wuzapi publishes it.
pub fn wuzapi(info: Value, message: Value) -> Value {
    let mut all = json!({
        "ID": "3EB0BB", "Chat": "5511999990000@s.whatsapp.net", "Sender": "5511999990000:12@s.whatsapp.net",
        "IsFromMe": false, "IsGroup": false, "PushName": "Ana", "Timestamp": "2026-11-21T10:00:03Z", "Type": "text",
    });
    for (name, value) in info.as_object().expect("an object") {
        all[name] = value.clone();
    }
    json!({
        "type": "Message", "event": {"Info": all, "Message": message}, "userID": "shop-1", "instanceName": "shop",
        "token": "SECRET-KEY",
    })
}

/// The same as Evolution Go wraps it.
pub fn evolution_go(info: Value, message: Value) -> Value {
    let mut body = wuzapi(info, message);
    json!({
        "event": "Message", "data": body["event"].take(), "instanceId": "shop-2", "instanceToken": "SECRET-KEY",
    })
}

#[test]
fn a_text_by_way_of_evolution_api_is_read_whole() {
    let body = evolution(from_ana(), json!({"conversation": "quero cancelar"}));
    let fact = only_fact(&body);
    assert_eq!(&*fact.cause, "3EB0AA");
    assert_eq!(fact.channel.as_str(), "evolution:shop");
    assert_eq!(identifiers(&fact), ["phone=+5511999990000"]);
    assert_eq!(&*fact.contact.name, "Ana");
    assert_eq!(fact.at.to_string(), "2026-11-21T10:00:03Z");
    let message = received(&fact);
    assert_eq!(
        (&*message.kind, &*message.text, message.turn),
        ("text", "quero cancelar", true)
    );
}

#[test]
fn a_customer_behind_a_linked_id_is_known_by_their_phone_too() {
    for key in [
        json!({"remoteJid": "998877665544@lid", "remoteJidAlt": "5511999990000@s.whatsapp.net", "id": "1"}),
        json!({"remoteJid": "998877665544@lid", "senderPn": "5511999990000@s.whatsapp.net", "id": "1"}),
        json!({"remoteJid": "5511999990000@s.whatsapp.net", "remoteJidAlt": "998877665544@lid", "id": "1"}),
        json!({"remoteJid": "5511999990000:3@s.whatsapp.net", "senderLid": "998877665544:3@lid", "id": "1"}),
    ] {
        let fact = only_fact(&evolution(key, json!({"conversation": "hi"})));
        assert_eq!(identifiers(&fact), ["phone=+5511999990000", "lid=998877665544"]);
    }
    let alone = json!({"remoteJid": "998877665544@lid", "id": "1"});
    let fact = only_fact(&evolution(alone, json!({"conversation": "hi"})));
    assert_eq!(identifiers(&fact), ["lid=998877665544"]);
    for body in [wuzapi, evolution_go] {
        let lid = json!({"Chat": "998877665544@lid", "Sender": "998877665544@lid", "SenderAlt": "5511999990000@s.whatsapp.net"});
        let fact = only_fact(&body(lid, json!({"conversation": "hi"})));
        assert_eq!(identifiers(&fact), ["phone=+5511999990000", "lid=998877665544"]);
    }
}

#[test]
fn every_message_of_a_list_is_there() {
    let mut body = evolution(from_ana(), json!({"conversation": "one"}));
    let one = body["data"].clone();
    let mut two = one.clone();
    two["key"]["id"] = json!("3EB0AB");
    let mut broken = one.clone();
    broken["key"] = json!("nothing");
    body["data"] = json!([one, broken, two]);
    let arrived = read_body(&body);
    let ids: Vec<_> = arrived.facts.iter().map(|fact| &*fact.cause).collect();
    assert_eq!(ids, ["3EB0AA", "3EB0AB"]);
    let dead = arrived.dead.expect("the broken one is told");
    assert_eq!(dead.reason, DeadReason::Invalid);
    assert!(dead.detail.contains("data[1]"), "{dead}");
}

#[test]
fn what_the_business_sent_is_a_persons_at_the_phone_whoever_carried_it() {
    let mut key = from_ana();
    key["fromMe"] = json!(true);
    let mut by_api = evolution(key.clone(), json!({"conversation": "hello"}));
    by_api["event"] = json!("send.message");
    for body in [
        evolution(key, json!({"conversation": "hello"})),
        by_api,
        wuzapi(
            json!({"IsFromMe": true, "RecipientAlt": "998877665544@lid"}),
            json!({"conversation": "hello"}),
        ),
        evolution_go(json!({"IsFromMe": true}), json!({"conversation": "hello"})),
    ] {
        let fact = only_fact(&body);
        let (_, origin) = sent(&fact);
        assert_eq!(*origin, Origin::Phone, "{body}");
        assert_eq!(fact.identity.phone(), Some("+5511999990000"));
        assert_eq!(&*fact.contact.name, "", "the name is the business's own");
    }
}

#[test]
fn the_same_message_is_the_same_however_often_and_under_whatever_event_it_comes() {
    let mut key = from_ana();
    key["fromMe"] = json!(true);
    let body = evolution(key, json!({"conversation": "hello"}));
    let mut again = body.clone();
    again["event"] = json!("SEND_MESSAGE");
    again["data"] = json!([again["data"].take()]);
    assert_eq!(only_fact(&body).dedupe, only_fact(&again).dedupe);
}

#[test]
fn kinds_and_words_are_found_wherever_a_linked_phone_puts_them() {
    for (content, kind, words, turn) in [
        (json!({"extendedTextMessage": {"text": "w"}}), "text", "w", true),
        (
            json!({"imageMessage": {"caption": "w", "url": "https://cdn.test"}}),
            "image",
            "w",
            true,
        ),
        (json!({"videoMessage": {}}), "video", "", true),
        (json!({"audioMessage": {"ptt": true}}), "audio", "", true),
        (
            json!({"documentWithCaptionMessage": {"message": {"documentMessage": {"caption": "w"}}}}),
            "document",
            "w",
            true,
        ),
        (
            json!({"ephemeralMessage": {"message": {"viewOnceMessageV2": {"message": {"imageMessage": {"caption": "w"}}}}}}),
            "image",
            "w",
            true,
        ),
        (json!({"stickerMessage": {}}), "sticker", "", true),
        (
            json!({"locationMessage": {"degreesLatitude": 1.0}}),
            "location",
            "",
            true,
        ),
        (json!({"contactsArrayMessage": {}}), "contacts", "", true),
        (
            json!({"buttonsResponseMessage": {"selectedDisplayText": "w"}}),
            "button",
            "w",
            true,
        ),
        (
            json!({"listResponseMessage": {"title": "w"}}),
            "interactive",
            "w",
            true,
        ),
        (json!({"orderMessage": {"message": "w"}}), "order", "w", true),
        (
            json!({"somethingNewMessage": {"text": "w"}}),
            "unsupported",
            "",
            true,
        ),
        (json!({"reactionMessage": {"text": "👍"}}), "reaction", "", false),
        (json!({"protocolMessage": {"type": 0}}), "revoke", "", false),
        (
            json!({"protocolMessage": {"key": {"id": "x"}}}),
            "revoke",
            "",
            false,
        ),
        (
            json!({"protocolMessage": {"type": "MESSAGE_EDIT"}}),
            "edit",
            "",
            false,
        ),
        (json!({"editedMessage": {"message": {}}}), "edit", "", false),
    ] {
        for body in [
            evolution(from_ana(), content.clone()),
            wuzapi(json!({}), content.clone()),
            evolution_go(json!({}), content.clone()),
        ] {
            let fact = only_fact(&body);
            let message = received(&fact);
            assert_eq!(
                (&*message.kind, &*message.text, message.turn),
                (kind, words, turn),
                "{content}"
            );
        }
    }
}

#[test]
fn answers_and_advertisements_are_told_to_rules() {
    let content = json!({"extendedTextMessage": {"text": "hi", "contextInfo": {
        "stanzaId": "3EB0ZZ", "externalAdReply": {"sourceId": "ad-77", "sourceUrl": "https://fb.test/1"},
    }}});
    let go = json!({"extendedTextMessage": {"text": "hi", "contextInfo": {
        "stanzaID": "3EB0ZZ", "externalAdReply": {"sourceID": "ad-77"},
    }}});
    for body in [evolution(from_ana(), content), wuzapi(json!({}), go)] {
        let fact = only_fact(&body);
        let message = received(&fact);
        assert_eq!((&*message.referral, &*message.reply_to), ("ad-77", "3EB0ZZ"));
    }
}

#[test]
fn a_time_may_be_a_number_a_text_or_the_halves_of_a_long_one() {
    for time in [
        json!(1_795_255_203),
        json!("1795255203"),
        json!({"low": 1_795_255_203, "high": 0, "unsigned": true}),
        json!(1_795_255_203_000_i64),
    ] {
        let mut body = evolution(from_ana(), json!({"conversation": "hi"}));
        body["data"]["messageTimestamp"] = time;
        assert_eq!(only_fact(&body).at.to_string(), "2026-11-21T10:00:03Z");
    }
}

#[test]
fn what_is_no_customers_message_is_counted_and_means_nothing() {
    let chat = |jid: &str| {
        evolution(
            json!({"remoteJid": jid, "id": "1"}),
            json!({"conversation": "hi"}),
        )
    };
    assert_eq!(skipped(&chat("120363@g.us")), [(Skip::Group, 1)]);
    assert_eq!(skipped(&chat("status@broadcast")), [(Skip::Notice, 1)]);
    assert_eq!(skipped(&chat("120363@newsletter")), [(Skip::Notice, 1)]);
    assert_eq!(
        skipped(&wuzapi(json!({"IsGroup": true}), json!({}))),
        [(Skip::Group, 1)]
    );
    for (event, skip) in [
        ("messages.update", Skip::Receipt),
        ("MESSAGES_SET", Skip::Import),
        ("call", Skip::Call),
        ("connection.update", Skip::Notice),
        ("qrcode.updated", Skip::Notice),
    ] {
        let mut body = evolution(from_ana(), json!({"conversation": "hi"}));
        body["event"] = json!(event);
        assert_eq!(skipped(&body), [(skip, 1)], "{event}");
    }
    for (event, skip) in [
        ("ReadReceipt", Skip::Receipt),
        ("HistorySync", Skip::Import),
        ("CallOffer", Skip::Call),
        ("Connected", Skip::Notice),
    ] {
        let mut body = wuzapi(json!({}), json!({}));
        body["type"] = json!(event);
        assert_eq!(skipped(&body), [(skip, 1)], "{event}");
    }
    let between_devices = json!({"senderKeyDistributionMessage": {}, "messageContextInfo": {}});
    assert_eq!(
        skipped(&evolution(from_ana(), between_devices)),
        [(Skip::Notice, 1)]
    );
    let settings = json!({"protocolMessage": {"type": "APP_STATE_SYNC_KEY_SHARE"}});
    assert_eq!(skipped(&evolution(from_ana(), settings)), [(Skip::Notice, 1)]);
}

#[test]
fn a_webhook_that_unoapi_wraps_reads_as_the_webhook_does() {
    let webhook = fixture("webhook_text");
    let wrapped =
        json!({"webhooks": [{"url": "http://one.test"}], "payload": webhook.clone(), "split": true});
    let (bare, wrapped) = (only_fact(&webhook), only_fact(&wrapped));
    assert_eq!(bare.dedupe, wrapped.dedupe);
    assert_eq!(identifiers(&bare), identifiers(&wrapped));
    assert_eq!(
        format!("{:?}", received(&bare)),
        format!("{:?}", received(&wrapped))
    );
}

#[test]
fn what_names_nobody_or_no_instance_is_dead_and_shows_nothing() {
    let nobody = evolution(
        json!({"remoteJid": "someone@nowhere", "id": "1"}),
        json!({"conversation": "hi"}),
    );
    assert_dead(&read_body(&nobody), DeadReason::NoIdentity, "data[0].key");
    let mut unnamed = evolution(from_ana(), json!({"conversation": "hi"}));
    unnamed["instance"] = json!("two words");
    assert_dead(&read_body(&unnamed), DeadReason::Invalid, "instance");
    let nameless = wuzapi(json!({"ID": ""}), json!({"conversation": "hi"}));
    assert_dead(&read_body(&nameless), DeadReason::Invalid, "Info.ID");
}

/// A body of one of the gateways with these unknown things in every object of it.
fn sprinkled(value: &Value, unknown: &[(String, Value)]) -> Value {
    match value {
        Value::Object(fields) => {
            let mut sprinkled: serde_json::Map<_, _> = fields
                .iter()
                .map(|(name, value)| (name.clone(), sprinkled(value, unknown)))
                .collect();
            for (name, value) in unknown {
                sprinkled
                    .entry(format!("x_{name}"))
                    .or_insert_with(|| value.clone());
            }
            Value::Object(sprinkled)
        }
        Value::Array(items) => items.iter().map(|item| sprinkled(item, unknown)).collect(),
        other => other.clone(),
    }
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[^\u{0}]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z]{1,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn unknown_fields_anywhere_change_nothing(
        unknown in proptest::collection::vec(("[a-z]{1,8}", anything()), 0..4),
    ) {
        for body in [
            evolution(from_ana(), json!({"imageMessage": {"caption": "w"}})),
            wuzapi(json!({}), json!({"conversation": "w"})),
            evolution_go(json!({}), json!({"conversation": "w"})),
        ] {
            let (plain, more) = (only_fact(&body), only_fact(&sprinkled(&body, &unknown)));
            prop_assert_eq!(plain.dedupe, more.dedupe);
            prop_assert_eq!(format!("{:?}", plain.what), format!("{:?}", more.what));
            prop_assert_eq!(plain.identity, more.identity);
        }
    }

    #[test]
    fn a_value_of_any_type_anywhere_ends_as_facts_counts_or_letters(
        place in 0..40_usize,
        value in anything(),
    ) {
        for body in [
            evolution(from_ana(), json!({"extendedTextMessage": {"text": "w", "contextInfo": {"stanzaId": "1"}}})),
            wuzapi(json!({}), json!({"conversation": "w"})),
        ] {
            let mut bent = body.clone();
            let mut places = Vec::new();
            pointers(&body, String::new(), &mut places);
            let pointer = &places[place % places.len()];
            if let Some(there) = bent.pointer_mut(pointer) {
                *there = value.clone();
            }
            let arrived = read_body(&bent);
            let ends = !arrived.facts.is_empty() || !arrived.skipped.is_empty() || arrived.dead.is_some();
            prop_assert!(ends, "{}", bent);
            let told = format!("{arrived:?}");
            prop_assert!(!told.contains("SECRET-KEY") && !told.contains("5511999990000"), "{}", told);
        }
    }
}

fn pointers(value: &Value, here: String, all: &mut Vec<String>) {
    all.push(here.clone());
    if let Value::Object(fields) = value {
        for (name, value) in fields {
            pointers(value, format!("{here}/{name}"), all);
        }
    }
}
