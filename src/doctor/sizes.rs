//! Sizes beside what Lambda takes.

use super::Tree;
use crate::folder::Contents;
use trine_engine::Finding;

/// Lambda's limit for a zip file that is uploaded directly, in bytes. What is larger goes through S3.
pub const ZIPPED_LIMIT: u64 = 50 << 20;
/// Lambda's limit for a function and its layers, unpacked, in bytes.
pub const UNPACKED_LIMIT: u64 = 250 << 20;

/// The sizes of what is unpacked together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// The function, in bytes.
    pub function: u64,
    /// Its layers.
    pub layers: u64,
    /// The runtime's layer, where it is known.
    pub runtime: u64,
}

impl Sizes {
    /// Adds up a function, its layers, and the runtime's folder unless that is one of the layers.
    pub fn of(function: &Contents, layers: &[Contents], tree: Option<&Tree>) -> Self {
        let is_layer = |tree: &&Tree| !layers.iter().any(|layer| layer.root == tree.root());
        Self {
            function: function.size(),
            layers: layers.iter().map(Contents::size).sum(),
            runtime: tree.filter(is_layer).map_or(0, Tree::size),
        }
    }

    /// Returns the whole.
    pub fn total(&self) -> u64 {
        self.function + self.layers + self.runtime
    }

    /// Returns the finding that tells of them.
    pub(super) fn finding(&self) -> Finding {
        let what = self.to_string();
        if self.total() > UNPACKED_LIMIT {
            let advice = "leave out what the function does not need in .trineignore, or ship it as an image (10 GB)";
            return Finding::fail("size", what, advice);
        }
        Finding::ok("size", what)
    }
}

impl std::fmt::Display for Sizes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unpacked {}", shown(self.function))?;
        if self.layers > 0 {
            write!(f, ", layers {}", shown(self.layers))?;
        }
        if self.runtime > 0 {
            write!(f, ", runtime {}", shown(self.runtime))?;
        }
        write!(f, " of Lambda's {}", shown(UNPACKED_LIMIT))
    }
}

/// Returns a size for people: `12.3 MB`, in units of 1024 bytes, as Lambda's limits are.
pub fn shown(bytes: u64) -> String {
    let scaled = |unit: u64| bytes as f64 / unit as f64;
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..0x10_0000 => format!("{:.1} kB", scaled(1 << 10)),
        _ if bytes.is_multiple_of(1 << 20) => format!("{} MB", bytes >> 20),
        _ => format!("{:.1} MB", scaled(1 << 20)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trine_engine::Verdict;

    #[test]
    fn everything_counts_against_the_limit() {
        let mut sizes = Sizes { function: 3 << 20, layers: 0, runtime: 0 };
        assert_eq!(sizes.to_string(), "unpacked 3 MB of Lambda's 250 MB");
        assert_eq!(sizes.finding().verdict, Verdict::Ok);
        sizes.layers = 1536;
        sizes.runtime = UNPACKED_LIMIT;
        let expected = "unpacked 3 MB, layers 1.5 kB, runtime 250 MB of Lambda's 250 MB";
        assert_eq!(sizes.to_string(), expected);
        assert_eq!(sizes.finding().verdict, Verdict::Fail);
    }

    #[test]
    fn sizes_are_short() {
        let texts = [0, 1023, 1024, 1 << 20, (1 << 20) + 300_000].map(shown);
        assert_eq!(texts, ["0 bytes", "1023 bytes", "1.0 kB", "1 MB", "1.3 MB"]);
    }
}
