//! Functions with environments of their own: when environments are started, shared out and replaced. What runs in them is
//! a process that waits, and beside it a task of the test that plays its runtime.

use super::super::{Launch, Platform, PlatformOptions};
use super::*;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

const LIMIT: Duration = Duration::from_secs(20);
const QUEUED: &str = "X-Amz-Invocation-Type: Event\r\n";

fn path(function: &str) -> String {
    format!("/2015-03-31/functions/{function}/invocations")
}

/// A function whose environments are counted.
struct Played {
    starts: Arc<AtomicUsize>,
    launch: Launch,
}

impl Played {
    /// Makes a function whose process is this line of shell, and whose runtime answers every event with the number of
    /// its environment. A number as the event is the time in milliseconds that it takes; `null` is never answered.
    fn new(line: &'static str) -> Self {
        let starts = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&starts);
        let launch = Launch::new(move |emulator| {
            let number = count.fetch_add(1, Ordering::Relaxed) + 1;
            let emulator = emulator.clone();
            tokio::spawn(async move {
                let mut client = Client::new(&emulator).await;
                loop {
                    let event = client.next().await;
                    if event.status != 200 {
                        return;
                    }
                    match event.json().as_u64() {
                        Some(time) => tokio::time::sleep(Duration::from_millis(time)).await,
                        None if event.json().is_null() => return,
                        None => {}
                    }
                    client.respond(&event, &number.to_string()).await;
                }
            });
            let mut command = Command::new("sh");
            command.args(["-c", line]);
            Ok(command)
        });
        Self { starts, launch }
    }

    fn starts(&self) -> usize {
        self.starts.load(Ordering::Relaxed)
    }

    async fn platform(
        &self,
        concurrency: usize,
        set: impl FnOnce(&mut EmulatorOptions),
    ) -> Platform {
        let mut options = EmulatorOptions { timeout: LIMIT, ..EmulatorOptions::default() };
        set(&mut options);
        start(concurrency, vec![(options, self.launch.clone())]).await
    }
}

async fn start(concurrency: usize, functions: Vec<(EmulatorOptions, Launch)>) -> Platform {
    let address = ([127, 0, 0, 1], 0).into();
    Platform::start(PlatformOptions { address, concurrency, functions }).await.unwrap()
}

/// Invokes on a connection of its own.
fn call(platform: &Platform, headers: &'static str, body: &'static str) -> JoinHandle<Reply> {
    let address = platform.address();
    tokio::spawn(
        async move { Client::at(address).await.post(&path("function"), headers, body).await },
    )
}

#[tokio::test]
async fn environments_are_started_when_they_are_needed_up_to_the_limit() {
    let played = Played::new("sleep 600");
    let platform = played.platform(3, |_| {}).await;
    assert_eq!(played.starts(), 0);
    assert_eq!(call(&platform, "", "{}").await.unwrap().body, b"1");
    assert_eq!(call(&platform, "", "{}").await.unwrap().body, b"1");
    let busy: Vec<_> = (0..3).map(|_| call(&platform, "", "500")).collect();
    while played.starts() < 3 {
        short_wait().await;
    }
    short_wait().await;
    let beyond = call(&platform, "", "{}").await.unwrap();
    let told = (beyond.status, beyond.header("x-amzn-errortype"));
    assert_eq!(told, (429, "TooManyRequestsException"));
    assert_eq!(beyond.json()["Reason"], "ConcurrentInvocationLimitExceeded");
    // An asynchronous one waits for its turn.
    assert_eq!(call(&platform, QUEUED, "{}").await.unwrap().status, 202);
    let mut answers = Vec::new();
    for answer in busy {
        answers.push(answer.await.unwrap().body);
    }
    answers.sort();
    assert_eq!(answers, [b"1", b"2", b"3"]);
    assert_eq!(call(&platform, "", "{}").await.unwrap().status, 200);
    assert_eq!(played.starts(), 3);
    assert_eq!(platform.violations(), []);
    platform.shutdown().await;
}

#[tokio::test]
async fn functions_are_told_apart_by_their_names() {
    let (one, two) = (Played::new("sleep 600"), Played::new("sleep 600"));
    let named = |name: &str, played: &Played| {
        let function_name = name.to_owned();
        (EmulatorOptions { function_name, ..EmulatorOptions::default() }, played.launch.clone())
    };
    let platform = start(1, vec![named("one", &one), named("two", &two)]).await;
    let mut caller = Client::at(platform.address()).await;
    assert_eq!(caller.post(&path("two"), "", "{}").await.status, 200);
    assert_eq!((one.starts(), two.starts()), (0, 1));
    let arn = "arn%3Aaws%3Alambda%3Aus-east-1%3A012345678912%3Afunction%3Aone";
    assert_eq!(caller.post(&path(arn), "", "{}").await.status, 200);
    // The name for the only function means nothing where there are two.
    let unknown = caller.post(&path("function"), "", "{}").await;
    assert_eq!(
        (unknown.status, unknown.header("x-amzn-errortype")),
        (404, "ResourceNotFoundException")
    );
    let listed = caller.get("/2015-03-31/functions/").await.json();
    let names: Vec<_> =
        listed["Functions"].as_array().unwrap().iter().map(|f| &f["FunctionName"]).collect();
    assert_eq!(names, ["one", "two"]);
    for stray in ["/", "/favicon.ico", NEXT] {
        assert_eq!(caller.get(stray).await.status, 404, "{stray}");
    }
    assert_eq!(caller.get(&path("one")).await.header("allow"), "POST");
    platform.shutdown().await;
}

