//! Tests of what `trine.toml` may say, and of what is told where it says something else.

use super::{
    document::{Document, Fault},
    keys::{Key, Kind, TABLES},
    schema,
};
use crate::http::{
    EventFormat, ServeError, Site,
    tests::fixture::{folder, registry},
};
use serde_json::Value;
use std::{fs, path::Path, time::Duration};
use tempfile::TempDir;

/// Opens a folder with these functions and this file.
fn site(functions: &[&str], text: &str) -> (TempDir, Result<Site, ServeError>) {
    let folder = folder(functions, text);
    let site = Site::folder(folder.path(), &registry(true));
    (folder, site)
}

#[track_caller]
fn told(text: &str, line: usize, part: &str) {
    let (_folder, site) = site(&["pets.echo", "shop/handler.echo", "shop/cart.echo"], text);
    let error = site.unwrap_err().to_string();
    let expected = format!("trine.toml:{line}: ");
    assert!(error.contains(&expected) && error.contains(part), "{text}\n{error}");
}

#[test]
fn settings_of_a_function_are_its_alone() {
    let text = "[[function]]\nname = \"pets\"\ntimeout = \"1m30s\"\nconcurrency = 3\n\
                event-format = \"alb\"\nmiddlewares = []\nenv = { STAGE = \"test\", LIMIT = 5, ON = true }\n\
                memory = 64\n\
                [[function]]\nname = \"shop\"\ntimeout = 2\n";
    let (_folder, site) = site(&["pets.echo", "shop/handler.echo"], text);
    let site = site.unwrap();
    let [pets, shop] = site.functions() else { panic!("{site:?}") };
    assert_eq!(pets.timeout, Some(Duration::from_secs(90)));
    assert_eq!((pets.concurrency, pets.memory), (Some(3), Some(64 << 20)));
    assert_eq!(pets.event_format, Some(EventFormat::Alb));
    assert_eq!(
        pets.asked.as_ref().map(|asked| (asked.names.names.len(), asked.line)),
        Some((0, 6))
    );
    let variables = [("LIMIT", "5"), ("ON", "true"), ("STAGE", "test")];
    let expected = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut found = pets.variables.clone();
    found.sort();
    assert_eq!(found, expected);
    assert_eq!((shop.timeout, shop.variables.len()), (Some(Duration::from_secs(2)), 0));
}

#[test]
fn functions_of_one_folder_share_an_environment() {
    let text = "[[function]]\nname = \"a\"\nenv = { ONE = \"1\", SAME = \"x\" }\n\
                [[function]]\nname = \"b\"\nenv = { TWO = \"2\", SAME = \"x\" }\n";
    let (_folder, site) = site(&["a.echo", "b.echo", "c.echo", "d/handler.echo"], text);
    let site = site.unwrap();
    for function in site.functions() {
        let mut names: Vec<&str> =
            function.variables.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let expected: &[&str] = match function.name.as_str() {
            "d" => &[],
            _ => &["ONE", "SAME", "TWO"],
        };
        assert_eq!(names, expected, "{}", function.name);
    }
}

#[test]
fn what_functions_that_share_want_differently_is_told_with_both_lines() {
    let two = |key: &str, a: &str, b: &str| {
        format!(
            "[[function]]\nname = \"a\"\n{key} = {a}\n[[function]]\nname = \"b\"\n{key} = {b}\n"
        )
    };
    for (key, a, b, part) in [
        (
            "env",
            "{ STAGE = \"one\" }",
            "{ STAGE = \"two\" }",
            "'b' wants another value of the variable 'STAGE' than 'a' in line 3",
        ),
        ("memory", "64", "\"128MiB\"", "'b' wants another limit of memory than 'a' in line 3"),
    ] {
        let (_folder, shared) = site(&["a.echo", "b.echo"], &two(key, a, b));
        let error = shared.unwrap_err().to_string();
        assert!(error.contains("trine.toml:6: ") && error.contains(part), "{error}");
        assert!(error.contains("folders of their own"), "{error}");
        let (_folder, apart) = site(&["a/handler.echo", "b/handler.echo"], &two(key, a, b));
        assert!(apart.is_ok(), "{apart:?}");
    }
}

