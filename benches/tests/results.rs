//! What is shown is what was measured: the page of results, the plots and the README's section follow from the record.
//!
//! Rendering itself is tested with a record of invented figures in `fixtures`. `TRINE_BLESS=1` rewrites the expected
//! results.

use std::{
    fs,
    path::{Path, PathBuf},
};
use trine_benches::{
    record::Record,
    render::{self, BEGIN, END},
};

fn benches() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn fixtures() -> PathBuf {
    benches().join("tests/fixtures")
}

fn invented() -> Record {
    Record::read(&fixtures().join("invented-record.json")).expect("the fixture is a record")
}

/// Returns the files that differ from what a record renders.
fn stale(record: &Record, results: &Path, readme: &Path) -> Vec<String> {
    let rendered = render::render(record).expect("every record renders");
    let read = |file: &Path| fs::read_to_string(file).unwrap_or_default();
    let mut stale = Vec::new();
    if read(&results.join("README.md")) != rendered.page {
        stale.push("the page of results".to_owned());
    }
    for (file, svg) in rendered.plots {
        let path = results.join(file);
        if path.exists() != svg.is_some() || read(&path) != svg.unwrap_or_default() {
            stale.push(file.to_owned());
        }
    }
    let readme = read(readme);
    match render::splice(&readme, &rendered.section) {
        Ok(expected) if expected == readme => {}
        Ok(_) => stale.push("the README's section".to_owned()),
        Err(error) => stale.push(error.to_string()),
    }
    stale
}

#[test]
fn results_are_those_of_the_record() {
    let results = benches().join("results");
    let record = Record::read(&results.join("latest.json")).expect("`make bench` writes it");
    let stale = stale(&record, &results, &benches().join("../README.md"));
    assert!(stale.is_empty(), "not what latest.json renders: {stale:?}; run `trine-bench render`");
}

#[test]
fn rendering_is_as_expected() {
    let rendered = render::render(&invented()).unwrap();
    let mut files =
        vec![("expected-page.md", rendered.page), ("expected-section.md", rendered.section)];
    files.extend(rendered.plots.into_iter().map(|(file, svg)| (file, svg.expect("has figures"))));
    for (file, text) in files {
        let path = fixtures().join(file);
        if std::env::var_os("TRINE_BLESS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        assert!(text == expected, "{file} has changed: look at it after TRINE_BLESS=1");
    }
}

#[test]
fn a_run_writes_what_the_test_then_finds() {
    let folder = tempfile::tempdir().unwrap();
    let (results, readme) = (folder.path().join("results"), folder.path().join("README.md"));
    fs::write(&readme, format!("# A title\n\n{BEGIN}\n{END}\n\nThe end.\n")).unwrap();
    let record = invented();
    assert_eq!(stale(&record, &results, &readme).len(), 8);
    render::run(&record, &results, &readme).unwrap();
    assert_eq!(stale(&record, &results, &readme), Vec::<String>::new());
    let text = fs::read_to_string(&readme).unwrap();
    assert!(text.starts_with("# A title\n\n") && text.ends_with("\n\nThe end.\n"), "{text}");

    // A smaller record leaves nothing of the previous one.
    let mut less = record;
    less.figures.retain(|figure| figure.suite != "http");
    assert!(!stale(&less, &results, &readme).is_empty());
    render::run(&less, &results, &readme).unwrap();
    assert_eq!(stale(&less, &results, &readme), Vec::<String>::new());
    assert!(!results.join("http.svg").exists());
}

#[test]
fn a_readme_without_a_place_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let readme = folder.path().join("README.md");
    fs::write(&readme, "# A title\n").unwrap();
    let results = folder.path().join("results");
    assert!(render::run(&invented(), &results, &readme).is_err());
    assert!(!results.exists(), "nothing is written in half");
}

#[test]
fn an_empty_record_renders() {
    let mut record = invented();
    record.figures.clear();
    record.missing.clear();
    let rendered = render::render(&record).unwrap();
    assert!(rendered.plots.iter().all(|(_, svg)| svg.is_none()));
    assert!(rendered.page.contains("Nobody: all contestants were measured."));
}

#[test]
fn what_is_lost_is_said_everywhere() {
    let rendered = render::render(&invented()).unwrap();
    // In the invented record, another client of the same language is faster with 64 KB.
    let page = &rendered.page;
    let (_, table) = page.split_once("### 64 KB").unwrap();
    let row = table.lines().find(|line| line.contains("client, Node")).unwrap();
    assert!(row.contains('▲'), "{row}");
    for text in [page, &rendered.section] {
        let (_, losses) = text.split_once("Where Trine loses").unwrap();
        assert!(losses.contains("64 KB: rate"), "{losses}");
    }
}
