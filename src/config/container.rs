//! The memory of the container that the process runs in, as its control group limits it.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Where control groups are mounted.
const MOUNT: &str = "/sys/fs/cgroup";
/// A limit from here on is none: what the first version says where nothing was set is near 2^63.
const NO_LIMIT: u64 = 1 << 50;

/// Returns the memory that the container may take, in bytes; `None` where nobody has limited it.
pub fn container_memory() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    limit_of(&groups, Path::new(MOUNT))
}

/// Returns the lowest limit of these groups, in the form of `/proc/self/cgroup`, and of the groups above them.
fn limit_of(groups: &str, mount: &Path) -> Option<u64> {
    groups.lines().flat_map(|line| files_of(line, mount)).filter_map(|file| read(&file)).min()
}

/// Returns the files that may limit the memory of a group, from the group's own upwards. A container sees its own group
/// as the topmost, whatever the line calls it.
fn files_of(line: &str, mount: &Path) -> Vec<PathBuf> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { return Vec::new() };
    let (top, name) = match controllers {
        "" => (mount.to_owned(), "memory.max"),
        _ if controllers.split(',').any(|controller| controller == "memory") => {
            (mount.join("memory"), "memory.limit_in_bytes")
        }
        _ => return Vec::new(),
    };
    let inside = Path::new(path.trim_start_matches('/'));
    inside.ancestors().map(|group| top.join(group).join(name)).collect()
}

fn read(file: &Path) -> Option<u64> {
    let limit = fs::read_to_string(file).ok()?.trim().parse().ok()?;
    (limit < NO_LIMIT).then_some(limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn limit(groups: &str, files: &[(&str, &str)]) -> Option<u64> {
        let mount = TempDir::new().unwrap();
        for (name, text) in files {
            let file = mount.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        limit_of(groups, mount.path())
    }

    #[test]
    fn the_lowest_limit_on_the_way_up_counts() {
        let files = [
            ("memory.max", "max\n"),
            ("pods/memory.max", "536870912\n"),
            ("pods/one/memory.max", "max\n"),
        ];
        assert_eq!(limit("0::/pods/one\n", &files), Some(512 << 20));
        assert_eq!(limit("0::/\n", &files), None);
        let files = [("pods/memory.max", "2048\n"), ("pods/one/memory.max", "1024\n")];
        assert_eq!(limit("0::/pods/one\n", &files), Some(1024));
    }

    #[test]
    fn a_container_sees_its_own_group_as_the_topmost() {
        assert_eq!(limit("0::/\n", &[("memory.max", "4096\n")]), Some(4096));
        assert_eq!(limit("0::/outside/of/it\n", &[("memory.max", "4096\n")]), Some(4096));
    }

    #[test]
    fn the_first_version_of_control_groups_is_read_too() {
        let groups = "5:cpu,cpuacct:/a\n4:memory:/docker/a\n1:name=systemd:/a\n";
        let all = ("memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(limit(groups, &[all]), None);
        assert_eq!(
            limit(groups, &[all, ("memory/docker/a/memory.limit_in_bytes", "1048576\n")]),
            Some(1 << 20)
        );
    }

    #[test]
    fn what_makes_no_sense_is_no_limit() {
        for groups in ["", "\n", "0", "0:", "0::", "4:cpu:/a", ":::"] {
            assert_eq!(limit(groups, &[("memory/memory.limit_in_bytes", "12")]), None, "{groups}");
        }
        assert_eq!(limit("0::/", &[("memory.max", "many")]), None);
    }
}
