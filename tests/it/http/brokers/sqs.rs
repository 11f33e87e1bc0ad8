//! Queues of SQS.

use super::{WRITERS, is_back, metric, noted, times, told, written};
use crate::support::{Folder, Served, Sqs, eventually, trine};
use serde_json::json;
use std::process::Command;

/// A function that does what the body of each message says, once it has noted it in the file `log`: `bad…` is told as failed,
/// `fail…` fails the whole batch, `slow…` takes a minute, `wait…` three seconds, `odd…` makes a result without sense.
const OBEDIENT: &str = "return { handler = function(event)\n\
    local failures, result = trine.array({}), nil\n\
    for _, record in ipairs(event.Records) do\n\
      local text = record.body\n\
      local file = io.open('log', 'a')\n\
      file:write(text .. '\\n')\n\
      file:close()\n\
      if text:find('^bad') then failures[#failures + 1] = { itemIdentifier = record.messageId } end\n\
      if text:find('^fail') then error('on purpose') end\n\
      if text:find('^slow') then trine.sleep(60) end\n\
      if text:find('^wait') then trine.sleep(3) end\n\
      if text:find('^odd') then result = { batchItemFailures = 'what?' } end\n\
    end\n\
    return result or { batchItemFailures = failures }\n\
  end }\n";

fn trigger(sqs: &Sqs, more: &str) -> String {
    let endpoint = sqs.url();
    format!(
        "[[trigger]]\nkind = \"sqs\"\nqueue = \"orders\"\nendpoint = \"{endpoint}\"\nwait = \"1s\"\n\
         backoff = 0\n{more}\n"
    )
}

fn command(folder: &Folder, arguments: &[&str]) -> Command {
    let mut command = trine(folder, &[&["serve", "--port", "0"], arguments].concat());
    command
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "very secret")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    command
}

/// Serves the obedient function for a queue.
fn obedient(sqs: &Sqs, more: &str, arguments: &[&str]) -> (Folder, Served) {
    let folder = Folder::new(&[
        ("work.lua", OBEDIENT),
        ("other.lua", "return { handler = function() return 'other' end }"),
    ]);
    folder.write("trine.toml", trigger(sqs, &format!("function = \"work\"\n{more}")));
    let served = Served::of(command(&folder, arguments));
    (folder, served)
}

#[test]
fn messages_are_the_event_of_functions_in_every_language_and_deleted_after_it() {
    for (extension, source) in WRITERS {
        let sqs = Sqs::start(&["orders"]);
        let id = sqs.send("orders", "{\"order\": 7}");
        let folder = Folder::new(&[(&format!("work.{extension}"), source)]);
        folder.write("trine.toml", trigger(&sqs, "function = \"work\"\nname = \"orders-in\""));
        let served = Served::of(command(&folder, &["--metrics", "--log-requests"]));
        let banner = served.process.stdout();
        let line = "orders-in: messages of the queue orders, invokes work\n";
        assert!(banner.contains(line), "{banner}");
        assert_eq!(
            written(&folder),
            json!({ "Records": [{
                "messageId": id,
                "receiptHandle": format!("{id}-1"),
                "body": "{\"order\": 7}",
                "attributes": {
                    "ApproximateFirstReceiveTimestamp": "1700000000001",
                    "ApproximateReceiveCount": "1",
                    "SenderId": "AIDA",
                    "SentTimestamp": "1700000000000",
                },
                "messageAttributes": { "kind": {
                    "stringValue": "full",
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": "String",
                }},
                "md5OfBody": "d41d8cd98f00b204e9800998ecf8427e",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:orders",
                "awsRegion": "eu-west-1",
            }]}),
            "{extension}"
        );
        sqs.empties("orders");
        assert_eq!(sqs.asked("GetQueueUrl").len(), 1);
        eventually("the run is logged", || {
            served.process.stdout().contains("trigger 'orders-in': 1 message: work ").then_some(())
        });
        let metrics = served.get("/.trine/metrics").text().to_owned();
        let of = |name: &str| {
            let labels = "{trigger=\"orders-in\",kind=\"sqs\",function=\"work\"}";
            metric(&metrics, &format!("trine_trigger_{name}{labels}"))
        };
        assert_eq!((of("received_total"), of("succeeded_total")), (1.0, 1.0), "{metrics}");
        assert_eq!((of("failed_total"), of("in_flight"), of("connected")), (0.0, 0.0, 1.0));
        assert_eq!(served.get("/.trine/ready").text(), "ready");
        served.process.signal("TERM");
        assert_eq!(served.process.wait(), Some(0), "{extension} {:?}", served.process);
        assert!(!format!("{:?}", served.process).contains("secret"), "{:?}", served.process);
    }
}

