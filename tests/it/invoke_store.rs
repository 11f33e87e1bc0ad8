//! What is kept for one invocation: the package `@aws/lambda-invoke-store`, unmodified.

use crate::support::{Exchange, Folder, Lambda, Platform, Process, repository};
use serde_json::{Value, json};
use std::os::unix::fs::symlink;
use trine_emulator::Event;

/// Makes a folder with these files beside the packages of the tests.
fn folder(files: &[(&str, &str)]) -> Folder {
    let packages = repository().join("tests/it/frameworks/node_modules");
    let installed = packages.join(".vendored");
    assert!(installed.is_file(), "{} is not there: run `make setup`", installed.display());
    let folder = Folder::new(files);
    symlink(packages, folder.task().join("node_modules")).unwrap();
    folder
}

/// The ids of an invocation, as its headers have them.
fn event(number: usize) -> Event {
    Event {
        request_id: Some(format!("id-{number}")),
        trace_id: Some(format!("Root=1-{number}")),
        tenant_id: Some("tenant".to_owned()),
        ..Event::from(json!({"number": number}))
    }
}

/// Handlers that tell what each version of the package has found: of the versions up to 0.1 the store itself is exported,
/// later ones give it out.
const VERSIONS: [(&str, &str); 3] = [
    (
        "@aws/lambda-invoke-store",
        "import { InvokeStore, InvokeStoreBase } from '@aws/lambda-invoke-store';
         const keys = InvokeStoreBase.PROTECTED_KEYS;
         const open = () => InvokeStore.getInstanceAsync();",
    ),
    (
        "lambda-invoke-store-0.2",
        "import { InvokeStore, InvokeStoreBase } from 'lambda-invoke-store-0.2';
         const keys = InvokeStoreBase.PROTECTED_KEYS;
         const open = () => InvokeStore.getInstanceAsync();",
    ),
    (
        "lambda-invoke-store-0.1",
        "import { InvokeStore } from 'lambda-invoke-store-0.1';
         const keys = InvokeStore.PROTECTED_KEYS;
         const open = async () => InvokeStore;",
    ),
];

const TELL: &str = "
    export const handler = async (event) => {
      const store = await open();
      const before = store.get('own');
      store.set('own', event.number);
      await new Promise((resolve) => setTimeout(resolve, 1));
      return {
        ids: [store.getRequestId(), store.getXRayTraceId(), store.getTenantId()],
        own: [before, store.get('own')],
        byKey: [store.get(keys.REQUEST_ID), store.get(keys.X_RAY_TRACE_ID)],
        context: [store.hasContext(), store.getContext()[keys.REQUEST_ID], store.getContext().own],
        is: store === globalThis.awslambda.InvokeStore,
      };
    };";

#[test]
fn every_version_of_the_package_finds_the_invocation() {
    for (version, begin) in VERSIONS {
        let folder = folder(&[("app.mjs", &format!("{begin}{TELL}"))]);
        let lambda = Lambda::start(&folder, "app.handler");
        for number in [1, 2] {
            let id = format!("id-{number}");
            let trace = format!("Root=1-{number}");
            let expected = json!({
                "ids": [id, trace, "tenant"],
                "own": [null, number],
                "byKey": [id, trace],
                "context": [true, id, number],
                "is": true,
            });
            assert_eq!(lambda.invoke(event(number)), expected, "{version}");
        }
        lambda.emulator.assert_clean();
    }
}

#[test]
fn what_belongs_to_the_platform_cannot_be_set() {
    let (_, begin) = VERSIONS[0];
    let source = "
        export const handler = async () => {
          const store = await open();
          const refused = Object.values(keys).map((key) => {
            try { store.set(key, 'mine'); } catch (error) { return error.message; }
          });
          const inner = await store.run({ [keys.REQUEST_ID]: 'inner' }, async () => {
            await null;
            return [store.getRequestId(), store.getXRayTraceId() ?? null];
          });
          return { refused, inner, after: store.getRequestId() };
        };";
    let folder = folder(&[("app.mjs", &format!("{begin}{source}"))]);
    let lambda = Lambda::start(&folder, "app.handler");
    let answer = lambda.invoke(event(1));
    let refused = answer["refused"].as_array().unwrap();
    assert_eq!(refused.len(), 6, "{answer}");
    for message in refused {
        let message = message.as_str().unwrap();
        assert!(message.starts_with("Cannot modify protected Lambda context field"), "{answer}");
    }
    assert_eq!(answer["inner"], json!(["inner", null]));
    assert_eq!(answer["after"], "id-1");
}

#[test]
fn work_that_is_left_behind_keeps_its_own_invocation() {
    let (_, begin) = VERSIONS[0];
    let source = "
        let left;
        export const handler = async (event) => {
          const store = await open();
          if (event.number === 1) {
            store.set('own', 'first');
            left = new Promise((resolve) => {
              setTimeout(() => resolve([store.getRequestId(), store.get('own')]), 20);
            });
            return null;
          }
          return { left: await left, here: store.getRequestId() };
        };";
    let folder = folder(&[("app.mjs", &format!("{begin}{source}"))]);
    let lambda = Lambda::start(&folder, "app.handler");
    assert_eq!(lambda.invoke(event(1)), Value::Null);
    let expected = json!({"left": ["id-1", "first"], "here": "id-2"});
    assert_eq!(lambda.invoke(event(2)), expected);
}

