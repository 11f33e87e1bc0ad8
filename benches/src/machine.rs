//! Information about the machine and the current time.

use crate::{record::Machine, resident::field};
use std::{
    fs, thread,
    time::{SystemTime, UNIX_EPOCH},
};

/// Describes this machine. To be called before the driver confines itself to one processor.
pub(crate) fn machine() -> Machine {
    let read = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let named = |text: &str, name: &str, sign: char| {
        text.lines().find_map(|line| {
            let (key, value) = line.split_once(sign)?;
            (key.trim() == name).then(|| value.trim().trim_matches('"').to_owned())
        })
    };
    let unknown = || "unknown".to_owned();
    let processor = ["model name", "Model", "Hardware"]
        .iter()
        .find_map(|name| named(&processors, name, ':'))
        .unwrap_or_else(|| std::env::consts::ARCH.to_owned());
    let kilobytes = field(&read("/proc/meminfo"), "MemTotal").unwrap_or_default();
    let [name, release] = ["ostype", "osrelease"]
        .map(|part| read(&format!("/proc/sys/kernel/{part}")).trim().to_owned());
    Machine {
        processor,
        cores: thread::available_parallelism().map_or(1, usize::from),
        memory_gib: (kilobytes as f64 / 1024.0 / 1024.0 * 10.0).round() / 10.0,
        kernel: format!("{name} {release}"),
        system: named(&read("/etc/os-release"), "PRETTY_NAME", '=').unwrap_or_else(unknown),
    }
}

/// Returns the current time, RFC 3339, UTC.
pub(crate) fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    rfc_3339(since.as_secs())
}

/// Formats a number of seconds since 1970. The year is taken to begin in March, so that the leap day is its last.
fn rfc_3339(seconds: u64) -> String {
    const DAYS_OF_400_YEARS: u64 = 146_097;
    let (days, second) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year_of_era = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let day = day - (153 * from_march + 2) / 5 + 1;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_dates() {
        assert_eq!(rfc_3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc_3339(951_827_696), "2000-02-29T12:34:56Z");
        assert_eq!(rfc_3339(1_709_251_199), "2024-02-29T23:59:59Z");
        assert_eq!(rfc_3339(1_709_251_200), "2024-03-01T00:00:00Z");
        assert_eq!(rfc_3339(4_102_444_799), "2099-12-31T23:59:59Z");
    }

    #[test]
    fn this_machine_has_a_name_and_memory() {
        let Machine { processor, cores, memory_gib, kernel, system } = machine();
        assert!(!processor.is_empty() && cores > 0 && memory_gib > 0.1);
        assert!(kernel.starts_with("Linux ") && !system.is_empty());
    }
}
