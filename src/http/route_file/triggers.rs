//! `[[trigger]]`: what invokes functions beside requests.

use super::{
    document::{Entry, Fault, Placed},
    lookup::Functions,
};
use crate::http::triggers::{NoSchedule, Schedule, Trigger};

/// Reads the triggers. A function that one names and nobody has is added to the functions.
pub(super) fn read(
    entries: Vec<Entry>,
    functions: &mut Functions<'_>,
    faults: &mut Vec<Fault>,
) -> Vec<Trigger> {
    let mut known: Vec<(Trigger, usize)> = Vec::new();
    for mut entry in entries {
        let function = functions.of("trigger", entry.line, &mut entry, faults);
        let (name, cron, zone) = (entry.text("name"), entry.text("cron"), entry.text("timezone"));
        // There is one kind so far, and the list of its keys says so.
        let _ = entry.text("kind");
        let input = entry.anything("input").map(|input| input.value);
        let line = entry.line;
        entry.end();
        // Without an expression, that has been told.
        let schedule = cron.map(|cron| schedule(&cron, zone.as_ref())).transpose();
        let (function, schedule) = match (function, schedule) {
            (Some(function), Ok(Some(schedule))) => (function, schedule),
            (_, schedule) => {
                faults.extend(schedule.err());
                continue;
            }
        };
        let (name, line) = match name {
            Some(name) => (name.value, name.line),
            None => (functions.all[function].name.clone(), line),
        };
        if let Some((_, first)) = known.iter().find(|(other, _)| other.name == name) {
            let message = format!(
                "the trigger in line {first} is called '{name}' already: give this one another 'name'"
            );
            faults.push(Fault { line, message });
            continue;
        }
        known.push((Trigger { name, function, schedule, input }, line));
    }
    known.into_iter().map(|(trigger, _)| trigger).collect()
}

fn schedule(cron: &Placed<String>, zone: Option<&Placed<String>>) -> Result<Schedule, Fault> {
    let schedule = Schedule::parse(&cron.value, zone.map(|zone| zone.value.as_str()));
    schedule.map_err(|NoSchedule { of_zone, message }| {
        let at = zone.filter(|_| of_zone).unwrap_or(cron);
        Fault { line: at.line, message }
    })
}