#[test]
fn a_language_that_asks_nobody_has_no_permissions() {
    let function = "[[function]]\nname = \"pets\"\n";
    told(&format!("{function}allow-net = true\n"), 3, "is not held to any permissions");
    let (_folder, site) = site(&["pets.echo"], &format!("{function}allow-all = true\n"));
    assert!(site.is_ok(), "{site:?}");
}

#[test]
fn a_route_may_have_several_methods() {
    let text = "[[route]]\nmethod = [\"GET\", \"PUT\"]\npath = \"/zoo/{id}\"\nfunction = \"pets\"\n\
                [[route]]\nmethod = \"POST\"\npath = \"/zoo/{name}\"\nfunction = \"pets\"\n";
    let (_folder, site) = site(&["pets.echo"], text);
    let site = site.unwrap();
    let mut keys: Vec<&str> = site.routes().map(|(route, _)| route.key.as_str()).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["$default", "GET /zoo/{id}", "POST /zoo/{name}", "PUT /zoo/{id}"]);
}

#[test]
fn routes_that_make_no_sense_are_told() {
    let route = |more: &str| format!("[[route]]\nfunction = \"pets\"\n{more}\n");
    for (more, line, part) in [
        (
            "path = \"/a\"\nmethod = \"GTE\"",
            4,
            "\"GTE\" is no method: write one in capitals, as GET",
        ),
        ("path = \"/a\"\nmethod = \"GTE\"", 4, "did you mean GET?"),
        ("path = \"/a\"\nmethod = \"get\"", 4, "did you mean GET?"),
        ("path = \"/a\"\nmethod = [\n  \"GET\",\n  \"PSOT\",\n]", 6, "did you mean POST?"),
        ("path = \"/a\"\nmethod = []", 4, "the list of methods is empty"),
        ("path = \"/a\"\nmethod = [\"GET\", \"ANY\"]", 4, "ANY stands for all methods"),
        ("path = \"/a\"\nmethod = [\"GET\", \"GET\"]", 4, "the list of methods has GET twice"),
        ("path = \"/a\"\nmethod = 1", 4, "method = 1: use a text, in quotes, or a list of them"),
        ("path = \"/pets/:id\"", 3, "write \"/pets/{id}\""),
        ("path = \"/files/*\"", 3, "write \"/files/{path+}\""),
        ("path = \"/files/{rest:path}\"", 3, "write \"/files/{rest+}\""),
        ("path = \"/pets?id=1\"", 3, "write \"/pets\""),
        ("path = \"pets\"", 3, "does not begin with a slash"),
        ("path = \"/{a+}/b\"", 3, "something follows the greedy parameter"),
        ("path = 1", 3, "path = 1: use a text, in quotes"),
    ] {
        told(&route(more), line, part);
    }
    told(
        "[[route]]\nmethod = [\"GET\", \"PUT\"]\npath = \"/a/{x}\"\nfunction = \"pets\"\n\
         [[route]]\nmethod = [\"POST\", \"PUT\"]\npath = \"/a/{y}\"\nfunction = \"pets\"\n",
        7,
        "the route 'PUT /a/{y}' takes the same requests as 'PUT /a/{x}' in line 3",
    );
}

#[test]
fn unknown_keys_are_told_with_the_nearest() {
    for (text, line, part) in [
        ("[[rout]]\npath = \"/a\"\n", 1, "did you mean [[route]]?"),
        ("port = 9000\n", 1, "unknown key 'port': the file has [[function]], [[route]]"),
        ("[route]\npath = \"/a\"\n", 1, "write [[route]] in the place of [route]"),
        ("function = 1\n", 1, "'function' is a list of tables"),
        ("[[function]]\nname = \"pets\"\ntimeuot = \"1s\"\n", 3, "did you mean 'timeout'?"),
        ("[[function]]\nname = \"pets\"\nmiddleware = []\n", 3, "did you mean 'middlewares'?"),
        ("[[static]]\npath = \"/a\"\nfolder = \"shop\"\nindx = \"\"\n", 4, "did you mean 'index'?"),
        ("[[function]]\ntimeout = 1\n", 1, "the function has no 'name'"),
        (
            "[[function]]\nname = \"pets\"\nevent-format = \"alb\"\nevent_format = \"alb\"\n",
            4,
            "are the same key: keep one",
        ),
    ] {
        told(text, line, part);
    }
}

