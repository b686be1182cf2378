//! What `switchboard simulate` is asked, and the material it means.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args};
use jiff::Timestamp;
use jiff::civil::DateTime;

use super::files::{self, Customers, Usual};
use super::{CliError, Material, in_file, recorded, text_of, trace_lines, words};
use crate::domain::plan::Plan;
use crate::simulate::chance::Lasts;
use crate::simulate::traffic::{Rate, Traffic};

/// When synthetic traffic begins unless it is said: a Monday, so that shifts by weekday mean something.
const USUAL_BEGIN: &str = "2026-01-05T00:00";

/// Play a day through a plan on virtual time, before the plan is in force.
///
/// It says how long customers would wait, which policies would be broken, how busy people would be
/// and whether they would be treated alike; with two plans, who would have got what instead.
///
/// What is played is drawn by chance (--rate, --traffic), read from a file (--trace) or taken from
/// the database (--recorded, which alone needs a server). People answer after a while and close
/// after another (--answer, --service), and are always there unless --shifts says when. The same
/// seed gives the same report, and both plans meet the same customers. Nothing is changed or sent.
///
/// Will two more people be enough?
///
///   switchboard simulate --plan now.toml --against more.toml --rate 120/h --service 6m
///
/// With a busy morning, people's shifts and a long tail of work:
///
///   switchboard simulate --plan now.toml --rate 40/h --rate 09:00-12:00=150/h \
///     --service lognormal:6m:1.2 --shifts shifts.toml
///
/// What would the new plan have done yesterday?
///
///   switchboard simulate --plan new.toml --recorded \
///     --since 2026-11-20T00:00:00Z --until 2026-11-21T00:00:00Z
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
#[command(group = ArgGroup::new("what").required(true).multiple(true).args(["rate", "traffic", "trace", "recorded"]))]
pub struct Arguments {
    /// The plan: TOML, or JSON if it ends in .json.
    #[arg(long, value_name = "FILE")]
    pub plan: PathBuf,
    /// Another plan to play the same under, and to compare.
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// Customers by chance: so many an hour (120/h) or, in some hours, 09:00-12:00=150/h. Where several hold, the last
    /// counts.
    #[arg(long, value_name = "RATE", value_parser = words::rate)]
    rate: Vec<Rate>,
    /// Which customers come by chance: TOML with `rates` and `[[customers]]` (see docs/simulate.md).
    #[arg(long, value_name = "FILE")]
    traffic: Option<PathBuf>,
    /// Customers' messages as JSON lines: {"at": "2026-11-20T09:00:00Z", "customer": "c1", …} (see docs/simulate.md).
    #[arg(long, value_name = "FILE", conflicts_with_all = ["rate", "traffic", "recorded", "begin", "lasts"])]
    trace: Option<PathBuf>,
    /// What the database remembers of the plan's tenant, from --since to --until.
    #[arg(long, requires = "since", conflicts_with_all = ["rate", "traffic", "begin", "lasts"])]
    recorded: bool,
    /// From then on.
    #[arg(long, value_name = "TIME", requires = "recorded")]
    since: Option<Timestamp>,
    /// Up to then; without it, all there is.
    #[arg(long, value_name = "TIME", requires = "recorded")]
    until: Option<Timestamp>,
    /// How long a conversation takes whoever has it, from getting it to closing it: 6m (exponential), constant:6m,
    /// lognormal:6m:0.8 (mean, and spread as a multiple of it).
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = words::lasts)]
    service: Lasts,
    /// How long they take to answer, written as --service is.
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = words::lasts)]
    answer: Lasts,
    /// Who is there when: TOML with `[[shifts]]` (see docs/simulate.md). Without it everyone always is.
    #[arg(long, value_name = "FILE")]
    pub shifts: Option<PathBuf>,
    /// When customers by chance begin to come, in the plan's time zone.
    #[arg(long, value_name = "DATE", default_value = USUAL_BEGIN)]
    begin: DateTime,
    /// For how long they come.
    #[arg(long = "for", value_name = "TIME", default_value = "24h", value_parser = words::length)]
    lasts: Duration,
    /// How long is played after the last customer came, for what is open to come to its end.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = words::length)]
    pub afterwards: Duration,
    /// Chance begins here.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many conversations to list that the second plan would have treated otherwise.
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    pub differences: usize,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    /// What is to be played, under this plan first.
    pub(super) async fn material(&self, plan: &Plan) -> Result<Material, CliError> {
        let usual = Usual {
            channels: plan.channels.keys().cloned().collect(),
            answer: self.answer,
            service: self.service,
        };
        if let Some(file) = &self.trace {
            return self.traced(file, &usual);
        }
        if let Some(since) = self.since.filter(|_| self.recorded) {
            return recorded::material(plan, since, self.until, &usual, self.seed).await;
        }
        self.drawn(plan, &usual)
    }

    fn traced(&self, file: &PathBuf, usual: &Usual) -> Result<Material, CliError> {
        let opened = File::open(file).map_err(|error| format!("{}: {error}", file.display()))?;
        let arrivals = trace_lines::read(BufReader::new(opened), usual, self.seed).map_err(|faults| {
            let lines = faults
                .iter()
                .map(|fault| format!("{}:{}: {}", file.display(), fault.line, fault.message));
            format!(
                "the trace cannot be read:\n{}",
                lines.collect::<Vec<_>>().join("\n")
            )
        })?;
        let (Some(first), Some(last)) = (arrivals.first(), arrivals.last()) else {
            return Err(format!("{}: there is no line in it", file.display()).into());
        };
        Ok(Material {
            source: file.display().to_string(),
            begins: first.at,
            closes: last.at,
            arrivals,
            unknown: Vec::new(),
        })
    }

    fn drawn(&self, plan: &Plan, usual: &Usual) -> Result<Material, CliError> {
        let Customers { mut rates, kinds } = match &self.traffic {
            Some(file) => files::customers(&text_of(file)?, usual).map_err(in_file(file))?,
            None => Customers {
                rates: Vec::new(),
                kinds: vec![usual.kind()],
            },
        };
        // The command line has the last word.
        rates.extend(self.rate.iter().cloned());
        if rates.is_empty() {
            return Err("nothing says how many customers come: --rate 120/h, or `rates` in the file".into());
        }
        if kinds.iter().any(|kind| kind.channels.is_empty()) {
            return Err("the plan has no channel that customers could write to".into());
        }
        let begins = self.begin.to_zoned(plan.settings.timezone.clone())?.timestamp();
        let traffic = Traffic {
            begins,
            lasts: self.lasts,
            rates,
            timezone: plan.settings.timezone.clone(),
            kinds,
        };
        Ok(Material {
            source: "customers by chance".into(),
            arrivals: traffic.draw(self.seed)?,
            begins,
            closes: begins.checked_add(self.lasts)?,
            unknown: Vec::new(),
        })
    }
}
