//! What holds for everything that leaves, whatever happened.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use switchboard::contract::envelope::{Destination, HEADERS, OutMessage};
use switchboard::contract::event::kinds_of_events;
use switchboard::contract::notification::kinds_of_notifications;
use switchboard::contract::parcel;
use switchboard::domain::conversation::Conversation;
use switchboard::domain::input::{Actor, Body, Input, Recipient};
use switchboard::domain::notify::told;

use super::histories::{History, histories, samples};
use super::{json, leaving};

/// Histories per property; `PROPTEST_CASES` overrides. As many take about a second, and far fewer meet every kind.
const CASES: u32 = 100;

/// Everything that leaves during a history.
fn everything(history: &History) -> Vec<OutMessage> {
    let mut all = Vec::new();
    history.play(|company, happened| all.extend(leaving(company, happened)));
    all
}

#[test]
fn the_histories_of_these_properties_meet_every_kind_of_message() {
    let met: BTreeSet<_> = samples(CASES)
        .iter()
        .flat_map(everything)
        .map(|message| message.kind)
        .collect();
    let events = kinds_of_events().iter().map(|kind| format!("switchboard.{kind}"));
    let notifications = kinds_of_notifications().iter();
    let notifications = notifications.map(|kind| format!("switchboard.notification.{kind}"));
    let duplicate = "switchboard.command.duplicate".to_owned();
    let all = events.chain(notifications).chain([duplicate]);
    assert_eq!(met, all.collect());
}

