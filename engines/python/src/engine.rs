//! The engine as the rest of the process sees it: plain facts, and instances on demand. The interpreter behind them
//! starts with the first instance.

use crate::{ID, check, examine, find, instance::PythonInstance, interpreter, standalone};
use std::{ffi::OsString, rc::Rc};
use trine_engine::{
    Candidate, Capabilities, Engine, EngineInfo, Environment, ErrorDialect, ErrorKind, ErrorRecord,
    Examination, Finding, Hint, Instance, Interface, LayerPlace, Lookup, Module, Presence, Result,
    Search, TypeFile, VariableInfo,
};
use trine_process::environment;

/// Returns the Python engine.
pub fn engine() -> PythonEngine {
    PythonEngine {
        info: EngineInfo::new(
            ID,
            "Python",
            version(env!("TRINE_PYTHON_VERSION"), env!("TRINE_PYTHON_FREE_THREADED")),
        )
        .with_extensions(&["py"])
        .with_interpreters(&["python"])
        .with_on_main_thread(true)
        .with_index_files(&["__init__"])
        .with_interfaces(&[Interface::Asgi, Interface::Wsgi])
        .with_hints(&[
            Hint {
                kind: ErrorKind::ImportModule,
                words: &["relative import"],
                text: "a relative import reaches no further than the package that the file is in: name the handler from \
                       the folder above the package, as in package/app.handler",
            },
            Hint {
                kind: ErrorKind::ImportModule,
                words: &["No module named"],
                text: "is the dependency vendored beside the handler? Python looks into the function's folder, its \
                       package/, which pip install -t package fills, and layers",
            },
        ])
        .with_capabilities(Capabilities {
            async_handlers: true,
            interleaving: true,
            streaming: true,
            interrupt: true,
            native_values: true,
            exact_integers: true,
            typescript: false,
            native_extensions: true,
            permissions: true,
            memory_limit: false,
        })
        .with_managed_runtime(interpreter::minor_version())
        .with_error_dialect(ErrorDialect {
            stack_member: "stackTrace",
            with_request_id: true,
            record: ErrorRecord::Traceback,
            type_first: false,
            fault: Some("LambdaValidationError"),
        }),
    }
}

/// Describes the runtime: `free_threaded` is `1` for an interpreter without a global lock, with parallel threads.
fn version(number: &str, free_threaded: &str) -> String {
    let threads = if free_threaded == "1" { ", free-threaded" } else { "" };
    format!("CPython {number}{threads}")
}

/// CPython, one interpreter per process. Its instances share modules and the global interpreter lock; each has its
/// thread, its functions and its event loop.
#[derive(Debug)]
pub struct PythonEngine {
    info: EngineInfo,
}

/// The variables that the language reads.
const VARIABLES: &[VariableInfo] = &[
    VariableInfo { name: "PYTHONPATH", default: "", what: "further folders of modules" },
    VariableInfo {
        name: "TRINE_PYTHON_SITE",
        default: "run when it is needed",
        what: "eager runs Python's site at the start",
    },
    VariableInfo {
        name: "PYTHONHOME",
        default: "where this program ships, else where it was built",
        what: "the place of the standard library",
    },
    VariableInfo {
        name: "VIRTUAL_ENV",
        default: ".venv or venv beside the function, where it exists",
        what: "the virtual environment with the function's packages",
    },
];

impl Engine for PythonEngine {
    fn info(&self) -> &EngineInfo {
        &self.info
    }

    fn check(&self, module: &Module) -> Result<Presence> {
        check::check(module)
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

    fn types(&self) -> &'static [TypeFile] {
        &[TypeFile { name: "trine.pyi", text: include_str!("../types/trine.pyi") }]
    }

    fn details(&self) -> Vec<(&'static str, String)> {
        vec![("standard library", interpreter::library())]
    }

    fn variables_while_files_change(&self) -> &'static [(&'static str, &'static str)] {
        // CPython takes its compiled form of a file for current while the file's size and the second of its change are the same.
        &[("PYTHONDONTWRITEBYTECODE", "1")]
    }

    fn variables(&self) -> &'static [VariableInfo] {
        VARIABLES
    }

    fn set_missing(&self, variables: &[(&str, String)]) -> bool {
        let set = environment::set_missing(variables);
        if set {
            interpreter::learn_environment(variables);
        }
        set
    }

    fn interpret(&self, command_line: &[OsString], _environment: &Environment) -> bool {
        standalone::run(command_line)
    }

    fn start(&self, environment: &Environment) -> Result<Rc<dyn Instance>> {
        environment::mark_children();
        let python = interpreter::start(environment.main_thread)?;
        Ok(Rc::new(PythonInstance::new(python, environment)?))
    }
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn an_interpreter_without_a_global_lock_is_told_from_one_with_it() {
        assert_eq!(version("3.11.7", "0"), "CPython 3.11.7");
        assert_eq!(version("3.14.0", "1"), "CPython 3.14.0, free-threaded");
    }
}
