//! What leaves in situations that made-up histories do not lead to.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use switchboard::domain::agent::Presence;
use switchboard::domain::bulk::{Item, ItemOutcome, Order, Task, Was};
use switchboard::domain::conversation::{Priority, Status};
use switchboard::domain::identity::{AliasKind, Leading};
use switchboard::domain::input::{Actor, Body, Fact, System, Timer, What, Wish};
use switchboard::domain::plan::{Plan, Strategy};

use crate::company::{
    BULK, CHAT, Company, Happened, OTHER_CHAT, agent, ask, channel, message, plan, reject, strict, team,
};
use crate::outbound::{json, leaving};

/// As long as a response policy of these tests gives an owner.
const LATE: Duration = Duration::from_secs(10 * 60);

/// Everything that left, in the order of the situations.
pub fn messages() -> Vec<Value> {
    let mut left = Left(Vec::new());
    wishes(&mut left);
    leavers(&mut left);
    moves(&mut left);
    left.reroutes(strategy(Strategy::Manual));
    left.reroutes(plan());
    disagreement(&mut left);
    left.0
}

struct Left(Vec<Value>);

impl Left {
    fn see(&mut self, company: &Company, happened: &Happened) {
        self.0.extend(leaving(company, happened).iter().map(json));
    }

    /// What Mark was given is taken back, and he has gone.
    fn reroutes(&mut self, plan: Plan) {
        let mut company = Company::owned_by_mark(crate::company::plan());
        company.apply(plan);
        company.presence(Actor::System(System::Cli), "mark", Presence::Offline);
        let conversation = company.state.conversation(CHAT).expect("it is there");
        let was = Was {
            status: Status::Open,
            owner: conversation.owner.clone(),
            team: conversation.team.clone(),
            epoch: conversation.epoch,
            engagement: BULK,
            at: company.now,
        };
        let order = Order {
            bulk: BULK,
            actor: Actor::Agent(agent("root")),
            task: Task::Reroute,
        };
        let item = Item {
            run: BULK,
            order: Arc::new(order),
            place: 0,
            conversation: CHAT,
            was: Some(was),
        };
        let happened = company.timer(Duration::ZERO, Timer::Bulk(Box::new(item)));
        self.see(&company, &happened);
    }
}

fn strategy(strategy: Strategy) -> Plan {
    let mut plan = plan();
    let support = plan.teams.get_mut(&team("support")).expect("it is there");
    support.strategy = strategy;
    plan
}

fn wishes(left: &mut Left) {
    let mut company = Company::owned_by_mark(plan());
    let low = company.wish("mark", CHAT, Wish::Prioritize(Priority::Low));
    left.see(&company, &low);
    let no_reason = company.wish("martha", CHAT, reject(" "));
    left.see(&company, &no_reason);
    company.wish("mark", CHAT, Wish::Hold { until: None });
    let resumed = company.wish_with_note("mark", CHAT, Wish::Resume, Some("They called."));
    left.see(&company, &resumed);
    let nothing_to_do = company.bulk_done(false, &[(CHAT, ItemOutcome::Unchanged)]);
    left.see(&company, &nothing_to_do);
}

fn leavers(left: &mut Left) {
    let conversation = CHAT;
    let mut company = Company::owned_by_mark(plan());
    company.online("martha");
    company.wish("mark", CHAT, ask("martha"));
    company.remove("martha");
    let ended = company.timer(Duration::ZERO, Timer::RecipientGone { conversation });
    left.see(&company, &ended);
    company.remove("mark");
    let queued = company.timer(Duration::ZERO, Timer::OwnerGone { conversation });
    left.see(&company, &queued);
}

fn moves(left: &mut Left) {
    let mut company = Company::owned_by_mark(strict(|policy| policy.reassign = true));
    let late = company.alarm(LATE);
    left.see(&company, &late);
    let mut plan = strict(|policy| policy.reassign = true);
    plan.settings.max_hops = 1;
    let mut company = Company::owned_by_mark(plan);
    company.online("martha");
    company.online("boss");
    company.alarm(LATE);
    let too_often = company.alarm(LATE);
    left.see(&company, &too_often);
    let mut company = Company::with(strategy(Strategy::Manual));
    let waits = company.turn(CHAT);
    left.see(&company, &waits);
}

/// The customer's phone number and business-scoped user id lead to different conversations.
fn disagreement(left: &mut Left) {
    let mut company = Company::asleep();
    company.turn(CHAT);
    company.turn(OTHER_CHAT);
    let leads = |conversation, identifiers: &[AliasKind]| Leading {
        conversation,
        identifiers: identifiers.to_vec(),
    };
    let [phone, others @ ..] = AliasKind::ALL;
    let fact = Fact {
        conversation: CHAT,
        channel: channel(),
        contact: Default::default(),
        at: company.now,
        standby: false,
        what: What::Received(message("text", true)),
        conflict: vec![leads(CHAT, &[phone]), leads(OTHER_CHAT, &others)],
    };
    let told = company.happens(Body::Fact(fact));
    left.see(&company, &told);
}
