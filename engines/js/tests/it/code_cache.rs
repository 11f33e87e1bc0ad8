//! The code cache of a function's modules: used where it fits, and never otherwise.

use crate::support::{Guest, call, invocation, module, run};
use std::{
    fs,
    os::unix::fs::{MetadataExt as _, symlink},
    path::PathBuf,
};
use trine_engine::Wanted;

const HANDLER: &str = "import { answer } from 'answers';
import { name } from './name.mjs';
export const handler = () => `${name}: ${answer()}`;
export const fail = () => answer.fail();";

const ANSWERS: &str = "exports.answer = () => 41;
exports.answer.fail = () => {
  throw new Error('no answer');
};";

fn guest() -> Guest {
    let files = [
        (".trine-cache/about.txt", "made by a test"),
        ("app.mjs", HANDLER),
        ("name.mjs", "export const name = 'answer';"),
        ("node_modules/answers/index.js", ANSWERS),
    ];
    Guest::with(&files, None)
}

/// Returns the result of the handler in an instance of its own, which may leave its cache behind.
async fn answer(guest: &Guest) -> String {
    let instance = guest.another();
    let wanted = module(&guest.folder, "app.mjs", Wanted::Handler("handler".into()));
    let function = instance.load(&wanted).await.unwrap().functions[0].1;
    let answer = call(&instance, function, "{}", &invocation()).await.unwrap();
    instance.shutdown();
    answer
}

fn caches(guest: &Guest) -> Vec<PathBuf> {
    let entries = fs::read_dir(guest.folder.join(".trine-cache")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|kind| kind == "js-cache")).collect()
}

/// Returns the file of the handler, and its version: the inode number of a replaced file may be reused.
fn cache(guest: &Guest) -> (PathBuf, (u64, i64, i64)) {
    let files = caches(guest);
    assert_eq!(files.len(), 1, "{files:?}");
    let facts = fs::metadata(&files[0]).unwrap();
    (files[0].clone(), (facts.ino(), facts.mtime(), facts.mtime_nsec()))
}

#[test]
fn a_cache_is_written_once() {
    run(async {
        let guest = guest();
        assert_eq!(answer(&guest).await, r#""answer: 41""#);
        let first = cache(&guest);
        assert_eq!(answer(&guest).await, r#""answer: 41""#);
        assert_eq!(cache(&guest), first, "everything was in it");
    });
}

#[test]
fn another_source_of_the_same_length_is_another_source() {
    run(async {
        let guest = guest();
        answer(&guest).await;
        let first = cache(&guest);
        let changed = ANSWERS.replace("41", "42");
        fs::write(guest.folder.join("node_modules/answers/index.js"), changed).unwrap();
        assert_eq!(answer(&guest).await, r#""answer: 42""#);
        fs::write(guest.folder.join("name.mjs"), "export const name = 'Answer';").unwrap();
        assert_eq!(answer(&guest).await, r#""Answer: 42""#);
        assert_ne!(cache(&guest), first);
    });
}

#[test]
fn a_damaged_cache_is_made_again() {
    run(async {
        let guest = guest();
        answer(&guest).await;
        let (path, _) = cache(&guest);
        let good = fs::read(&path).unwrap();
        for place in [0, 8, 16, 24, 32, 40, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[place] ^= 0xff;
            fs::write(&path, bad).unwrap();
            assert_eq!(answer(&guest).await, r#""answer: 41""#);
            assert_eq!(fs::read(&path).unwrap().len(), good.len());
        }
        for length in [0, 10, 30, good.len() - 1] {
            fs::write(&path, &good[..length]).unwrap();
            assert_eq!(answer(&guest).await, r#""answer: 41""#);
        }
        let (_, last) = cache(&guest);
        answer(&guest).await;
        assert_eq!(cache(&guest), (path, last));
    });
}

#[test]
fn a_folder_that_cannot_be_written_does_no_harm() {
    run(async {
        let guest = guest();
        let folder = guest.folder.join(".trine-cache");
        fs::remove_dir_all(&folder).unwrap();
        // Not even the superuser can make files there.
        symlink("/proc", &folder).unwrap();
        assert_eq!(answer(&guest).await, r#""answer: 41""#);
        fs::remove_file(&folder).unwrap();
        assert_eq!(answer(&guest).await, r#""answer: 41""#);
        assert!(!folder.exists(), "nobody has asked for a cache");
    });
}

#[test]
fn a_cache_serves_in_another_place() {
    run(async {
        let (built, deployed) = (guest(), guest());
        answer(&built).await;
        let (path, _) = cache(&built);
        let name = path.file_name().unwrap();
        fs::copy(&path, deployed.folder.join(".trine-cache").join(name)).unwrap();
        let first = cache(&deployed);
        let failing = module(&deployed.folder, "app.mjs", Wanted::Handler("fail".into()));
        let instance = deployed.another();
        let function = instance.load(&failing).await.unwrap().functions[0].1;
        let error = call(&instance, function, "{}", &invocation()).await.unwrap_err();
        let place =
            format!("{}:3:9)", deployed.folder.join("node_modules/answers/index.js").display());
        assert!(error.stack()[1].ends_with(&place), "{:?}", error.stack());
        instance.shutdown();
        assert_eq!(cache(&deployed), first);
    });
}
