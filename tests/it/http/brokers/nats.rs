//! Subjects of NATS. Streams are tried with the real server.

use super::{OBEDIENT, WRITERS, is_back, metric, noted, times, told, written};
use crate::support::{Folder, Nats, Served, eventually};
use serde_json::json;

fn trigger(nats: &Nats, more: &str) -> String {
    let address = nats.address;
    format!(
        "[[trigger]]\nkind = \"nats\"\nserver = \"nats://me:s3cret@{address}\"\nsubject = \"orders.*\"\n{more}\n"
    )
}

/// Serves the obedient function for a subject.
fn obedient(nats: &Nats, more: &str, arguments: &[&str]) -> (Folder, Served) {
    let folder = Folder::new(&[
        ("work.lua", OBEDIENT),
        ("other.lua", "return { handler = function() return 'other' end }"),
    ]);
    folder.write("trine.toml", trigger(nats, &format!("function = \"work\"\n{more}")));
    let served = Served::start(&folder, arguments);
    nats.is_listened_to();
    (folder, served)
}

#[test]
fn messages_are_the_event_of_functions_in_every_language() {
    for (extension, source) in WRITERS {
        let nats = Nats::start();
        let folder = Folder::new(&[(&format!("work.{extension}"), source)]);
        let more = "function = \"work\"\nqueue-group = \"workers\"";
        folder.write("trine.toml", trigger(&nats, more));
        let served = Served::start(&folder, &["--metrics"]);
        let line = format!("work: messages of orders.* at nats://{}, invokes work\n", nats.address);
        assert!(served.process.stdout().contains(&line), "{}", served.process.stdout());
        assert_eq!(nats.is_listened_to(), "orders.* workers");
        assert!(nats.came()[0].contains("\"user\":\"me\"") && nats.came()[0].contains("s3cret"));
        nats.send("orders.new", "", b"{\"order\": 7}");
        assert_eq!(
            written(&folder),
            json!({
                "subject": "orders.new",
                "payload": "{\"order\": 7}",
                "isBase64Encoded": false,
                "headers": {},
            }),
            "{extension}"
        );
        let labels = "{trigger=\"work\",kind=\"nats\",function=\"work\"}";
        eventually("it is counted", || {
            let metrics = served.get("/.trine/metrics").text().to_owned();
            let of = |name: &str| metric(&metrics, &format!("trine_trigger_{name}{labels}"));
            (of("succeeded_total") == 1.0 && of("connected") == 1.0).then_some(())
        });
        served.process.signal("TERM");
        assert_eq!(served.process.wait(), Some(0), "{extension} {:?}", served.process);
        assert!(!format!("{:?}", served.process).contains("s3cret"), "{:?}", served.process);
    }
}

#[test]
fn one_that_asks_for_an_answer_gets_it_or_hears_that_it_has_failed() {
    let nats = Nats::start();
    let (folder, served) = obedient(&nats, "", &[]);
    nats.send("orders.new", "inbox.1", b"good");
    nats.send("orders.new", "inbox.2", b"fail");
    let answers = eventually("both are answered", || {
        let mut published = nats.published();
        published.sort_unstable();
        (published.len() == 2).then_some(published)
    });
    assert_eq!(answers[0], ("inbox.1".to_owned(), "\"did good\"".to_owned()));
    assert_eq!(answers[1].0, "inbox.2");
    assert!(answers[1].1.contains("Nats-Service-Error-Code: 500"), "{answers:?}");
    assert!(answers[1].1.contains("on purpose"), "{answers:?}");
    assert_eq!(times(&folder, "fail"), 1);
    told(&served, "the message of orders.new has failed (attempt 1); it does not come again");
}

#[test]
fn a_server_that_goes_away_is_told_once_and_found_again() {
    let nats = Nats::start();
    let (folder, served) = obedient(&nats, "", &["--workers", "1"]);
    nats.goes_away(true);
    eventually("the server knows", || {
        (served.get("/.trine/ready").text() == "ready; not connected: work (nats)").then_some(())
    });
    assert_eq!(served.get("/other").text(), "other");
    nats.goes_away(false);
    assert_eq!(nats.is_listened_to(), "orders.*");
    nats.send("orders.new", "", b"good");
    eventually("it is done", || (times(&folder, "good") == 1).then_some(()));
    let line = format!("trigger 'work': nats://{} cannot be reached: ", nats.address);
    let told = told(&served, &line);
    assert_eq!(told.matches(&line).count(), 1, "{told}");
    is_back(&served);
}

#[test]
fn what_has_come_at_the_end_is_finished_within_the_grace() {
    let nats = Nats::start();
    let (folder, served) = obedient(&nats, "max-concurrency = 1", &["--grace", "60s"]);
    nats.send("orders.new", "inbox.1", b"wait 1");
    nats.send("orders.new", "inbox.2", b"wait 2");
    eventually("it has begun", || (times(&folder, "wait 1") == 1).then_some(()));
    served.process.signal("TERM");
    assert_eq!(served.process.wait(), Some(0));
    assert_eq!(noted(&folder), ["wait 1", "wait 2"]);
    let subjects: Vec<String> = nats.published().into_iter().map(|(subject, _)| subject).collect();
    assert_eq!(subjects, ["inbox.1", "inbox.2"]);
}
