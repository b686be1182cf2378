//! Ids, keys and partitions: what others compute again and compare.

use std::sync::Arc;

use switchboard::contract::envelope::Destination;
use switchboard::contract::{event, notification, partition};
use switchboard::domain::agent::Presence;
use switchboard::domain::conversation::Conversation;
use switchboard::domain::ids::{AgentId, ChannelKey, MAX_CHANNEL_BYTES, MAX_ID_CHARS, Tenant};
use switchboard::domain::input::{Actor, Recipient, System, Wish};
use switchboard::domain::notify::{Notification, NotificationKind};
use switchboard::domain::plan::Plan;
use switchboard::domain::state::State;
use uuid::Uuid;

use super::{PUBLISHING, events, json, notifications, one};
use crate::company::{CHAT, Company, PARTITION_KEY, agent};

/// Longest routing key AMQP allows, in bytes.
const MAX_ROUTING_KEY_BYTES: usize = 255;

#[test]
fn the_partition_of_a_key_is_its_crc_32_modulo_the_partitions() {
    assert_eq!(partition::of(PARTITION_KEY, 8), 4);
    assert_eq!(partition::of("tenant/acme", 8), 2);
    assert_eq!(partition::of("agent/mark", 1), 0);
}

#[test]
fn an_events_id_is_made_of_its_conversation_and_its_sequence() {
    let mut company = Company::asleep();
    let rendered = events(&company.turn(CHAT));
    // uuid5(UUID("01935f2a-0000-7000-8000-000000000001"), "1") and so on, computed elsewhere.
    let ids: Vec<_> = rendered.iter().map(|message| message.id.as_str()).collect();
    assert_eq!(
        ids,
        [
            "be7554d1-7501-530d-9c39-1436fa880784",
            "27e9216e-0c98-5d2f-b99c-7da8bc73d159",
            "ee09152a-9687-5d89-a1dc-24aa361ca505"
        ]
    );
    let sequences: Vec<_> = rendered
        .iter()
        .map(|message| json(message)["sequence"].clone())
        .collect();
    assert_eq!(
        sequences,
        [
            "00000000000000000001",
            "00000000000000000002",
            "00000000000000000003"
        ]
    );
}

#[test]
fn an_event_without_a_sequence_has_its_id_from_its_input() {
    let mut company = Company::asleep();
    let happened = company.presence(Actor::System(System::Cli), "ana", Presence::Online);
    let changed = one(events(&happened), "agent.presence_changed");
    assert_eq!(changed.id, Uuid::new_v5(&happened.input.key, b"0").to_string());
    assert!(json(&changed).get("sequence").is_none());
}

#[test]
fn an_event_without_a_sequence_counts_the_events_of_its_input_before_it() {
    let mut company = Company::asleep();
    company.turn(CHAT);
    let mark = company.state.agents.get_mut(&agent("mark")).unwrap();
    mark.presence = Presence::Online; // as loaded by a batch that drains before it decides
    company.state.unsettled = true;
    let happened = company.presence(Actor::System(System::Cli), "ana", Presence::Online);
    let rendered = events(&happened);
    assert_eq!(rendered[0].kind, "switchboard.conversation.assigned");
    assert_eq!(
        rendered[1].id,
        Uuid::new_v5(&happened.input.key, b"1").to_string()
    );
}

#[test]
fn only_events_of_a_conversation_have_a_sequence_and_only_those_have_it_as_subject() {
    let mut company = Company::with_online(&["mark"]);
    let mut all = events(&company.turn(CHAT));
    let refused = company.wish("martha", CHAT, Wish::Close);
    let cause = refused.input.cause.clone();
    all.extend(events(&refused));
    for message in &all {
        let body = json(message);
        let about_chat = body["subject"] == CHAT.to_string();
        assert_eq!(body.get("sequence").is_some(), about_chat, "{body}");
    }
    let refusal = json(all.last().unwrap());
    assert_eq!(refusal["subject"], format!("command/{cause}"));
}

#[test]
fn times_have_microseconds_at_most() {
    let mut company = Company::asleep();
    company.now = "2026-11-21T23:59:58.123456789+01:00".parse().unwrap();
    let opened = one(events(&company.turn(CHAT)), "conversation.opened");
    assert_eq!(json(&opened)["time"], "2026-11-21T22:59:59.123456Z");
}

#[test]
fn all_messages_of_one_input_share_its_key_as_correlation_id() {
    let mut company = Company::asleep();
    let happened = company.turn(CHAT);
    let mut all = events(&happened);
    all.extend(notifications(&company, &happened));
    let key = happened.input.key.to_string();
    for message in all {
        assert_eq!(message.correlation_id.as_deref(), Some(key.as_str()));
    }
}

#[test]
fn a_refusal_carries_the_key_and_partition_of_the_conversation_it_shows() {
    let mut company = Company::with_online(&["mark"]);
    company.turn(CHAT);
    let refusal = one(
        events(&company.wish("martha", CHAT, Wish::Close)),
        "command.rejected",
    );
    let body = json(&refusal);
    assert_eq!(body["partitionkey"], PARTITION_KEY);
    assert_eq!(body["partition"], "4");
    assert_eq!(refusal.routing_key, "command.rejected.acme.123456789012345");
}

