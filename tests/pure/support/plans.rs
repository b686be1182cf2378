//! Plans in a few words, without the document they are read from: the domain's types are public.

use std::time::Duration;

use jiff::tz::TimeZone;
use switchboard::domain::calendar::{Calendar, Span};
use switchboard::domain::condition::Condition;
use switchboard::domain::conversation::{Priority, Relaxation};
use switchboard::domain::ids::CalendarId;
use switchboard::domain::plan::{
    Burst, Channel, Moves, Outcome, Outside, Plan, Reopen, ResponsePolicy, Rule, Settings, Strategy, Target,
    Team,
};

use super::people::Person;
use super::{agent, channel, policy, team, tenant};

/// A plan being written.
#[derive(Debug, Clone)]
pub struct Draft(Plan);

/// Version 1, with a channel and nothing else.
pub fn plan() -> Draft {
    let mut plan = Plan::empty(tenant());
    plan.version = 1;
    plan.channels.insert(channel(), Channel::default());
    Draft(plan)
}

/// The usual plan: everything goes to team `support`.
pub fn support(strategy: Strategy, members: &[&str]) -> Draft {
    plan().team("support", strategy, members).default_to("support")
}

impl Draft {
    /// A plan as it is, to be written on.
    pub fn of(plan: Plan) -> Self {
        Self(plan)
    }

    pub fn team(mut self, id: &str, strategy: Strategy, members: &[&str]) -> Self {
        let written = Team {
            members: members.iter().map(|id| agent(id)).collect(),
            managers: Vec::new(),
            strategy,
            capacity: None,
            response: None,
            fallback: Vec::new(),
            calendar: None,
            outside: Default::default(),
        };
        self.0.teams.insert(team(id), written);
        self
    }

    fn change_team(mut self, id: &str, change: impl FnOnce(&mut Team)) -> Self {
        change(
            self.0
                .teams
                .get_mut(&team(id))
                .expect("the team is written first"),
        );
        self
    }

    pub fn managed_by(self, id: &str, managers: &[&str]) -> Self {
        self.change_team(id, |team| {
            team.managers = managers.iter().map(|id| agent(id)).collect()
        })
    }

    /// At most so many open conversations of this team for each member.
    pub fn limited_to(self, id: &str, capacity: u32) -> Self {
        self.change_team(id, |team| team.capacity = Some(capacity))
    }

    pub fn falls_back_to(self, id: &str, fallback: &[&str]) -> Self {
        self.change_team(id, |written| {
            written.fallback = fallback.iter().map(|id| team(id)).collect()
        })
    }

    /// The team works by this calendar; outside it, what comes goes or waits like this.
    pub fn works_by(self, id: &str, calendar: &str, outside: Outside) -> Self {
        self.change_team(id, |team| {
            team.calendar = Some(CalendarId::new(calendar).expect("it is an id"));
            team.outside = outside;
        })
    }

    pub fn answers_by(self, id: &str, response: &str) -> Self {
        self.change_team(id, |team| team.response = Some(policy(response)))
    }

    pub fn without_team(mut self, id: &str) -> Self {
        self.0.teams.remove(&team(id));
        self
    }

    /// Where a conversation goes when this holds; "" always does.
    pub fn rule(mut self, name: &str, when: &str, target: Target) -> Self {
        let condition = || Condition::compile(when).expect("the condition compiles");
        self.0.rules.push(Rule {
            name: name.into(),
            when: (!when.is_empty()).then(condition),
            target,
        });
        self
    }

    /// A rule that another plan has as well.
    pub fn takes_rule(mut self, rule: Rule) -> Self {
        self.0.rules.push(rule);
        self
    }

    pub fn default_to(self, id: &str) -> Self {
        self.otherwise(to(id))
    }

    pub fn otherwise(mut self, target: Target) -> Self {
        self.0.default = Some(target);
        self
    }

