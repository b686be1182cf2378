//! What makes the document one that tools and people can rely on, whatever wrote it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use switchboard::broker::topology::Routing;
use switchboard::contract::envelope::Destination;
use switchboard::contract::{Adapter, Arrived, Incoming, Limits, read};

use super::channels::{BODIES, Body, LETTER, topology};
use super::messages::{self, files, root, text_of};
use super::ordered::Node;
use super::{document, reference};
use crate::outbound::histories::samples;
use crate::outbound::leaving;

fn channels(document: &Node) -> Vec<(&str, &Node)> {
    let channels: Vec<_> = document.get("channels").expect("channels").entries().collect();
    assert!(!channels.is_empty());
    channels
}

/// The text at a pointer.
#[track_caller]
fn text<'a>(node: &'a Node, pointer: &str) -> &'a str {
    let text = node.at(pointer).and_then(Node::text);
    text.unwrap_or_else(|| panic!("no text at {pointer} of {node:?}"))
}

/// The names in braces of an address.
fn parameters_in(address: &str) -> BTreeSet<&str> {
    let after_braces = address.split('{').skip(1);
    after_braces
        .map(|rest| rest.split('}').next().expect("it is closed"))
        .collect()
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document::build();
    let mut files = BTreeSet::new();
    for reference in document.references() {
        match reference.strip_prefix("#/") {
            Some(pointer) => assert!(document.at(pointer).is_some(), "{reference} leads nowhere"),
            None => {
                files.insert(root().join("schemas").join(reference));
            }
        }
    }
    let mut next: Vec<_> = files.iter().cloned().collect();
    while let Some(file) = next.pop() {
        let schema = Node::of_json(&text_of(&file));
        for reference in schema.references() {
            match reference.strip_prefix("#/") {
                Some(pointer) => assert!(schema.at(pointer).is_some(), "{}: {reference}", file.display()),
                None => {
                    let target = file.parent().expect("a folder").join(reference);
                    if files.insert(target.clone()) {
                        next.push(target);
                    }
                }
            }
        }
    }
}

#[test]
fn every_operation_has_a_channel_and_every_channel_an_operation() {
    let document = document::build();
    let mut used = BTreeSet::new();
    for (_, operation) in document.get("operations").expect("operations").entries() {
        used.insert(text(operation, "channel/$ref").to_owned());
        if let Some(reply) = operation.at("reply/$ref").and_then(Node::text) {
            let reply = document.at(&reply[2..]).expect("it leads somewhere");
            used.insert(text(reply, "channel/$ref").to_owned());
        }
    }
    let there = channels(&document)
        .into_iter()
        .map(|(key, _)| format!("#/channels/{key}"));
    assert_eq!(used, there.collect());
}

#[test]
fn every_message_of_the_code_is_there_once_and_in_a_channel() {
    let document = document::build();
    let there: Vec<_> = document
        .at("components/messages")
        .expect("messages")
        .entries()
        .collect();
    let names: Vec<_> = there.iter().map(|(key, _)| (*key).to_owned()).collect();
    let code = messages::all().into_iter().map(|message| message.full);
    let bodies = BODIES.iter().map(Body::key);
    let expected: Vec<_> = bodies.chain(code).chain([LETTER.to_owned()]).collect();
    assert_eq!(names, expected);
    let once: BTreeSet<_> = names.iter().collect();
    assert_eq!(once.len(), names.len());
    for (key, message) in there {
        assert_eq!(text(message, "name"), key);
        let to = format!("#/components/messages/{key}");
        let carried = channels(&document).iter().any(|(_, channel)| {
            let messages = channel.get("messages").map(Node::references);
            messages.unwrap_or_default().contains(&to.as_str())
        });
        assert!(carried, "no channel carries {key}");
        assert!(!text(message, "summary").is_empty(), "{key}");
    }
}

#[test]
fn every_message_of_ours_has_a_schema_of_its_type_and_an_example() {
    let document = document::build();
    for message in messages::all() {
        let full = &message.full;
        assert_eq!(text(&message.schema, "properties/type/const"), full);
        let shown = document
            .at(&format!("components/messages/{full}"))
            .expect("it is there");
        assert_eq!(
            text(shown, "payload/schema/$ref"),
            format!("messages/{full}.json")
        );
        assert_eq!(text(shown, "bindings/amqp/messageType"), full);
        assert_eq!(text(shown, "examples/0/payload/type"), full);
    }
}

