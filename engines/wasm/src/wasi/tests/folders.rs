//! Tests of functions on files and folders.

use super::{FD_READ, FD_WRITE, Guest, ROOT, TEMPORARY, errno};
use crate::wasi::errno::Errno;
use std::{fs, os::unix::fs::symlink, path::Path};
use trine_engine::{Access, Permissions};

#[test]
fn given_folders_are_known_by_their_names() {
    let mut guest = Guest::new();
    assert_eq!(guest.call("fd_prestat_get", &[TEMPORARY, 0]), 0);
    assert_eq!((guest.number(0), guest.number(4)), (0, 4));
    assert_eq!(guest.call("fd_prestat_dir_name", &[TEMPORARY, 100, 4]), 0);
    assert_eq!(guest.text(100, 4), "/tmp");
    assert_eq!(guest.call("fd_prestat_dir_name", &[TEMPORARY, 100, 3]), Errno::NameTooLong as u16);
    for none in [0, 5] {
        assert_eq!(guest.call("fd_prestat_get", &[none, 0]), Errno::BadDescriptor as u16);
    }
}

#[test]
fn files_of_the_root_are_read_and_not_written() {
    let mut guest = Guest::new();
    let file = guest.open(ROOT, "data.txt", 0, FD_READ).unwrap();
    assert_eq!(guest.read(file), Ok("some data".into()));
    assert_eq!(guest.call("fd_seek", &[file, -4_i64 as u64, 2, 0]), 0);
    assert_eq!(guest.read(file), Ok("data".into()));
    assert_eq!(guest.call("fd_tell", &[file, 0]), 0);
    assert_eq!(guest.number(0), 9);
    assert_eq!(guest.call("fd_seek", &[file, -4_i64 as u64, 0, 0]), Errno::Invalid as u16);
    assert_eq!(guest.write(file, "x"), Errno::BadDescriptor as u16);
    assert_eq!(guest.open(ROOT, "data.txt", 0, FD_READ | FD_WRITE), errno(Errno::ReadOnly));
    assert_eq!(guest.open(ROOT, "new.txt", 1, FD_WRITE), errno(Errno::ReadOnly));
    assert_eq!(guest.open(ROOT, "data.txt", 8, FD_READ), errno(Errno::ReadOnly), "truncated");
    for name in ["path_unlink_file", "path_create_directory", "path_remove_directory"] {
        assert_eq!(guest.at(name, ROOT, "data.txt"), Errno::ReadOnly as u16);
    }
    assert_eq!(guest.open(ROOT, "none", 0, FD_READ), errno(Errno::NoEntry));
    assert_eq!(guest.open(ROOT, "../tmp", 0, FD_READ), errno(Errno::NotCapable));
    assert_eq!(guest.call("fd_close", &[file]), 0);
    assert_eq!(guest.read(file), Err(Errno::BadDescriptor as u16));
}

#[test]
fn files_below_tmp_are_made_changed_moved_and_removed() {
    let mut guest = Guest::new();
    assert_eq!(guest.at("path_create_directory", TEMPORARY, "a"), 0);
    let file = guest.open(TEMPORARY, "a/b.txt", 1, FD_READ | FD_WRITE).unwrap();
    assert_eq!(guest.write(file, "0123456789"), 0);
    assert_eq!(guest.open(TEMPORARY, "a/b.txt", 1 | 4, FD_WRITE), errno(Errno::Exists));
    guest.put(600, &[[0, 0xc, 0, 0], [4, 0, 0, 0]].concat());
    assert_eq!(guest.call("fd_pread", &[file, 600, 1, 3, 608]), 0);
    assert_eq!(guest.text(0xc00, guest.number(608) as usize), "3456");
    assert_eq!(guest.call("fd_pwrite", &[file, 600, 1, 0, 608]), 0);
    assert_eq!(guest.call("fd_filestat_set_size", &[file, 5]), 0);
    let path = guest.folder.path().join("tmp/a/b.txt");
    assert_eq!(fs::read_to_string(&path).unwrap(), "34564");
    assert_eq!(guest.call("fd_filestat_set_times", &[file, 0, 2_000_000_003, 4]), 0);
    assert_eq!(guest.call("fd_filestat_get", &[file, 0]), 0);
    assert_eq!((guest.memory[16], guest.number(32), guest.number(48)), (4, 5, 2_000_000_003));
    guest.put(1000, b"a/b.txtc.txt");
    assert_eq!(guest.call("path_rename", &[TEMPORARY, 1000, 7, TEMPORARY, 1007, 5]), 0);
    assert_eq!(guest.call("path_link", &[TEMPORARY, 0, 1007, 5, TEMPORARY, 1000, 7]), 0);
    assert_eq!(guest.at("path_remove_directory", TEMPORARY, "a"), Errno::NotEmpty as u16);
    assert_eq!(guest.at("path_unlink_file", TEMPORARY, "a/b.txt"), 0);
    assert_eq!(guest.at("path_unlink_file", TEMPORARY, "a/"), Errno::IsDirectory as u16);
    assert_eq!(guest.at("path_remove_directory", TEMPORARY, "a"), 0);
    let names: Vec<_> = fs::read_dir(guest.folder.path().join("tmp")).unwrap().collect();
    assert_eq!(names.len(), 1);
}

