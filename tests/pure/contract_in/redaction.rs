//! What is kept of a gateway's body: no key, no media, and what is left reads as the whole did.

use proptest::prelude::*;
use serde_json::{Value, json};
use switchboard::contract::{Arrived, forward, redacted};

use super::gateways::{evolution, evolution_go, from_ana, wuzapi};
use super::{fixture, read_bytes};

/// As long as media are, and longer than anything that is let be.
fn media() -> String {
    "iVBORw0KGgo+/".repeat(2_000)
}

/// Bodies of all gateways that put keys or media into what they publish, with what must not be kept of them.
fn telling_bodies() -> Vec<(&'static str, Value)> {
    let image = json!({"imageMessage": {
        "caption": "w", "url": "https://cdn.test/1", "mediaKey": "SECRET-MEDIA-KEY", "jpegThumbnail": "SECRET-THUMBNAIL",
        "contextInfo": {"stanzaId": "1", "quotedMessage": {"videoMessage": {"jpegThumbnail": {"0": 255, "1": 216}}}},
    }, "base64": "SECRET-BASE64", "messageContextInfo": {"messageSecret": "SECRET-MESSAGE"}});
    let mut file = wuzapi(
        json!({}),
        json!({"audioMessage": {"mediaKey": "SECRET-MEDIA-KEY"}}),
    );
    file["base64"] = json!(format!("SECRET-{}", media()));
    let mut list = evolution(from_ana(), image.clone());
    list["data"] = json!([list["data"].clone(), list["data"].take()]);
    let uno = json!({
        "webhooks": [{"url": "https://one.test", "header": "Authorization", "token": "SECRET-TOKEN"}],
        "payload": fixture("webhook_text"), "split": true,
    });
    let event = json!({
        "specversion": "1.0", "id": "relay-1", "source": "relay", "type": "com.example.relayed",
        "data": evolution(from_ana(), image.clone()),
    });
    // What an adapter refuses has its key all the same.
    let mut nameless = evolution(from_ana(), image.clone());
    nameless["instance"] = Value::Null;
    let empty = json!({"event": "messages.upsert", "instance": "shop", "apikey": "SECRET-KEY"});
    vec![
        ("evolution", evolution(from_ana(), image.clone())),
        ("evolution, a list", list),
        ("wuzapi", wuzapi(json!({}), image.clone())),
        ("wuzapi, a file", file),
        ("evolution go", evolution_go(json!({}), image)),
        ("unoapi", uno),
        ("in a CloudEvent", event),
        ("evolution, refused", nameless),
        ("evolution, unrecognised", empty),
    ]
}

/// Everything that reading told, to be compared.
fn told(arrived: &Arrived) -> (Vec<String>, String) {
    let facts = arrived.facts.iter().map(|fact| {
        let forwarded = forward(fact, "key");
        format!("{:?} {}", fact.dedupe, String::from_utf8_lossy(&forwarded.body))
    });
    let rest = format!("{:?} {:?} {:?}", arrived.form, arrived.skipped, arrived.dead);
    (facts.collect(), rest)
}

#[track_caller]
fn assert_reads_alike(body: &[u8], kept: &[u8]) {
    assert_eq!(
        told(&read_bytes(None, &[], body)),
        told(&read_bytes(None, &[], kept))
    );
}

#[test]
fn no_key_and_no_media_are_kept_of_any_gateways_body_and_it_reads_as_before() {
    for (name, body) in telling_bodies() {
        for body in [body.to_string(), format!("{body:#}")] {
            let kept =
                redacted(body.as_bytes()).unwrap_or_else(|| panic!("{name}: there is something to take out"));
            assert_reads_alike(body.as_bytes(), &kept);
            let kept = String::from_utf8(kept).expect("text");
            assert!(!kept.contains("SECRET"), "{name}: {kept}");
            assert!(serde_json::from_str::<Value>(&kept).is_ok(), "{name}: {kept}");
            assert!(kept.len() < 8_000, "{name}: {} bytes are kept", kept.len());
            assert_eq!(
                redacted(kept.as_bytes()).as_deref().unwrap_or(kept.as_bytes()),
                kept.as_bytes(),
                "once is enough"
            );
        }
    }
}

