//! The conditions under which packages' `exports` and `imports` maps are read: Node's.

use node_resolver::NodeConditionOptions;
use std::{
    borrow::Cow,
    sync::{OnceLock, PoisonError, RwLock},
};

/// What Node adds for `import`, and for `require`, beside the conditions that were asked for. `default` always holds.
const IMPORT: [&str; 4] = ["node", "import", "module-sync", "node-addons"];
const REQUIRE: [&str; 4] = ["node", "require", "module-sync", "node-addons"];

/// The conditions of new instances, with those that `--conditions` names.
pub(crate) fn of_node() -> NodeConditionOptions {
    let list = |names: [&'static str; 4]| Some(names.map(Cow::Borrowed).to_vec());
    NodeConditionOptions {
        conditions: asked().read().unwrap_or_else(PoisonError::into_inner).clone(),
        import_conditions_override: list(IMPORT),
        require_conditions_override: list(REQUIRE),
    }
}

fn asked() -> &'static RwLock<Vec<Cow<'static, str>>> {
    static ASKED: OnceLock<RwLock<Vec<Cow<'static, str>>>> = OnceLock::new();
    ASKED.get_or_init(RwLock::default)
}
