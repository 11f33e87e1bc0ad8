//! The conditions under which packages' `exports` and `imports` maps are read: Node's.

use crate::options::NodeOptions;
use node_resolver::NodeConditionOptions;
use std::borrow::Cow;

/// What Node adds for `import`, and for `require`, beside the conditions that were asked for. `default` always holds.
const IMPORT: [&str; 4] = ["node", "import", "module-sync", "node-addons"];
const REQUIRE: [&str; 4] = ["node", "require", "module-sync", "node-addons"];

/// The conditions of new instances, with those that `--conditions` names.
pub(crate) fn of_node() -> NodeConditionOptions {
    let list = |names: [&'static str; 4]| Some(names.map(Cow::Borrowed).to_vec());
    NodeConditionOptions {
        conditions: NodeOptions::of_process().conditions.iter().cloned().map(Cow::Owned).collect(),
        import_conditions_override: list(IMPORT),
        require_conditions_override: list(REQUIRE),
    }
}