#[test]
fn no_key_gets_into_what_is_published_or_logged_either() {
    for (name, body) in telling_bodies() {
        let arrived = read_bytes(None, &[], body.to_string().as_bytes());
        let (facts, rest) = told(&arrived);
        let all = format!("{facts:?} {rest} {arrived:?}");
        assert!(
            !all.contains("SECRET") && !all.contains("iVBORw0KGgo"),
            "{name}: {all}"
        );
    }
}

#[test]
fn what_is_not_taken_out_stays_byte_for_byte() {
    let body = r#"{ "event":"messages.upsert",	"instance" : "shop", "number": 1.0e2, "big": 12345678901234567890123,
        "api\u006bey": "SECRET", "half": "\ud83d", "slash": "\/", "apikey" :null, "token": "", "base64": true, "data": {}}"#;
    for body in [body.to_owned(), format!("\u{feff}{body}")] {
        let kept = redacted(body.as_bytes()).expect("a key");
        assert_eq!(
            String::from_utf8_lossy(&kept),
            body.replace("\"SECRET\"", "\"dropped\"")
        );
    }
}

/// What is refused as too long must still be when it is replayed: cut to where it is written, an identifier full of escapes
/// could become a good one.
#[test]
fn a_text_with_escapes_is_no_media_but_slashes_may_be_escaped() {
    let body = |text: &str| {
        let with_text = evolution(from_ana(), json!({"conversation": "w", "other": "TEXT"}));
        with_text
            .to_string()
            .replace("TEXT", text)
            .replace("SECRET-KEY", "")
    };
    let id = body(&r"w\u0000\u0000\u0000\u0000".repeat(300));
    assert!(!id.contains("SECRET"), "{id}");
    assert_eq!(redacted(id.as_bytes()), None);
    let media = body(&r"iVBORw0KGgo\/AAAA".repeat(300));
    let kept = redacted(media.as_bytes()).expect("media");
    assert!(kept.len() < media.len() / 2);
}

