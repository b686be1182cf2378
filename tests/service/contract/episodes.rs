//! One conversation through three episodes: assigned, given away, claimed, given back, closed, reopened each way.

use serde_json::{Value, json};

use super::client::{A_TIME, A_UUID};
use super::table::{
    Event, Input, KEY, Line, PHONE, Table, Told, customer, nobody, owner, person, queue, stands, system,
    turn, with,
};
use crate::support::bodies::{CHANNEL, command, fact, presence};

const MARK: &str = "mark@acme.com";
const MARTHA: &str = "martha";

fn plan() -> Value {
    json!({
        "tenant": "acme",
        "channels": [{"key": CHANNEL, "subscribers": ["sue"]}],
        "agents": [
            {"id": MARK, "name": "Mark"}, {"id": MARTHA, "name": "Martha"}, {"id": "sue", "name": "Sue"},
            {"id": "boss", "role": "manager"}, {"id": "root", "role": "admin"},
        ],
        "teams": [{"id": "support", "members": [MARK, MARTHA], "managers": ["boss"], "strategy": "least_loaded"}],
        "default": {"team": "support"},
    })
}

fn online(agent: &'static str, key: &'static str) -> Line {
    Line {
        what: "presence",
        input: Input::Command(key, presence(agent, "online")),
        events: vec![Event(
            "agent.presence_changed",
            json!({
                "subject": key, "partitionkey": key, "actor": person(agent),
                "agent": agent, "presence": "online", "previous": "offline",
            }),
        )],
        told: vec![],
    }
}

/// A command about the conversation.
fn says(actor: &str, name: &str, fields: Value) -> Input {
    Input::Command(KEY, command(name, actor, fields))
}

/// What every assignment says, where nothing is special about it.
fn assignment(by: &str) -> Value {
    json!({
        "by": by, "over_capacity": false, "load": 1, "capacity": 0, "rule": null, "plan_version": 1, "strategy": null,
        "engagement": A_UUID, "note": null, "priority": "normal", "waiting_since": A_TIME, "respond_due_at": A_TIME,
    })
}

fn received(episode: u32, epoch: u64, owner: Value, message: &str) -> Event {
    let more = json!({"turn": true, "message": {"id": message, "kind": "text", "timestamp": A_TIME}});
    Event(
        "message.received",
        with(stands(episode, epoch, "open", owner, customer()), more),
    )
}

fn refused(command: &str, code: &str, stands: Value) -> Vec<Event> {
    vec![Event(
        "command.rejected",
        with(stands, json!({"command": command, "code": code})),
    )]
}

#[tokio::test(flavor = "multi_thread")]
async fn three_episodes_of_one_conversation_are_told_exactly_as_documented() {
    let mut table = Table::new().await;
    let setting_up = [
        Line {
            what: "the first plan",
            input: Input::Command(
                "tenant/acme",
                command("plan.apply", "root", json!({"plan": plan()})),
            ),
            events: vec![Event(
                "plan.activated",
                json!({
                    "subject": "plan/1", "partitionkey": "tenant/acme", "actor": person("root"),
                    "version": 1, "unchanged": false,
                }),
            )],
            told: vec![],
        },
        online(MARTHA, "agent/martha"),
    ];
    for line in setting_up
        .into_iter()
        .chain(first_episode())
        .chain(later_episodes())
    {
        table.line(line).await;
    }
    table.end("agent/martha").await;
}

