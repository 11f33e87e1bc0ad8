//! The process-wide part: the description of the engine, and V8's platform, which exists once.

use crate::{
    ID, check, code_cache, examine, find, instance::JsInstance, options::NodeOptions, rules::Rules,
    standalone,
};
use deno_runtime::{deno_core::v8, deno_node::NODE_VERSION};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    rc::Rc,
};
use trine_engine::{
    Candidate, Capabilities, Engine, EngineInfo, Environment, ErrorDialect, ErrorKind, Examination,
    Finding, Hint, Instance, Interface, LayerPlace, Lookup, Module, Presence, Result, Search,
    TypeFile, VariableInfo,
};
use trine_process::environment;

/// The engine for JavaScript and TypeScript on V8.
pub struct JavaScript {
    info: EngineInfo,
}

/// Returns the engine for JavaScript and TypeScript.
pub fn engine() -> JavaScript {
    let rules = Rules::of_process();
    JavaScript {
        info: EngineInfo::new(ID, "JavaScript", format!("V8 {}", v8::VERSION_STRING))
            .with_managed_runtime(managed_runtime(rules.node().unwrap_or(NODE_VERSION)))
            .with_extensions(extensions(rules))
            .with_interpreters(&["node", "nodejs", "deno", "bun"])
            .with_instance_per_function(true)
            .with_splits_at_first_dot(true)
            .with_index_files(&["index"])
            .with_interfaces(&[Interface::Fetch, Interface::Node])
            .with_hints(&[Hint {
                kind: ErrorKind::ImportModule,
                words: &["Cannot find", "Could not find", "not found"],
                text: "is the dependency vendored beside the handler? JavaScript looks into node_modules of the \
                       function's folder, which npm install fills, and of layers",
            }])
            .with_capabilities(Capabilities {
                async_handlers: true,
                interleaving: true,
                streaming: true,
                interrupt: true,
                native_values: true,
                exact_integers: false,
                typescript: true,
                native_extensions: true,
                permissions: true,
                memory_limit: true,
            })
            .with_error_dialect(ErrorDialect {
                stack_member: "trace",
                type_first: true,
                ..ErrorDialect::PLAIN
            }),
    }
}

/// Returns the extensions of handlers' files, in the order in which they are looked for. Lambda's own runtimes know three.
fn extensions(rules: Rules) -> &'static [&'static str] {
    match rules {
        Rules::Permissive => &["mjs", "js", "cjs", "ts", "mts", "cts", "tsx", "jsx"],
        _ => &["js", "mjs", "cjs", "ts", "mts", "cts", "tsx", "jsx"],
    }
}

/// Returns the identifier of Lambda's runtime for this version of Node.
fn managed_runtime(version: &str) -> String {
    let major = version.split('.').next().unwrap_or(version);
    format!("nodejs{major}.x")
}

/// The variables that the language reads.
const VARIABLES: &[VariableInfo] = &[
    VariableInfo {
        name: "TRINE_NODE_RULES",
        default: "permissive",
        what: "the rules by which handlers are called: permissive, node22 or node24",
    },
    VariableInfo {
        name: "TRINE_FLAVOUR",
        default: "as the file looks",
        what: "the globals and conditions that a function sees: node or deno",
    },
    VariableInfo {
        name: "TRINE_CODE_CACHE",
        default: ".trine-cache in the function's folder, where it exists",
        what: "the folder with compiled code for faster starts",
    },
    VariableInfo {
        name: "AWS_LAMBDA_NODEJS_NO_GLOBAL_AWSLAMBDA",
        default: "",
        what: "1 or true takes the global awslambda away",
    },
    VariableInfo {
        name: "AWS_LAMBDA_NODEJS_DISABLE_CALLBACK_WARNING",
        default: "",
        what: "silences the warning of callbacks under node22",
    },
    VariableInfo {
        name: "NODE_OPTIONS",
        default: "",
        what: "options of Node.js, such as --require and --enable-source-maps",
    },
    VariableInfo { name: "NODE_PATH", default: "", what: "further folders of packages" },
    VariableInfo {
        name: "NODE_EXTRA_CA_CERTS",
        default: "",
        what: "a file of certificates that are trusted beside the system's",
    },
    VariableInfo {
        name: "NODE_TLS_REJECT_UNAUTHORIZED",
        default: "1",
        what: "0 accepts any certificate",
    },
];

impl Engine for JavaScript {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn check(&self, module: &Module) -> Result<Presence> {
        // Told where a server starts, and not with its first request alone.
        Rules::check()?;
        check::check(module)
    }

    fn main_of(&self, folder: &Path) -> Option<PathBuf> {
        find::main_of(folder)
    }

    fn before_extensions(&self, stem: &Path) -> Option<PathBuf> {
        find::before_extensions(stem, Rules::of_process())
    }

    fn find(&self, lookup: &Lookup<'_>) -> Result<Search> {
        find::find(lookup)
    }

    fn examine(&self, examination: &Examination<'_>) -> Vec<Finding> {
        examine::examine(examination)
    }

    fn spare(&self, candidate: &Candidate<'_>) -> Option<&'static str> {
        examine::spare(candidate)
    }

    fn layer_places(&self) -> Vec<LayerPlace> {
        examine::layer_places()
    }

    fn cache_folder(&self) -> Option<&'static str> {
        Some(code_cache::FOLDER)
    }

    fn types(&self) -> &'static [TypeFile] {
        &[
            TypeFile { name: "trine.d.ts", text: include_str!("../types/trine.d.ts") },
            TypeFile { name: "awslambda.d.ts", text: include_str!("../types/awslambda.d.ts") },
        ]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        vec![("Node.js", NODE_VERSION.to_owned())]
    }

    fn variables(&self) -> &'static [VariableInfo] {
        VARIABLES
    }

    fn set_missing(&self, variables: &[(&str, String)]) -> bool {
        environment::set_missing(variables)
    }

    fn start(&self, environment: &Environment) -> Result<Rc<dyn Instance>> {
        trine_v8::start("");
        environment::mark_children();
        let mut environment = environment.clone();
        environment.memory_limit = NodeOptions::of_process().memory_limit(environment.memory_limit);
        Ok(Rc::new(JsInstance::new(environment)?))
    }

    fn interpret(&self, command_line: &[OsString], environment: &Environment) -> bool {
        standalone::run(command_line, environment)
    }
}
