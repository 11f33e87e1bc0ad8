//! Profiles and pictures of the heap.

use super::{handler, url};
use crate::support::{Guest, run};
use serde_json::Value;
use std::io;

const TEXT: &str = "interface Nothing {
  more: number;
}

class Marked {}

export const kept = new Marked();

function hot(until: number): number {
  let sum = 0;
  while (Date.now() < until) sum += Math.sqrt(sum + 1);
  return sum;
}

export const handler = () => {
  hot(Date.now() + 300);
  return 'done';
};
";

#[test]
fn a_profile_has_the_functions_in_which_time_was_spent() {
    run(async {
        let guest = Guest::with(&[("app.mts", TEXT)], None);
        let function = handler(&guest, "app.mts").await;
        let profile = guest.instance.profile().unwrap();
        guest.call(function, "1").await.unwrap();
        let profile: Value = serde_json::from_slice(&profile.finish().unwrap()).unwrap();
        for member in ["nodes", "samples", "timeDeltas"] {
            assert!(!profile[member].as_array().unwrap().is_empty(), "{member}");
        }
        assert!(profile["endTime"].as_u64() > profile["startTime"].as_u64());
        let nodes = profile["nodes"].as_array().unwrap();
        let hot = nodes.iter().find(|node| node["callFrame"]["functionName"] == "hot").unwrap();
        assert_eq!(hot["callFrame"]["url"], url(&guest, "app.mts"));
        assert_eq!(hot["callFrame"]["lineNumber"], 8, "as in the TypeScript, counted from 0");
        assert!(hot["hitCount"].as_u64() > Some(0));
        // Another one begins anew.
        let profile = guest.instance.profile().unwrap();
        let profile: Value = serde_json::from_slice(&profile.finish().unwrap()).unwrap();
        assert!(!profile["nodes"].to_string().contains("\"hot\""));
    });
}

#[test]
fn a_profile_that_outlives_its_instance_is_an_error() {
    run(async {
        let guest = Guest::with(&[("app.mts", TEXT)], None);
        assert!(guest.instance.profile().is_err(), "nothing is loaded yet");
        handler(&guest, "app.mts").await;
        let profile = guest.instance.profile().unwrap();
        guest.instance.shutdown();
        assert!(profile.finish().is_err());
    });
}

#[test]
fn a_picture_of_the_heap_has_the_objects_of_the_guest() {
    run(async {
        let guest = Guest::with(&[("app.mts", TEXT)], None);
        handler(&guest, "app.mts").await;
        let mut text = Vec::new();
        guest.instance.heap_snapshot(&mut text).unwrap();
        let snapshot: Value = serde_json::from_slice(&text).unwrap();
        assert!(snapshot["snapshot"]["node_count"].as_u64() > Some(1000));
        assert!(!snapshot["nodes"].as_array().unwrap().is_empty());
        let names = snapshot["strings"].as_array().unwrap();
        assert!(names.iter().any(|name| name == "Marked"));
    });
}

struct Full;

impl io::Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_picture_of_the_heap_that_cannot_be_written_is_an_error() {
    run(async {
        let guest = Guest::with(&[("app.mts", TEXT)], None);
        handler(&guest, "app.mts").await;
        assert!(guest.instance.heap_snapshot(&mut Full).is_err());
    });
}
