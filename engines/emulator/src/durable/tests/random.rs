//! What holds whatever a function, its callers and the clock do. The cases are the same in every run; `PROPTEST_CASES` tries
//! that many new ones.

use super::{
    super::{
        events::Word,
        operation::{Operation, Status, Timestamps},
    },
    *,
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::select,
    test_runner::{Config, RngSeed, TestRunner},
};
use std::{collections::HashMap, env};

/// Something that happens.
#[derive(Debug, Clone)]
enum Move {
    Checkpoint { is_stale: bool, updates: Vec<Value> },
    Pass(u64),
    Answer(Value),
    Fail,
    Callback { operation: usize, word: Word },
    CallEnded { id: String, status: Status },
    Stop,
}

fn id() -> impl Strategy<Value = String> {
    select(vec!["a", "b", "c", "d", "e"]).prop_map(str::to_owned)
}

fn an_update() -> impl Strategy<Value = Value> {
    let kinds = vec![
        "STEP",
        "STEP",
        "CONTEXT",
        "CONTEXT",
        "WAIT",
        "CALLBACK",
        "CHAINED_INVOKE",
        "EXECUTION",
    ];
    let actions = vec!["START", "START", "START", "SUCCEED", "FAIL", "RETRY", "CANCEL"];
    let parent = prop::option::weighted(0.3, id());
    (id(), select(kinds), select(actions), parent, 1..9_u64, any::<bool>()).prop_map(
        |(id, kind, action, parent, seconds, flag)| {
            // The type of most operations follows from their ids, so that updates meet.
            let kind = match (id.as_str(), flag) {
                ("a", true) => "STEP",
                ("b", true) => "CONTEXT",
                ("c", true) => "WAIT",
                _ => kind,
            };
            let mut more = json!({
                "WaitOptions": {"WaitSeconds": seconds},
                "StepOptions": {"NextAttemptDelaySeconds": seconds},
                "ContextOptions": {"ReplayChildren": flag},
                "CallbackOptions": {"TimeoutSeconds": seconds * 3, "HeartbeatTimeoutSeconds": seconds},
                "ChainedInvokeOptions": {"FunctionName": if flag { "other" } else { "nobody" }},
            });
            if let Some(parent) = parent {
                more["ParentId"] = json!(parent);
            }
            match action {
                "SUCCEED" => more["Payload"] = json!(seconds.to_string()),
                "FAIL" | "RETRY" => more["Error"] = json!({"ErrorMessage": "m"}),
                _ => {}
            }
            update(&id, kind, action, &more)
        },
    )
}

fn a_move() -> impl Strategy<Value = Move> {
    let checkpoint = (prop::bool::weighted(0.1), vec(an_update(), 0..4))
        .prop_map(|(is_stale, updates)| Move::Checkpoint { is_stale, updates });
    let answers = vec![
        pending(),
        pending(),
        pending(),
        pending(),
        json!({"Status": "SUCCEEDED", "Result": "1"}),
        json!({"Status": "FAILED", "Error": {"ErrorMessage": "m"}}),
        json!([]),
    ];
    let words = vec![
        Word::Success(Some("1".to_owned())),
        Word::Failure(ErrorObject::of_message("m")),
        Word::Heartbeat,
    ];
    let callback = (0..8_usize, select(words))
        .prop_map(|(operation, word)| Move::Callback { operation, word });
    let outcomes = vec![Status::Succeeded, Status::Failed, Status::TimedOut, Status::Stopped];
    let call = (id(), select(outcomes)).prop_map(|(id, status)| Move::CallEnded { id, status });
    prop_oneof![
        10 => checkpoint,
        4 => (0..12_u64).prop_map(Move::Pass),
        4 => select(answers).prop_map(Move::Answer),
        1 => Just(Move::Fail),
        2 => callback,
        2 => call,
        1 => prop::bool::weighted(0.1).prop_map(|stops| if stops { Move::Stop } else { Move::Pass(1) }),
    ]
}

/// A walk, and what must stay as it is.
struct Walk {
    played: Played,
    is_invoked: bool,
    /// The operations as the function knows them.
    known: HashMap<String, Value>,
    settled: HashMap<String, Operation>,
    end: Option<(&'static str, Value)>,
}

impl Walk {
    fn new() -> Self {
        let played = Played::with(|start| start.timeout = 100 * SECOND);
        let (known, settled) = (HashMap::new(), HashMap::new());
        Self { played, is_invoked: false, known, settled, end: None }
    }

