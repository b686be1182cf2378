//! What comes of clocks, freed places, bots that hand over, replies outside the gate, and people being written.

use serde_json::{Value, json};

use super::client::{A_TIME, A_UUID};
use super::table::{
    Event, Input, KEY, Line, PHONE, Table, Told, customer, gateway, nobody, owner, person, queue, stands,
    system, turn, with,
};
use crate::support::bodies::{CHANNEL, command, fact, presence};

const MARTHA: &str = "martha";

fn plan() -> Value {
    json!({
        "tenant": "acme",
        "channels": [{"key": CHANNEL, "subscribers": ["sue"]}],
        "agents": [
            {"id": MARTHA, "name": "Martha", "capacity": 5}, {"id": "sue", "name": "Sue"},
            {"id": "boss", "role": "manager"}, {"id": "root", "role": "admin"},
        ],
        "teams": [{"id": "support", "members": [MARTHA], "managers": ["boss"], "strategy": "round_robin", "response": "quick"}],
        "responses": [{"id": "quick", "assign_within": "1s"}],
        "rules": [{"name": "texts", "when": "message.kind == 'text'", "team": "support", "priority": "high"}],
    })
}

fn applies_plan(what: &'static str, unchanged: bool) -> Line {
    Line {
        what,
        input: Input::Command(
            "tenant/acme",
            command("plan.apply", "root", json!({"plan": plan()})),
        ),
        events: vec![Event(
            "plan.activated",
            json!({"subject": "plan/1", "actor": person("root"), "version": 1, "unchanged": unchanged}),
        )],
        told: vec![],
    }
}

/// What an assignment of this plan says.
fn assignment(by: &str) -> Value {
    json!({
        "by": by, "over_capacity": false, "load": 1, "capacity": 5, "rule": "texts", "plan_version": 1,
        "strategy": "round_robin", "engagement": A_UUID, "decision": A_UUID, "note": null, "priority": "high",
        "waiting_since": A_TIME, "respond_due_at": null, "previous_owner": queue("support"),
    })
}

