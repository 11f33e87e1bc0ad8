//! Settings of single functions in `trine.toml`.

use crate::support::{Folder, Served, run, trine};
use serde_json::{Value, json};

/// What each language's function sees of its variables, and what a program that it starts does.
const LOOKS: [(&str, &str); 3] = [
    (
        "mjs",
        "import { execFileSync } from 'node:child_process';\n\
         export const handler = () => ({\n\
           stage: process.env.STAGE ?? null, home: process.env.HOME ?? null,\n\
           child: execFileSync('/bin/sh', ['-c', 'echo ${STAGE:-none}']).toString().trim(),\n\
         });\n",
    ),
    (
        "py",
        "import os, subprocess\n\
         AT_IMPORT = os.environ.get('STAGE')\n\
         def handler(event, context):\n\
        \x20   child = subprocess.check_output(['/bin/sh', '-c', 'echo ${STAGE:-none}'], text=True)\n\
        \x20   assert AT_IMPORT == os.environ.get('STAGE') == os.getenv('STAGE')\n\
        \x20   return {'stage': AT_IMPORT, 'home': os.environ.get('HOME'), 'child': child.strip()}\n",
    ),
    (
        "lua",
        "return { handler = function()\n\
           local pipe = io.popen('echo ${STAGE:-none}')\n\
           local child = pipe:read('l')\n\
           pipe:close()\n\
           assert(os.execute('test \"$STAGE\" = \"' .. (os.getenv('STAGE') or '') .. '\"'))\n\
           return { stage = os.getenv('STAGE') or trine.null, home = os.getenv('HOME'), child = child }\n\
         end }\n",
    ),
];

fn served(folder: &Folder, arguments: &[&str]) -> Served {
    let arguments = [&["serve", "--port", "0", "--workers", "1"], arguments].concat();
    let mut command = trine(folder, &arguments);
    command.env("HOME", "/home/somebody").env_remove("STAGE");
    Served::of(command)
}

#[test]
fn variables_of_a_function_are_seen_by_it_and_what_it_starts_and_by_nobody_else() {
    let folder = Folder::new(&[]);
    let mut file = String::new();
    for (extension, source) in LOOKS {
        // A quote and a blank: shells are told the very value.
        for name in ["one", "other"] {
            folder.write(&format!("{name}-{extension}/handler.{extension}"), source);
        }
        file += &format!(
            "[[function]]\nname = \"one-{extension}\"\nenv = {{ STAGE = \"it's {extension}\" }}\n"
        );
    }
    folder.write("trine.toml", file);
    let served = served(&folder, &[]);
    for (extension, _) in LOOKS {
        let stage = format!("it's {extension}");
        let one = json!({"stage": stage, "home": "/home/somebody", "child": stage});
        let other = json!({"stage": null, "home": "/home/somebody", "child": "none"});
        assert_eq!(served.get(&format!("/other-{extension}")).json(), other, "{extension}");
        assert_eq!(served.get(&format!("/one-{extension}")).json(), one, "{extension}");
        assert_eq!(served.get(&format!("/other-{extension}")).json(), other, "{extension}");
    }
}

#[test]
fn functions_of_one_folder_share_variables_where_their_language_does() {
    let folder = Folder::new(&[]);
    for (extension, source) in LOOKS {
        folder.write(&format!("a{extension}.{extension}"), source);
        folder.write(&format!("b{extension}.{extension}"), source);
    }
    let one = |extension: &str| {
        format!("[[function]]\nname = \"a{extension}\"\nenv = {{ STAGE = \"{extension}\" }}\n")
    };
    folder.write("trine.toml", [one("mjs"), one("py"), one("lua")].concat());
    let served = served(&folder, &[]);
    let stage = |path: &str| served.get(path).json()["stage"].clone();
    assert_eq!((stage("/amjs"), stage("/bmjs")), (json!("mjs"), Value::Null));
    assert_eq!((stage("/apy"), stage("/bpy")), (json!("py"), json!("py")));
    assert_eq!((stage("/alua"), stage("/blua")), (json!("lua"), json!("lua")));
}

