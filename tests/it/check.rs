//! `trine check` and `trine schema`.

use crate::support::{Finished, Folder, repository, run, trine};
use serde_json::{Value, json};

fn check(folder: &Folder, arguments: &[&str]) -> Finished {
    run(trine(folder, &[&["check"], arguments].concat()))
}

fn whole() -> Folder {
    Folder::new(&[
        ("pets.mjs", "export const handler = () => 1;"),
        ("shop/handler.py", "def handler(event, context):\n    pass\n"),
        ("tick.lua", "return { handler = print }"),
        ("middlewares/check.py", "def before(event, context):\n    pass\n"),
        ("public/index.html", ""),
        (
            "trine.toml",
            "[[route]]\nmethod = [\"GET\", \"POST\"]\npath = \"/zoo/{id}\"\nfunction = \"pets\"\n\
             [[function]]\nname = \"shop\"\nmiddlewares = [\"check\"]\nenv = { A = \"1\" }\n\
             [[static]]\npath = \"/assets\"\nfolder = \"public\"\n\
             [[trigger]]\nkind = \"cron\"\ncron = \"@daily\"\nfunction = \"tick\"\n",
        ),
    ])
}

#[test]
fn a_folder_that_is_right_is_said_to_be() {
    let folder = whole();
    let finished = check(&folder, &[]);
    let told = "Nothing is wrong with 3 functions, 5 routes, 1 folder of files and 1 trigger.\n";
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(0), told), "{finished:?}");
    let finished = check(&folder, &["--json", "."]);
    let told: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(
        (finished.code, told),
        (Some(0), json!({"ok": true, "findings": [], "passedOver": []}))
    );
}

#[test]
fn everything_that_is_wrong_is_one_line_with_its_place() {
    let folder = whole();
    folder.write("pets.mjs", "export const handle = () => {\n  return )\n};\n");
    folder.write("lost.py", "def other(event, context):\n    pass\n");
    folder.write("tick.lua", "return { handler = print \n");
    folder.write("middlewares/check.py", "def befor(event, context):\n    pass\n");
    folder.write(
        "trine.toml",
        "[[route]]\npath = \"/zoo/:id\"\nfunction = \"pets\"\n\
         [[route]]\npath = \"/a\"\nfunction = \"pest\"\n\
         [[function]]\nname = \"shop\"\nmiddlewares = [\"check\"]\n\
         [[function]]\nname = \"tick\"\nmiddlewares = [\"chek\"]\ntimeuot = 1\n\
         [[route]]\npath = \"/lost\"\nhandler = \"lost.py:get\"\n",
    );
    let finished = check(&folder, &[]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let lines: Vec<&str> = finished.stdout.lines().collect();
    for begin in [
        "pets.mjs:2:",
        "lost.py: the file exports no function 'get'",
        "tick.lua:",
        "middlewares/check.py: the file has no hook: it exports none of init, before",
        "trine.toml:2: the path \"/zoo/:id\" is in the spelling of another program: write \"/zoo/{id}\"",
        "trine.toml:6: no function is named 'pest'",
        "trine.toml:12: there is no middleware 'chek'",
        "trine.toml:13: unknown key 'timeuot'",
    ] {
        let found = lines.iter().filter(|line| line.starts_with(begin)).count();
        assert_eq!(found, 1, "{begin}\n{}", finished.stdout);
    }
    let last = lines.last().unwrap();
    assert!(lines.len() == 9 && last.starts_with("passed over lost.py: "), "{}", finished.stdout);
    let finished = check(&folder, &["--json"]);
    let told: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!((finished.code, &told["ok"]), (Some(1), &json!(false)));
    let findings = told["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 8, "{told:#}");
    let pets = findings.iter().find(|finding| finding["file"] == "pets.mjs").unwrap();
    assert_eq!(pets["line"], 2);
    let lost = findings.iter().find(|finding| finding["file"] == "lost.py").unwrap();
    assert_eq!((&lost["line"], &lost["column"]), (&Value::Null, &Value::Null));
    assert_eq!(told["passedOver"][0]["path"], "lost.py");
}

#[test]
fn nothing_of_it_runs_and_nothing_is_served() {
    let loud = "require('fs').writeFileSync('ran', ''); exports.handler = () => {};";
    let folder = Folder::new(&[("loud.cjs", loud)]);
    let finished = check(&folder, &[]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
    assert!(!folder.task().join("ran").exists());
}

#[test]
fn a_single_function_and_nothing_at_all_can_be_checked() {
    let folder = whole();
    assert_eq!(check(&folder, &["pets.mjs:handler"]).code, Some(0));
    let finished = check(&folder, &["pets.mjs:handlr"]);
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.stdout.starts_with("pets.mjs: the file exports no function 'handlr'"));
    let finished = check(&folder, &["gone"]);
    assert_eq!((finished.code, finished.stdout.as_str()), (Some(1), ""), "{finished:?}");
    assert!(finished.stderr.contains("there is no folder and no file 'gone'"), "{finished:?}");
    let examples = repository().join("handlers-examples/cron");
    let finished = check(&folder, &[examples.to_str().unwrap()]);
    assert_eq!(finished.code, Some(0), "{finished:?}");
}

#[test]
fn the_schema_names_every_table() {
    let folder = Folder::new(&[]);
    let finished = run(trine(&folder, &["schema"]));
    assert_eq!(finished.code, Some(0), "{finished:?}");
    let schema: Value = serde_json::from_str(&finished.stdout).unwrap();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    let tables: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(tables, ["function", "route", "static", "trigger", "engine", "auth"]);
}