#[test]
fn every_gateway_whose_bodies_are_read_is_there_with_examples_that_its_adapter_reads() {
    let mut pinned = Adapter::ALL.to_vec();
    pinned.retain(|adapter| ![Adapter::Detect, Adapter::CloudEvents].contains(adapter));
    let words: BTreeSet<_> = pinned.iter().map(|adapter| adapter.wire()).collect();
    let there: BTreeSet<_> = BODIES.iter().map(|body| body.adapter).collect();
    assert_eq!(there, words);
    for body in &BODIES {
        assert!(!body.examples.is_empty(), "{}", body.adapter);
        for name in body.examples {
            let example = Body::example(name);
            for adapter in &pinned {
                let arrived = read_by(*adapter, &example);
                let is_its = adapter.wire() == body.adapter;
                assert_eq!(arrived.facts.len(), usize::from(is_its), "{name} by {adapter:?}");
                assert_eq!(arrived.dead.is_none(), is_its, "{name} by {adapter:?}");
            }
            let shape = Node::of_json(&example);
            assert!(
                body.known_by.iter().all(|field| shape.get(field).is_some()),
                "{name}"
            );
        }
    }
}

fn read_by(adapter: Adapter, body: &str) -> Arrived {
    let incoming = Incoming {
        content_type: None,
        headers: &[],
        body: body.as_bytes(),
    };
    let arrival = "2026-11-21T10:00:05Z".parse().expect("a time");
    read(&incoming, arrival, &Limits::default(), adapter)
}

#[test]
fn the_topology_is_there_with_every_binding() {
    let (document, topology) = (document::build(), topology());
    let channels = channels(&document);
    for exchange in &topology.exchanges {
        let of_it: Vec<_> = channels
            .iter()
            .filter(|(_, channel)| {
                let name = channel.at("bindings/amqp/exchange/name").and_then(Node::text);
                name == Some(&exchange.name)
            })
            .collect();
        let [(_, channel)] = of_it.as_slice() else {
            panic!("{} is there {} times", exchange.name, of_it.len());
        };
        let routing = match exchange.routing {
            Routing::Direct => "direct",
            Routing::Topic => "topic",
            Routing::Fanout => "fanout",
        };
        assert_eq!(text(channel, "bindings/amqp/exchange/type"), routing);
        let alternate = channel.get("x-alternate-exchange").and_then(Node::text);
        assert_eq!(alternate, exchange.alternate.as_deref());
    }
    for queue in &topology.queues {
        let number = queue.name.rsplit('.').next().expect("it has words");
        let filled = |text: &str| text.replace("{partition}", number);
        let (_, channel) = channels
            .iter()
            .find(|(_, channel)| {
                let name = channel.at("bindings/amqp/queue/name").and_then(Node::text);
                name.is_some_and(|name| filled(name) == queue.name)
            })
            .unwrap_or_else(|| panic!("{} is not there", queue.name));
        assert_eq!(filled(text(channel, "address")), queue.name);
        let arguments = channel.get("x-queue-arguments").expect("arguments");
        let names: BTreeSet<_> = arguments.entries().map(|(name, _)| name.to_owned()).collect();
        let declared = queue.arguments();
        assert_eq!(names, declared.inner().keys().map(ToString::to_string).collect());
        let bound: BTreeSet<_> = channel
            .get("x-bound-to")
            .expect("bindings")
            .items()
            .iter()
            .map(|binding| {
                (
                    text(binding, "exchange").to_owned(),
                    filled(text(binding, "routingKey")),
                )
            })
            .collect();
        let of_it = topology
            .bindings
            .iter()
            .filter(|binding| binding.queue == queue.name);
        let expected = of_it.map(|binding| (binding.exchange.clone(), binding.key.clone()));
        assert_eq!(bound, expected.collect(), "{}", queue.name);
    }
}

