//! Who a message of the Cloud API is from, or to.

use serde_json::{Value, json};
use switchboard::contract::DeadReason;
use switchboard::contract::words::Wire;

use super::cloud_api::message_with;
use super::{
    MESSAGE, VALUE, assert_dead, fixture, fixture_with, identifiers, only_fact, read_body, received,
};

#[test]
fn a_customer_without_a_phone_is_known_by_what_is_there_in_order_of_preference() {
    let of = |fields: &[(&str, Value)], contact: Value| {
        let mut body = message_with(fields);
        body.pointer_mut(VALUE).expect("a value")["contacts"] = json!([contact]);
        identifiers(&only_fact(&body))
    };
    let no_phone = ("from", json!(null));
    let own = ("from_user_id", json!("BR.own"));
    assert_eq!(
        of(&[no_phone.clone(), own.clone()], json!({"user_id": "BR.own"})),
        ["bsuid=BR.own"]
    );
    assert_eq!(
        of(std::slice::from_ref(&no_phone), json!({"user_id": "BR.contact"})),
        ["bsuid=BR.contact"]
    );
    let parent = ("from_parent_user_id", json!("BR.ENT.p"));
    assert_eq!(
        of(&[no_phone.clone(), parent], json!({})),
        ["parent_bsuid=BR.ENT.p"]
    );
    assert_eq!(
        of(std::slice::from_ref(&no_phone), json!({"wa_id": "BR.inplace"})),
        ["bsuid=BR.inplace"]
    );
    assert_eq!(
        of(&[("from", json!("BR.infrom")), own], json!({})),
        ["bsuid=BR.own"],
        "the field of its own goes before the field of the phone"
    );
}

#[test]
fn a_message_does_not_take_the_identity_of_another_customers_contact() {
    let body = fixture_with(
        "webhook_text",
        &[(&format!("{MESSAGE}/from"), json!("33612345678"))],
    );
    let fact = only_fact(&body);
    assert_eq!(identifiers(&fact), ["phone=+33612345678"]);
    assert_eq!(&*fact.contact.name, "");
}

#[test]
fn a_message_of_nobody_is_no_identity_and_names_its_place() {
    let mut body = message_with(&[("from", json!(null))]);
    body.pointer_mut(VALUE).expect("a value")["contacts"] = json!(null);
    assert_dead(
        &read_body(&body),
        DeadReason::NoIdentity,
        "entry[0].changes[0].value.messages[0]",
    );
}

#[test]
fn a_changed_number_keeps_who_the_customer_was() {
    let fact = only_fact(&fixture("webhook_system"));
    assert_eq!(
        identifiers(&fact),
        ["phone=+5511999991111", "bsuid=BR.9988776655"]
    );
    let previous: Vec<_> = fact
        .previous
        .iter()
        .map(|alias| (alias.kind.wire(), &*alias.value))
        .collect();
    assert_eq!(
        previous,
        [("phone", "+5511999990000"), ("bsuid", "BR.1029384756")]
    );
    assert!(!received(&fact).turn);
}

#[test]
fn who_changed_an_identifier_comes_before_what_they_wrote_wherever_that_stands() {
    let mut body = fixture("webhook_system");
    let messages = body.pointer_mut(&format!("{VALUE}/messages")).expect("messages");
    let text = |from: &str, id: &str| json!({"from": from, "id": id, "timestamp": "1795255201", "type": "text", "text": {"body": "oi"}});
    let change = messages[0].take();
    *messages = json!([
        text("5511999991111", "wamid.1"),
        text("5511900000000", "wamid.2"),
        change
    ]);
    let mut later = json!({"field": "messages", "value": body.pointer(VALUE)});
    let mut again = fixture("webhook_system")
        .pointer(&format!("{VALUE}/messages/0"))
        .cloned()
        .expect("one");
    again["id"] = json!("wamid.system.2");
    later["value"]["messages"] = json!([text("5511999991111", "wamid.3"), again]);
    let changes = body.pointer_mut("/entry/0/changes").and_then(Value::as_array_mut);
    changes.expect("changes").push(later);
    let ids: Vec<String> = read_body(&body)
        .facts
        .iter()
        .map(|fact| received(fact).id.to_string())
        .collect();
    assert_eq!(
        ids,
        [
            "wamid.system.1",
            "wamid.system.2",
            "wamid.1",
            "wamid.2",
            "wamid.3"
        ],
        "changes first, everything else in the order of the body"
    );
}

#[test]
fn a_change_that_says_only_who_they_are_now_keeps_whom_it_came_from() {
    let system =
        json!({"type": "user_changed_user_id", "user_id": "BR.after", "parent_user_id": "BR.ENT.after"});
    let body = message_with(&[
        ("type", json!("system")),
        ("system", system),
        ("from_user_id", json!("BR.before")),
        ("from_parent_user_id", json!("BR.ENT.before")),
    ]);
    let fact = only_fact(&body);
    assert!(identifiers(&fact).contains(&"bsuid=BR.after".to_owned()));
    let previous: Vec<_> = fact.previous.iter().map(|alias| &*alias.value).collect();
    assert_eq!(previous, ["BR.before", "BR.ENT.before"]);
}

#[test]
fn a_changed_user_id_keeps_the_one_before() {
    let system = json!({"type": "user_changed_user_id", "previous_user_id": "BR.before"});
    let body = message_with(&[
        ("type", json!("system")),
        ("system", system),
        ("from_user_id", json!("BR.after")),
    ]);
    let fact = only_fact(&body);
    assert!(identifiers(&fact).contains(&"bsuid=BR.after".to_owned()));
    assert_eq!(
        fact.previous
            .iter()
            .map(|alias| &*alias.value)
            .collect::<Vec<_>>(),
        ["BR.before"]
    );
}
