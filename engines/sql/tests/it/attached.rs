//! Tests of databases that functions read from.

use crate::support::{Guest, run, set};
use std::{fs, path::Path};
use trine_engine::{Access, Environment, ErrorKind, Extent, Permissions};

/// Makes a database with two rows in a table `items`.
fn database(path: &Path) {
    // SAFETY: plain calls of SQLite with texts that end in NUL.
    unsafe {
        let mut raw = std::ptr::null_mut();
        let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        assert_eq!(libsqlite3_sys::sqlite3_open(name.as_ptr(), &raw mut raw), 0);
        let text =
            c"CREATE TABLE items (name, price); INSERT INTO items VALUES ('nut', 2), ('bolt', 3);";
        let null = std::ptr::null_mut();
        assert_eq!(libsqlite3_sys::sqlite3_exec(raw, text.as_ptr(), None, null, null.cast()), 0);
        assert_eq!(libsqlite3_sys::sqlite3_close(raw), 0);
    }
}

fn guest(source: &str, attach: &str, change: impl FnOnce(&mut Environment)) -> Guest {
    let guest = Guest::within(&[("app.sql", source)], |environment| {
        set(environment, &[("TRINE_SQL_ATTACH", attach)]);
        change(environment);
    });
    fs::create_dir_all(guest.folder.join("data")).unwrap();
    database(&guest.folder.join("data/shop db?#%.db"));
    guest
}

const SHOP: &str = "shop=data/shop db?#%.db";

#[test]
fn attached_databases_are_read_in_every_call() {
    run(async {
        for source in [
            "SELECT price FROM shop.items WHERE name = event('name')",
            "CREATE TEMP TABLE t AS SELECT * FROM shop.items; SELECT price FROM t WHERE name = event('name')",
        ] {
            let guest = guest(source, SHOP, |_| ());
            let function = guest.load("app").await.unwrap();
            for (name, price) in [("nut", 2), ("bolt", 3), ("nut", 2)] {
                let answer = guest.call(function, &format!("{{\"name\":\"{name}\"}}")).await;
                assert_eq!(answer.unwrap(), format!("{{\"price\":{price}}}"));
            }
        }
    });
}

#[test]
fn attached_databases_are_not_written() {
    run(async {
        for source in [
            "INSERT INTO shop.items VALUES ('x', 1); SELECT 1",
            "CREATE TABLE shop.t (a); SELECT 1",
            "DROP TABLE shop.items; SELECT 1",
            "PRAGMA shop.user_version = 7; SELECT 1",
        ] {
            let guest = guest(source, SHOP, |_| ());
            let before = fs::read(guest.folder.join("data/shop db?#%.db")).unwrap();
            let error = guest.handle("{}").await.expect_err(source);
            assert!(error.message().contains("readonly database"), "{source}: {error}");
            assert_eq!(fs::read(guest.folder.join("data/shop db?#%.db")).unwrap(), before);
            assert_eq!(fs::read_dir(guest.folder.join("data")).unwrap().count(), 1);
        }
    });
}

#[test]
fn a_database_that_is_missing_or_none_is_told_by_name() {
    run(async {
        for (attach, part) in [
            ("shop=data/gone.db", "cannot attach 'shop', "),
            ("shop=app.sql", "file is not a database"),
            ("shop=data", "it is no file"),
        ] {
            let guest = guest("SELECT 1", attach, |_| ());
            let error = guest.load("app").await.expect_err(attach);
            assert_eq!(error.kind(), ErrorKind::ImportModule);
            assert!(
                error.message().starts_with("TRINE_SQL_ATTACH: cannot attach 'shop'"),
                "{error}"
            );
            assert!(error.message().contains(part), "{error}");
            assert!(!guest.folder.join("data/gone.db").exists());
        }
    });
}

#[test]
fn names_in_an_attached_database_are_known_when_a_file_is_loaded() {
    run(async {
        let guest = guest("SELECT colour FROM shop.items", SHOP, |_| ());
        let error = guest.load("app").await.unwrap_err();
        assert!(error.message().contains("no such column: colour"), "{error}");
    });
}

