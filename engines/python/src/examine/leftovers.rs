//! What Python and its tools leave in a folder and nobody needs where it is shipped.

use std::{fs::File, io::Read, path::Path};
use trine_engine::Candidate;

const CACHES: &str = "caches of tools";
const COMPILED: &str = "compiled Python that would not be used";

/// Returns the reason why something is of no use in a package.
pub(crate) fn spare(candidate: &Candidate<'_>) -> Option<&'static str> {
    let base = candidate.base();
    if candidate.is_folder {
        let is_cache = matches!(
            base,
            ".pytest_cache"
                | ".mypy_cache"
                | ".ruff_cache"
                | ".tox"
                | ".nox"
                | ".hypothesis"
                | ".ipynb_checkpoints"
                | "htmlcov"
        );
        if is_cache {
            return Some(CACHES);
        }
        let is_environment = candidate.path.join("pyvenv.cfg").is_file();
        return is_environment.then_some("virtual environments");
    }
    if base == ".coverage" || base.starts_with(".coverage.") {
        return Some(CACHES);
    }
    let stem = base.strip_suffix(".pyc")?;
    (!is_used(candidate.path, stem)).then_some(COMPILED)
}

/// Whether this interpreter would load a compiled file once it is unpacked elsewhere. One that is checked by its source's
/// time is out of date there: a package does not keep times.
fn is_used(path: &Path, stem: &str) -> bool {
    let Some(folder) = path.parent() else { return true };
    let is_cached = folder.file_name().is_some_and(|name| name == "__pycache__");
    let Some((magic, by_hash)) = header(path) else { return false };
    if Ok(magic) != env!("TRINE_PYTHON_MAGIC").parse::<u32>() {
        return false;
    }
    if !is_cached {
        // Beside its source it is passed over; without one it stands for it, whatever its time.
        return !folder.join(format!("{stem}.py")).is_file();
    }
    let module = stem.split('.').next().unwrap_or(stem);
    let source = folder.parent().map(|above| above.join(format!("{module}.py")));
    by_hash && source.is_some_and(|source| source.is_file())
}

/// Returns the number of the bytecode's version, and whether the file is checked by its source's hash or not at all.
fn header(path: &Path) -> Option<(u32, bool)> {
    let mut bytes = [0; 8];
    File::open(path).ok()?.read_exact(&mut bytes).ok()?;
    let [magic, flags] = [*bytes.first_chunk::<4>()?, *bytes.last_chunk::<4>()?];
    Some((u32::from_le_bytes(magic), u32::from_le_bytes(flags) & 1 != 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_tools_leave_is_of_no_use() {
        let of =
            |name: &str, is_folder| spare(&Candidate { path: Path::new(name), name, is_folder });
        assert_eq!(of("a/.pytest_cache", true), Some(CACHES));
        assert_eq!(of(".coverage", false), Some(CACHES));
        assert_eq!(of("a/app.py", false), None);
        assert_eq!(of("htmlcov", false), None);
    }

    #[test]
    fn compiled_files_are_kept_where_they_will_be_used() {
        let folder = std::env::temp_dir().join(format!("trine-leftovers-{}", std::process::id()));
        fs::create_dir_all(folder.join("__pycache__")).unwrap();
        fs::write(folder.join("a.py"), "").unwrap();
        let magic = env!("TRINE_PYTHON_MAGIC").parse::<u32>().unwrap();
        let of = |name: &str, magic: u32, flags: u32| {
            let path = folder.join(name);
            let bytes = [magic.to_le_bytes(), flags.to_le_bytes()].concat();
            fs::write(&path, bytes).unwrap();
            spare(&Candidate { path: &path, name, is_folder: false })
        };
        assert_eq!(of("__pycache__/a.cpython-311.pyc", magic, 1), None);
        assert_eq!(of("__pycache__/a.cpython-311.pyc", magic, 3), None);
        assert_eq!(of("__pycache__/a.cpython-311.pyc", magic, 0), Some(COMPILED));
        assert_eq!(of("__pycache__/a.cpython-311.pyc", magic ^ 1, 1), Some(COMPILED));
        assert_eq!(of("__pycache__/gone.cpython-311.pyc", magic, 1), Some(COMPILED));
        assert_eq!(of("a.pyc", magic, 0), Some(COMPILED));
        assert_eq!(of("b.pyc", magic, 0), None);
        fs::remove_dir_all(&folder).unwrap();
    }
}