#[test]
fn values_without_sense_are_told() {
    for (setting, part) in [
        ("timeout = \"soon\"", "timeout: \"soon\" is no length of time"),
        ("timeout = true", "timeout = true: use a length of time"),
        ("timeout = 0", "the least is 1ms"),
        ("memory = \"1KiB\"", "the least is 16MiB"),
        ("concurrency = 0", "concurrency = 0: use a whole number from 1 to 65536"),
        ("concurrency = \"4\"", "use a whole number from 1 to 65536"),
        ("middlewares = \"check\"", "use a list of texts"),
        ("middlewares = [1]", "use texts, each in quotes"),
        ("event-format = \"aws\"", "use one of aws-v2"),
        ("event-format = 2", "use a text, in quotes"),
        ("env = \"A=1\"", "use a table of variables"),
        ("env = { \"A B\" = \"1\" }", "the variable 'A B' has a name that shells do not know"),
        ("env = { 1A = \"1\" }", "has a name that shells do not know"),
        ("env = { A = [1] }", "the variable 'A' has a value of type array"),
        ("env = { A = \"a\\u0000\" }", "NUL"),
        ("env = { TZ = \"UTC\" }", "the variable 'TZ' is the time zone"),
        ("env = { TRINE_MEMORY = \"1\" }", "is a setting of the process's"),
        ("threads = 2", "which runs in every worker"),
    ] {
        told(&format!("[[function]]\nname = \"pets\"\n{setting}\n"), 3, part);
    }
}

#[test]
fn all_faults_are_found_at_once() {
    let text = "[[route]]\npath = \"a\"\nfunction = \"pest\"\n[[function]]\nname = \"nobody\"\n";
    let folder = folder(&["pets.echo"], text);
    let mut faults = Vec::new();
    Site::folder_with_faults(folder.path(), &registry(true), &mut faults).unwrap();
    let lines: Vec<usize> = faults.iter().map(|fault: &Fault| fault.line).collect();
    assert_eq!(lines, [3, 5], "{faults:?}");
    let error = Site::folder(folder.path(), &registry(true)).unwrap_err().to_string();
    assert!(error.ends_with("1 more fault: 'trine check' lists all of them"), "{error}");
}

/// Makes a folder with files to serve in `public`.
fn with_files(functions: &[&str], text: &str) -> TempDir {
    let folder = folder(functions, text);
    let public = folder.path().join("public");
    fs::create_dir_all(&public).unwrap();
    fs::write(public.join("index.html"), "<!doctype html>").unwrap();
    fs::write(public.join("handler.echo"), "no function").unwrap();
    folder
}

