//! Topics of an MQTT broker.

use super::{OBEDIENT, WRITERS, is_back, metric, noted, times, told, written};
use crate::support::{Folder, Mqtt, Served, eventually};
use serde_json::json;

fn trigger(mqtt: &Mqtt, more: &str) -> String {
    let address = mqtt.address;
    format!(
        "[[trigger]]\nkind = \"mqtt\"\nbroker = \"mqtt://{address}\"\ntopic = \"home/+/temperature\"\n\
         client-id = \"tests\"\nbackoff = 0\n{more}\n"
    )
}

/// Serves the obedient function for a topic.
fn obedient(mqtt: &Mqtt, more: &str, arguments: &[&str]) -> (Folder, Served) {
    let folder = Folder::new(&[
        ("work.lua", OBEDIENT),
        ("other.lua", "return { handler = function() return 'other' end }"),
    ]);
    folder.write("trine.toml", trigger(mqtt, &format!("function = \"work\"\n{more}")));
    let served = Served::start(&folder, arguments);
    mqtt.is_listened_to();
    (folder, served)
}

#[test]
fn messages_are_the_event_of_functions_in_every_language_and_acknowledged_after_it() {
    for (extension, source) in WRITERS {
        let mqtt = Mqtt::start();
        let folder = Folder::new(&[(&format!("work.{extension}"), source)]);
        folder.write("trine.toml", trigger(&mqtt, "function = \"work\"\nqos = 2"));
        let served = Served::start(&folder, &["--metrics"]);
        let line = format!(
            "work: messages of home/+/temperature at mqtt://{}, invokes work\n",
            mqtt.address
        );
        assert!(served.process.stdout().contains(&line), "{}", served.process.stdout());
        mqtt.is_listened_to();
        assert_eq!(mqtt.topics(), [("home/+/temperature".to_owned(), 2)]);
        let id = mqtt.send("home/a/temperature", b"{\"celsius\": 21}");
        assert_eq!(
            written(&folder),
            json!({
                "topic": "home/a/temperature",
                "payload": "{\"celsius\": 21}",
                "isBase64Encoded": false,
                "qos": 1,
                "retain": false,
                "duplicate": false,
                "packetId": id,
            }),
            "{extension}"
        );
        mqtt.empties();
        let metrics = served.get("/.trine/metrics").text().to_owned();
        let labels = "{trigger=\"work\",kind=\"mqtt\",function=\"work\"}";
        let of = |name: &str| metric(&metrics, &format!("trine_trigger_{name}{labels}"));
        assert_eq!((of("received_total"), of("succeeded_total"), of("connected")), (1.0, 1.0, 1.0));
        served.process.signal("TERM");
        assert_eq!(served.process.wait(), Some(0), "{extension} {:?}", served.process);
        eventually("it has said goodbye", || (mqtt.left() == 1).then_some(()));
    }
}

#[test]
fn a_payload_that_is_no_text_comes_in_base64_and_other_forms_of_events_have_their_own() {
    for (form, payload, expected) in [
        (None, &b"\xff\x00"[..], json!({"payload": "/wA=", "isBase64Encoded": true})),
        (Some("scaleway"), b"{\"a\": 1}", json!("{\"a\": 1}")),
        (Some("raw"), b"{\"a\": 1}", json!({"a": 1})),
        (
            Some("cloudevents"),
            b"{\"a\": 1}",
            json!({
                "specversion": "1.0",
                "type": "mqtt.message",
                "subject": "home/a/temperature",
                "datacontenttype": "application/json",
                "data": {"a": 1},
            }),
        ),
    ] {
        let mqtt = Mqtt::start();
        let folder = Folder::new(&[("work.mjs", WRITERS[0].1)]);
        folder.write("trine.toml", trigger(&mqtt, "function = \"work\""));
        let flags = form.map_or(vec![], |form| vec!["--event-format", form]);
        let _served = Served::start(&folder, &flags);
        mqtt.is_listened_to();
        mqtt.send("home/a/temperature", payload);
        let mut event = written(&folder);
        if let Some(members) = event.as_object_mut() {
            members.retain(|name, _| expected.get(name).is_some());
        }
        assert_eq!(event, expected, "{form:?}");
    }
}

#[test]
fn what_fails_is_tried_again_and_goes_to_the_dead_letter_topic_before_it_is_acknowledged() {
    let mqtt = Mqtt::start();
    let (folder, served) =
        obedient(&mqtt, "max-attempts = 3\ndead-letter = \"dead/letters\"", &["--metrics"]);
    let id = mqtt.send("home/a/temperature", b"fail 1");
    mqtt.send("home/b/temperature", b"good");
    mqtt.empties();
    assert_eq!(mqtt.published(), [("dead/letters".to_owned(), b"fail 1".to_vec())]);
    assert_eq!((times(&folder, "fail 1"), times(&folder, "good")), (3, 1));
    // In the order in which they came, whichever was done first.
    assert_eq!(mqtt.acknowledged(), [id, id + 1]);
    let told = told(&served, "(attempt 3); it goes to the topic dead/letters");
    for line in [
        format!(
            "the message home/a/temperature {id} has failed (attempt 1); it comes again in 0 s"
        ),
        format!(
            "the message home/a/temperature {id} has failed (attempt 3); it goes to the topic dead/letters"
        ),
    ] {
        assert_eq!(told.matches(&line).count(), 1, "{line}\n{told}");
    }
    let metrics = served.get("/.trine/metrics").text().to_owned();
    let labels = "{trigger=\"work\",kind=\"mqtt\",function=\"work\"}";
    let of = |name: &str| metric(&metrics, &format!("trine_trigger_{name}_total{labels}"));
    assert_eq!((of("failed"), of("dead_lettered"), of("dropped")), (3.0, 1.0, 0.0), "{metrics}");
}

