//! Instances that replace others.

use crate::harness::{Case, Folder, Guest, block_on, invocation, text};
use std::rc::Rc;
use trine_engine::{Engine, Form, FunctionId, Instance, Module, Payload, Wanted};

const APP: &str = "\
import base64, helper
n = []
def handler(event):
    import late, helper as again
    n.append(event)
    helper.n.append(event)
    late.n.append(event)
    return [n, helper.n, late.n, helper is again, base64.__name__]
";

fn load(instance: &Rc<dyn Instance>, folder: &Folder) -> FunctionId {
    let module = Module::new(
        folder.path(),
        folder.path().join("app.py"),
        "app",
        Wanted::Handler("handler".into()),
    );
    block_on(instance.load(&module)).unwrap().functions[0].1
}

fn call(instance: &Rc<dyn Instance>, function: FunctionId, event: &str) -> String {
    let input = Payload::json(event.to_owned());
    text(block_on(instance.call(function, input, Form::Json, &Rc::new(invocation()))).unwrap())
}

#[test]
fn globals_of_a_retired_instance_are_not_visible_in_the_next_and_it_goes_on_working() {
    let case = Case::new(&[("app.py", APP), ("helper.py", "n = []\n"), ("late.py", "n = []\n")]);
    let old = &case.instance;
    let old_handler = load(old, &case.folder);
    assert_eq!(call(old, old_handler, "1"), "[[1], [1], [1], true, \"base64\"]");
    old.retire();
    let new = trine_python::engine().start(&case.environment).unwrap();
    let new_handler = load(&new, &case.folder);
    assert_eq!(call(&new, new_handler, "2"), "[[2], [2], [2], true, \"base64\"]");
    // Both import late, each its own modules.
    assert_eq!(call(old, old_handler, "3"), "[[1, 3], [1, 3], [1, 3], true, \"base64\"]");
    assert_eq!(call(&new, new_handler, "4"), "[[2, 4], [2, 4], [2, 4], true, \"base64\"]");
    old.shutdown();
    assert_eq!(call(&new, new_handler, "5"), "[[2, 4, 5], [2, 4, 5], [2, 4, 5], true, \"base64\"]");
    // Loaded again in the same instance, it is the same module.
    let again = load(&new, &case.folder);
    assert_eq!(call(&new, again, "6").split(']').next().unwrap(), "[[2, 4, 5, 6");
}

#[test]
fn modules_of_the_standard_library_stay() {
    let source = "import base64\ndef handler(event):\n    import colorsys\n    return [id(base64), id(colorsys)]\n";
    let case = Case::new(&[("app.py", source)]);
    let before = call(&case.instance, load(&case.instance, &case.folder), "1");
    case.instance.retire();
    let new = trine_python::engine().start(&case.environment).unwrap();
    assert_eq!(call(&new, load(&new, &case.folder), "1"), before);
}

#[test]
fn middlewares_are_new_too() {
    let case =
        Case::new(&[("count.py", "n = []\ndef before(event):\n    n.append(1)\n    return n\n")]);
    let path = case.folder.path().join("count.py");
    let count = |case: &Case| {
        let before = case.load_file(&path, Wanted::Hooks).unwrap().functions[0].1;
        text(case.run(before, Payload::json("1"), Form::Json).unwrap())
    };
    assert_eq!((count(&case).as_str(), count(&case).as_str()), ("[1]", "[1, 1]"));
    case.instance.retire();
    let instance = trine_python::engine().start(&case.environment).unwrap();
    let new = Case(Guest {
        folder: Folder::new(&[]),
        log: case.log.clone(),
        instance,
        environment: case.environment.clone(),
    });
    let module = Module::new(case.folder.path(), path.clone(), "count", Wanted::Hooks);
    let before = block_on(new.instance.load(&module)).unwrap().functions[0].1;
    assert_eq!(text(new.run(before, Payload::json("1"), Form::Json).unwrap()), "[1]");
}
