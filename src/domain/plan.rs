//! The plan: a tenant's whole routing configuration, versioned and read-only once active.
//!
//! Built and checked by `contract::plan`; a `Plan` that exists is valid: every team and policy it names is there. Agents may be
//! named before they come: they count once they are upserted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::agent::{Profile, Skills};
use super::calendar::Calendar;
use super::condition::{Condition, Reads};
use super::conversation::{Priority, Relaxation};
use super::ids::{AgentId, CalendarId, ChannelKey, PolicyId, TeamId, Tenant};

/// One validated plan.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Whose.
    pub tenant: Tenant,
    /// 0 is the empty plan of a tenant that has none yet.
    pub version: u32,
    /// What applies where nothing more exact is said.
    pub settings: Settings,
    /// The business numbers.
    pub channels: BTreeMap<ChannelKey, Channel>,
    /// The people it writes; agents it does not list stay as they are.
    pub agents: BTreeMap<AgentId, Profile>,
    /// The teams.
    pub teams: BTreeMap<TeamId, Team>,
    /// Response policies by id.
    pub responses: BTreeMap<PolicyId, ResponsePolicy>,
    /// When people work, by name.
    pub calendars: BTreeMap<CalendarId, Calendar>,
    /// Rules, first match wins.
    pub rules: Vec<Rule>,
    /// Where a conversation goes that no rule matches; `None`: to nobody.
    pub default: Option<Target>,
}

/// Tenant-wide settings (see the plan reference for the meaning of each key).
#[derive(Debug, Clone)]
pub struct Settings {
    /// The response policy where rule and team name none.
    pub response: Option<PolicyId>,
    /// Capacity of agents that have none of their own; 0 = unlimited.
    pub capacity: u32,
    /// What a reopening customer meets.
    pub reopen: Reopen,
    /// Which unowned conversations agents may take.
    pub agents_may_claim: MayClaim,
    /// Which conversations agents may give to someone else.
    pub agents_may_reassign: MayReassign,
    /// Whether managers and admins may close what others own.
    pub supervisors_may_close: bool,
    /// Whether everyone may see every conversation.
    pub agents_view_all: bool,
    /// Whether agents who are away are chosen too.
    pub assign_away: bool,
    /// One step of priority is worth this much waiting; zero: priority always wins.
    pub aging: Duration,
    /// How long a request may stay unanswered.
    pub request_timeout: Duration,
    /// What `now.hour` and `now.weekday` are read in.
    pub timezone: TimeZone,
    /// What happens to the conversations of someone who went away.
    pub on_away: Moves,
    /// What happens to the conversations of someone who went offline.
    pub on_offline: Moves,
    /// How long someone may be away or offline before anything of theirs moves.
    pub offline_after: Duration,
    /// The most automatic assignments a person gets in a while; `None`: no such guard.
    pub burst: Option<Burst>,
    /// Automatic moves of a conversation in an episode before it goes to a manager; 0 = no such guard.
    pub max_hops: u32,
    /// Waiting conversations in which nothing has happened for this long are left to people; `None`: none are.
    pub max_age: Option<Duration>,
    /// Answered conversations in which nothing has happened for this long are closed; `None`: none are.
    pub close_idle_after: Option<Duration>,
    /// When people work of whom, and of whose team, nothing more exact is said.
    pub calendar: Option<CalendarId>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            response: None,
            capacity: 0,
            reopen: Reopen::Sticky,
            agents_may_claim: MayClaim::Teams,
            agents_may_reassign: MayReassign::Own,
            supervisors_may_close: false,
            agents_view_all: false,
            assign_away: false,
            aging: Duration::from_secs(10 * 60),
            request_timeout: Duration::from_secs(2 * 60),
            timezone: TimeZone::UTC,
            on_away: Moves::Keep,
            on_offline: Moves::Unanswered,
            offline_after: Duration::from_secs(5 * 60),
            burst: None,
            max_hops: 3,
            max_age: None,
            close_idle_after: None,
            calendar: None,
        }
    }
}

/// Which conversations of someone who is gone for a while move to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moves {
    /// None.
    Keep,
    /// Those whose customer waits for an answer.
    Unanswered,
    /// All open ones.
    All,
}

/// The burst guard: at most so many automatic assignments within any window of this length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burst {
    /// How many.
    pub limit: u32,
    /// Within how long.
    pub window: Duration,
}

/// What a reopening customer meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reopen {
    /// The last owner if eligible, else the rules.
    Sticky,
    /// The rules.
    Reroute,
    /// Nobody: a person picks it up.
    Unassign,
}

/// Which unowned conversations agents may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MayClaim {
    /// Those of their teams or of none.
    Teams,
    /// Any.
    Any,
    /// None.
    None,
}

/// Which conversations agents may give to someone else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MayReassign {
    /// What they own.
    Own,
    /// Anything of their teams.
    Any,
    /// Nothing.
    None,
}

/// A business number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Channel {
    /// Agents told about messages while nobody owns the conversation.
    pub subscribers: BTreeSet<AgentId>,
    /// Whose replies from the phone app are.
    pub phone_agent: Option<AgentId>,
}

/// A team as the plan writes it. Who is in it now is in [`super::agent::Membership`]: upserts change it too.
#[derive(Debug, Clone)]
pub struct Team {
    /// Who may be chosen, in ring order.
    pub members: Vec<AgentId>,
    /// Who is told when things go wrong.
    pub managers: Vec<AgentId>,
    /// How one of several eligible members is chosen.
    pub strategy: Strategy,
    /// Open conversations of this team each member may own; `None` or 0 = no such limit.
    pub capacity: Option<u32>,
    /// The team's response policy.
    pub response: Option<PolicyId>,
    /// Teams to queue in instead while this one has no online member.
    pub fallback: Vec<TeamId>,
    /// When it works; `None`: as the tenant.
    pub calendar: Option<CalendarId>,
    /// What happens to what comes outside its working hours.
    pub outside: Outside,
}