/// Without a rule that reads messages there is none that matches a handover.
fn back_to_martha() -> Value {
    let of_no_rule = json!({"rule": null, "strategy": null, "priority": "normal", "waiting_since": null});
    with(
        with(assignment("sticky"), of_no_rule),
        json!({"previous_owner": nobody()}),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clocks_and_places_and_handovers_lead_to_is_told_exactly_as_documented() {
    let mut table = Table::new().await;
    let lines = [
        applies_plan("the first plan", false),
        applies_plan("the same again", true),
    ];
    for line in lines
        .into_iter()
        .chain(waiting())
        .chain(handing_over())
        .chain(people())
    {
        table.line(line).await;
    }
    table.end("agent/martha").await;
}

fn waiting() -> Vec<Line> {
    let told_of = || json!({"reason": "no_agent_free"});
    vec![
        Line {
            what: "a first turn while nobody is there",
            input: turn("wamid.1"),
            events: vec![
                Event(
                    "conversation.opened",
                    with(
                        stands(1, 1, "open", nobody(), customer()),
                        json!({"reason": "customer"}),
                    ),
                ),
                Event(
                    "message.received",
                    with(stands(1, 1, "open", nobody(), customer()), json!({"turn": true})),
                ),
                Event(
                    "conversation.queued",
                    with(
                        stands(1, 2, "open", queue("support"), system("router")),
                        json!({
                            "reason": "no_agent_free", "rule": "texts", "plan_version": 1, "strategy": "round_robin",
                            "engagement": null, "decision": A_UUID, "note": null, "priority": "high",
                            "waiting_since": A_TIME, "respond_due_at": null, "previous_owner": nobody(),
                        }),
                    ),
                ),
            ],
            told: vec![
                Told("team/support", "new_conversation", 2, told_of()),
                Told("agent/sue", "new_conversation", 2, told_of()),
                Told("agent/boss", "queue_blocked", 2, json!({})),
            ],
        },
        Line {
            what: "the same turn again",
            input: turn("wamid.1"),
            events: vec![],
            told: vec![],
        },
        Line {
            what: "nobody took it in time",
            input: Input::Time,
            events: vec![Event(
                "response.breached",
                with(
                    stands(1, 2, "open", queue("support"), system("timer")),
                    json!({"policy": "quick", "clock": "assign", "due_at": A_TIME}),
                ),
            )],
            told: vec![Told(
                "agent/boss",
                "response_breach",
                0,
                json!({"policy": "quick", "clock": "assign", "due_at": A_TIME}),
            )],
        },
        Line {
            what: "somebody comes online",
            input: Input::Command("agent/martha", presence(MARTHA, "online")),
            events: vec![
                Event(
                    "agent.presence_changed",
                    json!({
                        "subject": "agent/martha", "partitionkey": "agent/martha", "actor": person(MARTHA),
                        "agent": MARTHA, "presence": "online", "previous": "offline",
                    }),
                ),
                Event(
                    "conversation.assigned",
                    with(
                        stands(1, 3, "open", owner(MARTHA), system("router")),
                        assignment("auto"),
                    ),
                ),
            ],
            told: vec![Told("agent/martha", "assigned", 1, json!({}))],
        },
        closed(1, 4),
    ]
}

fn closed(episode: u32, epoch: u64) -> Line {
    Line {
        what: "the owner closes it",
        input: Input::Command(KEY, command("close", MARTHA, json!({}))),
        events: vec![Event(
            "conversation.closed",
            with(
                stands(episode, epoch, "closed", owner(MARTHA), person(MARTHA)),
                json!({"reason": "command"}),
            ),
        )],
        told: vec![],
    }
}

fn handing_over() -> Vec<Line> {
    let held = |stands: Value| with(stands, json!({"standby": true}));
    vec![
        Line {
            what: "a bot hands a closed conversation over",
            input: handover("h1"),
            events: vec![
                Event(
                    "conversation.reopened",
                    with(
                        stands(2, 5, "open", nobody(), gateway()),
                        json!({"reason": "handover", "previous_owner": person(MARTHA)}),
                    ),
                ),
                Event(
                    "conversation.assigned",
                    with(
                        stands(2, 6, "open", owner(MARTHA), system("router")),
                        back_to_martha(),
                    ),
                ),
            ],
            told: vec![Told("agent/martha", "assigned", 1, json!({}))],
        },
        Line {
            what: "a handover of what somebody owns",
            input: handover("h2"),
            events: vec![],
            told: vec![],
        },
        closed(2, 7),
        Line {
            what: "a turn that a bot holds",
            input: standby_turn(),
            events: vec![
                Event(
                    "conversation.reopened",
                    held(with(
                        stands(3, 8, "open", nobody(), customer()),
                        json!({"reason": "customer", "previous_owner": person(MARTHA)}),
                    )),
                ),
                Event(
                    "message.received",
                    held(with(
                        stands(3, 8, "open", nobody(), customer()),
                        json!({"turn": true}),
                    )),
                ),
            ],
            told: vec![],
        },
        Line {
            what: "the bot hands over",
            input: handover("h3"),
            events: vec![Event(
                "conversation.assigned",
                with(
                    stands(3, 9, "open", owner(MARTHA), system("router")),
                    back_to_martha(),
                ),
            )],
            told: vec![Told("agent/martha", "assigned", 0, json!({}))],
        },
    ]
}

fn people() -> Vec<Line> {
    let by_nobody = |what, input, origin: &str, message: &'static str| {
        let said = with(
            stands(3, 9, "open", owner(MARTHA), gateway()),
            json!({
                "agent": null, "origin": origin, "turn": false,
                "message": {"id": message, "kind": "text", "timestamp": A_TIME},
            }),
        );
        let mut events = vec![Event("message.sent", said.clone())];
        let mut told = Vec::new();
        if origin == "phone" {
            // Somebody wrote, and nobody knows whether it was her.
            events.push(Event("reply.unauthorized", said));
            let message = json!({"message": {"id": message, "kind": "text"}});
            told.push(Told("agent/martha", "reply_unauthorized", 1, message));
        }
        Line {
            what,
            input,
            events,
            told,
        }
    };
    vec![
        by_nobody(
            "a reply from the phone",
            sent("wamid.S1", json!({})),
            "phone",
            "wamid.S1",
        ),
        by_nobody(
            "a reply of an agent nobody knows",
            sent("wamid.S2", json!({"agent": "ghost"})),
            "phone",
            "wamid.S2",
        ),
        by_nobody(
            "a greeting",
            sent("wamid.S3", json!({"origin": "automation"})),
            "automation",
            "wamid.S3",
        ),
        Line {
            what: "a person is written",
            input: Input::Command(
                "tenant/acme",
                command(
                    "agent.upsert",
                    "root",
                    json!({"agent": {"id": MARTHA, "capacity": 7, "skills": {"french": 2}}}),
                ),
            ),
            events: vec![Event(
                "agent.upserted",
                json!({
                    "subject": "agent/martha", "partitionkey": "agent/martha", "actor": person("root"),
                    "agent": MARTHA, "presence": "online",
                    "profile": {
                        "name": "Martha", "role": "agent", "teams": ["support"], "skills": {"french": 2}, "capacity": 7,
                        "active": true, "may_reply": true,
                    },
                }),
            )],
            told: vec![],
        },
        Line {
            what: "somebody else may not write them",
            input: Input::Command(
                "tenant/acme",
                command(
                    "agent.upsert",
                    MARTHA,
                    json!({"agent": {"id": MARTHA, "role": "admin"}}),
                ),
            ),
            events: vec![Event(
                "command.rejected",
                json!({
                    "partitionkey": "tenant/acme", "actor": person(MARTHA), "command": "agent.upsert",
                    "code": "not_permitted", "conversation": null, "owner": null,
                }),
            )],
            told: vec![],
        },
    ]
}

/// A native fact with another type or other data.
fn native(id: &str, kind: &str, more: &Value) -> Input {
    let mut body = fact(PHONE, id, KEY);
    body["type"] = json!(kind);
    body["data"] = with(body["data"].take(), more.clone());
    Input::Fact(body)
}

fn handover(id: &str) -> Input {
    native(
        id,
        "whatsapp.handover.requested",
        &json!({"message": null, "reason": "asked for a person"}),
    )
}

fn standby_turn() -> Input {
    native("wamid.B1", "whatsapp.message.received", &json!({"standby": true}))
}

fn sent(id: &str, more: Value) -> Input {
    native(id, "whatsapp.message.sent", &more)
}