#[test]
fn different_values_in_one_environment_are_refused_with_both_lines() {
    let folder = Folder::new(&[("a.py", LOOKS[1].1), ("b.py", LOOKS[1].1)]);
    let set = |name: &str, value: &str| {
        format!("[[function]]\nname = \"{name}\"\nenv = {{ STAGE = \"{value}\" }}\n")
    };
    folder.write("trine.toml", [set("a", "one"), set("b", "two")].concat());
    let finished = run(trine(&folder, &["serve", "--port", "0"]));
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let told = "trine.toml:6: 'b' wants another value of the variable 'STAGE' than 'a' in line 3, and functions of one \
                folder share an interpreter's environment in Python";
    assert!(finished.stderr.contains(told), "{finished:?}");
    // In JavaScript each file has an environment.
    let folder = Folder::new(&[("a.mjs", LOOKS[0].1), ("b.mjs", LOOKS[0].1)]);
    folder.write("trine.toml", [set("a", "one"), set("b", "two")].concat());
    let served = served(&folder, &[]);
    for (path, stage) in [("/a", "one"), ("/b", "two")] {
        assert_eq!(served.get(path).json()["stage"], stage);
    }
}

#[test]
fn variables_hold_in_every_interpreter_that_a_function_gets() {
    let folder = Folder::new(&[]);
    let mut file = String::new();
    for (extension, source) in LOOKS {
        folder.write(&format!("{extension}/handler.{extension}"), source);
        file +=
            &format!("[[function]]\nname = \"{extension}\"\nenv = {{ STAGE = \"{extension}\" }}\n");
    }
    folder.write("trine.toml", file);
    for arguments in [&["--isolation", "fresh"][..], &["--max-invocations", "1"]] {
        let served = served(&folder, arguments);
        for _ in 0..3 {
            for (extension, _) in LOOKS {
                let reply = served.get(&format!("/{extension}"));
                assert_eq!(reply.json()["stage"], extension, "{arguments:?} {reply:?}");
            }
        }
    }
}

#[test]
fn a_function_may_have_less_time_than_the_others() {
    let folder = Folder::new(&[
        (
            "js/handler.mjs",
            "export const handler = () => new Promise((r) => setTimeout(r, 60_000));",
        ),
        ("py/handler.py", "import time\ndef handler(event, context):\n    time.sleep(60)\n"),
        ("lua/handler.lua", "return { handler = function() trine.sleep(60) end }"),
        (
            "left/handler.mjs",
            "export const handler = (event, context) => context.getRemainingTimeInMillis();",
        ),
    ]);
    let limit = |name: &str| format!("[[function]]\nname = \"{name}\"\ntimeout = \"300ms\"\n");
    folder.write("trine.toml", [limit("js"), limit("py"), limit("lua")].concat());
    let served = served(&folder, &["--timeout", "50s"]);
    for path in ["/js", "/py", "/lua"] {
        let reply = served.get(path);
        assert_eq!((reply.status, &reply.json()["errorType"]), (504, &json!("Function.Timeout")));
    }
    let left: f64 = served.get("/left").text().parse().unwrap();
    assert!(left > 10_000.0, "{left}");
}

#[test]
fn a_function_may_have_less_memory_than_the_others() {
    let fill =
        "const all = []; for (let i = 0; i < 100; i++) all.push(new Array(131072).fill(i)); ";
    let js = format!("export const handler = () => {{ {fill} return all.length; }};");
    let lua = "return { handler = function()\n\
                 local all = {}\n\
                 for i = 1, 100 do all[i] = string.rep(tostring(i), 1 << 20) end\n\
                 return #all\n\
               end }";
    let folder = Folder::new(&[
        ("small-js/handler.mjs", &js),
        ("large-js/handler.mjs", &js),
        ("small-lua/handler.lua", lua),
        ("large-lua/handler.lua", lua),
    ]);
    let limit = |name: &str| format!("[[function]]\nname = \"{name}\"\nmemory = \"32MiB\"\n");
    folder.write("trine.toml", [limit("small-js"), limit("small-lua")].concat());
    let served = served(&folder, &["--memory", "1GiB"]);
    for language in ["js", "lua"] {
        let reply = served.get(&format!("/small-{language}"));
        assert_eq!(reply.json()["errorType"], "Function.OutOfMemory", "{language}");
        assert_eq!(served.get(&format!("/large-{language}")).text(), "100", "{language}");
    }
    let folder = Folder::new(&[("py.py", "def handler(event, context):\n    pass\n")]);
    folder.write("trine.toml", limit("py"));
    let finished = run(trine(&folder, &["serve", "--port", "0"]));
    let told = "trine.toml:3: 'py' is Python, whose interpreter has no limit of its own: limit the process with --memory";
    assert!(finished.code == Some(1) && finished.stderr.contains(told), "{finished:?}");
}

