//! Files of Knative, Fn, Netlify and Vercel, and files of none of these kinds.

use crate::support::{Folder, environment, function, read, refused, routes, triggers};
use std::time::Duration;
use trine_template::{Inputs, Kind, Project};

#[test]
fn knative_has_one_function_with_variables() {
    let folder = Folder::with(&[(
        "func.yaml",
        "specVersion: 0.36.0
name: greeter
runtime: node
created: 2026-01-01T00:00:00Z
invoke: cloudevent
run:
  envs:
    - { name: A, value: plain }
    - { name: B, value: '{{ env:LOCAL }}' }
    - { name: C, value: '{{ env:NOT_THERE }}' }
    - { name: D, value: '{{ secret:shop:key }}' }
    - { value: '{{ configMap:all }}' }
",
    )]);
    let mut inputs = Inputs::default();
    inputs.environment.insert("LOCAL".into(), "here".into());
    let project = folder.read_with("func.yaml", &inputs).unwrap();
    assert_eq!(project.kind, Kind::Knative);
    let greeter = function(&project, "greeter");
    assert_eq!(greeter.handler, "index.handle");
    assert_eq!(environment(greeter), "A=plain B=here");
    assert_eq!(routes(greeter), ["ANY / cloudevents", "ANY /{proxy+} cloudevents"]);
    let notes = folder.notes(&project);
    assert_eq!(notes.len(), 4, "{notes:#?}");
    assert!(
        notes[1].contains(":10: the variable C of greeter: NOT_THERE is not set"),
        "{notes:#?}"
    );
    let old = read("func.yaml", "name: old\nruntime: python\nenvs:\n- name: X\n  value: y\n");
    assert_eq!((old.kind, environment(&old.functions[0]).as_str()), (Kind::Knative, "X=y"));
    assert_eq!(old.functions[0].handler, "func.main");
    let go = read("func.yaml", "specVersion: 0.36.0\nname: g\nruntime: go\n");
    assert!(go.functions[0].not_served.as_ref().unwrap().contains("Go"));
    let unknown = read("func.yaml", "specVersion: 0.36.0\nname: g\nruntime: cobol\n");
    assert!(unknown.functions[0].not_served.as_ref().unwrap().contains("not known"));
}

#[test]
fn fn_has_an_entry_point_configuration_and_triggers() {
    let project = read(
        "func.yaml",
        "schema_version: 20180708
name: hello
version: 0.0.1
runtime: python
entrypoint: /python/bin/fdk /function/func.py handler
memory: 256
config: { GREETING: hi, TIMES: 3 }
triggers:
- { name: hello, type: http, source: /hello }
",
    );
    assert_eq!(project.kind, Kind::Fn);
    let hello = function(&project, "hello");
    assert_eq!(hello.handler, "func.handler");
    assert_eq!((hello.timeout, hello.memory_mb), (Some(Duration::from_secs(30)), Some(256)));
    assert_eq!(environment(hello), "GREETING=hi TIMES=3");
    assert_eq!(routes(hello), ["ANY /hello raw"]);
    let node = read(
        "func.yaml",
        "schema_version: 20180708\nname: n\nruntime: node\nentrypoint: node func.js\n",
    );
    assert!(node.functions[0].not_served.as_ref().unwrap().contains("node func.js"));
    assert_eq!(routes(&node.functions[0]), ["ANY / raw", "ANY /{proxy+} raw"]);
    let toml = read("func.toml", "schema_version = 20180708\nname = \"t\"\nruntime = \"java\"\n");
    assert_eq!(toml.kind, Kind::Fn);
}

#[test]
fn netlify_has_a_folder_of_functions_and_rewrites() {
    let handler = "exports.handler = async () => ({ statusCode: 200 });";
    let folder = Folder::with(&[
        (
            "netlify.toml",
            r#"[build]
  publish = "dist"
  environment = { LEVEL = "debug" }

[functions]
  directory = "functions"

[functions.nightly]
  schedule = "@daily"

[[redirects]]
  from = "/api/*"
  to = "/.netlify/functions/:splat"
  status = 200

[[redirects]]
  from = "/users/:id"
  to = "/.netlify/functions/users"
  status = 200

[[redirects]]
  from = "/old"
  to = "/new"
"#,
        ),
        ("functions/users.js", handler),
        ("functions/nightly/index.ts", handler),
        ("functions/modern.mjs", "export default async (request) => new Response('x');"),
        ("functions/node_modules/x.js", handler),
        ("functions/deep/er/x.js", handler),
    ]);
    let project = folder.read("netlify.toml").unwrap();
    assert_eq!(project.kind, Kind::Netlify);
    let names: Vec<_> = project.functions.iter().map(|function| &*function.name).collect();
    assert_eq!(names, ["modern", "nightly", "users"]);
    let users = function(&project, "users");
    assert_eq!(
        (users.folder.clone(), &*users.handler),
        (folder.path("functions"), "users.handler")
    );
    assert_eq!(environment(users), "LEVEL=debug");
    assert_eq!(
        routes(users),
        [
            "ANY /.netlify/functions/users aws-v1",
            "ANY /.netlify/functions/users/{splat+} aws-v1",
            "ANY /api/users aws-v1",
            "ANY /api/users/{splat+} aws-v1",
            "ANY /users/{id} aws-v1"
        ]
    );
    assert_eq!(triggers(function(&project, "nightly")), "schedule");
    assert_eq!(function(&project, "nightly").handler, "nightly/index.handler");
    assert!(function(&project, "modern").not_served.is_some());
    let notes = folder.notes(&project);
    assert_eq!(notes.len(), 2, "{notes:#?}");
    assert!(notes[1].starts_with("netlify.toml:21: the redirect from /old"), "{notes:#?}");
}