#[test]
fn what_fails_comes_again_and_goes_to_the_dead_letter_queue_in_the_end() {
    let sqs = Sqs::start(&["orders", "dead"]);
    let more = "dead-letter = \"dead\"\nmax-attempts = 3\nbatch-size = 1";
    let (folder, served) = obedient(&sqs, more, &["--metrics"]);
    let id = sqs.send("orders", "fail 1");
    sqs.send("orders", "good");
    sqs.empties("orders");
    eventually("it is in the dead-letter queue", || (sqs.left("dead") == ["fail 1"]).then_some(()));
    assert_eq!((times(&folder, "fail 1"), times(&folder, "good")), (3, 1));
    let attributes = &sqs.messages("dead")[0].attributes;
    assert_eq!(attributes["kind"]["StringValue"], "full", "{attributes}");
    let last = format!("the message {id} has failed (attempt 3); it goes to the dead-letter queue");
    let told = told(&served, &last);
    for line in [
        format!("the message {id} has failed (attempt 1); it comes again in 0 s"),
        format!("the message {id} has failed (attempt 2); it comes again in 0 s"),
        last,
    ] {
        assert_eq!(told.matches(&line).count(), 1, "{line}\n{told}");
    }
    assert_eq!(told.matches("function 'work' failed: ").count(), 3, "{told}");
    let labels = "{trigger=\"work\",kind=\"sqs\",function=\"work\"}";
    eventually("it is counted", || {
        let metrics = served.get("/.trine/metrics").text().to_owned();
        let of = |name: &str| metric(&metrics, &format!("trine_trigger_{name}_total{labels}"));
        (of("failed") == 3.0 && of("dead_lettered") == 1.0 && of("succeeded") == 1.0).then_some(())
    });
}

#[test]
fn of_a_batch_only_what_the_result_names_comes_again() {
    let sqs = Sqs::start(&["orders", "dead"]);
    for body in ["good 1", "bad", "good 2"] {
        sqs.send("orders", body);
    }
    let more = "report-batch-item-failures = true\ndead-letter = \"dead\"\nmax-attempts = 2";
    let (folder, _served) = obedient(&sqs, more, &[]);
    sqs.empties("orders");
    eventually("it is in the dead-letter queue", || (sqs.left("dead") == ["bad"]).then_some(()));
    assert_eq!(noted(&folder), ["good 1", "bad", "good 2", "bad"]);
}

#[test]
fn without_being_asked_for_a_report_says_nothing() {
    let sqs = Sqs::start(&["orders"]);
    sqs.send("orders", "bad");
    let (folder, _served) = obedient(&sqs, "", &[]);
    sqs.empties("orders");
    assert_eq!(noted(&folder), ["bad"]);
}

#[test]
fn a_report_without_sense_fails_the_whole_batch_and_is_told() {
    let sqs = Sqs::start(&["orders", "dead"]);
    for body in ["good", "odd"] {
        sqs.send("orders", body);
    }
    let more = "report-batch-item-failures = true\ndead-letter = \"dead\"\nmax-attempts = 2";
    let (folder, served) = obedient(&sqs, more, &[]);
    sqs.empties("orders");
    assert_eq!(noted(&folder), ["good", "odd", "good", "odd"]);
    told(
        &served,
        "trigger 'work': the whole batch has failed, because 'batchItemFailures' is \"what?\", and no list",
    );
}

