//! `TRINE_CLOUDEVENTS`: functions get events of AWS's services as CloudEvents, one for each record.

use crate::support::{
    Folder, LANGUAGES, Lambda, Language, eventually, in_each_language, run, trine,
};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use trine_emulator::Event;

/// A handler that logs what it was given, fails where the data ask for it, and counts the calls of its invocation.
fn folder(language: Language) -> Folder {
    let source = match language.extension {
        "py" => {
            "def handler(event, context):
    context.state['calls'] = context.state.get('calls', 0) + 1
    print('given', event.get('type') or event.get('eventType'), event['source'], event['data'], context.state['calls'])
    if event['data'] == 'fail':
        raise ValueError('as asked')
    return event
"
        }
        "lua" => {
            "local function handler(event, context)
  context.state.calls = (context.state.calls or 0) + 1
  print('given', event.type or event.eventType, event.source, event.data, context.state.calls)
  if event.data == 'fail' then error('as asked') end
  return event
end
return { handler = handler }
"
        }
        "cjs" => {
            "exports.handler = async (event, context) => {
  context.state.calls = (context.state.calls ?? 0) + 1;
  console.log('given', event.type ?? event.eventType, event.source, event.data, context.state.calls);
  if (event.data === 'fail') throw new RangeError('as asked');
  return event;
};
"
        }
        _ => {
            "export const handler = async (event, context) => {
  context.state.calls = (context.state.calls ?? 0) + 1;
  console.log('given', event.type ?? event.eventType, event.source, event.data, context.state.calls);
  if (event.data === 'fail') throw new RangeError('as asked');
  return event;
};
"
        }
    };
    Folder::new(&[(&format!("app.{}", language.extension), source)])
}

fn start(folder: &Folder, form: &str) -> Lambda {
    Lambda::with(folder, |command| {
        command.env("_HANDLER", "app.handler").env("TRINE_CLOUDEVENTS", form);
    })
}

fn messages(queue: &str, bodies: &[&str]) -> Value {
    let record = |(at, body): (usize, &&str)| {
        json!({
            "messageId": format!("m{at}"), "body": body, "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:eu-west-1:1:{queue}"),
        })
    };
    json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()})
}

fn failed(ids: &[&str]) -> Value {
    json!({"batchItemFailures": ids.iter().map(|id| json!({"itemIdentifier": id})).collect::<Vec<_>>()})
}

/// Waits until the handler has been called as often as this, and says so where it was called more often.
#[track_caller]
fn expect_calls(lambda: &Lambda, count: usize) {
    let calls = || lambda.process.stdout().matches("given").count();
    eventually("the handler has been called", || (calls() >= count).then_some(()));
    assert_eq!(calls(), count);
}

in_each_language! {
    each_record_is_a_call_and_the_platform_is_told_which_have_failed(language) {
        let folder = folder(language);
        let lambda = start(&folder, "1.0");
        assert_eq!(lambda.invoke(messages("q", &["one", "two"])), failed(&[]));
        assert_eq!(lambda.invoke(messages("q", &["one", "fail", "three"])), failed(&["m1"]));
        expect_calls(&lambda, 5);
        let log = lambda.logged("a record failed");
        assert!(log.contains("as asked"), "{log}");
        // What one record's call has kept is none of another's affair.
        let log = lambda.process.stdout();
        assert!(log.lines().filter(|line| line.contains("given")).all(|line| line.trim_end().ends_with('1')), "{log}");
        let (_, error) = lambda.fail(messages("q", &["fail", "fail"]));
        assert!(error.to_string().contains("as asked"), "{error}");
        expect_calls(&lambda, 7);
        // Those that follow in a queue with an order wait for the one that has failed.
        assert_eq!(
            lambda.invoke(messages("q.fifo", &["one", "fail", "three", "four"])),
            failed(&["m1", "m2", "m3"])
        );
        expect_calls(&lambda, 9);
        lambda.emulator.assert_clean();
    }

    other_events_are_one_call_or_stay_as_they_are(language) {
        let folder = folder(language);
        let lambda = start(&folder, "legacy");
        let request = json!({
            "httpMethod": "GET", "requestContext": {"requestId": "r", "apiId": "a", "path": "/p"},
        });
        let event = lambda.invoke(request.clone());
        assert_eq!(event["eventType"], "aws.apigateway.http");
        assert_eq!(event["eventID"], "r");
        assert_eq!(event["data"], request);
        let other = json!({"source": "s", "data": {"a": [1]}});
        assert_eq!(lambda.invoke(other.clone()), other);
        let topic = json!({"Records": [
            {"EventSource": "aws:sns", "Sns": {"MessageId": "n", "TopicArn": "arn:t", "Message": "text"}},
        ]});
        assert_eq!(lambda.invoke(topic), Value::Null);
        lambda.emulator.assert_clean();
    }
}