#[test]
fn a_refusal_of_an_unknown_conversation_stands_in_the_tenants_order() {
    let mut company = Company::asleep();
    let refusal = one(
        events(&company.wish("root", CHAT, Wish::Close)),
        "command.rejected",
    );
    let body = json(&refusal);
    assert_eq!(body["partitionkey"], "tenant/acme");
    assert_eq!(body["partition"], "2");
    assert_eq!(body["data"]["code"], "not_found");
    assert_eq!(body["data"]["conversation"], serde_json::Value::Null);
    assert_eq!(refusal.routing_key, "command.rejected.acme._");
}

#[test]
fn events_go_by_entity_verb_tenant_and_channel() {
    let mut company = Company::with_online(&["mark"]);
    let opened = one(events(&company.turn(CHAT)), "conversation.opened");
    assert_eq!(opened.to, Destination::Events);
    assert_eq!(opened.routing_key, "conversation.opened.acme.123456789012345");
    let presence = company.presence(Actor::System(System::Cli), "mark", Presence::Away);
    let changed = one(events(&presence), "agent.presence_changed");
    assert_eq!(changed.routing_key, "agent.presence_changed.acme._");
}

#[test]
fn notifications_go_by_recipient_and_kind() {
    let mut company = Company::asleep();
    let happened = company.turn(CHAT);
    let told = notifications(&company, &happened);
    let keys: Vec<_> = told.iter().map(|message| message.routing_key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "team.acme.support.new_conversation",
            "agent.acme.ana.new_conversation",
            "agent.acme.mark.new_conversation",
            "agent.acme.boss.queue_blocked"
        ]
    );
    assert!(
        told.iter()
            .all(|message| message.to == Destination::Notifications)
    );
}

#[test]
fn a_notifications_id_is_made_of_its_event_its_recipient_and_its_kind() {
    let mut company = Company::asleep();
    let happened = company.turn(CHAT);
    let queued = one(events(&happened), "conversation.queued");
    let told = notifications(&company, &happened);
    let event = Uuid::parse_str(&queued.id).unwrap();
    let id = Uuid::new_v5(&event, b"agent/ana/new_conversation");
    assert_eq!(told[1].id, id.to_string());
    assert_eq!(json(&told[1])["data"]["event"], queued.id);
}

#[test]
fn ids_are_percent_encoded_in_routing_keys() {
    let key = key_to("mark@acme.com", "a.b*c#d+é~");
    assert_eq!(key, "agent.a%2Eb%2Ac%23d%2B%C3%A9%7E.mark%40acme%2Ecom.message");
}

#[test]
fn no_routing_key_is_longer_than_amqp_allows_and_each_has_four_words() {
    let widest = "\u{1F600}".repeat(MAX_ID_CHARS);
    let channel = format!("whatsapp:{}", ".".repeat(MAX_CHANNEL_BYTES - "whatsapp:".len()));
    let keys = [key_to(&widest, &widest), key_of_event(&channel, &widest)];
    for key in &keys {
        assert!(key.len() <= MAX_ROUTING_KEY_BYTES, "{} bytes: {key}", key.len());
        assert_eq!(key.split('.').count(), 4, "{key}");
    }
}

#[test]
fn ids_too_long_for_a_routing_key_stay_apart() {
    let long = |last| format!("{}{last}", "é".repeat(MAX_ID_CHARS - 1));
    let (one, other) = (key_to(&long("a"), "acme"), key_to(&long("b"), "acme"));
    assert_ne!(one, other);
    // The first 32 hexadecimal digits of the id's SHA-256, computed elsewhere.
    assert_eq!(one, "agent.acme.~413855948bf4efd189228b8c8e5e94cc.message");
}

/// The routing key of a `message` notification to this agent of this tenant.
fn key_to(agent: &str, tenant: &str) -> String {
    let mut company = Company::asleep();
    let happened = company.turn(CHAT);
    let plan = Plan::empty(Tenant::new(tenant).unwrap());
    let notification = Notification {
        recipient: Recipient::Agent(AgentId::new(agent).unwrap()),
        kind: NotificationKind::Message,
        about: 1,
    };
    let state = State::new(Arc::new(plan));
    let message = notification::render(&notification, &happened.events[1], &state);
    message.unwrap().routing_key
}

/// The routing key of an event on this channel of this tenant.
fn key_of_event(channel: &str, tenant: &str) -> String {
    let mut company = Company::asleep();
    let mut opened = company.turn(CHAT).events.swap_remove(0);
    let channel = ChannelKey::new(channel).unwrap();
    let as_it_was = (**opened.after.as_ref().unwrap()).clone();
    opened.after = Some(Arc::new(Conversation { channel, ..as_it_was }));
    let tenant = Tenant::new(tenant).unwrap();
    event::render(&opened, &tenant, &PUBLISHING).unwrap().routing_key
}
