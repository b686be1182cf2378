//! Where arrivals and people's hours come from: chance, traces, shifts, and how people write them.

use std::time::Duration;

use jiff::civil::{Weekday, date, time};
use jiff::tz::TimeZone;
use switchboard::cli::simulate::files::{self, Usual};
use switchboard::cli::simulate::{trace_lines, words};
use switchboard::domain::agent::Presence;
use switchboard::simulate::chance::{Chance, Lasts, Subject};
use switchboard::simulate::shifts::{Shift, Shifts};
use switchboard::simulate::trace::Arrival;
use switchboard::simulate::traffic::Rate;

use super::traffic;
use crate::support::{HOUR, MINUTE, agent, channel};

fn usual() -> Usual {
    Usual {
        channels: vec![channel()],
        answer: Lasts::Constant(MINUTE),
        service: Lasts::Exponential { mean: 10 * MINUTE },
    }
}

fn trace(text: &str) -> Result<Vec<Arrival>, Vec<(usize, String)>> {
    let told = |faults: Vec<trace_lines::Fault>| {
        faults
            .into_iter()
            .map(|fault| (fault.line, fault.message))
            .collect()
    };
    trace_lines::read(text.as_bytes(), &usual(), 1).map_err(told)
}

#[test]
fn what_a_seed_draws_is_the_same_for_ever() {
    let draws = |subject| {
        let mut chance = Chance::new(7, subject);
        [chance.fraction(), chance.fraction()].map(|fraction| (fraction * 1e6) as u64)
    };
    assert_eq!(draws(Subject::Arrivals), [764109, 465937]);
    assert_eq!(draws(Subject::Services), [662921, 504500]);
}

#[test]
fn lengths_of_time_have_the_mean_and_the_spread_they_are_given() {
    let mean = 360.0;
    let kinds = [
        (Lasts::Constant(6 * MINUTE), 0.0),
        (Lasts::Exponential { mean: 6 * MINUTE }, 1.0),
        (
            Lasts::LogNormal {
                mean: 6 * MINUTE,
                variation: 0.5,
            },
            0.5,
        ),
    ];
    for (lasts, spread) in kinds {
        let mut chance = Chance::new(3, Subject::Services);
        let draws: Vec<f64> = (0..20_000)
            .map(|_| lasts.draw(&mut chance).as_secs_f64())
            .collect();
        let found = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|draw| (draw - found).powi(2)).sum::<f64>() / draws.len() as f64;
        assert!((found / mean - 1.0).abs() < 0.02, "{lasts:?}: {found}");
        assert!(
            (variance.sqrt() / mean - spread).abs() < 0.03,
            "{lasts:?}: {variance}"
        );
    }
}

#[test]
fn customers_come_at_the_rate_of_the_hour() {
    let mut traffic = traffic(20.0, 240 * HOUR, Lasts::Constant(MINUTE));
    let busy = (time(22, 0, 0, 0), time(2, 0, 0, 0));
    traffic.rates.push(Rate {
        per_hour: 100.0,
        hours: Some(busy),
    });
    let arrivals = traffic.draw(11).expect("it is few");
    let in_busy = |arrival: &&Arrival| matches!(arrival.at.to_zoned(TimeZone::UTC).hour(), 22 | 23 | 0 | 1);
    let busy = arrivals.iter().filter(in_busy).count() as f64;
    let quiet = arrivals.len() as f64 - busy;
    // Ten days: 40 busy hours and 200 others; four deviations of a Poisson number of 4,000 are 6%.
    assert!((busy / 4000.0 - 1.0).abs() < 0.06, "{busy}");
    assert!((quiet / 4000.0 - 1.0).abs() < 0.06, "{quiet}");
    assert!(arrivals.is_sorted_by_key(|arrival| arrival.at));
}

