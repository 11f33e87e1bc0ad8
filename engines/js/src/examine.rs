//! The look at a folder before it is shipped: whether native addons were made for this machine and this runtime, and
//! whether the packages of the AWS SDK that the source imports are there.
//!
//! Packages bring addons for many platforms, side by side (`prebuilds/linux-x64`) or as packages of their own
//! (`@img/sharp-darwin-arm64`). One that does not fit is told only where no other of its family does.

mod addons;
mod sdk;

use trine_engine::{Candidate, Examination, Finding, LayerPlace};

/// Looks at the addons and the imports of a function and its layers.
pub(crate) fn examine(examination: &Examination<'_>) -> Vec<Finding> {
    let mut findings = addons::look(examination);
    findings.extend(sdk::missing(examination));
    findings
}

/// Returns the folders of a layer in which packages are found.
pub(crate) fn layer_places() -> Vec<LayerPlace> {
    vec![LayerPlace { folder: "nodejs".to_owned(), holds: "packages of Node" }]
}

/// Returns the reason why something is of no use in a package.
pub(crate) fn spare(candidate: &Candidate<'_>) -> Option<&'static str> {
    let base = candidate.base();
    let is_cache = match candidate.is_folder {
        true => {
            matches!(base, ".nyc_output" | ".parcel-cache" | ".turbo" | ".npm" | ".yarn-cache")
                || base == ".cache" && candidate.name.ends_with("node_modules/.cache")
        }
        false => base == ".eslintcache" || base.ends_with(".tsbuildinfo"),
    };
    is_cache.then_some("caches of tools")
}

#[cfg(test)]
mod tests;