    pub fn setting(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.0.settings);
        self
    }

    pub fn reopen(self, reopen: Reopen) -> Self {
        self.setting(|settings| settings.reopen = reopen)
    }

    /// A response policy that tells the managers when nobody took a conversation in time.
    pub fn response(mut self, id: &str, assign_within: Option<Duration>) -> Self {
        let written = ResponsePolicy {
            assign_within,
            respond_within: None,
            notify: true,
            ..ResponsePolicy::built_in()
        };
        self.0.responses.insert(policy(id), written);
        self
    }

    /// A response policy as it is written: nothing is asked for but what this says.
    pub fn policy(mut self, id: &str, write: impl FnOnce(&mut ResponsePolicy)) -> Self {
        let mut written = ResponsePolicy {
            assign_within: None,
            respond_within: None,
            notify: false,
            ..ResponsePolicy::built_in()
        };
        write(&mut written);
        self.0.responses.insert(policy(id), written);
        self
    }

    /// Nothing moves because its owner is not there.
    pub fn keeping(self) -> Self {
        self.setting(|settings| {
            settings.on_away = Moves::Keep;
            settings.on_offline = Moves::Keep;
        })
    }

    /// When people work, by name.
    pub fn calendar(mut self, id: &str, calendar: Calendar) -> Self {
        let id = CalendarId::new(id).expect("it is an id");
        self.0.calendars.insert(id, calendar);
        self
    }

    /// So many automatic assignments in so long, at most.
    pub fn burst(self, limit: u32, window: Duration) -> Self {
        self.setting(|settings| settings.burst = Some(Burst { limit, window }))
    }

    /// What applies where no rule and no team says more.
    pub fn usual_response(self, id: &str) -> Self {
        self.setting(|settings| settings.response = Some(policy(id)))
    }

    /// The plan writes this person.
    pub fn writes(mut self, person: Person) -> Self {
        self.0.agents.insert(person.id, person.profile);
        self
    }

    pub fn version(mut self, version: u32) -> Self {
        self.0.version = version;
        self
    }

    pub fn build(self) -> Plan {
        self.0
    }
}

/// Into this team.
pub fn to(id: &str) -> Target {
    Target {
        team: Some(team(id)),
        ..Target::default()
    }
}

/// To nobody.
pub fn nobody() -> Target {
    Target {
        outcome: Outcome::Nobody,
        ..Target::default()
    }
}

/// Into this team's queue, for a claim.
pub fn by_hand(id: &str) -> Target {
    Target {
        outcome: Outcome::Manual,
        ..to(id)
    }
}

/// To this agent and no team.
pub fn for_agent(id: &str) -> Target {
    Target {
        agent: Some(agent(id)),
        ..Target::default()
    }
}

/// To this agent, else into the team.
pub fn preferring(agent_id: &str, team_id: &str) -> Target {
    Target {
        agent: Some(agent(agent_id)),
        ..to(team_id)
    }
}

/// Into this team, to someone with this skill.
pub fn skilled(team_id: &str, skill: &str, level: u8) -> Target {
    Target {
        skills: [(skill.into(), level)].into(),
        ..to(team_id)
    }
}

/// Into this team, and then these steps.
pub fn relaxing(target: Target, steps: impl Into<Vec<Relaxation>>) -> Target {
    Target {
        relax: steps.into().into(),
        ..target
    }
}

/// A step after this long: it drops a skill, moves, or whatever is written on it.
pub fn step(after: Duration) -> Relaxation {
    Relaxation {
        after,
        ..Relaxation::default()
    }
}

/// A calendar that is open on Saturdays in these hours, UTC: worlds begin on a Saturday at ten.
pub fn saturdays(spans: &[(u16, u16)]) -> Calendar {
    let mut hours: [Vec<Span>; 7] = Default::default();
    hours[5] = spans
        .iter()
        .map(|(from, until)| Span {
            from: *from,
            until: *until,
        })
        .collect();
    Calendar::new(TimeZone::UTC, hours, [])
}

/// Into this team, this urgent.
pub fn urgent(team_id: &str, priority: Priority) -> Target {
    Target {
        priority,
        ..to(team_id)
    }
}