#[test]
fn bodies_of_ours_and_webhooks_of_the_cloud_api_are_kept_as_they_came() {
    let mut bodies: Vec<String> = ["webhook_text", "native_received", "command_assign"]
        .map(|name| {
            let mut body = fixture(name);
            body["token"] = json!("as it is");
            body["base64"] = json!(media());
            body.to_string()
        })
        .into();
    // Whatever a publisher adds to what is ours: attributes are for rules, whatever their names.
    for name in ["native_received", "command_assign"] {
        let mut body = fixture(name);
        body["instance"] = json!("pod-1");
        body["data"]["event"] = json!("upsert");
        body["data"]["instance"] = json!("pod-1");
        body["data"]["contact"]["attributes"]["token"] = json!("silver");
        bodies.push(body["data"].to_string());
        bodies.push(body.to_string());
    }
    bodies.push(json!({"hello": "world", "token": "somebody else's", "base64": media()}).to_string());
    bodies.push(json!({"event": "signup", "token": "somebody else's", "data": {}}).to_string());
    bodies.push("[1, 2]".into());
    bodies.push(r#"{"event": "messages.upsert", "instance": "shop", "apikey": "cut o"#.into());
    for body in bodies {
        assert_eq!(
            redacted(body.as_bytes()),
            None,
            "{}",
            &body[..body.len().min(200)]
        );
    }
    assert_eq!(redacted(b"\xff\xfe{"), None);
}

#[test]
fn a_body_too_large_to_be_read_is_kept_small_enough_to_be_read_the_next_time() {
    let mut body = evolution(from_ana(), json!({"imageMessage": {"caption": "w"}}));
    body["data"]["message"]["base64"] = json!("iVBORw0KGgo".repeat(600_000));
    let body = body.to_string();
    let dead = read_bytes(None, &[], body.as_bytes()).dead.expect("too large");
    assert_eq!(dead.reason.wire(), "too_large");
    let kept = redacted(body.as_bytes()).expect("something to take out");
    assert!(kept.len() < 1_000, "{}", kept.len());
    assert_eq!(read_bytes(None, &[], &kept).facts.len(), 1);
}

#[test]
fn media_under_an_unknown_name_are_cut_and_what_was_too_long_still_is() {
    let mut body = evolution(from_ana(), json!({"conversation": media()}));
    body["data"]["someday"] = json!(media());
    let bytes = body.to_string();
    let kept = redacted(bytes.as_bytes()).expect("something to cut");
    assert!(kept.len() < bytes.len() - 20_000, "{}", kept.len());
    assert_reads_alike(bytes.as_bytes(), &kept);
    for place in [
        "/instance",
        "/data/key/id",
        "/data/key/remoteJid",
        "/data/pushName",
        "/event",
        "/data/messageTimestamp",
    ] {
        for long in [media(), "\\/".repeat(5_000), "\u{1}\u{2}".repeat(5_000)] {
            *body.pointer_mut(place).expect("a place") = json!(long);
            let bytes = body.to_string();
            let kept = redacted(bytes.as_bytes()).expect("something to cut");
            assert_reads_alike(bytes.as_bytes(), &kept);
        }
    }
}

#[test]
fn depth_costs_nothing() {
    let deep = format!("{}\"SECRET\"{}", "[".repeat(200_000), "]".repeat(200_000));
    let body = format!("{{\"event\": \"x\", \"instance\": \"y\", \"apikey\": {deep}, \"data\": {deep}}}");
    let kept = redacted(body.as_bytes()).expect("a key");
    assert_eq!(kept.len(), body.len() - deep.len() + "\"dropped\"".len());
}

/// What the kept body should say, by way of values instead of bytes.
fn without_secrets(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let kept = fields.iter().map(|(name, value)| {
                let is_secret = ["apikey", "token", "base64", "jpegthumbnail", "mediakey"]
                    .contains(&&*name.to_lowercase());
                let says_nothing =
                    matches!(value, Value::Null | Value::Bool(_) | Value::Number(_)) || *value == json!("");
                let kept = if is_secret && !says_nothing {
                    json!("dropped")
                } else {
                    without_secrets(value)
                };
                (name.clone(), kept)
            });
            Value::Object(kept.collect())
        }
        Value::Array(items) => items.iter().map(without_secrets).collect(),
        other => other.clone(),
    }
}

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        "[\"\\\\:,{}\\[\\]]{0,6}".prop_map(Value::from),
    ];
    let name = prop_oneof![
        "apikey|apiKey|TOKEN|base64|jpegThumbnail|mediaKey|caption|text",
        ".{0,6}",
        "[\"\\\\:,]{1,3}",
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(name.clone(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn the_kept_body_says_the_same_but_for_the_secrets(
        message in anything(),
        beside in anything(),
        pretty in any::<bool>(),
    ) {
        let mut body = evolution(from_ana(), message);
        body["data"]["beside"] = beside;
        let bytes = if pretty { format!("{body:#}") } else { body.to_string() };
        let kept = redacted(bytes.as_bytes()).expect("its API key is always there");
        let value: Value = serde_json::from_slice(&kept).expect("JSON");
        let read: Value = serde_json::from_str(&bytes).expect("JSON");
        prop_assert_eq!(value, without_secrets(&read));
        prop_assert!(kept.len() <= bytes.len() + bytes.len() / 2, "{} of {}", kept.len(), bytes.len());
        let (before, after) = (read_bytes(None, &[], bytes.as_bytes()), read_bytes(None, &[], &kept));
        prop_assert_eq!(told(&before), told(&after));
    }

    #[test]
    fn bytes_of_any_kind_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..64), cut in 0..400_usize) {
        prop_assert_eq!(redacted(&bytes), None);
        let body = evolution(from_ana(), json!({"conversation": "w"})).to_string();
        let cut = cut.min(body.len() - 1);
        prop_assert_eq!(redacted(&body.as_bytes()[..cut]), None);
        let mut bent = body.into_bytes();
        bent.splice(cut..cut, bytes);
        if let Some(kept) = redacted(&bent) {
            prop_assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&kept).is_ok());
        }
    }
}
