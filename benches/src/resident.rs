//! Memory that a process and its children hold, from `/proc`.

use anyhow::Context;
use nix::unistd::Pid;
use std::{collections::BTreeMap, fs, io};

/// Returns the resident memory of the process and all its descendants, in MB (10^6 bytes): what is their own, and the
/// resident part of each mapped file, once. For a process without children that is its resident memory.
///
/// What the kernel calls private would almost do for the children, but a program's file is private to them only while
/// nobody else on the machine runs the same program.
///
/// # Errors
/// When the process has ended, or the system does not provide the numbers.
pub(crate) fn resident(process: Pid) -> anyhow::Result<f64> {
    let id = process.as_raw();
    let mut memory = Memory::default();
    memory.add(&mappings(id).context("cannot read its memory")?);
    for child in descendants(id, &parents()) {
        // A child that has just ended holds nothing.
        memory.add(&mappings(child).unwrap_or_default());
    }
    let kilobytes = memory.own + memory.files.values().sum::<u64>();
    Ok(kilobytes as f64 * 1024.0 / 1e6)
}

fn mappings(id: i32) -> io::Result<String> {
    fs::read_to_string(format!("/proc/{id}/smaps"))
}

/// Memory of several processes, in KiB.
#[derive(Debug, Default, PartialEq)]
struct Memory {
    /// Memory with no file behind it (any more).
    own: u64,
    /// The resident part of each file, by device and number: that of the process which has most of it in memory.
    files: BTreeMap<String, u64>,
}

impl Memory {
    /// Adds a process, given the text of its `smaps`.
    fn add(&mut self, mappings: &str) {
        let mut files: BTreeMap<String, u64> = BTreeMap::new();
        let mut file = None;
        for line in mappings.lines() {
            let mut words = line.split_whitespace();
            let (Some(first), Some(second)) = (words.next(), words.next()) else { continue };
            let Some(name) = first.strip_suffix(':') else {
                // addresses permissions offset device number path
                let rest: Vec<&str> = words.take(3).collect();
                file = match rest[..] {
                    [_, device, number] if number != "0" => Some(format!("{device} {number}")),
                    _ => None,
                };
                continue;
            };
            let kilobytes = second.parse().unwrap_or(0);
            match (name, &file) {
                ("Rss", Some(file)) => *files.entry(file.clone()).or_default() += kilobytes,
                // Pages of the file that were written to: the process's own copies.
                ("Anonymous", Some(file)) => {
                    self.own += kilobytes;
                    if let Some(resident) = files.get_mut(file) {
                        *resident = resident.saturating_sub(kilobytes);
                    }
                }
                // What a parent and a forked child still share is split between them.
                ("Pss", None) => self.own += kilobytes,
                _ => {}
            }
        }
        for (file, resident) in files {
            let most = self.files.entry(file).or_default();
            *most = resident.max(*most);
        }
    }
}

/// Returns the number after `name:` in the lines of `text`.
pub(crate) fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Returns every process's parent.
fn parents() -> BTreeMap<i32, i32> {
    let Ok(folder) = fs::read_dir("/proc") else { return BTreeMap::new() };
    let ids = folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    ids.filter_map(|id| Some((id, parent(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)?)))
        .collect()
}

/// Returns the second field after the program's name, which may itself contain spaces and brackets.
fn parent(stat: &str) -> Option<i32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn descendants(id: i32, parents: &BTreeMap<i32, i32>) -> Vec<i32> {
    let mut found = vec![id];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        found.extend(parents.iter().filter(|(_, of)| **of == parent).map(|(child, _)| child));
        next += 1;
    }
    found.split_off(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_is_read_behind_any_name() {
        assert_eq!(parent("12 (a) b (c)) S 7 12 12 0"), Some(7));
        assert_eq!(parent("12"), None);
    }

    #[test]
    fn children_of_children_are_found() {
        let parents = BTreeMap::from([(2, 1), (3, 2), (4, 3), (5, 1), (9, 8)]);
        assert_eq!(descendants(2, &parents), [3, 4]);
        assert_eq!(descendants(1, &parents), [2, 5, 3, 4]);
    }

    #[test]
    fn a_file_counts_once_and_what_is_written_to_for_each() {
        let process = "\
55d-55e r--p 00000000 fe:00 11    /bin/program
Size:        400 kB
Rss:         300 kB
Pss:         150 kB
Anonymous:     0 kB
55e-55f rw-p 00002000 fe:00 11    /bin/program
Rss:          50 kB
Pss:          50 kB
Anonymous:    20 kB
7ff-800 rw-p 00000000 00:00 0     [heap]
Rss:          80 kB
Pss:          40 kB
Anonymous:    80 kB
VmFlags: rd mr mw me
";
        let mut memory = Memory::default();
        memory.add(process);
        memory.add(process);
        let files = BTreeMap::from([("fe:00 11".to_owned(), 330)]);
        assert_eq!(memory, Memory { own: 2 * (20 + 40), files });
    }

    #[test]
    fn this_process_holds_memory() {
        let own = resident(Pid::this()).unwrap();
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let told = field(&status, "VmRSS").unwrap() as f64 * 1024.0 / 1e6;
        // Other tests run meanwhile and start processes.
        assert!(own > told / 2.0, "{own} MB of {told} MB");
    }
}