fn first_episode() -> Vec<Line> {
    let message = |id: &str| json!({"message": {"id": id, "kind": "text"}});
    vec![
        Line {
            what: "a first turn",
            input: turn("wamid.1"),
            events: vec![
                Event(
                    "conversation.opened",
                    with(
                        stands(1, 1, "open", nobody(), customer()),
                        json!({"reason": "customer"}),
                    ),
                ),
                received(1, 1, nobody(), "wamid.1"),
                Event(
                    "conversation.assigned",
                    with(
                        with(
                            stands(1, 2, "open", owner(MARTHA), system("router")),
                            assignment("auto"),
                        ),
                        json!({"decision": A_UUID, "previous_owner": nobody(), "strategy": "least_loaded"}),
                    ),
                ),
            ],
            told: vec![Told("agent/martha", "assigned", 2, json!({}))],
        },
        Line {
            what: "a turn for the owner",
            input: turn("wamid.2"),
            events: vec![received(1, 2, owner(MARTHA), "wamid.2")],
            told: vec![Told("agent/martha", "message", 0, message("wamid.2"))],
        },
        Line {
            what: "the owner gives it to the team, where nobody else is",
            input: says(
                MARTHA,
                "assign",
                json!({"to": {"team": "support"}, "note": "Not mine."}),
            ),
            events: vec![Event(
                "conversation.queued",
                with(
                    stands(1, 3, "open", queue("support"), person(MARTHA)),
                    json!({
                        "reason": "transfer", "note": "Not mine.", "previous_owner": person(MARTHA), "decision": A_UUID,
                        "rule": null, "plan_version": 1, "strategy": "least_loaded", "priority": "normal",
                        "engagement": null, "waiting_since": A_TIME, "respond_due_at": null,
                    }),
                ),
            )],
            told: vec![
                Told(
                    "team/support",
                    "new_conversation",
                    0,
                    json!({"note": "Not mine.", "reason": "transfer"}),
                ),
                Told(
                    "agent/sue",
                    "new_conversation",
                    0,
                    json!({"note": "Not mine.", "reason": "transfer"}),
                ),
            ],
        },
        Line {
            what: "a turn while it waits",
            input: turn("wamid.3"),
            events: vec![received(1, 3, queue("support"), "wamid.3")],
            told: vec![
                Told("team/support", "message", 0, message("wamid.3")),
                Told("agent/sue", "message", 0, message("wamid.3")),
            ],
        },
        Line {
            what: "a claim",
            input: says(
                MARK,
                "assign",
                json!({"to": {"agent": MARK}, "expected_epoch": 3}),
            ),
            events: vec![Event(
                "conversation.assigned",
                with(
                    with(
                        stands(1, 4, "open", owner(MARK), person(MARK)),
                        assignment("claim"),
                    ),
                    json!({"previous_owner": queue("support")}),
                ),
            )],
            told: vec![],
        },
        Line {
            what: "a manager gives it to another, with a note",
            input: says(
                "boss",
                "assign",
                json!({"to": {"agent": MARTHA}, "note": "You know them."}),
            ),
            events: vec![Event(
                "conversation.assigned",
                with(
                    with(
                        stands(1, 5, "open", owner(MARTHA), person("boss")),
                        assignment("manual"),
                    ),
                    json!({"previous_owner": person(MARK), "note": "You know them."}),
                ),
            )],
            told: vec![
                Told("agent/martha", "assigned", 0, json!({"note": "You know them."})),
                Told("agent/mark@acme.com", "unassigned_from_you", 0, json!({})),
            ],
        },
        Line {
            what: "somebody else wants to close it",
            input: says(MARK, "close", json!({})),
            events: refused(
                "close",
                "not_assignee",
                stands(1, 5, "open", owner(MARTHA), person(MARK)),
            ),
            told: vec![],
        },
        Line {
            what: "the owner answers outside the gate",
            input: sent_by_martha(),
            events: vec![Event(
                "message.sent",
                with(
                    stands(1, 5, "open", owner(MARTHA), person(MARTHA)),
                    json!({
                        "agent": MARTHA, "origin": "agent", "turn": false,
                        "message": {"id": "wamid.S1", "kind": "text", "timestamp": A_TIME},
                    }),
                ),
            )],
            told: vec![],
        },
        Line {
            what: "the owner gives it back",
            input: says(MARTHA, "unassign", json!({"note": "Someone else?"})),
            events: vec![Event(
                "conversation.unassigned",
                with(
                    stands(1, 6, "open", nobody(), person(MARTHA)),
                    json!({"reason": "command", "previous_owner": person(MARTHA), "note": "Someone else?"}),
                ),
            )],
            told: vec![Told(
                "agent/sue",
                "new_conversation",
                0,
                json!({"reason": "command"}),
            )],
        },
        Line {
            what: "a turn on what nobody has",
            input: turn("wamid.4"),
            events: vec![received(1, 6, nobody(), "wamid.4")],
            told: vec![Told("agent/sue", "message", 0, message("wamid.4"))],
        },
        online(MARK, "agent/mark@acme.com"),
        Line {
            what: "an admin gives it to the team, where somebody is free",
            input: says("root", "assign", json!({"to": {"team": "support"}})),
            events: vec![Event(
                "conversation.assigned",
                with(
                    with(
                        stands(1, 7, "open", owner(MARK), person("root")),
                        assignment("auto"),
                    ),
                    json!({"previous_owner": nobody(), "strategy": "least_loaded", "decision": A_UUID}),
                ),
            )],
            told: vec![Told("agent/mark@acme.com", "assigned", 0, json!({}))],
        },
        closed_by_mark(1, 8),
        Line {
            what: "closed is closed",
            input: says("root", "close", json!({})),
            events: refused(
                "close",
                "closed",
                stands(1, 8, "closed", owner(MARK), person("root")),
            ),
            told: vec![],
        },
    ]
}

