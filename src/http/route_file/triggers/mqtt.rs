//! `kind = "mqtt"`: topics of an MQTT broker.

use super::{
    Entry, Fault, Place, Source,
    address::{self, Scheme},
    delivery, file, login,
};
use crate::http::triggers::MqttSource;

const SCHEMES: &[Scheme] = &[("mqtt", false, 1883), ("mqtts", true, 8883)];
/// The quality of service where nothing else is set: at least once.
const QOS: u8 = 1;

/// Reads the source.
pub(super) fn read(
    entry: &mut Entry,
    place: &Place<'_>,
    faults: &mut Vec<Fault>,
) -> Option<Source> {
    let (broker, topics) = (entry.text("broker"), entry.texts("topic"));
    let qos = entry.count("qos").and_then(|qos| u8::try_from(qos.value).ok()).unwrap_or(QOS);
    let client_id = entry.text("client-id").map(|id| id.value);
    let clean_session = entry.truth("clean-session").is_some_and(|clean| clean.value);
    let delivery = delivery(entry, true, faults);
    let broker = broker.and_then(|broker| {
        // The URL is not shown: it may hold a password.
        let fault = |why| Fault { line: broker.line, message: format!("broker: {why}") };
        address::parse(&broker.value, SCHEMES).map_err(|why| faults.push(fault(why))).ok()
    });
    let (broker, of_url) = broker.unzip();
    let login = login(entry, place, of_url.unwrap_or_default(), faults);
    let authorities = file(entry, "ca-file", place, faults);
    for topic in topics.iter().flat_map(|topics| &topics.value) {
        if let Err(why) = filter(&topic.value) {
            let message = format!("topic = {:?}: {why}", topic.value);
            faults.push(Fault { line: topic.line, message });
        }
    }
    let topics = topics?.value.into_iter().map(|topic| topic.value).collect();
    let name = place.trigger.map(|name| name.value.as_str()).or(place.function);
    Some(Source::Mqtt(Box::new(MqttSource {
        broker: broker?,
        login,
        authorities,
        topics,
        qos,
        client_id: client_id.unwrap_or_else(|| session(name.unwrap_or_default())),
        clean_session,
        delivery,
    })))
}

/// Returns the name of a trigger's session: the same after a new start on the same host, and another one elsewhere.
fn session(trigger: &str) -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("trine-{}-{trigger}", host.trim())
}

/// Checks a filter of topics. Contract: MQTT 3.1.1, section 4.7; shared subscriptions are those of MQTT 5, which brokers
/// know for both.
fn filter(text: &str) -> Result<(), String> {
    let topic = match text.strip_prefix("$share/") {
        Some(shared) => match shared.split_once('/') {
            Some((group, topic)) if !group.is_empty() && !group.contains(['+', '#']) => topic,
            _ => return Err("a shared subscription is $share/GROUP/TOPIC".to_owned()),
        },
        None => text,
    };
    if topic.is_empty() || topic.len() > 65_535 || topic.contains('\0') {
        return Err("a topic has 1 to 65535 bytes, and no NUL".to_owned());
    }
    let levels: Vec<&str> = topic.split('/').collect();
    for (index, level) in levels.iter().enumerate() {
        let is_last = index + 1 == levels.len();
        if level.contains('#') && (*level != "#" || !is_last) {
            return Err(
                "# stands for all levels at the end: write it alone after the last /".to_owned()
            );
        }
        if level.contains('+') && *level != "+" {
            return Err("+ stands for a whole level: write it alone between two /".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_have_wildcards_in_their_places() {
        for good in ["a", "a/b", "+", "#", "a/+/c", "a/#", "/", "$share/group/a/#", "$SYS/x"] {
            assert_eq!(filter(good), Ok(()), "{good}");
        }
        for bad in ["", "a#", "a/#/b", "a+/b", "$share/a", "$share//a", "$share/+/a", "$share/g/"] {
            assert!(filter(bad).is_err(), "{bad}");
        }
    }
}