#[test]
fn appended_text_goes_to_the_end() {
    let mut guest = Guest::new();
    fs::write(guest.folder.path().join("tmp/log"), "one ").unwrap();
    let [pointer, length] = guest.path("log");
    let opened = guest.call("path_open", &[TEMPORARY, 0, pointer, length, 0, FD_WRITE, 0, 1, 500]);
    assert_eq!(opened, 0);
    let file = guest.number(500).into();
    assert_eq!(guest.call("fd_fdstat_get", &[file, 0]), 0);
    assert_eq!(guest.memory[2], 1, "its flags say so");
    assert_eq!(guest.write(file, "two "), 0);
    assert_eq!(guest.call("fd_fdstat_set_flags", &[file, 0]), 0);
    assert_eq!(guest.call("fd_seek", &[file, 0, 0, 0]), 0);
    assert_eq!(guest.write(file, "ONE"), 0);
    assert_eq!(fs::read_to_string(guest.folder.path().join("tmp/log")).unwrap(), "ONE two ");
}

#[test]
fn links_lead_where_they_may() {
    let mut guest = Guest::new();
    fs::write(guest.folder.path().join("secret"), "secret").unwrap();
    let tmp = guest.folder.path().join("tmp");
    symlink("../secret", tmp.join("out")).unwrap();
    symlink(guest.folder.path().join("secret"), tmp.join("absolute")).unwrap();
    for path in ["out", "absolute"] {
        assert_eq!(guest.open(TEMPORARY, path, 0, FD_READ), errno(Errno::NotCapable));
        assert_eq!(guest.open(TEMPORARY, path, 1, FD_WRITE), errno(Errno::NotCapable));
    }
    guest.put(1000, b"made/etc/passwd");
    assert_eq!(
        guest.call("path_symlink", &[1004, 11, TEMPORARY, 1000, 4]),
        Errno::NotCapable as u16
    );
    guest.put(1000, b"madefile");
    assert_eq!(guest.call("path_symlink", &[1004, 4, TEMPORARY, 1000, 4]), 0);
    let file = guest.open(TEMPORARY, "made", 1, FD_WRITE).unwrap();
    assert_eq!(guest.write(file, "x"), 0);
    assert!(tmp.join("file").is_file());
    let [pointer, length] = guest.path("made");
    assert_eq!(guest.call("path_readlink", &[TEMPORARY, pointer, length, 4000, 3, 500]), 0);
    assert_eq!((guest.text(4000, 4), guest.number(500)), ("fil\0".into(), 3));
    for (flags, kind) in [(0, 7), (1, 4)] {
        let [pointer, length] = guest.path("made");
        assert_eq!(guest.call("path_filestat_get", &[TEMPORARY, flags, pointer, length, 0]), 0);
        assert_eq!(guest.memory[16], kind);
    }
}

#[test]
fn what_could_make_a_guest_wait_is_not_opened() {
    let mut guest = Guest::new();
    let pipe = guest.folder.path().join("tmp/pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    assert_eq!(guest.open(TEMPORARY, "pipe", 0, FD_READ), errno(Errno::NotSupported));
    assert_eq!(guest.open(TEMPORARY, "pipe", 0, FD_WRITE), errno(Errno::NoSuchDevice));
}

#[test]
fn a_folder_is_listed_in_parts() {
    let mut guest = Guest::new();
    for name in ["b", "a", "long-name"] {
        fs::write(guest.folder.path().join("tmp").join(name), "").unwrap();
    }
    let folder = guest.open(TEMPORARY, ".", 2, FD_READ).unwrap();
    let mut names = Vec::new();
    let mut cookie = 0_u64;
    loop {
        assert_eq!(guest.call("fd_readdir", &[folder, 4000, 60, cookie, 500]), 0);
        let (used, mut at) = (guest.number(500) as usize, 0);
        while at + 24 <= used {
            let length = guest.number(4000 + at + 16) as usize;
            if at + 24 + length > used {
                break;
            }
            names.push(guest.text(4000 + at + 24, length));
            cookie = guest.number(4000 + at).into();
            at += 24 + length;
        }
        if used < 60 {
            break;
        }
    }
    assert_eq!(names, [".", "..", "a", "b", "long-name"]);
    assert_eq!(guest.call("fd_readdir", &[1, 4000, 60, 0, 500]), Errno::NotDirectory as u16);
}

#[test]
fn what_is_not_permitted_is_refused_and_told_once() {
    let permits = |folder: &Path| {
        let mut permissions = Permissions::default();
        permissions
            .allow(Access::Read, format!("{}/task", folder.display()).parse().unwrap())
            .unwrap();
        Some(permissions.at(&folder.join("task"), &[]))
    };
    let mut guest = Guest::permitted(permits);
    assert!(guest.open(ROOT, "data.txt", 0, FD_READ).is_ok());
    for _ in 0..2 {
        assert_eq!(guest.open(TEMPORARY, "x", 1, FD_WRITE), errno(Errno::Access));
    }
    assert_eq!(guest.at("path_create_directory", TEMPORARY, "x"), Errno::Access as u16);
    assert_eq!(guest.open(TEMPORARY, ".", 2, FD_READ), errno(Errno::Access));
    let [pointer, length] = guest.path("x");
    let facts = guest.call("path_filestat_get", &[TEMPORARY, 0, pointer, length, 0]);
    assert_eq!(facts, Errno::Access as u16);
    let lines = guest.log.lines();
    assert_eq!(lines.iter().filter(|line| line.contains("write access")).count(), 1, "{lines:?}");
}
