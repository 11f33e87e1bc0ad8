//! What functions see of themselves when they run without Lambda: the context, and the environment that they share
//! with the processes they start.

use crate::support::{Folder, Lambda, PROBE_LANGUAGES, Served, run, trine};
use serde_json::{Value, json};
use std::process::Command;

/// Handlers that return what their language sees.
const FILES: [(&str, &str); 3] = [
    (
        "see.mjs",
        "\
import { execFileSync } from 'node:child_process';
export const handler = (event, context) => ({
  region: process.env.AWS_REGION,
  name: process.env.AWS_LAMBDA_FUNCTION_NAME,
  root: process.env.LAMBDA_TASK_ROOT,
  zone: process.env.TZ,
  handler: process.env._HANDLER ?? null,
  memory: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
  stream: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
  execution: process.env.AWS_EXECUTION_ENV,
  child: execFileSync('sh', ['-c', 'echo $AWS_DEFAULT_REGION $AWS_LAMBDA_FUNCTION_VERSION']).toString(),
  context: [context.functionName, context.functionVersion, context.memoryLimitInMB, context.invokedFunctionArn, context.logGroupName],
  sameStream: context.logStreamName === process.env.AWS_LAMBDA_LOG_STREAM_NAME,
  left: context.getRemainingTimeInMillis(),
});
",
    ),
    (
        "see.py",
        "\
import os
import subprocess


def handler(event, context):
    environ = os.environ
    child = ['sh', '-c', 'echo $AWS_DEFAULT_REGION $AWS_LAMBDA_FUNCTION_VERSION']
    return {
        'region': os.getenv('AWS_REGION'),
        'name': environ.get('AWS_LAMBDA_FUNCTION_NAME'),
        'root': environ.get('LAMBDA_TASK_ROOT'),
        'zone': environ.get('TZ'),
        'handler': environ.get('_HANDLER'),
        'memory': environ.get('AWS_LAMBDA_FUNCTION_MEMORY_SIZE'),
        'stream': environ.get('AWS_LAMBDA_LOG_STREAM_NAME'),
        'execution': environ.get('AWS_EXECUTION_ENV'),
        'child': subprocess.run(child, capture_output=True, text=True).stdout,
        'context': [context.function_name, context.function_version, context.memory_limit_in_mb, context.invoked_function_arn, context.log_group_name],
        'sameStream': context.log_stream_name == environ.get('AWS_LAMBDA_LOG_STREAM_NAME'),
        'left': context.get_remaining_time_in_millis(),
    }
",
    ),
    (
        "see.lua",
        "\
return {
  handler = function(event, context)
    local child = io.popen('echo $AWS_DEFAULT_REGION $AWS_LAMBDA_FUNCTION_VERSION')
    return {
      region = os.getenv('AWS_REGION'),
      name = os.getenv('AWS_LAMBDA_FUNCTION_NAME'),
      root = os.getenv('LAMBDA_TASK_ROOT'),
      zone = os.getenv('TZ'),
      handler = os.getenv('_HANDLER') or trine.null,
      memory = os.getenv('AWS_LAMBDA_FUNCTION_MEMORY_SIZE'),
      stream = os.getenv('AWS_LAMBDA_LOG_STREAM_NAME'),
      execution = os.getenv('AWS_EXECUTION_ENV'),
      child = child:read('a'),
      context = { context.function_name, context.function_version, context.memory_limit_in_mb, context.invoked_function_arn, context.log_group_name },
      sameStream = context.log_stream_name == os.getenv('AWS_LAMBDA_LOG_STREAM_NAME'),
      left = context.get_remaining_time_in_millis(),
    }
  end,
}
",
    ),
];

/// Checks the part of a handler's view that is the same everywhere.
#[track_caller]
fn check(seen: &Value, folder: &Folder, name: &str, own_name: &str) {
    assert_eq!(seen["region"], "us-east-1", "{seen}");
    assert_eq!(seen["name"], name, "{seen}");
    assert_eq!(seen["root"], folder.task().to_str().unwrap(), "{seen}");
    assert_eq!(seen["zone"], ":UTC", "{seen}");
    assert_eq!(seen["memory"], "128", "{seen}");
    assert!(seen["stream"].as_str().unwrap().contains("/[$LATEST]"), "{seen}");
    assert_eq!(seen["child"], "us-east-1 $LATEST\n", "{seen}");
    let arn = format!("arn:aws:lambda:us-east-1:012345678912:function:{own_name}");
    let group = format!("/aws/lambda/{name}");
    assert_eq!(seen["context"], json!([own_name, "$LATEST", "128", arn, group]), "{seen}");
    assert_eq!(seen["sameStream"], true, "{seen}");
}

#[track_caller]
fn printed(command: Command) -> Value {
    let finished = run(command);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    serde_json::from_str(&finished.stdout).unwrap()
}

#[test]
fn invoke_tells_what_lambda_would() {
    let folder = Folder::new(&FILES);
    for (file, _) in FILES {
        let seen = printed(trine(&folder, &["invoke", "--json", file]));
        check(&seen, &folder, "see", "see");
        assert_eq!(seen["handler"], "see.handler", "{file}");
        check_execution(&seen, file);
    }
}

#[test]
fn on_lambda_functions_see_what_those_of_its_own_runtimes_see() {
    let folder = Folder::new(&FILES);
    for (file, _) in FILES {
        for argument in [None, Some(file)] {
            // In a container the handler is an argument, and no variable names it.
            let lambda = started(&folder, argument, file);
            let seen = lambda.invoke(json!({}));
            assert_eq!(seen["handler"], file);
            check_execution(&seen, file);
        }
        let lambda = Lambda::with(&folder, |command| {
            command.env("_HANDLER", file).env("AWS_EXECUTION_ENV", "AWS_Lambda_Image");
        });
        assert_eq!(lambda.invoke(json!({}))["execution"], "AWS_Lambda_Image", "{file}");
    }
}

