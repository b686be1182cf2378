//! Who a message of the Cloud API is from, or to.

use serde_json::{Value, json};
use switchboard::contract::DeadReason;

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