#[test]
fn a_function_may_have_middlewares_of_its_own() {
    let stamp =
        |name: &str| format!("def after(response, context):\n    return [*response, '{name}']\n");
    let handler = "return { handler = function() return trine.array({ 'handler' }) end }";
    let folder = Folder::new(&[
        ("middlewares/one.py", &stamp("one")),
        ("middlewares/two.py", &stamp("two")),
        ("usual.lua", handler),
        ("own.lua", handler),
        ("none.lua", handler),
    ]);
    let around = |name: &str, names: &str| {
        format!("[[function]]\nname = \"{name}\"\nmiddlewares = {names}\n")
    };
    folder
        .write("trine.toml", [around("own", "[\"two\", \"one\"]"), around("none", "[]")].concat());
    let first = served(&folder, &["--middlewares", "one"]);
    assert_eq!(first.get("/usual").json(), json!(["handler", "one"]));
    assert_eq!(first.get("/own").json(), json!(["handler", "one", "two"]));
    assert_eq!(first.get("/none").json(), json!(["handler"]));
    folder.write("trine.toml", around("own", "[\"twoo\"]"));
    let finished = run(trine(&folder, &["serve", "--port", "0"]));
    assert_eq!(finished.code, Some(1), "{finished:?}");
    for part in ["trine.toml:3: there is no middleware 'twoo'", "did you mean 'two'?"] {
        assert!(finished.stderr.contains(part), "{finished:?}");
    }
}

#[test]
fn a_function_may_have_its_own_number_of_invocations_in_flight() {
    let source = "let flying = 0, most = 0;\n\
                  export const handler = async () => {\n\
                    most = Math.max(most, ++flying);\n\
                    await new Promise((resolve) => setTimeout(resolve, 20));\n\
                    flying--;\n\
                    return most;\n\
                  };\n";
    let folder = Folder::new(&[("one.mjs", source), ("many.mjs", source)]);
    folder.write("trine.toml", "[[function]]\nname = \"one\"\nconcurrency = 1\n");
    let served = served(&folder, &[]);
    let most = |path: &str| {
        std::thread::scope(|scope| {
            let asked: Vec<_> = (0..12).map(|_| scope.spawn(|| served.get(path))).collect();
            let replies = asked.into_iter().map(|asked| asked.join().unwrap());
            replies.map(|reply| reply.text().parse::<u32>().unwrap()).max().unwrap()
        })
    };
    assert_eq!(most("/one"), 1);
    assert!(most("/many") > 1);
}

#[test]
fn a_route_may_have_several_methods() {
    let folder = Folder::new(&[(
        "pets.mjs",
        "export const handler = (event) => event.requestContext.routeKey;",
    )]);
    folder.write(
        "trine.toml",
        "[[route]]\nmethod = [\"GET\", \"POST\"]\npath = \"/zoo/{id}\"\nfunction = \"pets\"\n",
    );
    let served = served(&folder, &[]);
    assert_eq!(served.get("/zoo/7").text(), "GET /zoo/{id}");
    assert_eq!(served.post("/zoo/7", "{}").text(), "POST /zoo/{id}");
    let reply = served.request("DELETE", "/zoo/7", &[], b"");
    assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, POST")));
}
