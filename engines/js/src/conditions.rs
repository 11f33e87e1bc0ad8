//! The conditions under which packages' `exports` and `imports` maps are read.

use crate::{flavour::Flavour, options::NodeOptions};
use node_resolver::NodeConditionOptions;
use std::borrow::Cow;

/// Conditions that Node adds for `import`, and for `require`. `default` always holds.
const IMPORT: [&str; 4] = ["node", "import", "module-sync", "node-addons"];
const REQUIRE: [&str; 4] = ["node", "require", "module-sync", "node-addons"];

/// Returns the conditions for functions of a flavour, together with those that the user requested.
pub(crate) fn of(flavour: Flavour) -> NodeConditionOptions {
    let list = |names: [&'static str; 4]| {
        let denos = (flavour == Flavour::Deno).then_some("deno");
        Some(denos.into_iter().chain(names).map(Cow::Borrowed).collect())
    };
    NodeConditionOptions {
        conditions: NodeOptions::of_process().conditions.iter().cloned().map(Cow::Owned).collect(),
        import_conditions_override: list(IMPORT),
        require_conditions_override: list(REQUIRE),
    }
}