#[test]
fn a_group_keeps_its_order_when_one_of_it_has_failed() {
    let sqs = Sqs::start(&["orders.fifo", "dead.fifo"]);
    for (group, body) in [("x", "x1"), ("x", "bad x2"), ("y", "y1"), ("x", "x3")] {
        sqs.send_to("orders.fifo", group, body);
    }
    let folder = Folder::new(&[("work.lua", OBEDIENT)]);
    let file = trigger(
        &sqs,
        "function = \"work\"\nreport-batch-item-failures = true\ndead-letter = \"dead.fifo\"\nmax-attempts = 2",
    );
    folder.write("trine.toml", file.replace("\"orders\"", "\"orders.fifo\""));
    let served = Served::of(command(&folder, &[]));
    sqs.empties("orders.fifo");
    assert_eq!(sqs.left("dead.fifo"), ["bad x2"]);
    // The third of the group is not done before the second is.
    let noted = noted(&folder);
    assert_eq!(noted[..4], ["x1", "bad x2", "y1", "x3"]);
    assert_eq!(noted[4..6], ["bad x2", "x3"]);
    let sent = &sqs.asked("SendMessage")[0];
    assert_eq!(
        (&sent["MessageGroupId"], &sent["MessageDeduplicationId"]),
        (&json!("x"), &json!("m-2"))
    );
    told(&served, "the message m-4 has failed (attempt 1); another one of its group has");
}

#[test]
fn what_is_in_flight_at_the_end_is_finished_within_the_grace() {
    let sqs = Sqs::start(&["orders"]);
    sqs.send("orders", "wait");
    let (folder, served) = obedient(&sqs, "", &["--grace", "60s"]);
    eventually("it has begun", || (times(&folder, "wait") == 1).then_some(()));
    served.process.signal("TERM");
    eventually("it is asked to stop", || {
        served.process.stdout().contains("asked to stop").then_some(())
    });
    sqs.send("orders", "later");
    assert_eq!(served.process.wait(), Some(0));
    assert_eq!(sqs.left("orders"), ["later"]);
    assert_eq!(noted(&folder), ["wait"]);
}

#[test]
fn what_outlasts_the_grace_is_told_once_and_given_back_at_once() {
    let sqs = Sqs::start(&["orders"]);
    let id = sqs.send("orders", "slow");
    let (folder, served) = obedient(&sqs, "", &["--grace", "200ms", "--workers", "1"]);
    eventually("it has begun", || (times(&folder, "slow") == 1).then_some(()));
    served.process.signal("TERM");
    assert_eq!(served.process.wait(), Some(0));
    let line = format!(
        "trigger 'work': the message {id} was still in flight after 0.2 s of grace; it is left\n"
    );
    let told = told(&served, &line);
    assert_eq!(told.matches(&line).count(), 1, "{told}");
    assert_eq!(told.matches("in flight").count(), 1, "{told}");
    assert!(!told.contains("main thread"), "{told}");
    // Another process finds it without waiting for its time to be over.
    let given_back = sqs.asked("ChangeMessageVisibilityBatch").pop().unwrap();
    assert_eq!(given_back["Entries"][0]["VisibilityTimeout"], 0, "{given_back}");
    folder.write("work.lua", "return { handler = function() end }");
    let _served = Served::of(command(&folder, &[]));
    sqs.empties("orders");
    assert_eq!(sqs.messages("orders")[0].received, 2);
}

#[test]
fn nobody_else_gets_a_message_while_the_function_works_at_it() {
    let sqs = Sqs::start(&["orders"]);
    sqs.send("orders", "wait");
    let (folder, _served) = obedient(&sqs, "visibility-timeout = \"2s\"", &[]);
    sqs.empties("orders");
    assert_eq!(noted(&folder), ["wait"]);
    assert_eq!(sqs.messages("orders")[0].received, 1);
    let put_off = sqs.asked("ChangeMessageVisibilityBatch");
    assert!(!put_off.is_empty());
    assert_eq!(put_off[0]["Entries"][0]["VisibilityTimeout"], 2);
}

