//! What a cold start reads: how it is counted, and what the driver makes of the count. Nothing here empties the cache of
//! the machine.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};
use trine_benches::{
    contestant::{Contestants, Places},
    plan::{Part, Plan},
    record::{Missing, Record},
    run::run as measure,
};

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/ship")
}

fn python(arguments: &[&str]) -> Output {
    let mut command = Command::new("python3");
    command.args(arguments).current_dir(scripts()).env("PYTHONDONTWRITEBYTECODE", "1");
    command.output().expect("python3 is there")
}

#[test]
fn pages_are_counted_as_blocks() {
    let output = python(&["-m", "doctest", "-v", "page_cache.py"]);
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && told.contains("\n3 passed"), "{told}");
}

#[test]
fn who_may_not_count_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let script = "\
import pathlib, runpy, sys
import page_cache
page_cache.DROP_CACHES = pathlib.Path(sys.argv[1], 'none/drop_caches')
sys.argv = ['blocks', '--scratch', sys.argv[1], '--ships', 'true', '--', 'true']
runpy.run_path('blocks', run_name='__main__')
";
    let output = python(&["-c", script, folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(77), "{output:?}");
    let told = String::from_utf8(output.stderr).unwrap();
    let expected = format!(
        "blocks: needs root: cannot write {}/none/drop_caches (No such file or directory)\n",
        folder.path().display()
    );
    assert_eq!(told, expected);
    assert!(output.stdout.is_empty() && fs::read_dir(folder.path()).unwrap().next().is_none());
}

const CONTESTANTS: &str = r#"
[[lambda]]
id = "layer"
name = "Layer"
group = "trine"
language = "js"
needs = { file = "{tree}/bootstrap", made_by = "make layer" }
command = ["{tree}/bootstrap"]
task = "{target}"
handler = "a.b"
suites = ["blocks"]
ships = ["{tree}"]
goals = { blocks = 14 }

[[lambda]]
id = "peer"
name = "Peer"
group = "peer"
language = "js"
command = ["true", "--flag"]
task = "{target}"
handler = "a.b"
env = { OWN = "{target}/own" }
suites = ["blocks"]
ships = ["true", "{target}"]
library_of = "python3"
"#;

/// Measures in a folder in which this script counts.
async fn measured(folder: &Path, script: &str) -> Record {
    for place in ["benches", "contestants", "target", ".ci/ship"] {
        fs::create_dir_all(folder.join(place)).expect("the folder is this test's own");
    }
    for (file, text) in [(".ci/ship/blocks", script), ("contestants/1.toml", CONTESTANTS)] {
        fs::write(folder.join(file), text).expect("the folder is this test's own");
    }
    let plan = Plan {
        parts: [Part::Blocks].into(),
        only: [].into(),
        rounds: 7,
        contestants: Contestants::read(&folder.join("contestants")).expect("they are valid"),
        places: Places {
            benches: folder.join("benches"),
            peers: folder.join("peers"),
            target: folder.join("target"),
            tree: folder.join("tree"),
        },
    };
    measure(&plan, "a test".to_owned()).await.expect("whatever fails is in the record")
}

#[tokio::test]
async fn the_count_of_everybody_who_is_there_is_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let script = "\
import os, sys
assert os.environ['_HANDLER'] == 'a.b' and os.environ['OWN'].endswith('target/own')
print(sys.argv[1:], os.getcwd(), file=open(os.environ['OWN'], 'a'))
print('something else', file=sys.stderr)
print('{\"blocks\": 15, \"pages\": 12345, \"files\": 2, \"size\": 86310000}')
";
    let record = measured(folder.path(), script).await;
    let reason = "there is no {tree}/bootstrap: `make layer` makes it".to_owned();
    assert_eq!(
        record.missing,
        [Missing { id: "layer".to_owned(), name: "Layer".to_owned(), reason }]
    );
    let values = ["blocks", "pages", "files", "size"]
        .map(|metric| record.figure("blocks", "peer", "bare", metric).unwrap().rounds.clone());
    assert_eq!(values, [[15.0], [12345.0], [2.0], [86.31]]);
    let target = folder.path().join("target").canonicalize().unwrap();
    let target = target.display();
    let expected = format!(
        "['--scratch', '{target}', '--ships', 'true', '--ships', '{target}', '--library-of', 'python3', '--', 'true', \
         '--flag'] {target}\n"
    );
    assert_eq!(fs::read_to_string(folder.path().join("target/own")).unwrap(), expected);
}

#[tokio::test]
async fn a_goal_is_in_the_record() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("tree")).unwrap();
    fs::write(folder.path().join("tree/bootstrap"), "").unwrap();
    let script = "print('{\"blocks\": 15, \"pages\": 1, \"files\": 2, \"size\": 3}')";
    let record = measured(folder.path(), script).await;
    assert_eq!(record.missing, []);
    assert_eq!(record.entrants[0].goals.get("blocks"), Some(&14.0));
    assert!(record.entrants[1].goals.is_empty());
}

#[tokio::test]
async fn a_suite_that_is_refused_is_missing_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let script = "import sys\nprint('blocks: needs root: no', file=sys.stderr)\nsys.exit(77)\n";
    let record = measured(folder.path(), script).await;
    assert!(record.figures.is_empty());
    let (layer, all) = (&record.missing[0], &record.missing[1]);
    assert_eq!((&*layer.id, record.missing.len()), ("layer", 2));
    assert_eq!((&*all.name, &*all.reason), ("all in blocks", "needs root: no"));
}

#[tokio::test]
async fn who_fails_to_start_is_missing_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let record = measured(folder.path(), "raise SystemExit('blocks: ended (1)')").await;
    let reason = "ended (exit status: 1); it wrote: blocks: ended (1)";
    assert_eq!(record.missing[1].reason, reason);
}