    fn make(&mut self, one: Move) {
        let now = self.played.now;
        match one {
            Move::Checkpoint { is_stale, updates } => self.checkpoint(is_stale, updates),
            Move::Pass(seconds) => self.played.pass(u32::try_from(seconds).unwrap() * SECOND),
            Move::Answer(answer) => {
                self.played.answer(answer);
                self.is_invoked = false;
            }
            Move::Fail => {
                self.played.fail();
                self.is_invoked = false;
            }
            Move::Callback { operation, word } => {
                let id = self.played.execution.operations.get(operation).and_then(|operation| {
                    let details = operation.json(Timestamps::Seconds);
                    Some(details["CallbackDetails"]["CallbackId"].as_str()?.to_owned())
                });
                let _ = self.played.execution.answer(&id.unwrap_or_default(), word, now);
            }
            Move::CallEnded { id, status } => {
                let outcome = match status {
                    Status::Succeeded => Ok(None),
                    _ => Err(ErrorObject::default()),
                };
                self.played.execution.call_ended(&id, status, outcome, now);
            }
            Move::Stop => {
                self.played.execution.stop(None, now);
            }
        }
        self.look();
    }

    fn checkpoint(&mut self, is_stale: bool, updates: Vec<Value>) {
        let token = self.played.token.clone();
        if is_stale {
            self.played.token = "0".repeat(56);
        }
        let now = self.played.now;
        self.played.execution.pass_time(now);
        let before = self.played.execution.operations.clone();
        let may = self.is_invoked && !is_stale && self.played.execution.end.is_none();
        let done = self.played.try_checkpoint(Value::Array(updates));
        let after = &self.played.execution.operations;
        match &done {
            Err(_) => assert_eq!(*after, before),
            Ok(done) => {
                assert!(may, "a token is good while an invocation is under way");
                let told = done.answer["NewExecutionState"]["Operations"].as_array().unwrap();
                for operation in told {
                    self.known
                        .insert(operation["Id"].as_str().unwrap().to_owned(), operation.clone());
                }
                assert_eq!(self.known, all(&self.played), "the function knows how things are");
            }
        }
        if done.is_err() {
            self.played.token = token;
        }
    }

    /// Has the execution go on, and looks at it.
    fn look(&mut self) {
        let now = self.played.now;
        let next = self.played.execution.advance(now);
        if let Some(event) = next.invoke {
            assert!(!self.is_invoked && self.end.is_none(), "one invocation at a time");
            self.is_invoked = true;
            let event: Value = serde_json::from_slice(&event).unwrap();
            self.played.token = event["CheckpointToken"].as_str().unwrap().to_owned();
            // What its event leaves out it does not need.
            self.known = all(&self.played);
        }
        let end = self.played.end();
        if self.end.is_some() {
            assert_eq!(end, self.end, "it ends once");
        }
        match &end {
            Some(_) => assert_eq!(next.is_over, !self.is_invoked),
            None => assert!(next.wake_at.unwrap() > now, "nothing that is due is left"),
        }
        self.end = end;
        for operation in &self.played.execution.operations {
            if operation.status.is_final() {
                let id = operation.id.clone();
                let known = self.settled.entry(id).or_insert_with(|| operation.clone());
                assert_eq!(known, operation, "what has ended stays as it is");
            }
        }
    }

    /// Has the function come to an end.
    fn finish(mut self) {
        for _ in 0..20 {
            self.look();
            if self.end.is_some() && !self.is_invoked {
                break;
            }
            match self.is_invoked {
                true => self.make(Move::Answer(json!({"Status": "SUCCEEDED"}))),
                false => self.played.pass(10 * SECOND),
            }
        }
        assert!(self.end.is_some() && !self.is_invoked);
        let events = self.played.events();
        let ends =
            ["ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionStopped"];
        let count = events.iter().filter(|event| ends.contains(&event.as_str())).count();
        assert_eq!(count, 1, "{events:?}");
    }
}

fn all(played: &Played) -> HashMap<String, Value> {
    let operations = played.execution.operations.iter();
    let read =
        operations.map(|operation| (operation.id.clone(), operation.json(Timestamps::Seconds)));
    read.collect()
}

#[test]
fn an_execution_ends_once_and_forgets_nothing_whatever_happens() {
    let mut config = Config { failure_persistence: None, ..Config::default() };
    if env::var_os("PROPTEST_CASES").is_none() {
        (config.cases, config.rng_seed) = (300, RngSeed::Fixed(2026));
    }
    let walked = TestRunner::new(config).run(&vec(a_move(), 0..60), |moves| {
        let mut walk = Walk::new();
        walk.look();
        for one in moves {
            walk.make(one);
        }
        walk.finish();
        Ok(())
    });
    if let Err(failure) = walked {
        panic!("{failure}");
    }
}