#[test]
fn programs_arguments_are_those_of_lambdas_own_runtimes() {
    for (file, source, expected) in [
        (
            "app.py",
            "import sys\n\
             def handler(event, context):\n    return sys.argv\n",
            json!(["/var/runtime/bootstrap.py"]),
        ),
        (
            "app.mjs",
            "export const handler = () => process.argv.slice(1);\n",
            json!(["/var/runtime/index.mjs"]),
        ),
    ] {
        let folder = Folder::new(&[(file, source)]);
        for argument in [None, Some("app.handler")] {
            let lambda = started(&folder, argument, "app.handler");
            assert_eq!(lambda.invoke(json!({})), expected, "{file}");
        }
    }
}

/// Starts a function whose handler is named by an argument of the command line, or else by the usual variable.
fn started(folder: &Folder, argument: Option<&str>, handler: &str) -> Lambda {
    Lambda::with(folder, |command| {
        if argument.is_none() {
            command.env("_HANDLER", handler);
        }
        command.args(argument);
    })
}

/// Checks the variable that names one of the platform's own runtimes.
#[track_caller]
fn check_execution(seen: &Value, file: &str) {
    let name = seen["execution"].as_str();
    let rest = |start: &str| name.and_then(|name| name.strip_prefix(start)).map(str::to_owned);
    if file.ends_with(".mjs") {
        let major = rest("AWS_Lambda_nodejs");
        assert!(major.is_some_and(|major| major.ends_with(".x")), "{seen}");
    } else if file.ends_with(".py") {
        assert!(rest("AWS_Lambda_python3.").is_some(), "{seen}");
    } else {
        assert!(matches!(name, None | Some("AWS_Lambda_provided.al2023")), "{seen}");
    }
}

#[test]
fn serve_tells_what_lambda_would_and_without_a_time_limit_the_longest_time() {
    let folder = Folder::new(&FILES);
    let served = Served::start(&folder, &["--workers", "2", "."]);
    for (path, name) in
        [("/see/js", "see/js"), ("/see/python", "see/python"), ("/see/lua", "see/lua")]
    {
        let seen = served.get(path).json();
        check(&seen, &folder, "task", name);
        // Several functions share the process, so that the environment names none of them.
        assert_eq!(seen["handler"], Value::Null, "{path}");
        assert_eq!(seen["execution"], "AWS_Lambda_provided.al2023", "{path}");
        assert_eq!(seen["left"], 900_000, "{path}");
    }
    for (file, _) in FILES {
        let served = Served::start(&folder, &["--workers", "1", file]);
        let seen = served.get("/").json();
        check(&seen, &folder, "see", "see");
        assert_eq!(seen["handler"], "see.handler", "{file}");
    }
}

#[test]
fn what_the_user_has_set_stays() {
    let folder = Folder::new(&FILES);
    for (file, _) in FILES {
        let set = |command: &mut Command| {
            command
                .env("AWS_DEFAULT_REGION", "eu-central-1")
                .env("AWS_LAMBDA_FUNCTION_NAME", "mine")
                .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
                .env("TZ", "Asia/Tokyo")
                .env("_HANDLER", "my.own");
        };
        let mut command = trine(&folder, &["invoke", "--json", file]);
        set(&mut command);
        let mut server = trine(&folder, &["serve", "--port", "0", "--workers", "1", file]);
        set(&mut server);
        for seen in [printed(command), Served::of(server).get("/").json()] {
            assert_eq!(seen["region"], "eu-central-1", "{seen}");
            assert_eq!(seen["zone"], "Asia/Tokyo", "{seen}");
            assert_eq!(seen["handler"], "my.own", "{seen}");
            assert_eq!(seen["memory"], "512", "{seen}");
            assert_eq!(seen["child"], "eu-central-1 $LATEST\n", "{seen}");
            let arn = "arn:aws:lambda:eu-central-1:012345678912:function:mine";
            let context = json!(["mine", "$LATEST", "512", arn, "/aws/lambda/mine"]);
            assert_eq!(seen["context"], context, "{seen}");
        }
    }
}

#[test]
fn a_timer_for_the_end_of_the_time_does_not_go_off_at_once() {
    // As middleware libraries set one: with infinite time it would go off after a millisecond.
    let folder = Folder::new(&[(
        "app.mjs",
        "\
export const handler = (event, context) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('early')), context.getRemainingTimeInMillis() - 5);
    setTimeout(() => { clearTimeout(timer); resolve('in time'); }, 50);
  });
",
    )]);
    let served = Served::start(&folder, &["--workers", "1", "app.mjs"]);
    assert_eq!(served.get("/").text(), "in time");
}

#[test]
fn the_memory_that_lambda_would_tell_limits_nobody_elsewhere() {
    let source = "export const handler = () => { const all = []; for (let n = 0; n < 6; n++) { all.push(new Array(1 << 22).fill(n)); } return all.length; };";
    let folder = Folder::new(&[("app.mjs", source)]);
    let mut command = trine(&folder, &["invoke", "--json", "app.mjs"]);
    command.env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128");
    assert_eq!(printed(command), 6);
}

#[test]
fn an_event_of_nothing_is_an_empty_object() {
    for language in PROBE_LANGUAGES {
        let folder = Folder::probe(language);
        for input in ["", " \n"] {
            let command = trine(&folder, &["invoke", "probe.handler", "--json", "--event", "-"]);
            let finished = crate::support::run_with_input(command, input.as_bytes());
            assert_eq!(finished.stdout, "{}\n", "{finished:?}");
        }
    }
}
