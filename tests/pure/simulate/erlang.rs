//! Simulation against theory: one team of N people who take one conversation at a time, customers who come by chance and
//! take an exponentially long time, is the queue M/M/N, of which everything is known.

use std::time::Duration;

use switchboard::domain::plan::Strategy;
use switchboard::simulate::chance::Lasts;

use super::{playable, played, traffic};
use crate::support::plans::support;

/// Independent runs of each point.
const RUNS: usize = 30;
/// Student's t for 99% of both sides with one degree of freedom fewer than runs.
const T_99: f64 = 2.756;
/// Arrivals that are measured in each run, after those in which the queue forgets that it began empty.
const MEASURED: usize = 400;
/// Relaxation times of the queue that are not measured.
const WARM_UP: f64 = 5.0;
/// Mean service time.
const SERVICE: Duration = Duration::from_secs(300);

/// People, and the part of their time that is asked for. Theory knows no strategy: none may matter.
const POINTS: [(usize, f64, Strategy); 10] = [
    (1, 0.50, Strategy::RoundRobin),
    (1, 0.75, Strategy::LeastLoaded),
    (2, 0.60, Strategy::LongestIdle),
    (2, 0.80, Strategy::Ranked),
    (3, 0.70, Strategy::RoundRobin),
    (4, 0.80, Strategy::LeastLoaded),
    (5, 0.60, Strategy::LongestIdle),
    (6, 0.80, Strategy::Ranked),
    (8, 0.70, Strategy::RoundRobin),
    (10, 0.80, Strategy::LeastLoaded),
];

/// The probability to wait in an M/M/N queue, by Erlang's formula C, from his formula B by its recurrence.
fn erlang_c(people: usize, utilisation: f64) -> f64 {
    let offered = people as f64 * utilisation;
    let blocked = (1..=people).fold(1.0, |blocked, n| {
        offered * blocked / (n as f64 + offered * blocked)
    });
    blocked / (1.0 - utilisation * (1.0 - blocked))
}

/// The mean wait in seconds.
fn mean_wait(people: usize, utilisation: f64) -> f64 {
    erlang_c(people, utilisation) * SERVICE.as_secs_f64() / (people as f64 * (1.0 - utilisation))
}

/// The mean of some runs and half the width of its confidence interval.
fn interval(runs: &[f64]) -> (f64, f64) {
    let count = runs.len() as f64;
    let mean = runs.iter().sum::<f64>() / count;
    let variance = runs.iter().map(|run| (run - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, T_99 * (variance / count).sqrt())
}

/// A point as it was measured: each a mean and half the width of its interval.
struct Point {
    number: usize,
    probability: (f64, f64),
    wait: (f64, f64),
}

impl Point {
    fn measure(number: usize) -> Self {
        let (people, utilisation, strategy) = POINTS[number];
        let seeds = (0..RUNS as u64).map(|run| 1000 * number as u64 + run);
        let (probability, wait): (Vec<f64>, Vec<f64>) =
            seeds.map(|seed| run(people, utilisation, strategy, seed)).unzip();
        Self {
            number,
            probability: interval(&probability),
            wait: interval(&wait),
        }
    }

    fn agrees(&self) -> bool {
        let (people, utilisation, _) = POINTS[self.number];
        let within = |(mean, about): (f64, f64), expected: f64| (mean - expected).abs() <= about;
        within(self.probability, erlang_c(people, utilisation))
            && within(self.wait, mean_wait(people, utilisation))
    }
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (people, utilisation, strategy) = POINTS[self.number];
        let (probability, about) = self.probability;
        let (wait, about_wait) = self.wait;
        write!(
            f,
            "{people:2}  {utilisation:.2}  {:11}  {:15.4}  {probability:.4} ± {about:.4}  {:15.1} s  {wait:7.1} ± {about_wait:.1} s",
            format!("{strategy:?}"),
            erlang_c(people, utilisation),
            mean_wait(people, utilisation),
        )
    }
}

/// One run: the part of customers who waited, and how long all waited on average.
fn run(people: usize, utilisation: f64, strategy: Strategy, seed: u64) -> (f64, f64) {
    // In arrivals, the time in which an M/M/N queue forgets grows like this when it is nearly full.
    let relaxation = utilisation / (1.0 - utilisation.sqrt()).powi(2);
    let warm_up = (WARM_UP * relaxation).ceil() as usize;
    let names: Vec<String> = (0..people).map(|n| format!("a{n:02}")).collect();
    let members: Vec<&str> = names.iter().map(String::as_str).collect();
    let plan = playable(support(strategy, &members).setting(|settings| settings.capacity = 1));
    let per_hour = people as f64 * utilisation * 3600.0 / SERVICE.as_secs_f64();
    let hours = 1.5 * (warm_up + MEASURED) as f64 / per_hour;
    let service = Lasts::Exponential { mean: SERVICE };
    let lasts = Duration::from_secs_f64(hours * 3600.0);
    let mut arrivals = traffic(per_hour, lasts, service).draw(seed).expect("it is few");
    arrivals.truncate(warm_up + MEASURED);
    assert_eq!(arrivals.len(), warm_up + MEASURED);
    let played = played(&plan, &arrivals);
    let waits: Vec<f64> = played.outcomes[warm_up..]
        .iter()
        .map(|outcome| outcome.wait().expect("everyone is served").as_secs_f64())
        .collect();
    let waited = waits.iter().filter(|wait| **wait > 0.0).count() as f64;
    (
        waited / MEASURED as f64,
        waits.iter().sum::<f64>() / MEASURED as f64,
    )
}

#[test]
fn the_formula_gives_what_the_tables_give() {
    for (people, offered, expected) in [
        (1, 0.5, 0.5),
        (2, 1.0, 1.0 / 3.0),
        (5, 4.0, 0.5541),
        (10, 8.0, 0.4092),
    ] {
        let found = erlang_c(people, offered / people as f64);
        assert!((found - expected).abs() < 0.0001, "{people}, {offered}: {found}");
    }
}

#[test]
fn waits_agree_with_erlang_at_ten_points() {
    // A point is a few seconds of work in a build that is not optimised: each gets a thread.
    let points: Vec<Point> = std::thread::scope(|scope| {
        let measured = (0..POINTS.len()).map(|number| scope.spawn(move || Point::measure(number)));
        let measured: Vec<_> = measured.collect();
        measured
            .into_iter()
            .map(|point| point.join().expect("the point is measured"))
            .collect()
    });
    println!(" N  load  strategy     P(wait): theory  simulated          mean wait: theory  simulated");
    for point in &points {
        println!("{point}");
    }
    let outside: Vec<_> = points
        .iter()
        .filter(|point| !point.agrees())
        .map(|point| point.number)
        .collect();
    assert!(outside.is_empty(), "outside their intervals: {outside:?}");
}
