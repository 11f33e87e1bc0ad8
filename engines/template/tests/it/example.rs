//! The example beside the handlers.

use crate::support::{environment, function, routes, triggers};
use std::path::Path;
use trine_template::{Inputs, Project};

#[test]
fn the_example_is_read() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = repository.join("handlers-examples/template/template.yaml");
    let project = Project::read_with(&path, &Inputs::default()).unwrap();
    let items = function(&project, "Items");
    assert!(items.folder.join("items.mjs").is_file(), "{items:?}");
    assert_eq!(routes(items), ["GET /items/{id} aws-v2"]);
    assert_eq!(environment(items), "STAGE=dev LEVEL=debug TABLE=Table");
    let greetings = function(&project, "Greetings");
    assert!(greetings.folder.join("greetings.py").is_file());
    assert_eq!(routes(greetings), ["GET /greetings aws-v1"]);
    assert_eq!(triggers(greetings), "Schedule");
    assert_eq!(project.not_understood.len(), 1);
}