#[tokio::test]
async fn a_process_that_ends_fails_its_invocation_and_is_replaced() {
    let played = Played::new("sleep 0.3; exit 3");
    let platform = played.platform(1, |_| {}).await;
    let failed = call(&platform, "X-Amz-Log-Type: Tail\r\n", "null").await.unwrap();
    assert_eq!((failed.status, failed.header("x-amz-function-error")), (200, "Unhandled"));
    assert_eq!(failed.json()["errorType"], "Runtime.ExitError");
    let message = failed.json()["errorMessage"].as_str().unwrap().to_owned();
    assert!(message.ends_with("Runtime exited with error: exit status 3"), "{message}");
    let log = STANDARD.decode(failed.header("x-amz-log-result")).unwrap();
    let log = String::from_utf8(log).unwrap();
    assert!(log.contains("\tStatus: error\tError Type: Runtime.ExitError\t"), "{log}");
    let ended = platform.ended().await.unwrap();
    assert_eq!((ended.place, ended.status.code()), (0, Some(3)));
    assert!(ended.served && !ended.was_told);
    assert_eq!(call(&platform, "", "{}").await.unwrap().body, b"2");
    platform.shutdown().await;
}

#[tokio::test]
async fn a_process_whose_time_is_up_is_killed() {
    let played = Played::new("trap '' TERM; sleep 600");
    let platform = played.platform(1, |options| options.timeout = Duration::from_millis(200)).await;
    let late = call(&platform, "", "null").await.unwrap();
    assert_eq!(late.json()["errorType"], "Sandbox.Timedout");
    let ended = platform.ended().await.unwrap();
    assert!(ended.status.code().is_none() && ended.was_told, "{ended:?}");
    assert_eq!(call(&platform, "", "{}").await.unwrap().body, b"2");
    platform.shutdown().await;
}

#[tokio::test]
async fn what_cannot_be_started_is_told_to_its_caller() {
    let launch = Launch::new(|_| Ok(Command::new("/nowhere/bootstrap")));
    let options = EmulatorOptions::default();
    let platform = start(2, vec![(options, launch)]).await;
    assert!(platform.warm(0).await.is_err());
    for _ in 0..3 {
        let reply = call(&platform, "", "{}").await.unwrap();
        assert_eq!(reply.json()["errorType"], "Runtime.InvalidEntrypoint");
    }
    let dead = Played::new("exit 1");
    let launch = Launch::new(|_| {
        let mut command = Command::new("sh");
        command.args(["-c", "exit 1"]);
        Ok(command)
    });
    let platform = start(2, vec![(EmulatorOptions::default(), launch)]).await;
    let reply = call(&platform, "", "{}").await.unwrap();
    assert_eq!(reply.json()["errorType"], "Runtime.ExitError");
    assert!(!platform.ended().await.unwrap().served);
    drop(dead);
}

#[tokio::test]
async fn a_renewed_function_goes_on_in_new_environments() {
    let played = Played::new("sleep 600");
    let platform = played.platform(2, |_| {}).await;
    platform.warm(0).await.unwrap();
    platform.warm(0).await.unwrap();
    assert_eq!(played.starts(), 1);
    let busy = call(&platform, "", "400");
    short_wait().await;
    assert_eq!(call(&platform, "", "{}").await.unwrap().body, b"2");
    platform.renew(0);
    assert!(platform.ended().await.unwrap().was_told, "the idle one ends at once");
    assert_eq!(busy.await.unwrap().body, b"1", "the busy one is left to finish");
    assert!(platform.ended().await.unwrap().was_told);
    assert_eq!(call(&platform, "", "{}").await.unwrap().body, b"3");
    platform.shutdown().await;
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_its_environment_to_others() {
    let played = Played::new("sleep 600");
    let platform = played.platform(1, |_| {}).await;
    let gone = call(&platform, "", "200");
    short_wait().await;
    gone.abort();
    short_wait().await;
    assert_eq!(call(&platform, "", "{}").await.unwrap().status, 429);
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert_eq!(call(&platform, "", "{}").await.unwrap().body, b"1");
    platform.shutdown().await;
}

#[tokio::test]
async fn the_log_has_what_the_process_writes_between_the_platforms_lines() {
    let played = Played::new("echo starts; sleep 0.4; echo works; printf half; sleep 600");
    let platform = played.platform(1, |_| {}).await;
    let reply = call(&platform, "X-Amz-Log-Type: Tail\r\n", "900").await.unwrap();
    let log = STANDARD.decode(reply.header("x-amz-log-result")).unwrap();
    let log = String::from_utf8(log).unwrap();
    let id = reply.header("x-amzn-requestid");
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines[0], format!("START RequestId: {id} Version: $LATEST"));
    assert_eq!(
        &lines[lines.len() - 4..lines.len() - 1],
        ["works", "half", &format!("END RequestId: {id}")]
    );
    let report = lines[lines.len() - 1];
    assert!(
        report.contains("\tMax Memory Used: ") && report.contains("\tInit Duration: "),
        "{log}"
    );
    let again = call(&platform, "X-Amz-Log-Type: Tail\r\n", "{}").await.unwrap();
    let log = STANDARD.decode(again.header("x-amz-log-result")).unwrap();
    let log = String::from_utf8(log).unwrap();
    assert!(!log.contains("works") && !log.contains("Init Duration"), "{log}");
    platform.shutdown().await;
}
