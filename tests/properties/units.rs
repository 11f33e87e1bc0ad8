//! Values with units: what is written is read as intended, and anything else is refused with the expected form.

use crate::support::runner;
use proptest::{prelude::*, sample::select};
use std::time::Duration;
use trine::config::{CountForm, PlainSize, PlainTime, SizeForm, TimeForm};

const TIME: TimeForm = TimeForm {
    plain: PlainTime::Seconds,
    least: Duration::ZERO,
    most: Duration::from_secs(u32::MAX as u64),
};
const SIZE: SizeForm = SizeForm { plain: PlainSize::Mebibytes, least: 0, most: u64::MAX };

fn times() -> impl Strategy<Value = (&'static str, u64)> {
    select(
        &[("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000), ("h", 3_600_000_000_000)]
            [..],
    )
}

fn sizes() -> impl Strategy<Value = (&'static str, u64)> {
    select(
        &[
            ("B", 1),
            ("kB", 1000),
            ("KiB", 1 << 10),
            ("MB", 1_000_000),
            ("MiB", 1 << 20),
            ("GB", 1_000_000_000),
            ("GiB", 1 << 30),
            ("", 1 << 20),
        ][..],
    )
}

#[test]
fn a_length_of_time_is_read_as_it_was_meant() {
    let parts = prop::collection::vec((0..1000u64, 0..1000u64, times(), "[ ]{0,2}"), 1..4);
    let outcome = runner(2000).run(&parts, |parts| {
        let mut text = String::new();
        let mut nanoseconds = 0;
        for (whole, thousandths, (unit, each), space) in parts {
            text.push_str(&format!("{whole}.{thousandths:03}{space}{unit}{space}"));
            nanoseconds += u128::from(whole * 1000 + thousandths) * u128::from(each) / 1000;
        }
        prop_assert_eq!(TIME.parse(&text).map(|time| time.as_nanos()), Ok(nanoseconds), "{}", text);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn a_size_is_read_as_it_was_meant_whatever_the_case() {
    let strategy = (0..100_000u64, 0..1000u64, sizes(), any::<bool>());
    let outcome = runner(2000).run(&strategy, |(whole, thousandths, (unit, each), lower)| {
        let text = format!("{whole}.{thousandths:03}{unit}");
        let text = if lower { text.to_lowercase() } else { text };
        let bytes = u128::from(whole * 1000 + thousandths) * u128::from(each) / 1000;
        prop_assert_eq!(SIZE.parse(&text).map(u128::from), Ok(bytes), "{}", text);
        Ok(())
    });
    outcome.unwrap();
}

/// Any text is a value or is refused with a message that names it, and accepted values are within the bounds.
#[test]
fn any_text_is_a_value_within_the_bounds_or_is_refused_with_the_form() {
    let number = "[0-9]{0,40}(\\.[0-9]{0,40})? ?[a-zA-Zµ]{0,4}";
    let texts = prop_oneof![
        3 => (number, "[ ]?", number).prop_map(|(first, space, more)| format!("{first}{space}{more}")),
        2 => number,
        1 => "[-+0-9a-zA-Zµ. é€]{0,12}",
        1 => any::<String>(),
    ];
    let (least, most) = (Duration::from_millis(1), Duration::from_secs(86_400));
    let time = TimeForm { plain: PlainTime::Milliseconds, least, most };
    let size = SizeForm { plain: PlainSize::Bytes, least: 16 << 20, most: 1 << 40 };
    let count = CountForm { least: 1, most: 1024 };
    let outcome = runner(5000).run(&texts, |text| {
        let named = format!("{text:?} ");
        match time.parse(&text) {
            Ok(time) => prop_assert!((least..=most).contains(&time), "{time:?}"),
            Err(why) => {
                prop_assert!(why.starts_with(&named), "{}", why);
                let told = ["such as 500ms, 30s or 5m", "the least is 1ms", "the most is 1d"];
                prop_assert!(told.iter().any(|part| why.contains(part)), "{}", why);
            }
        }
        match size.parse(&text) {
            Ok(size) => prop_assert!((16 << 20..=1 << 40).contains(&size), "{size}"),
            Err(why) => {
                prop_assert!(why.starts_with(&named), "{}", why);
                let told =
                    ["such as 64KiB, 512MiB or 1GB", "the least is 16MiB", "the most is 1TiB"];
                prop_assert!(told.iter().any(|part| why.contains(part)), "{}", why);
            }
        }
        match count.parse(&text) {
            Ok(count) => prop_assert!((1..=1024).contains(&count), "{count}"),
            Err(why) => prop_assert!(why.ends_with("from 1 to 1024"), "{}", why),
        }
        Ok(())
    });
    outcome.unwrap();
}