#[test]
fn shifts_go_over_midnight_meet_and_keep_to_their_days() {
    let shift = |days: &[Weekday], from, to| Shift {
        agents: vec![agent("ana")],
        days: days.to_vec(),
        hours: vec![(from, to)],
    };
    let shifts = Shifts {
        timezone: TimeZone::UTC,
        shifts: vec![
            shift(&[Weekday::Friday], time(22, 0, 0, 0), time(6, 0, 0, 0)),
            shift(&[Weekday::Saturday], time(6, 0, 0, 0), time(8, 0, 0, 0)),
            shift(&[Weekday::Sunday], time(9, 0, 0, 0), time(17, 0, 0, 0)),
        ],
    };
    // From a Friday's midnight to a Sunday's noon.
    let moment = |day, hour| {
        date(2026, 11, day)
            .at(hour, 0, 0, 0)
            .to_zoned(TimeZone::UTC)
            .expect("it is")
            .timestamp()
    };
    let turns = shifts.turns(&agent("ana"), moment(20, 0), moment(22, 12));
    let told: Vec<_> = turns.iter().map(|turn| (turn.at, turn.presence)).collect();
    assert_eq!(
        told,
        [
            (moment(20, 22), Presence::Online),
            (moment(21, 8), Presence::Offline),
            (moment(22, 9), Presence::Online),
        ]
    );
    assert_eq!(shifts.turns(&agent("ben"), moment(20, 0), moment(22, 12)), []);
    // A beginning in the middle of a shift that began the day before.
    assert_eq!(
        shifts.turns(&agent("ana"), moment(21, 3), moment(22, 8))[0].at,
        moment(21, 3)
    );
}

#[test]
fn a_shift_in_the_hour_that_the_clocks_skip_begins_after_it() {
    let shifts = Shifts {
        timezone: TimeZone::get("Europe/Paris").expect("it is a zone"),
        shifts: vec![Shift {
            agents: vec![agent("ana")],
            days: Vec::new(),
            hours: vec![(time(2, 30, 0, 0), time(10, 0, 0, 0))],
        }],
    };
    let day: jiff::Timestamp = "2026-03-29T00:00:00Z".parse().expect("it is a time");
    let turns = shifts.turns(&agent("ana"), day, day + 12 * HOUR);
    let told: Vec<_> = turns.iter().map(|turn| turn.at.to_string()).collect();
    assert_eq!(told, ["2026-03-29T01:30:00Z", "2026-03-29T08:00:00Z"]);
}

#[test]
fn a_trace_is_read_into_the_order_of_time_with_what_its_lines_say() {
    let read = trace(concat!(
        r#"{"at": "2026-11-20T09:05:00Z", "customer": "b", "contact": {"language": "fr"}, "service": "3m", "answer": "20s"}"#,
        "\n\n",
        r#"{"at": "2026-11-20T09:00:00Z", "message": {"kind": "image", "text": "hi"}, "channel": "whatsapp:2"}"#,
    ));
    let read = read.expect("it is good");
    assert_eq!(&*read[0].customer, "line 3");
    assert_eq!(
        (
            &*read[0].message.kind,
            &*read[0].message.text,
            read[0].message.turn
        ),
        ("image", "hi", true)
    );
    assert_eq!(read[0].channel.as_str(), "whatsapp:2");
    assert_eq!(read[0].answer, MINUTE);
    assert_eq!(&*read[1].customer, "b");
    assert_eq!(&*read[1].contact.language, "fr");
    assert_eq!(
        (read[1].service, read[1].answer),
        (3 * MINUTE, Duration::from_secs(20))
    );
    assert_eq!(read[1].channel, channel());
}

#[test]
fn bad_lines_of_a_trace_are_named_all_at_once() {
    let faults = trace(concat!(
        r#"{"at": "2026-11-20T09:00:00Z"}"#,
        "\n",
        r#"{"at": "yesterday"}"#,
        "\nnonsense\n",
        r#"{"at": "2026-11-20T09:00:00Z", "custommer": "a"}"#,
        "\n",
        r#"{"at": "2026-11-20T09:00:00Z", "service": "soon"}"#,
        "\n",
        r#"{"at": "2026-11-20T09:00:00Z", "channel": "nowhere"}"#,
    ))
    .expect_err("five lines are bad");
    let lines: Vec<_> = faults.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 3, 4, 5, 6]);
    assert!(faults[2].1.contains("custommer"), "{faults:?}");
    assert!(faults[3].1.contains("soon"), "{faults:?}");
}

