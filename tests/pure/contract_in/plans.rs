//! The plan a command carries: taken with its document, or refused with its faults.

use serde_json::{Value, json};
use switchboard::contract::ArrivedCommand;
use switchboard::domain::input::{Action, Fault};

use super::{fixture_with, only_command};

fn apply(plan: Value) -> ArrivedCommand {
    let data = json!({"tenant": "acme", "actor": "boss", "plan": plan});
    let changes = [
        ("/type", json!("switchboard.command.plan.apply")),
        ("/data", data),
    ];
    only_command(&fixture_with("command_assign", &changes))
}

fn small_plan() -> Value {
    json!({
        "tenant": "acme",
        "channels": [{"key": "whatsapp:123456789012345"}],
        "agents": [{"id": "boss", "role": "admin"}],
    })
}

#[track_caller]
fn faults(command: ArrivedCommand) -> (String, Vec<Fault>) {
    assert!(command.document.is_none());
    match command.command.action {
        Action::Malformed { message, errors, .. } => (message.to_string(), errors),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_good_plan_comes_with_the_document_to_store() {
    let arrived = apply(small_plan());
    let Action::ApplyPlan { plan, unchanged } = &arrived.command.action else {
        panic!("{:?}", arrived.command.action);
    };
    assert_eq!(
        (plan.tenant.as_str(), plan.agents.len(), *unchanged),
        ("acme", 1, false)
    );
    assert_eq!(arrived.document.as_ref().expect("a document")["tenant"], "acme");
    assert_eq!(
        (arrived.own_key().as_str(), arrived.conversation()),
        ("tenant/acme", None)
    );
}

#[test]
fn a_plan_with_faults_is_malformed_and_carries_each_with_its_place() {
    let mut plan = small_plan();
    plan["teams"] = json!([{"id": "support", "strategy": "by_moonlight"}]);
    plan["surprise"] = json!(1);
    let (message, errors) = faults(apply(plan));
    assert_eq!(message, format!("the plan has {} faults", errors.len()));
    let paths: Vec<_> = errors.iter().map(|fault| fault.path.as_str()).collect();
    assert!(
        paths.contains(&"teams[0].strategy") && paths.contains(&"surprise"),
        "{paths:?}"
    );
}

#[test]
fn a_plan_of_another_tenant_is_refused() {
    let mut plan = small_plan();
    plan["tenant"] = json!("globex");
    let (message, errors) = faults(apply(plan));
    assert!(message.contains("not the tenant of the command"), "{message}");
    assert_eq!(errors[0].path, "tenant");
}

#[test]
fn a_plan_that_is_nested_without_end_is_refused_and_harms_nothing() {
    let mut plan = json!(1);
    for _ in 0..500 {
        plan = json!([plan]);
    }
    let (message, _) = faults(apply(plan));
    assert!(message.contains("nested too deeply"), "{message}");
}
