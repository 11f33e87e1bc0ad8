//! Programs of the earlier runtime: the arguments and standard streams that a script sees while it runs, and the
//! meaning of its end.

use crate::{error, exits, interpreter::Interpreter};
use pyo3::{
    exceptions::PySystemExit,
    prelude::*,
    types::{PyBytes, PyDict, PyList},
};
use std::{cell::RefCell, fs, path::Path, time::UNIX_EPOCH};
use trine_engine::{Error, ErrorKind, Module, Result};

thread_local! {
    /// The input and output of the program that runs on this thread.
    static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
}

struct Running {
    arguments: Py<PyList>,
    input: Py<PyAny>,
    output: Vec<u8>,
}

/// A program and the hook that it serves as.
pub(crate) struct Program {
    path: String,
    hook: &'static str,
}

/// The hooks that a program may be called for.
const HOOKS: [&str; 2] = ["before", "after"];

/// Adds the functions that the prelude's `program` needs to the module `_trine`.
pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(program_arguments, module)?)?;
    module.add_function(wrap_pyfunction!(program_input, module)?)
}

/// Keeps the output of this thread's running program. Returns whether there is one.
pub(crate) fn keeps(bytes: &[u8]) -> bool {
    let kept = RUNNING.try_with(|running| {
        let Ok(mut running) = running.try_borrow_mut() else { return false };
        match running.as_mut() {
            Some(running) => {
                running.output.extend_from_slice(bytes);
                true
            }
            None => false,
        }
    });
    kept.unwrap_or(false)
}

#[pyfunction]
fn program_arguments(py: Python<'_>) -> Option<Py<PyList>> {
    let found = RUNNING.try_with(|running| {
        running.borrow().as_ref().map(|running| running.arguments.clone_ref(py))
    });
    found.ok().flatten()
}

#[pyfunction]
fn program_input(py: Python<'_>) -> Option<Py<PyAny>> {
    let found = RUNNING
        .try_with(|running| running.borrow().as_ref().map(|running| running.input.clone_ref(py)));
    found.ok().flatten()
}

fn of_prelude<'py>(
    py: Python<'py>,
    python: &Interpreter,
    name: &str,
) -> PyResult<Bound<'py, PyAny>> {
    let prelude = python.program(py)?;
    Ok(prelude.bind(py).get_item(name)?.expect("the prelude defines it"))
}

/// Prepares a program: compiles it, and loads what it needs of the interpreter.
pub(crate) fn load(
    py: Python<'_>,
    python: &Interpreter,
    generation: u64,
    module: &Module,
    layer_root: &str,
) -> Result<Vec<(&'static str, Program)>> {
    let path = module.path.to_string_lossy().into_owned();
    let folder = module.path.parent().unwrap_or(Path::new("/")).to_string_lossy().into_owned();
    let ready = (|| {
        of_prelude(py, python, "install")?.call0()?;
        let activate = python.loader.bind(py).get_item("activate")?;
        let activate = activate.expect("the prelude defines it");
        activate.call1((generation, module.root.to_string_lossy(), layer_root, folder))?;
        code(py, python, &path)
    })();
    ready.map_err(|raised| error::import_failed(py, &raised, &module.name))?;
    Ok(HOOKS.map(|hook| (hook, Program { path: path.clone(), hook })).into())
}

/// Returns the compiled program, compiled again when its file has changed.
fn code<'py>(py: Python<'py>, python: &Interpreter, path: &str) -> PyResult<Bound<'py, PyAny>> {
    let file = fs::metadata(path)?;
    let changed = file.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let stamp = (changed.map_or(0, |since| since.as_nanos()).to_string(), file.len());
    of_prelude(py, python, "code")?.call1((path, stamp))
}

impl Program {
    /// Runs the program with `text` as its standard input. Returns its output, without one newline at its end.
    ///
    /// # Errors
    /// The outer one is what the program raised, the inner one any other failure.
    pub(crate) fn run(
        &self,
        py: Python<'_>,
        python: &Interpreter,
        text: &[u8],
    ) -> PyResult<Result<Vec<u8>>> {
        let code = code(py, python, &self.path)?;
        let module = of_prelude(py, python, "module")?.call1((&self.path,))?;
        let namespace = module.getattr("__dict__")?;
        let input = of_prelude(py, python, "text_input")?.call1((PyBytes::new(py, text),))?;
        let run = of_prelude(py, python, "run")?;
        let arguments = PyList::new(py, [self.path.as_str(), self.hook])?;
        let stage = Stage::set(
            py,
            &module,
            Running { arguments: arguments.unbind(), input: input.unbind(), output: Vec::new() },
        )?;
        let ran = run.call1((code, namespace));
        let mut output = stage.take_output();
        drop(stage);
        if let Err(raised) = ran {
            if !raised.is_instance_of::<PySystemExit>(py) {
                return Err(raised);
            }
            let (status, said) = exits::exit_status(py, &raised);
            if let Some(said) = &said {
                crate::host::complain(said);
            }
            if status != 0 {
                let text = format!("the program ended with exit status {status}");
                let mut failed = error::with_place(py, Error::new(ErrorKind::Exit, text), &raised);
                if let Some(said) = said {
                    failed = failed.with_context("sys.exit", said);
                }
                return Ok(Err(failed));
            }
        }
        if output.last() == Some(&b'\n') {
            output.pop();
        }
        Ok(Ok(output))
    }
}

/// The settings for a program on its thread and in `sys`, until this is dropped.
struct Stage<'py> {
    saved: Vec<(&'static str, Bound<'py, PyAny>)>,
    modules: Bound<'py, PyDict>,
    main: Option<Bound<'py, PyAny>>,
    outer: Option<Running>,
    sys: Bound<'py, PyModule>,
}

impl<'py> Stage<'py> {
    fn set(py: Python<'py>, module: &Bound<'py, PyAny>, running: Running) -> PyResult<Self> {
        let sys = py.import("sys")?;
        let mut saved = Vec::new();
        for name in ["argv", "stdin", "stdout", "stderr"] {
            saved.push((name, sys.getattr(name)?));
        }
        let modules = sys.getattr("modules")?.cast_into::<PyDict>()?;
        let main = modules.get_item("__main__")?;
        modules.set_item("__main__", module)?;
        let outer = RUNNING.replace(Some(running));
        Ok(Self { saved, modules, main, outer, sys })
    }

    fn take_output(&self) -> Vec<u8> {
        RUNNING.with_borrow_mut(|running| {
            running.as_mut().map(|running| std::mem::take(&mut running.output)).unwrap_or_default()
        })
    }
}

impl Drop for Stage<'_> {
    fn drop(&mut self) {
        let ended = RUNNING.replace(self.outer.take());
        // None of these runs Python code; a program's replacements for them go.
        for (name, value) in &self.saved {
            let _ = self.sys.setattr(*name, value);
        }
        let _ = match &self.main {
            Some(main) => self.modules.set_item("__main__", main),
            None => self.modules.del_item("__main__"),
        };
        drop(ended);
    }
}