#[test]
fn a_service_that_goes_away_is_told_once_and_found_again() {
    let sqs = Sqs::start(&["orders"]);
    let (_folder, served) = obedient(&sqs, "", &["--metrics"]);
    sqs.send("orders", "before");
    sqs.empties("orders");
    sqs.goes_away(true);
    eventually("the server knows", || {
        let ready = served.get("/.trine/ready");
        assert_eq!(ready.status, 200);
        (ready.text() == "ready; not connected: work (sqs)").then_some(())
    });
    sqs.send("orders", "meanwhile");
    assert_eq!(served.get("/other").text(), "other");
    let metrics = served.get("/.trine/metrics").text().to_owned();
    assert_eq!(metric(&metrics, "trine_trigger_connected{"), 0.0);
    sqs.goes_away(false);
    sqs.empties("orders");
    eventually("the server knows", || {
        (served.get("/.trine/ready").text() == "ready").then_some(())
    });
    let line =
        "trigger 'work': the service of the queue orders cannot be reached (sqs:ReceiveMessage): ";
    let told = told(&served, line);
    assert_eq!(told.matches(line).count(), 1, "{told}");
    is_back(&served);
}

#[test]
fn what_is_deleted_in_vain_is_deleted_again() {
    let sqs = Sqs::start(&["orders"]);
    sqs.refuses("DeleteMessageBatch", "com.amazonaws.sqs#RequestThrottled", 2);
    sqs.send("orders", "good");
    let (folder, _served) = obedient(&sqs, "", &[]);
    sqs.empties("orders");
    assert_eq!(noted(&folder), ["good"]);
    assert!(sqs.asked("DeleteMessageBatch").len() > 2);
}

#[test]
fn a_queue_that_cannot_be_used_is_told_in_one_line_and_tried_again() {
    let sqs = Sqs::start(&[]);
    let (_folder, served) = obedient(&sqs, "", &[]);
    let line = "trigger 'work': the queue orders refuses sqs:GetQueueUrl: QueueDoesNotExist: The specified queue does not \
                exist.; look at its name, its account and its region\n";
    eventually("it is tried again", || (sqs.asked("GetQueueUrl").len() > 1).then_some(()));
    let text = told(&served, line);
    assert_eq!(text.matches(line).count(), 1, "{text}");
    assert_eq!(served.get("/other").text(), "other");
    assert_eq!(served.get("/.trine/ready").text(), "ready; not connected: work (sqs)");

    let sqs = Sqs::start(&["orders"]);
    sqs.refuses("ReceiveMessage", "com.amazonaws.sqs#AccessDeniedException", 3);
    sqs.send("orders", "good");
    let (_folder, served) = obedient(&sqs, "", &[]);
    sqs.empties("orders");
    let line = "the queue orders refuses sqs:ReceiveMessage: AccessDeniedException: not here, not now; allow it sqs:ReceiveMessage";
    let text = told(&served, line);
    assert_eq!(text.matches(line).count(), 1, "{text}");
}

#[test]
fn without_credentials_a_server_says_what_to_do() {
    let sqs = Sqs::start(&["orders"]);
    let folder = Folder::new(&[("work.lua", OBEDIENT)]);
    folder.write("trine.toml", trigger(&sqs, "function = \"work\""));
    let mut command = command(&folder, &[]);
    command.env_remove("AWS_ACCESS_KEY_ID").env("HOME", folder.task());
    let served = Served::of(command);
    told(&served, "trigger 'work': there are no credentials for AWS: set AWS_ACCESS_KEY_ID and ");
    served.process.signal("TERM");
    assert_eq!(served.process.wait(), Some(0));
}