fn later_episodes() -> Vec<Line> {
    let reopened = |episode, epoch, owner, actor, reason: &str| {
        with(
            stands(episode, epoch, "open", owner, actor),
            json!({"reason": reason}),
        )
    };
    vec![
        Line {
            what: "the customer is back",
            input: turn("wamid.5"),
            events: vec![
                Event(
                    "conversation.reopened",
                    with(
                        reopened(2, 9, nobody(), customer(), "customer"),
                        json!({"previous_owner": person(MARK)}),
                    ),
                ),
                received(2, 9, nobody(), "wamid.5"),
                Event(
                    "conversation.assigned",
                    with(
                        with(
                            stands(2, 10, "open", owner(MARK), system("router")),
                            assignment("sticky"),
                        ),
                        json!({"previous_owner": nobody(), "decision": A_UUID}),
                    ),
                ),
            ],
            told: vec![Told("agent/mark@acme.com", "assigned", 2, json!({}))],
        },
        Line {
            what: "a reaction",
            input: reaction(),
            events: vec![Event(
                "message.received",
                with(
                    stands(2, 10, "open", owner(MARK), customer()),
                    json!({"turn": false, "message": {"id": "wamid.R1", "kind": "reaction", "timestamp": A_TIME}}),
                ),
            )],
            told: vec![],
        },
        closed_by_mark(2, 11),
        Line {
            what: "the last owner reopens it",
            input: says(MARK, "reopen", json!({})),
            events: vec![Event(
                "conversation.reopened",
                reopened(3, 12, owner(MARK), person(MARK), "command"),
            )],
            told: vec![],
        },
        Line {
            what: "what is open cannot be reopened",
            input: says(MARK, "reopen", json!({})),
            events: refused(
                "reopen",
                "invalid",
                stands(3, 12, "open", owner(MARK), person(MARK)),
            ),
            told: vec![],
        },
        closed_by_mark(3, 13),
        Line {
            what: "an admin gives the closed one to somebody",
            input: says("root", "assign", json!({"to": {"agent": MARTHA}})),
            events: vec![
                Event(
                    "conversation.reopened",
                    with(
                        reopened(4, 14, nobody(), person("root"), "command"),
                        json!({"previous_owner": person(MARK)}),
                    ),
                ),
                Event(
                    "conversation.assigned",
                    with(
                        with(
                            stands(4, 15, "open", owner(MARTHA), person("root")),
                            assignment("manual"),
                        ),
                        json!({"previous_owner": nobody(), "waiting_since": null, "respond_due_at": null}),
                    ),
                ),
            ],
            told: vec![Told("agent/martha", "assigned", 1, json!({}))],
        },
    ]
}

fn closed_by_mark(episode: u32, epoch: u64) -> Line {
    Line {
        what: "the owner closes it",
        input: says(MARK, "close", json!({"note": "Done."})),
        events: vec![Event(
            "conversation.closed",
            with(
                stands(episode, epoch, "closed", owner(MARK), person(MARK)),
                json!({"reason": "command", "note": "Done."}),
            ),
        )],
        told: vec![],
    }
}

fn sent_by_martha() -> Input {
    let mut sent = fact(PHONE, "wamid.S1", KEY);
    sent["type"] = json!("whatsapp.message.sent");
    sent["data"]["agent"] = json!(MARTHA);
    Input::Fact(sent)
}

fn reaction() -> Input {
    let mut reaction = fact(PHONE, "wamid.R1", KEY);
    reaction["data"]["message"]["kind"] = json!("reaction");
    Input::Fact(reaction)
}