#[test]
fn functions_read_only_what_they_are_permitted_to() {
    run(async {
        let outside = tempfile::tempdir().unwrap();
        let file = outside.path().join("secret.db");
        database(&file);
        let attach = format!("s={}", file.display());
        let narrowed = |extent: Option<Extent>| {
            let attach = attach.clone();
            let permissions = extent.map(|extent| {
                let mut permissions = Permissions::default();
                permissions.allow(Access::Read, extent).unwrap();
                permissions
            });
            guest("SELECT count(*) AS n FROM s.items", &attach, |environment| {
                if let Some(permissions) = permissions {
                    *environment = environment.clone().with_permissions(permissions);
                }
            })
        };
        assert_eq!(narrowed(None).handle("{}").await.unwrap(), r#"{"n":2}"#);
        let folder = outside.path().to_str().unwrap().to_owned();
        let allowed = narrowed(Some(Extent::Only(vec![folder])));
        assert_eq!(allowed.handle("{}").await.unwrap(), r#"{"n":2}"#);
        let refused = narrowed(Some(Extent::Only(vec!["/nowhere".into()])));
        let error = refused.load("app").await.unwrap_err();
        assert!(error.message().contains("cannot attach 's'"), "{error}");
        // A link in the task root leads out of it.
        std::os::unix::fs::symlink(&file, refused.folder.join("link.db")).unwrap();
        let link = guest("SELECT 1", "s=../link.db", |_| ());
        assert!(link.load("app").await.is_err());
    });
}

#[test]
fn a_database_with_a_log_opens_where_nothing_can_be_written() {
    run(async {
        let guest = guest("SELECT count(*) AS n FROM w.items", "w=still/w.db", |_| ());
        let folder = guest.folder.join("still");
        fs::create_dir(&folder).unwrap();
        let file = folder.join("w.db");
        database(&file);
        // Marks the database as one with a write-ahead log, without one beside it.
        let mut bytes = fs::read(&file).unwrap();
        bytes[18..20].copy_from_slice(&[2, 2]);
        fs::write(&file, bytes).unwrap();
        let read_only = |read_only: bool| {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = if read_only { 0o555 } else { 0o755 };
            fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(mode & 0o444)).unwrap();
        };
        read_only(true);
        let answer = guest.handle("{}").await;
        read_only(false);
        assert_eq!(answer.unwrap(), r#"{"n":2}"#);
    });
}

#[test]
fn a_database_that_is_put_in_the_place_of_another_is_read_by_the_next_call() {
    run(async {
        let source = "SELECT count(*) AS n FROM shop.items";
        let guest = guest(source, "shop=data/shop db?#%.db", |_| ());
        let function = guest.load("app").await.unwrap();
        assert_eq!(guest.call(function, "{}").await.unwrap(), "{\"n\":2}");
        let path = guest.folder.join("data/shop db?#%.db");
        let other = guest.folder.join("data/other.db");
        empty(&other);
        fs::rename(&other, &path).unwrap();
        for _ in 0..2 {
            assert_eq!(guest.call(function, "{}").await.unwrap(), "{\"n\":0}");
        }
        fs::remove_file(&path).unwrap();
        let error = guest.call(function, "{}").await.unwrap_err();
        assert!(error.message().contains("unable to open database"), "{error}");
        database(&path);
        assert_eq!(guest.call(function, "{}").await.unwrap(), "{\"n\":2}");
    });
}

/// Makes a database whose table `items` has no rows.
fn empty(path: &Path) {
    database(path);
    // SAFETY: as in `database`.
    unsafe {
        let mut raw = std::ptr::null_mut();
        let name = std::ffi::CString::new(path.to_str().unwrap()).unwrap();
        assert_eq!(libsqlite3_sys::sqlite3_open(name.as_ptr(), &raw mut raw), 0);
        let null = std::ptr::null_mut();
        let text = c"DELETE FROM items";
        assert_eq!(libsqlite3_sys::sqlite3_exec(raw, text.as_ptr(), None, null, null.cast()), 0);
        assert_eq!(libsqlite3_sys::sqlite3_close(raw), 0);
    }
}