#[test]
fn a_stream_of_changes_stops_at_the_first_that_fails() {
    let source = "
export const handler = (event) => {
  console.log('given', event.data.Keys);
  if (event.data.Keys === 'fail') throw new Error('as asked');
};
";
    let folder = Folder::new(&[("app.mjs", source)]);
    let lambda = start(&folder, "1.0");
    let change = |number: usize, keys: &str| {
        json!({
            "eventSource": "aws:dynamodb", "eventName": "MODIFY", "eventSourceARN": "arn:t",
            "dynamodb": {"SequenceNumber": number.to_string(), "Keys": keys},
        })
    };
    let changes = [change(1, "a"), change(2, "fail"), change(3, "c")];
    assert_eq!(lambda.invoke(json!({"Records": changes})), failed(&["2"]));
    expect_calls(&lambda, 2);
}

#[test]
fn hooks_run_around_each_record_and_streams_are_read_to_their_ends() {
    let source = "
export async function* handler(event) {
  yield 'x'.repeat(1 << 20);
  yield event.data;
  console.log('given', event.data);
}
";
    let hook = "export const before = (event) => ({ ...event, data: event.data + '!' });\n";
    let folder = Folder::new(&[("app.mjs", source), ("middlewares/shout.mjs", hook)]);
    let lambda = Lambda::with(&folder, |command| {
        command
            .env("_HANDLER", "app.handler")
            .env("TRINE_CLOUDEVENTS", "1.0")
            .env("TRINE_MIDDLEWARES", "shout");
    });
    assert_eq!(lambda.invoke(messages("q", &["one", "two"])), failed(&[]));
    eventually("both streams are read", || {
        let log = lambda.process.stdout();
        (log.contains("given one!") && log.contains("given two!")).then_some(())
    });
}

#[test]
fn a_record_that_takes_too_long_fails_the_event() {
    let source = "
export const handler = (event) => event.data === 'wait' ? new Promise(() => setInterval(() => {}, 1000)) : event;
";
    let folder = Folder::new(&[("app.mjs", source)]);
    let lambda = start(&folder, "1.0");
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    let deadline = ("lambda-runtime-deadline-ms".to_owned(), (now + 800).to_string());
    let late = messages("q", &["one", "wait", "three"]);
    let (_, error) = lambda.fail(Event { headers: vec![deadline], ..late.into() });
    assert!(error.to_string().contains("imed out"), "{error}");
    assert_eq!(lambda.invoke(messages("q", &["one"])), failed(&[]));
}

#[test]
fn invoke_converts_as_well_and_a_form_that_there_is_none_of_is_told() {
    let folder = folder(LANGUAGES[0]);
    let event = messages("q", &["one", "fail"]).to_string();
    let invoke = |form: &str| {
        let mut command = trine(&folder, &["invoke", "app.handler", "--event", &event]);
        command.env("TRINE_CLOUDEVENTS", form);
        run(command)
    };
    let converted = invoke("1.0");
    assert_eq!(converted.code, Some(0), "{converted:?}");
    assert_eq!(serde_json::from_str::<Value>(&converted.stdout).unwrap(), failed(&["m1"]));
    let refused = invoke("0.3");
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let message = "the environment variable TRINE_CLOUDEVENTS is \"0.3\": use 1.0 or legacy";
    assert!(refused.stderr.contains(message), "{refused:?}");
}