#[test]
fn an_outbox_row_of_another_version_is_unreadable_and_says_where() {
    let parcel = "{\"to\":\"events\",\"key\":\"k\"}\n{\"data\":{}}\n";
    assert_eq!(parcel::unpack(parcel), Err(parcel::Unreadable { line: 2 }));
    assert_eq!(parcel::unpack("{}\n{}\n"), Err(parcel::Unreadable { line: 1 }));
    assert_eq!(
        parcel::unpack("{\"to\":\"events\",\"key\":\"k\"}\n"),
        Err(parcel::Unreadable { line: 1 })
    );
    assert_eq!(parcel::unpack(""), Ok(Vec::new()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_leaves_holds_a_customers_text_name_or_phone(history in histories()) {
        for message in everything(&history) {
            let all = format!("{message:?} {}", message.body);
            for secret in history.secrets.all() {
                prop_assert!(!all.contains(secret), "{secret} in {all}");
            }
        }
    }

    #[test]
    fn headers_are_the_bodys_attributes_and_all_of_them(history in histories()) {
        for message in everything(&history) {
            let body = json(&message);
            let attributes = body.as_object().unwrap().iter().filter(|(name, _)| *name != "data");
            let attributes: BTreeSet<_> = attributes
                .map(|(name, value)| (format!("ce-{name}"), value.as_str().expect("a text").to_owned()))
                .collect();
            let headers = message.headers.iter().cloned();
            let headers: BTreeSet<_> = headers.map(|(name, value)| (name.to_owned(), value)).collect();
            prop_assert_eq!(headers, attributes);
            prop_assert_eq!(&body["id"], &message.id);
            prop_assert_eq!(&body["type"], &message.kind);
        }
    }

    #[test]
    fn attributes_come_in_a_fixed_order_before_the_data(history in histories()) {
        for message in everything(&history) {
            let names: Vec<_> = message.headers.iter().map(|(name, _)| *name).collect();
            prop_assert_eq!(&names[..], &HEADERS[..names.len()]);
            let text = message.body;
            let place = |name: &&str| text.find(&format!("\"{}\":", name.trim_start_matches("ce-")));
            let places: Vec<_> = names.iter().chain([&"data"]).map(place).collect();
            prop_assert!(places.is_sorted() && places[0] == Some(1), "{}", text);
        }
    }

    #[test]
    fn what_is_packed_for_the_outbox_comes_out_as_it_was(history in histories()) {
        let all = everything(&history);
        prop_assert_eq!(parcel::unpack(&parcel::pack(&all)), Ok(all));
    }

    #[test]
    fn a_parcel_cut_short_is_unreadable_or_holds_its_first_messages(history in histories(), cut in any::<prop::sample::Index>()) {
        let all = everything(&history);
        let mut text = parcel::pack(&all);
        let end = cut.index(text.len() + 1);
        text.truncate(text.floor_char_boundary(end));
        if let Ok(read) = parcel::unpack(&text) {
            prop_assert_eq!(&read[..], &all[..read.len()]);
        }
    }

    #[test]
    fn no_two_messages_of_a_history_share_an_id(history in histories()) {
        let all = everything(&history);
        let published = all.iter().filter(|message| !message.routing_key.starts_with("caller"));
        let ids: Vec<_> = published.map(|message| &message.id).collect();
        let distinct: BTreeSet<_> = ids.iter().collect();
        prop_assert_eq!(ids.len(), distinct.len());
    }

    #[test]
    fn nobody_is_told_of_their_own_act_or_of_the_same_twice(history in histories()) {
        history.play(|company, happened| {
            let mut seen = BTreeSet::new();
            for told in told(&company.state, &happened.events) {
                let about = &happened.events[told.about];
                if let (Actor::Agent(actor), Recipient::Agent(recipient)) = (&about.event.actor, &told.recipient) {
                    assert_ne!(actor, recipient, "{:?} of {:?}", told, happened.input);
                }
                let (conversation, _) = about.change().expect("it belongs to a conversation");
                let recipient = format!("{:?}", told.recipient);
                assert!(seen.insert((conversation.id, recipient, told.kind)), "{told:?} again");
            }
        });
    }

    #[test]
    fn every_command_is_answered_and_no_fact_is(history in histories()) {
        history.play(|company, happened| {
            let answers = super::answers(company, happened);
            let is_command = matches!(happened.input, Input { body: Body::Command(_), .. });
            assert_eq!(answers.len(), if is_command { 2 } else { 0 }, "{:?}", happened.input);
        });
    }

    #[test]
    fn the_previous_owner_is_the_owner_that_the_event_before_showed(history in histories()) {
        let mut owners = BTreeMap::new();
        for message in everything(&history).iter().filter(|message| is_in_a_sequence(message)) {
            let body = json(message);
            let (owner, previous) = (body["data"]["owner"].clone(), body["data"]["previous_owner"].clone());
            let before = owners.insert(body["subject"].to_string(), owner.clone());
            if !previous.is_null() {
                prop_assert_ne!((&previous["kind"], &previous["id"]), (&owner["kind"], &owner["id"]));
                prop_assert_eq!(Some(previous), before);
            }
        }
    }

    #[test]
    fn whatever_events_show_of_a_conversation_changes_by_an_event(history in histories()) {
        let mut shown = BTreeMap::new();
        history.play(|company, happened| {
            for recorded in &happened.events {
                if let Some((after, change)) = recorded.change().filter(|(_, change)| change.is_announced()) {
                    shown.insert(after.id, (visible(after), format!("{change:?}")));
                }
            }
            for conversation in company.state.conversations().filter(|conversation| conversation.exists()) {
                let (last, by) = &shown[&conversation.id];
                assert_eq!(&visible(conversation), last, "last announced by {by}, then {:?}", happened.input);
            }
        });
    }
}

/// Whether it is an event of a conversation's history, not an answer that repeats one.
fn is_in_a_sequence(message: &OutMessage) -> bool {
    message.to == Destination::Events && message.headers.iter().any(|(name, _)| *name == "ce-sequence")
}

/// What every event shows of its conversation.
fn visible(conversation: &Conversation) -> String {
    let Conversation {
        status,
        owner,
        team,
        episode,
        epoch,
        sequence,
        standby,
        window_expires_at,
        ..
    } = conversation;
    let team = owner.agent().and(team.as_ref());
    format!("{status:?} {owner:?} {team:?} {episode} {epoch} {sequence} {standby} {window_expires_at:?}")
}
