//! Tests of what folders and their route files serve.

use super::fixture::{Fixture, folder, post, registry, site};
use crate::http::{ServedFunction, Site};
use serde_json::json;

#[test]
fn routes_of_a_folder_lead_to_its_functions() {
    let folder = folder(
        &["pets.echo", "files/app.echo"],
        "[[route]]\nmethod = \"GET\"\npath = \"/zoo/{id}\"\nfunction = \"pets\"\n\
         [[route]]\npath = \"/f/{path+}\"\nhandler = \"files/app.echo:get\"\n",
    );
    let server = Fixture::start(Site::folder(folder.path(), &registry(true)).unwrap());
    let event = server.get("/zoo/a%20b", "").json();
    assert_eq!(event["routeKey"], "GET /zoo/{id}");
    assert_eq!(event["requestContext"]["routeKey"], "GET /zoo/{id}");
    assert_eq!(event["pathParameters"], json!({"id": "a b"}));
    let event = server.get("/f/x/y", "x-do: echo\r\n").json();
    assert_eq!(event["routeKey"], "ANY /f/{path+}");
    assert_eq!(event["pathParameters"], json!({"path": "x/y"}));
    assert_eq!((&event["rawPath"], event.get("basePath")), (&json!("/f/x/y"), None));
    assert_eq!(server.get("/pets/7", "").json()["rawPath"], "/7");
    let wrong = server.connect().exchange(&post("/zoo/1", "", b""), b"");
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("get")));
}

#[test]
fn an_error_in_the_routes_names_its_file_and_line() {
    for (routes, line, part) in [
        ("[[route]]\npath = \"/a\"\nfunktion = \"a\"\n", 3, "did you mean 'function'?"),
        ("\n[[route]]\nfunction = \"a\"\n", 2, "the route has no 'path'"),
        ("x = 1\n", 1, "unknown key 'x'"),
        ("[[route]\n", 1, ""),
        ("[[route]]\npath = \"/a\"\n", 2, "neither 'function' nor 'handler'"),
        ("[[route]]\npath = \"/a\"\nfunction = \"pet\"\n", 3, "did you mean 'pets'?"),
        ("[[route]]\npath = \"/a\"\nhandler = \"pest.echo\"\n", 3, "Cannot find the file"),
        ("[[route]]\npath = \"a\"\nfunction = \"pets\"\n", 2, "slash"),
        ("[[route]]\nmethod = \"get\"\npath = \"/a\"\nfunction = \"pets\"\n", 2, "capitals"),
        ("[[route]]\npath = \"/.trine/x\"\nfunction = \"pets\"\n", 2, "the server's own"),
        (
            "[[route]]\npath = \"/a/{b}\"\nfunction = \"pets\"\nbase_path = \"/b\"\n",
            4,
            "the base path \"/b\" is no text that the path \"/a/{b}\" begins with",
        ),
        (
            "[[route]]\npath = \"/a\"\nfunction = \"pets\"\n\
             [[route]]\npath = \"/a\"\nfunction = \"pets\"\n",
            5,
            "the route 'ANY /a' stands in line 2 already",
        ),
        (
            "[[route]]\nmethod = \"GET\"\npath = \"/a/{x}\"\nfunction = \"pets\"\n\
             [[route]]\nmethod = \"GET\"\npath = \"/a/{y}/\"\nfunction = \"pets\"\n",
            7,
            "the route 'GET /a/{y}/' takes the same requests as 'GET /a/{x}' in line 3",
        ),
        (
            "[[function]]\nname = \"pets\"\n[[function]]\nname = \"pets\"\n",
            4,
            "the function 'pets' stands in line 2 already",
        ),
        (
            "[[function]]\nname = \"pets.echo\"\n[[function]]\nname = \"pets\"\n",
            4,
            "the function 'pets' stands in line 2 already",
        ),
        ("[[function]]\nname = \"pet\"\n", 2, "did you mean 'pets'?"),
        (
            "[[function]]\nname = \"pets\"\nthreads = \"four\"\n",
            3,
            "threads = \"four\": use a whole number from 1 to 1024",
        ),
        ("[[function]]\nname = \"pets\"\nthreads = -1\n", 3, "threads = -1: use a whole number"),
    ] {
        let folder = folder(&["pets.echo"], routes);
        let error = Site::folder(folder.path(), &registry(true)).unwrap_err().to_string();
        let expected = format!("trine.toml:{line}: ");
        assert!(error.contains(&expected) && error.contains(part), "{routes}\n{error}");
    }
}

#[test]
fn a_site_is_opened_from_what_a_user_writes() {
    let folder = folder(&["pets.echo", "hello/handler.echo"], "");
    let open = |path: &str| {
        let path = format!("{}{path}", folder.path().display());
        let site = Site::open(&path, &registry(true)).map_err(|e| e.to_string())?;
        let name = |f: &ServedFunction| format!("{} {:?}", f.name, f.located.module.wanted);
        Ok::<_, String>(site.functions().iter().map(name).collect::<Vec<_>>())
    };
    assert_eq!(open("").unwrap(), ["hello Unnamed", "pets Unnamed"]);
    assert_eq!(open("/pets.echo").unwrap(), ["pets Unnamed"]);
    assert_eq!(open("/pets.echo:get").unwrap(), ["pets Handler(\"get\")"]);
    assert_eq!(open("/pets.get").unwrap(), ["pets Handler(\"get\")"]);
    assert!(open("/pest.echo").unwrap_err().contains("did you mean"));
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let nothing = open("/empty").unwrap_err();
    assert!(nothing.contains("holds no function") && nothing.contains(".echo"), "{nothing}");
}

#[test]
fn a_function_that_does_not_load_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("broken.echo"), "").unwrap();
    let site = Site::folder(folder.path(), &registry(true)).unwrap();
    let server = Fixture::with(site, |options| options.eager = true);
    let failed = server.get("/", "");
    assert_eq!((failed.status, &failed.json()["errorType"]), (500, &json!("SyntaxError")));
    std::fs::write(folder.path().join("broken.mended"), "").unwrap();
    assert_eq!(server.get("/", "").status, 200);
    assert!(server.logged().matches("SyntaxError").count() >= 2);
}

#[test]
fn an_instance_that_is_unfit_for_further_calls_is_replaced_for_all_its_functions() {
    let server = Fixture::start(site(&["a", "b"], true));
    for path in ["/a", "/b"] {
        assert_eq!(server.get(path, "x-do: instance\r\n").text(), "1");
    }
    assert_eq!(server.get("/a", "x-do: poison\r\n").status, 500);
    for path in ["/b", "/a"] {
        assert_eq!(server.get(path, "x-do: instance\r\n").text(), "2");
    }
}
