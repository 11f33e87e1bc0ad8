//! Files of the Serverless Framework for Scaleway.

use crate::support::{Folder, environment, function, routes, triggers};
use std::time::Duration;
use trine_template::{Inputs, Kind};

#[test]
fn functions_have_addresses_variables_and_secrets() {
    let folder = Folder::with(&[(
        "serverless.yml",
        "service: greetings
configValidationMode: off
provider:
  name: scaleway
  runtime: python311
  env: { SHARED: '1' }
plugins: [serverless-scaleway-functions]
functions:
  hello:
    handler: handler.handle
    env: { OWN: x }
    secret: { TOKEN: '${env:TOKEN}', KEY: '${env:NOT_THERE}' }
    minScale: 0
    maxScale: 2
    memoryLimit: 256
    timeout: 20s
    privacy: private
    events:
      - schedule: { rate: '5 * * * *' }
  bye:
    handler: src/bye.handle
    runtime: node22
  go: { handler: Handle, runtime: go122 }
custom:
  containers:
    web: { directory: web }
",
    )]);
    let mut inputs = Inputs::default();
    inputs.environment.insert("TOKEN".into(), "t".into());
    let project = folder.read_with("serverless.yml", &inputs).unwrap();
    assert_eq!(project.kind, Kind::Scaleway);
    let hello = function(&project, "hello");
    assert_eq!(hello.folder, folder.0.path());
    assert_eq!(environment(hello), "SHARED=1 OWN=x TOKEN=t");
    assert_eq!((hello.timeout, hello.memory_mb), (Some(Duration::from_secs(20)), Some(256)));
    assert_eq!(
        routes(hello),
        ["ANY /hello scaleway at /hello", "ANY /hello/{proxy+} scaleway at /hello"]
    );
    assert_eq!(triggers(hello), "schedule");
    assert_eq!(function(&project, "bye").handler, "src/bye.handle");
    assert!(function(&project, "go").not_served.is_some());
    let notes = folder.notes(&project);
    for part in [
        ":9: minScale, maxScale of hello: one server",
        ":12: the secret KEY: it has no value: set KEY in the environment",
        ":17: privacy of hello",
        ":23: the function go: its runtime go122 is Go",
        ":26: the container web",
    ] {
        assert!(notes.iter().any(|note| note.contains(part)), "{part} {notes:#?}");
    }
    assert!(!notes.iter().any(|note| note.contains("TOKEN")), "{notes:#?}");
}