#[test]
fn vercel_has_files_below_api_and_rewrites() {
    let folder = Folder::with(&[
        (
            "vercel.json",
            r#"{
  "functions": { "api/users/**": { "maxDuration": 30, "memory": 512 } },
  "rewrites": [
    { "source": "/u/:id", "destination": "/api/users/[id]" },
    { "source": "/all/:path*", "destination": "/api/all" },
    { "source": "/x(.*)", "destination": "/api/all" },
    { "source": "/y", "destination": "https://example.com" }
  ],
  "crons": [{ "path": "/api/all", "schedule": "0 5 * * *" }],
  "headers": []
}"#,
        ),
        ("api/all.py", ""),
        ("api/index.ts", ""),
        ("api/users/[id].js", ""),
        ("api/rest/[...path].js", ""),
        ("api/_lib.js", ""),
        ("api/types.d.ts", ""),
    ]);
    let project = folder.read("vercel.json").unwrap();
    assert_eq!(project.kind, Kind::Vercel);
    let of = |name: &str| {
        let function = function(&project, name);
        format!("{} {}", function.handler, routes(function).join(", "))
    };
    assert_eq!(
        of("api/all"),
        "api/all.py:handler ANY /api/all aws-v2, ANY /all aws-v2, ANY /all/{path+} aws-v2"
    );
    assert_eq!(of("api/index"), "api/index.ts:default ANY /api aws-v2");
    assert_eq!(
        of("api/users/[id]"),
        "api/users/[id].js:default ANY /api/users/{id} aws-v2, ANY /u/{id} aws-v2"
    );
    assert_eq!(
        of("api/rest/[...path]"),
        "api/rest/[...path].js:default ANY /api/rest/{path+} aws-v2"
    );
    assert_eq!(project.functions.len(), 4);
    let user = function(&project, "api/users/[id]");
    assert_eq!((user.timeout, user.memory_mb), (Some(Duration::from_secs(30)), Some(512)));
    assert_eq!(triggers(function(&project, "api/all")), "cron");
    let notes = folder.notes(&project);
    assert_eq!(notes.len(), 4, "{notes:#?}");
}

#[test]
fn a_file_of_no_kind_is_an_error_that_lists_what_is_read() {
    for (name, text, part) in [
        ("compose.yaml", "services: { a: { image: b } }\n", "its keys are services"),
        ("x.yaml", "- 1\n- 2\n", "this is a list and no project's file"),
        ("x.yaml", "just text\n", "this is a text and no project's file"),
        ("x.json", "{}", "its keys are nothing"),
        ("x.toml", "[package]\nname = \"x\"\n", "its keys are package"),
        (
            "service.yaml",
            "apiVersion: serving.knative.dev/v1\nkind: Service\n",
            "this is a Service of Kubernetes",
        ),
        ("serverless.ts", "export default {}", "a .ts file is a program"),
        ("x.yaml", "", "the file is empty"),
    ] {
        let message = refused(name, text);
        assert!(message.starts_with(name), "{message}");
        assert!(message.contains(part), "{name}: {message}");
        assert!(
            text.is_empty() || message.contains("serverless.yml (service and provider)"),
            "{message}"
        );
    }
}

#[test]
fn the_kind_is_judged_by_content_and_not_by_name() {
    let project =
        read("anything.conf", "service: s\nprovider: aws\nfunctions: { f: { handler: a.b } }\n");
    assert_eq!(project.kind, Kind::Serverless);
    let project = read("site", "[functions]\ndirectory = \"f\"\n");
    assert_eq!(project.kind, Kind::Netlify);
}

#[test]
fn a_folders_file_is_found_by_the_usual_names() {
    let folder = Folder::with(&[("netlify.toml", ""), ("template.yml", "")]);
    assert_eq!(Project::find(folder.0.path()), Some(folder.path("template.yml")));
    assert_eq!(Project::find(&folder.path("nowhere")), None);
}