#[test]
fn what_lies_in_a_folder_of_files_is_no_function() {
    let text = "[[static]]\npath = \"/assets\"\nfolder = \"public\"\n";
    let site = |text: &str| {
        let folder = with_files(&["pets.echo"], text);
        let site = Site::folder(folder.path(), &registry(true)).unwrap();
        site.functions().iter().map(|function| function.name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(site(text), ["pets"]);
    assert_eq!(site(""), ["pets", "public"]);
}

#[test]
fn folders_of_files_that_make_no_sense_are_told() {
    for (text, line, part) in [
        ("path = \"/a\"\nfolder = \"pubilc\"", 3, "did you mean 'public'?"),
        ("path = \"/a\"\nfolder = \"pets.echo\"", 3, "it is a file"),
        ("path = \"/a\"\nfolder = \".\"", 3, "everybody could read them"),
        ("path = \"/a\"\nfolder = \"..\"", 3, "everybody could read them"),
        ("path = \"/a/{x}\"\nfolder = \"public\"", 2, "has a parameter"),
        ("path = \"/a/*\"\nfolder = \"public\"", 2, "write \"/a/{path+}\""),
        ("path = \"a\"\nfolder = \"public\"", 2, "does not begin with a slash"),
        ("path = \"/.trine/a\"\nfolder = \"public\"", 2, "the server's own"),
        ("path = \"/pets\"\nfolder = \"public\"", 2, "is that of the function 'pets'"),
        ("path = \"/a\"\nfolder = \"public\"\nindex = \"a/b\"", 4, "without a folder"),
        ("path = \"/a\"\nfolder = \"public\"\nfallback = \"gone.html\"", 4, "has no such file"),
        ("path = \"/a\"\nfolder = \"public\"\nfallback = \"../x\"", 4, "use a file of the folder"),
        ("path = \"/a\"\nfolder = \"public\"\ncache-control = \"a\\nb\"", 4, "no header can have"),
        ("folder = \"public\"", 1, "the static has no 'path'"),
        (
            "path = \"/a\"\nfolder = \"public\"\n[[static]]\npath = \"/a/\"\nfolder = \"public\"",
            5,
            "has a folder in line 2 already",
        ),
    ] {
        let folder = with_files(&["pets.echo"], &format!("[[static]]\n{text}\n"));
        let error = Site::folder(folder.path(), &registry(true)).unwrap_err().to_string();
        let place = format!("trine.toml:{line}: ");
        assert!(error.contains(&place) && error.contains(part), "{text}\n{error}");
    }
}

#[cfg(feature = "cron")]
#[test]
fn triggers_are_read_and_what_is_wrong_with_them_is_told() {
    let text = "[[trigger]]\nkind = \"cron\"\ncron = \"*/5 * * * *\"\nfunction = \"pets\"\n\
                timezone = \"Europe/Berlin\"\ninput = { a = [1, 2.5, true], b = 2026-01-01 }\n";
    let (_folder, opened) = site(&["pets.echo"], text);
    let opened = opened.unwrap();
    let [trigger] = opened.triggers() else { panic!("{opened:?}") };
    assert_eq!((trigger.name.as_str(), trigger.function), ("pets", 0));
    assert_eq!(trigger.source.to_string(), "*/5 * * * * (Europe/Berlin)");
    let input = serde_json::json!({"a": [1, 2.5, true], "b": "2026-01-01"});
    assert_eq!(trigger.source.clock().unwrap().input, Some(input));
    let trigger = |more: &str| format!("[[trigger]]\nkind = \"cron\"\n{more}\n");
    for (more, line, part) in [
        ("cron = \"* * * *\"\nfunction = \"pets\"", 3, "it has 4 fields"),
        ("cron = \"@daily\"\nfunction = \"pest\"", 4, "did you mean 'pets'?"),
        ("cron = \"@daily\"", 1, "the trigger has neither 'function' nor 'handler'"),
        ("function = \"pets\"", 1, "the trigger has no 'cron'"),
        (
            "cron = \"@daily\"\nfunction = \"pets\"\ntimezone = \"Europe/Berln\"",
            5,
            "did you mean 'Europe/Berlin'?",
        ),
        ("cron = \"@daily\"\nfunction = \"pets\"\ninput = nan", 5, "has no form in JSON"),
        (
            "cron = \"@daily\"\nfunction = \"pets\"\n\
             [[trigger]]\nkind = \"cron\"\ncron = \"@hourly\"\nfunction = \"pets\"",
            5,
            "the trigger in line 1 is called 'pets' already",
        ),
    ] {
        told(&trigger(more), line, part);
    }
    told(
        "[[trigger]]\nkind = \"corn\"\ncron = \"@daily\"\nfunction = \"pets\"\n",
        2,
        "did you mean 'cron'?",
    );
}

/// Returns a value that a key takes, and one that it does not, as TOML and as JSON.
fn examples(kind: Kind) -> [(&'static str, Value); 2] {
    let values = match kind {
        Kind::Text => ["\"a\"", "1"],
        Kind::Choice(_) => ["\"cron\"", "\"never\""],
        Kind::Format => ["\"raw\"", "\"never\""],
        Kind::Interface => ["\"event\"", "\"never\""],
        Kind::Texts => ["[\"a\"]", "\"a\""],
        Kind::Methods => ["[\"GET\", \"POST\"]", "\"GTE\""],
        Kind::OneOrMore => ["[\"a\"]", "[1]"],
        Kind::Truth => ["true", "1"],
        Kind::Count(form) if form.least == 0 => ["2", "3"],
        Kind::Count(_) => ["4", "0"],
        Kind::Time(_) => ["\"5s\"", "true"],
        Kind::Size(_) => ["\"64MiB\"", "[]"],
        Kind::Variables => ["{ \"A\" = 1 }", "[]"],
        Kind::Flag => ["true", "1"],
        Kind::Extent(_) => ["[\"a\"]", "5"],
        // Nothing is wrong there.
        Kind::Anything => ["{ \"a\" = 1 }", ""],
        // Read where the keys are looked for.
        Kind::Auth => ["false", ""],
    };
    values.map(|text| {
        let json = text.replace(" = ", ": ");
        (text, serde_json::from_str(&json).unwrap_or(Value::Null))
    })
}

/// Whether a value fits a schema, as far as the schemas here say anything.
fn fits(schema: &Value, value: &Value) -> bool {
    let is_type = |name: &Value| match name.as_str().unwrap() {
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{other}"),
    };
    let type_fits = match &schema["type"] {
        Value::Null => true,
        Value::Array(names) => names.iter().any(is_type),
        name => is_type(name),
    };
    let any_of = schema["anyOf"].as_array();
    type_fits
        && schema["enum"].as_array().is_none_or(|values| values.contains(value))
        && any_of.is_none_or(|choices| choices.iter().any(|choice| fits(choice, value)))
        && schema["minimum"]
            .as_f64()
            .is_none_or(|least| value.as_f64().is_none_or(|it| it >= least))
        && schema["maximum"].as_f64().is_none_or(|most| value.as_f64().is_none_or(|it| it <= most))
        && value.as_array().is_none_or(|items| {
            schema["items"].is_null() || items.iter().all(|item| fits(&schema["items"], item))
        })
        && value.as_object().is_none_or(|members| {
            let each = &schema["additionalProperties"];
            each.is_null() || members.values().all(|member| fits(each, member))
        })
}

#[test]
fn the_schema_knows_what_the_reader_knows_and_nothing_else() {
    let schema = schema();
    let listed: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    let known = TABLES.iter().map(|table| table.name).chain(["auth"]);
    assert_eq!(listed, known.collect::<Vec<_>>());
    for table in TABLES {
        let items = &schema["properties"][table.name]["items"];
        assert_eq!(items["additionalProperties"], false);
        let properties = items["properties"].as_object().unwrap();
        let names: Vec<&str> = table.keys.iter().flat_map(Key::names).collect();
        assert_eq!(properties.keys().collect::<Vec<_>>(), names);
        for key in table.keys {
            let required = items["required"].as_array().unwrap();
            let is_required = key.required && key.kinds.is_empty();
            assert_eq!(required.contains(&key.name.into()), is_required, "{}", key.name);
            let [right, wrong] = examples(key.kind);
            for name in key.names() {
                let complains = |text: &str| {
                    let mut faults = Vec::new();
                    Document::read(&format!("[[{}]]\n{name} = {text}\n", table.name), &mut faults);
                    faults.iter().any(|fault| fault.line == 2)
                };
                assert!(!complains(right.0), "{name} = {}", right.0);
                assert!(fits(&properties[name], &right.1), "{name}: {}", right.1);
                if !wrong.0.is_empty() {
                    assert!(complains(wrong.0), "{name} = {}", wrong.0);
                    assert!(!fits(&properties[name], &wrong.1), "{name}: {}", wrong.1);
                }
            }
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let folder = folder(&["pets.echo"], "");
    let file = folder.path().join("trine.toml");
    let _ = fs::remove_file(&file);
    fs::create_dir(&file).unwrap();
    let error = Site::folder(Path::new(folder.path()), &registry(true)).unwrap_err().to_string();
    assert!(error.contains("trine.toml:1: cannot be read"), "{error}");
}