#[test]
fn hooks_and_the_handler_of_an_invocation_share_it() {
    let (_, begin) = VERSIONS[0];
    let hooks = "
        export const before = async () => {
          const store = await open();
          store.set('before', [store.getRequestId(), store.getTenantId()]);
        };
        export const after = async (response) => {
          const store = await open();
          return { ...response, after: store.get('handler') };
        };";
    let handler = "
        export const handler = async () => {
          const store = await open();
          store.set('handler', 'set');
          return { before: store.get('before') };
        };";
    let folder = folder(&[
        ("app.mjs", &format!("{begin}{handler}")),
        ("middlewares/stores.mjs", &format!("{begin}{hooks}")),
    ]);
    let lambda = Lambda::with(&folder, |command| {
        command.env("_HANDLER", "app.handler").env("TRINE_MIDDLEWARES", "stores");
    });
    let expected = json!({"before": ["id-1", "tenant"], "after": "set"});
    assert_eq!(lambda.invoke(event(1)), expected);
}

#[test]
fn w3c_trace_contexts_are_there_for_who_asks() {
    let (_, begin) = VERSIONS[0];
    let source = "
        export const handler = async () => {
          const store = await open();
          return [store.getTraceparent() ?? null, store.getTracestate() ?? null, store.getBaggage() ?? null];
        };";
    let folder = folder(&[("app.mjs", &format!("{begin}{source}"))]);
    let lambda = Lambda::start(&folder, "app.handler");
    let with = Event {
        client_context: Some(json!({"w3c": {"traceparent": "00-1", "baggage": "a=b"}}).to_string()),
        ..event(1)
    };
    assert_eq!(lambda.invoke(with), json!(["00-1", null, "a=b"]));
    assert_eq!(lambda.invoke(event(2)), json!([null, null, null]));
}

#[test]
fn outside_of_invocations_a_store_is_empty_until_something_is_set() {
    let (_, begin) = VERSIONS[0];
    let source = "
        const store = await open();
        const outside = [store.hasContext(), store.getRequestId(), store.getContext() ?? null];
        let failure = null;
        try { store.set('early', 1); } catch (error) { failure = error.message; }
        const early = store.get('early') ?? null;
        export const handler = async () => [outside, early, failure, store.get('early') ?? null];";
    let folder = folder(&[("app.mjs", &format!("{begin}{source}"))]);
    let lambda = Lambda::start(&folder, "app.handler");
    assert_eq!(lambda.invoke(event(1)), json!([[false, "-", null], 1, null, null]));
}

#[test]
fn without_the_global_the_package_is_on_its_own() {
    let (_, begin) = VERSIONS[0];
    let source = "
        export const handler = async () => {
          const store = await open();
          return [typeof globalThis.awslambda, store.getRequestId()];
        };";
    let folder = folder(&[("app.mjs", &format!("{begin}{source}"))]);
    let lambda = Lambda::with(&folder, |command| {
        command.env("_HANDLER", "app.handler").env("AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA", "1");
    });
    assert_eq!(lambda.invoke(event(1)), json!(["undefined", "-"]));
}

const CONCURRENCY: usize = 4;

/// Starts a runtime with that many pollers, all of which have asked for an event.
fn side_by_side(folder: &Folder) -> (Platform, Process, Vec<Exchange>) {
    let (platform, process) = Platform::start(folder, "app.handler", |command| {
        command.env("AWS_LAMBDA_MAX_CONCURRENCY", CONCURRENCY.to_string());
    });
    let pollers = (0..CONCURRENCY).map(|_| platform.accept_next(&process)).collect();
    (platform, process, pollers)
}

#[test]
fn invocations_side_by_side_have_a_store_each() {
    // Each goes on when all of them have set something.
    let source = "
        import { readdirSync, writeFileSync } from 'node:fs';
        const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
        const early = await open();
        let refused;
        try { early.set('early', 1); } catch (error) { refused = error.message; }
        export const handler = async (event) => {
          const store = await open();
          store.set('own', event.number);
          writeFileSync(`${event.meeting}/${store.getRequestId()}`, '');
          const inTimer = new Promise((resolve) => {
            setTimeout(() => resolve([store.getRequestId(), store.get('own')]), 10);
          });
          while (readdirSync(event.meeting).length < event.count) await pause(5);
          return {
            ids: [store.getRequestId(), store.getXRayTraceId(), store.getTenantId()],
            own: store.get('own'),
            inTimer: await inTimer,
            inEnvironment: process.env._X_AMZN_TRACE_ID ?? null,
            outside: [refused, early === store],
          };
        };";
    for (version, begin) in VERSIONS {
        let folder = folder(&[("app.mjs", &format!("{begin}{source}"))]);
        let meeting = folder.task().join("meeting");
        std::fs::create_dir(&meeting).unwrap();
        let (_platform, process, mut pollers) = side_by_side(&folder);
        for (number, poller) in pollers.iter_mut().enumerate() {
            let headers = format!(
                "\r\nlambda-runtime-trace-id: Root=1-{number}\r\nlambda-runtime-aws-tenant-id: tenant-{number}"
            );
            let event = json!({"number": number, "count": CONCURRENCY, "meeting": meeting});
            poller.give(&format!("id-{number}"), &headers, &event);
        }
        for (number, poller) in pollers.iter_mut().enumerate() {
            let (line, body) = poller.request();
            assert!(line.contains(&format!("/id-{number}/response ")), "{version}: {line} {body}");
            let answer: Value = serde_json::from_str(&body).unwrap();
            let id = format!("id-{number}");
            let expected = json!({
                "ids": [id, format!("Root=1-{number}"), format!("tenant-{number}")],
                "own": number,
                "inTimer": [id, number],
                "inEnvironment": null,
                "outside": ["No context available", true],
            });
            assert_eq!(answer, expected, "{version}");
            poller.accepted();
            poller.expect_next();
        }
        process.signal("TERM");
        assert_eq!(process.wait(), Some(0), "{process:?}");
    }
}