#[test]
fn every_parameter_is_declared_and_used() {
    for (key, channel) in channels(&document::build()) {
        let address = channel.get("address").and_then(Node::text).unwrap_or_default();
        let declared: BTreeSet<_> = channel
            .get("parameters")
            .into_iter()
            .flat_map(Node::entries)
            .map(|(name, _)| name)
            .collect();
        assert_eq!(parameters_in(address), declared, "{key}");
    }
}

/// The values of an address' parameters in a routing key, if it fits.
fn filled<'a>(address: &'a str, key: &'a str) -> Option<BTreeMap<&'a str, &'a str>> {
    let (words, given): (Vec<_>, Vec<_>) = (address.split('.').collect(), key.split('.').collect());
    if words.len() != given.len() {
        return None;
    }
    let mut values = BTreeMap::new();
    for (word, given) in words.into_iter().zip(given) {
        match word.strip_prefix('{').and_then(|word| word.strip_suffix('}')) {
            Some(name) => drop(values.insert(name, given)),
            None if word == given => {}
            None => return None,
        }
    }
    Some(values)
}

#[test]
fn what_a_company_publishes_is_what_the_document_says() {
    let document = document::build();
    let headers = document
        .at("components/schemas/headers.published")
        .expect("headers");
    let names = |key: &str| -> BTreeSet<String> {
        match headers.get(key).expect("it is said") {
            Node::List(items) => items.iter().filter_map(Node::text).map(str::to_owned).collect(),
            map => map.entries().map(|(name, _)| name.to_owned()).collect(),
        }
    };
    let (known, required) = (names("properties"), names("required"));
    assert_eq!(known.len(), document::published_headers().len());
    let (mut events, mut notifications) = (0, 0);
    for history in samples(20) {
        history.play(|company, happened| {
            for message in leaving(company, happened) {
                let channel = match &message.to {
                    Destination::Events => "exchange.events",
                    Destination::Notifications => "exchange.notifications",
                    Destination::Queue(_) => "answers",
                };
                let channel = document.at(&format!("channels/{channel}")).expect("a channel");
                let carries = channel.get("messages").expect("messages");
                assert!(carries.get(&message.kind).is_some(), "{}", message.kind);
                let given: BTreeSet<_> = message
                    .headers
                    .iter()
                    .map(|(name, _)| (*name).to_owned())
                    .collect();
                assert!(given.is_subset(&known) && required.is_subset(&given), "{given:?}");
                let shown = document
                    .at(&format!("components/messages/{}", message.kind))
                    .expect("it is there");
                let own = filled(text(shown, "x-routing-key"), &message.routing_key);
                let Some(address) = channel.get("address").and_then(Node::text) else {
                    continue;
                };
                assert!(own.is_some(), "{} under {}", message.kind, message.routing_key);
                let values = filled(address, &message.routing_key).expect("the key fits the address");
                for (name, value) in values {
                    let words = channel.at(&format!("parameters/{name}/enum")).map(Node::items);
                    let fits = words.is_none_or(|words| words.iter().any(|word| word.text() == Some(value)));
                    assert!(fits, "{name} is {value}");
                }
                match message.to {
                    Destination::Events => events += 1,
                    _ => notifications += 1,
                }
            }
        });
    }
    assert!(events > 100 && notifications > 100, "{events} {notifications}");
}

#[test]
fn the_version_is_the_programs() {
    let document = document::build();
    assert_eq!(text(&document, "info/version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(text(&document, "asyncapi"), document::ASYNCAPI);
}

#[test]
fn no_lock_file_names_a_registry() {
    let clients = root().join("tests/clients");
    let mut locks = 0;
    for folder in files(&clients).into_iter().filter(|path| path.is_dir()) {
        let lock = folder.join("package-lock.json");
        if !lock.is_file() {
            continue;
        }
        locks += 1;
        let text = text_of(&lock);
        assert!(!text.contains("\"resolved\""), "{} names registries", show(&lock));
        assert!(text.contains("\"integrity\""), "{} pins nothing", show(&lock));
    }
    assert!(locks > 0);
}

fn show(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

#[test]
fn every_message_has_a_section_in_the_reference() {
    let page = reference::text();
    for message in messages::all() {
        assert!(
            page.contains(&format!("\n### {}\n", message.full)),
            "{}",
            message.full
        );
        assert!(page.contains(&format!("](#{})", reference::anchor(&message.full))));
    }
}
