//! Queues that nobody can serve, and exclusions that leave nobody.

use switchboard::domain::agent::Presence;
use switchboard::domain::conversation::{Hop, HopReason};
use switchboard::domain::event::{Change, Kind, Quiet};
use switchboard::domain::input::Upsert;
use switchboard::domain::notify::{NotificationKind, told};
use switchboard::domain::plan::{Outside, Strategy};

use crate::support::chats::chat;
use crate::support::inputs::{by, turn};
use crate::support::people::{away, offline, online};
use crate::support::plans::{Draft, plan, saturdays, skilled, support, urgent};
use crate::support::scenario::{Scenario, given};
use crate::support::{HOUR, MINUTE, agent, at};

fn by_load(members: &[&str]) -> Draft {
    support(Strategy::LeastLoaded, members)
        .managed_by("support", &["boss"])
        .keeping()
        .response("never", None)
        .usual_response("never")
}

/// What managers are told of queues because of the last events, and which queues are served again.
fn news(scenario: &Scenario) -> Vec<String> {
    let news = scenario
        .events()
        .filter_map(|recorded| match &recorded.event.kind {
            Kind::Conversation(id, Change::Quiet(Quiet::QueueBlocked(ask))) => {
                let skills: Vec<_> = ask.skills.keys().map(|skill| format!(" {skill}")).collect();
                Some(format!(
                    "{}{} blocked: {}",
                    ask.team,
                    skills.concat(),
                    id.0.as_u128()
                ))
            }
            Kind::QueueServable(ask) => Some(format!("{} served", ask.team)),
            _ => None,
        });
    news.collect()
}

fn told_managers(scenario: &Scenario) -> usize {
    let events: Vec<_> = scenario.events().cloned().collect();
    let told = told(&scenario.world.whole_state(), &events);
    let blocked = told
        .iter()
        .filter(|told| told.kind == NotificationKind::QueueBlocked);
    blocked.count()
}

#[track_caller]
fn hears<const N: usize>(scenario: Scenario, expected: [&str; N]) -> Scenario {
    assert_eq!(news(&scenario), expected);
    let blocked = expected.iter().filter(|news| news.contains("blocked")).count();
    assert_eq!(told_managers(&scenario), blocked);
    scenario
}

#[test]
fn managers_hear_once_that_nobody_is_there_and_again_after_somebody_was() {
    let asleep = given(by_load(&["ana", "ben"]))
        .agents([offline("ana"), away("ben"), online("boss").manager()])
        .when(turn(1));
    let asleep = hears(asleep, ["support blocked: 1"]);
    let asleep = hears(asleep.when(turn(2)), []);
    let asleep = hears(asleep.when(by("ben").sets("ben", Presence::Away)), []);
    let awake = hears(
        asleep.when(by("ana").sets("ana", Presence::Online)),
        ["support served"],
    );
    let gone = hears(awake.when(by("ana").sets("ana", Presence::Offline)), []);
    hears(gone.when(turn(3)), ["support blocked: 3"]);
}

#[test]
fn who_leaves_while_something_waits_leaves_it_with_nobody() {
    let full = given(by_load(&["ana"]))
        .agents([
            online("ana").capacity(1),
            online("boss").manager(),
            online("root").admin(),
        ])
        .conversation(chat(1).with("ana").of("support"))
        .when(turn(2));
    // Full is no reason: she will have room.
    let full = hears(full, []);
    let away = hears(
        full.when(by("ana").sets("ana", Presence::Away)),
        ["support blocked: 2"],
    );
    let back = hears(
        away.when(by("ana").sets("ana", Presence::Online)),
        ["support served"],
    );
    let silenced = Upsert {
        may_reply: Some(false),
        ..Upsert::default()
    };
    hears(
        back.when(by("root").upserts("ana", silenced)),
        ["support blocked: 2"],
    );
}

#[test]
fn a_skill_nobody_has_blocks_its_own_queue_and_no_other_and_urgency_makes_no_new_one() {
    let french = by_load(&["ana", "ben"])
        .rule(
            "french",
            "message.kind == 'image'",
            skilled("support", "french", 1),
        )
        .rule("urgent", "message.kind == 'audio'", {
            let mut target = skilled("support", "french", 1);
            target.priority = switchboard::domain::conversation::Priority::Urgent;
            target
        })
        .rule(
            "plain",
            "message.kind == 'video'",
            urgent("support", switchboard::domain::conversation::Priority::High),
        );
    let of_kind = |number, kind| crate::support::inputs::received(number, kind, true);
    let waits = given(french)
        .agents([
            online("ana").capacity(1),
            offline("ben").skill("french", 1),
            online("boss").manager(),
        ])
        .conversation(chat(9).with("ana").of("support"))
        .when(turn(1));
    let waits = hears(waits, []);
    let waits = hears(waits.when(of_kind(2, "image")), ["support french blocked: 2"]);
    let waits = hears(waits.when(of_kind(3, "audio")), []);
    let waits = hears(waits.when(of_kind(4, "video")), []);
    hears(
        waits.when(by("ben").sets("ben", Presence::Online)),
        ["support served"],
    );
}