#[test]
fn a_file_that_is_no_trace_is_not_complained_about_for_ever() {
    let faults = trace(&"no\n".repeat(1000)).expect_err("none is good");
    assert_eq!(faults.len(), 20);
    let endless = "x".repeat(300 << 10);
    assert_eq!(trace(&endless).expect_err("it is too long").len(), 1);
}

#[test]
fn a_service_time_in_one_line_leaves_those_of_the_others() {
    let lines = |first: &str| {
        format!("{{\"at\": \"2026-11-20T09:00:00Z\"{first}}}\n{{\"at\": \"2026-11-20T09:01:00Z\"}}\n")
    };
    let drawn = trace(&lines("")).expect("it is good");
    let said = trace(&lines(", \"service\": \"1h\"")).expect("it is good");
    assert_eq!(said[0].service, HOUR);
    assert_eq!(said[1].service, drawn[1].service);
}

#[test]
fn people_write_lengths_rates_and_hours_like_this() {
    assert_eq!(words::lasts("6m"), Ok(Lasts::Exponential { mean: 6 * MINUTE }));
    assert_eq!(
        words::lasts("constant:90s"),
        Ok(Lasts::Constant(Duration::from_secs(90)))
    );
    assert_eq!(
        words::lasts("lognormal:6m:0.8"),
        Ok(Lasts::LogNormal {
            mean: 6 * MINUTE,
            variation: 0.8
        })
    );
    for wrong in [
        "",
        "6",
        "normal:6m",
        "lognormal:6m:-1",
        "lognormal:6m:NaN",
        "constant:6m:1",
    ] {
        assert!(words::lasts(wrong).is_err(), "{wrong}");
    }
    assert_eq!(
        words::rate("2/m"),
        Ok(Rate {
            per_hour: 120.0,
            hours: None
        })
    );
    let night = (time(22, 0, 0, 0), time(0, 0, 0, 0));
    assert_eq!(
        words::rate("22:00-24:00=5/h"),
        Ok(Rate {
            per_hour: 5.0,
            hours: Some(night)
        })
    );
    for wrong in [
        "",
        "120",
        "-1/h",
        "NaN/h",
        "1e9/h",
        "5/y",
        "9-10=5/h",
        "25:00-26:00=5/h",
    ] {
        assert!(words::rate(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn files_of_shifts_and_customers_are_read_or_say_what_is_wrong() {
    let shifts = files::shifts(
        "timezone = \"Europe/Paris\"\n[[shifts]]\nagents = [\"ana\"]\ndays = [\"mon\", \"tue\"]\nhours = [\"09:00-12:00\", \"13:00-18:00\"]\n",
        &TimeZone::UTC,
    );
    let shifts = shifts.expect("it is good").shifts;
    assert_eq!((shifts[0].days.len(), shifts[0].hours.len()), (2, 2));
    for wrong in [
        "",
        "[[shifts]]\nagents = [\"ana\"]\n",
        "[[shifts]]\nagents = [\"a b\"]\nhours = [\"09:00-12:00\"]\n",
        "[[shifts]]\nagents = [\"ana\"]\nhours = [\"9\"]\n",
        "[[shifts]]\nagents = [\"ana\"]\ndays = [\"monday\"]\nhours = [\"09:00-12:00\"]\n",
        "timezone = \"Mars\"\n[[shifts]]\nagents = [\"ana\"]\nhours = [\"09:00-12:00\"]\n",
    ] {
        assert!(files::shifts(wrong, &TimeZone::UTC).is_err(), "{wrong}");
    }
    let customers = files::customers(
        "rates = [\"40/h\"]\n[[customers]]\nweight = 2\ncontact = { language = \"fr\", attributes = { tier = \"vip\" } }\nservice = \"constant:2m\"\n[[customers]]\n",
        &usual(),
    );
    let customers = customers.expect("it is good");
    assert_eq!((customers.rates.len(), customers.kinds.len()), (1, 2));
    assert_eq!(customers.kinds[0].service, Lasts::Constant(2 * MINUTE));
    assert_eq!(customers.kinds[1].service, usual().service);
    for wrong in [
        "[[customers]]\nweight = 0\n",
        "[[customers]]\nservise = \"2m\"\n",
        "rates = [\"many\"]\n",
    ] {
        assert!(files::customers(wrong, &usual()).is_err(), "{wrong}");
    }
}