#[test]
fn without_a_dead_letter_topic_a_message_is_given_up_and_told() {
    let mqtt = Mqtt::start();
    let (folder, served) = obedient(&mqtt, "max-attempts = 2", &[]);
    mqtt.send("home/a/temperature", b"fail 1");
    mqtt.empties();
    assert_eq!(noted(&folder), ["fail 1", "fail 1"]);
    told(&served, "(attempt 2); it is given up: set 'dead-letter' to keep such ones");
}

#[test]
fn a_broker_that_goes_away_in_the_middle_is_told_once_and_found_again() {
    let mqtt = Mqtt::start();
    let (folder, served) = obedient(&mqtt, "", &["--workers", "1"]);
    let id = mqtt.send("home/a/temperature", b"wait");
    eventually("it has begun", || (times(&folder, "wait") == 1).then_some(()));
    mqtt.goes_away(true);
    eventually("the server knows", || {
        (served.get("/.trine/ready").text() == "ready; not connected: work (mqtt)").then_some(())
    });
    assert_eq!(served.get("/other").text(), "other");
    mqtt.send("home/a/temperature", b"meanwhile");
    mqtt.goes_away(false);
    // What was worked at comes again, and is acknowledged without being worked at again.
    mqtt.empties();
    assert_eq!(mqtt.acknowledged(), [id, id + 1]);
    eventually("the other one is done", || (times(&folder, "meanwhile") == 1).then_some(()));
    assert_eq!(times(&folder, "wait"), 1);
    let line = format!("trigger 'work': mqtt://{} cannot be reached: ", mqtt.address);
    let told = told(&served, &line);
    // Once that the connection has ended, and once that there is no other.
    assert!((1..=2).contains(&told.matches(&line).count()), "{told}");
    is_back(&served);
}

#[test]
fn what_is_in_flight_at_the_end_is_finished_or_comes_again() {
    let mqtt = Mqtt::start();
    let (folder, served) = obedient(&mqtt, "", &["--grace", "60s"]);
    let id = mqtt.send("home/a/temperature", b"wait");
    eventually("it has begun", || (times(&folder, "wait") == 1).then_some(()));
    served.process.signal("TERM");
    assert_eq!(served.process.wait(), Some(0));
    eventually("it has said goodbye", || (mqtt.left() == 1).then_some(()));
    assert_eq!(mqtt.acknowledged(), [id]);

    let mqtt = Mqtt::start();
    let (folder, served) = obedient(&mqtt, "", &["--grace", "200ms", "--workers", "1"]);
    let id = mqtt.send("home/a/temperature", b"slow");
    eventually("it has begun", || (times(&folder, "slow") == 1).then_some(()));
    served.process.signal("TERM");
    assert_eq!(served.process.wait(), Some(0));
    assert_eq!(mqtt.kept(), [id]);
    let line =
        format!("the message home/a/temperature {id} was still in flight after 0.2 s of grace");
    let told = told(&served, &line);
    assert_eq!(told.matches("in flight").count(), 1, "{told}");
    folder.write("work.lua", WRITERS[2].1);
    let _served = Served::start(&folder, &[]);
    mqtt.empties();
    assert_eq!(written(&folder)["duplicate"], true);
}

#[test]
fn what_an_earlier_process_has_got_is_confirmed_in_its_place() {
    let mqtt = Mqtt::start();
    mqtt.remembers("home/+/temperature", &[7, 65_535]);
    let (folder, _served) = obedient(&mqtt, "qos = 2", &[]);
    mqtt.send("home/a/temperature", b"good");
    mqtt.empties();
    assert_eq!(noted(&folder), ["good"]);
    assert_eq!((mqtt.forgotten(), mqtt.came().len()), (vec![7, 65_535], 1));
}

#[test]
fn a_login_is_sent_and_its_refusal_told_without_the_password() {
    let mqtt = Mqtt::start();
    mqtt.refuses(5);
    let folder = Folder::new(&[("work.lua", OBEDIENT), ("password.txt", "s3cret\n")]);
    let more = "function = \"work\"\nuser = \"me\"\npassword-file = \"password.txt\"";
    folder.write("trine.toml", trigger(&mqtt, more));
    let served = Served::start(&folder, &[]);
    eventually("it is tried again", || (mqtt.came().len() > 1).then_some(()));
    let login = ("tests".to_owned(), "me".to_owned(), "s3cret".to_owned());
    assert_eq!(mqtt.came()[0], login);
    let line = "lets nobody in with this login: look at 'user' and 'password-file'";
    let told = told(&served, line);
    assert_eq!(told.matches(line).count(), 1, "{told}");
    assert!(!format!("{:?}", served.process).contains("s3cret"), "{:?}", served.process);
}