#[test]
fn outside_its_hours_nobody_misses_a_team_and_when_its_shift_begins_somebody_does() {
    let open = by_load(&["ana"])
        .calendar("office", saturdays(&[(610, 700)]))
        .works_by("support", "office", Outside::Wait);
    let night = given(open)
        .agents([offline("ana"), online("boss").manager()])
        .when(turn(1));
    let night = hears(night, []);
    hears(night.when_time_passes(10 * MINUTE), ["support blocked: 1"]);
}

#[test]
fn what_a_person_has_to_claim_is_no_blocked_queue() {
    let manual = plan()
        .team("support", Strategy::Manual, &["ana"])
        .default_to("support");
    hears(
        given(manual)
            .agents([offline("ana"), online("root").admin()])
            .when(turn(1)),
        [],
    );
}

/// It was taken from them because they did not answer.
fn silent(who: &str) -> Hop {
    Hop {
        from: agent(who),
        why: HopReason::Silent,
    }
}

#[test]
fn exclusions_that_leave_nobody_are_cleared_once_and_managers_hear_of_it() {
    let mut one = chat(1)
        .waiting_in("support")
        .waiting_since(at(MINUTE))
        .excluding("ana")
        .excluding("ben")
        .last_with("ben")
        .build();
    one.care.hops = vec![silent("ana"), silent("ben")];
    let mut world =
        given(by_load(&["ana", "ben"])).agents([offline("ana"), offline("ben"), online("boss").manager()]);
    world.world.conversations.insert(one.id, one);
    let back = world.when(by("ana").sets("ana", Presence::Online)).then([
        "1: exclusions cleared",
        "ana online, was offline",
        "1: assigned to ana by auto",
    ]);
    assert_eq!(told_managers(&back), 1);
    assert!(back.chat(1).care.exclusions_cleared && back.chat(1).excluded.is_empty());
}

#[test]
fn whom_it_is_just_taken_from_is_asked_again_only_where_there_is_nobody_else() {
    let moving = |members: &[&str]| {
        by_load(members).policy("strict", |policy| {
            policy.respond_within = Some(10 * MINUTE);
            policy.reassign = true;
        })
    };
    let strict = |members: &[&str]| moving(members).usual_response("strict");
    // A team of one: rather them again than nobody.
    given(strict(&["ana"]))
        .agents([online("ana"), online("boss").manager()])
        .when(turn(1))
        .when_time_passes(10 * MINUTE)
        .then([
            "strict breached: respond",
            "exclusions cleared",
            "assigned to ana by auto",
        ])
        // Once.
        .when_time_passes(10 * MINUTE)
        .then(["strict breached: respond", "queued in support: breach"])
        .when_time_passes(HOUR)
        .then([]);
}

#[test]
fn who_gave_it_away_does_not_get_it_back_because_nobody_else_is_there() {
    given(by_load(&["ana"]))
        .agents([online("ana"), online("boss").manager()])
        .conversation(chat(1).with("ana").of("support"))
        .when(by("ana").gives_to_team(1, "support"))
        .then(["queued in support: transfer"])
        .when(by("ana").sets("ana", Presence::Online))
        .then(["ana online, was online"])
        .owned(1, "queue of support");
}

#[test]
fn one_that_somebody_gave_away_does_not_keep_another_from_coming_back_to_them() {
    let given_away = chat(1)
        .waiting_in("support")
        .waiting_since(at(MINUTE))
        .excluding("ana")
        .last_with("ana");
    let declined = chat(2)
        .waiting_in("support")
        .waiting_since(at(2 * MINUTE))
        .excluding("ana");
    given(by_load(&["ana"]))
        .agents([offline("ana"), online("boss").manager()])
        .conversation(given_away)
        .conversation(declined)
        .when(by("ana").sets("ana", Presence::Online))
        .then([
            "2: exclusions cleared",
            "ana online, was offline",
            "2: assigned to ana by auto",
        ]);
}