/// What happens to what comes outside a team's working hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outside {
    /// It waits for the next shift.
    #[default]
    Wait,
    /// It goes to the teams to fall back on.
    Fallback,
}

/// How one of several eligible members is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// Whose turn it is; skipped members keep their place.
    RoundRobin,
    /// Lowest load ÷ capacity.
    LeastLoaded,
    /// Whoever was given something longest ago.
    LongestIdle,
    /// Highest levels in the required skills, then order of members.
    Ranked,
    /// Nobody is chosen: a person claims it from the queue.
    Manual,
}

/// A response policy: how long is too long, and what then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponsePolicy {
    /// From becoming unowned to an agent's ownership; `None`: no such clock.
    pub assign_within: Option<Duration>,
    /// From the first unanswered turn to the owner's reply; `None`: no such clock.
    pub respond_within: Option<Duration>,
    /// Tell, this long before either is due.
    pub warn_before: Option<Duration>,
    /// Count working time only.
    pub working_hours: bool,
    /// Tell the team's managers (and the owner) of a breach.
    pub notify: bool,
    /// Move the conversation to the next eligible agent on a breach.
    pub reassign: bool,
    /// Give the conversation to one of `escalate_to` on a breach.
    pub escalate: bool,
    /// The first of these who is online gets what is escalated; where none is, a manager.
    pub escalate_to: Vec<AgentId>,
}

impl ResponsePolicy {
    /// Its id where no policy is named anywhere.
    pub const BUILT_IN: &'static str = "built-in";

    /// Its id, as one.
    pub fn built_in_id() -> PolicyId {
        PolicyId::new(Self::BUILT_IN).expect("the built-in name is a valid id")
    }

    /// What applies where no policy is named anywhere.
    pub fn built_in() -> Self {
        Self {
            assign_within: Some(Duration::from_secs(5 * 60)),
            respond_within: Some(Duration::from_secs(30 * 60)),
            warn_before: None,
            working_hours: false,
            notify: true,
            reassign: false,
            escalate: false,
            escalate_to: Vec::new(),
        }
    }
}

/// A rule: when its condition holds, the conversation goes where it says.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Names it in decision records.
    pub name: Arc<str>,
    /// When it applies; absent: always.
    pub when: Option<Condition>,
    /// Where to.
    pub target: Target,
}

/// Where a rule (or the default) sends a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Target {
    /// The team whose members are candidates.
    pub team: Option<TeamId>,
    /// A preferred agent: theirs if eligible, else the team's.
    pub agent: Option<AgentId>,
    /// What to do with it there.
    pub outcome: Outcome,
    /// Skill levels an agent must have.
    pub skills: Skills,
    /// Its priority in the queue.
    pub priority: Priority,
    /// The response policy, before the team's and the tenant's.
    pub response: Option<PolicyId>,
    /// What a reopening customer meets, before the tenant's setting.
    pub reopen: Option<Reopen>,
    /// Fallback teams, before the team's own.
    pub fallback: Option<Vec<TeamId>>,
    /// How a conversation that waits asks for less as time goes on.
    pub relax: Arc<[Relaxation]>,
}

/// What a rule does with what it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outcome {
    /// The strategy chooses.
    #[default]
    Auto,
    /// It waits in the team's queue for a claim.
    Manual,
    /// It stays with nobody.
    Nobody,
}

impl Plan {
    /// What a tenant has before its first plan.
    pub fn empty(tenant: Tenant) -> Self {
        Self {
            tenant,
            version: 0,
            settings: Settings::default(),
            channels: BTreeMap::new(),
            agents: BTreeMap::new(),
            teams: BTreeMap::new(),
            responses: BTreeMap::new(),
            calendars: BTreeMap::new(),
            rules: Vec::new(),
            default: None,
        }
    }

    /// What its rules ask that has to be found out for them: nothing else is, and texts go no further than needed.
    pub fn reads(&self) -> Reads {
        let conditions = self.rules.iter().filter_map(|rule| rule.when.as_ref());
        conditions.map(Condition::reads).fold(Reads::default(), Reads::or)
    }

    /// The policy that applies: the route's, else the team's, else the tenant's, else the built-in one.
    pub fn response_policy(
        &self,
        route: Option<&PolicyId>,
        team: Option<&TeamId>,
    ) -> (PolicyId, ResponsePolicy) {
        let of_team = || {
            team.and_then(|id| self.teams.get(id))
                .and_then(|team| team.response.as_ref())
        };
        let named = route.or_else(of_team).or(self.settings.response.as_ref());
        let found = named.and_then(|id| self.responses.get_key_value(id));
        match found {
            Some((id, policy)) => (id.clone(), policy.clone()),
            None => (ResponsePolicy::built_in_id(), ResponsePolicy::built_in()),
        }
    }

    /// When an agent works, as a member of this team: what is said of them, else of the team, else of all.
    pub fn calendar_of(&self, own: Option<&CalendarId>, team: Option<&TeamId>) -> Option<&Calendar> {
        let known = |id: &CalendarId| self.calendars.get(id);
        let of_team = || {
            team.and_then(|id| self.teams.get(id))
                .and_then(|team| team.calendar.as_ref())
        };
        own.and_then(known)
            .or_else(|| of_team().and_then(known))
            .or_else(|| self.settings.calendar.as_ref().and_then(known))
    }

    /// The strategy of a team, if the plan has it.
    pub fn strategy(&self, team: &TeamId) -> Option<Strategy> {
        self.teams.get(team).map(|team| team.strategy)
    }
}
