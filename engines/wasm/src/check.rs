//! A check of a module before it runs: what its sections say. Nothing is compiled.

use crate::{
    binary::{Binary, Kind, Signature},
    form, loader,
};
use trine_engine::{ErrorKind, Module, Presence, Result, Wanted};

/// Checks a module.
pub(crate) fn check(module: &Module) -> Result<Presence> {
    let source = loader::read(module)?;
    let binary = &source.binary;
    match form::find(binary, module) {
        // A middleware without hooks is none.
        Ok(found) if found.is_empty() => return Ok(absent(binary, module)),
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::HandlerNotFound => {
            return Ok(absent(binary, module));
        }
        Err(error) => return Err(error),
    }
    // Only of what has a handler it matters whether it could run.
    loader::check(&source, module)?;
    Ok(Presence::Possible)
}

fn absent(binary: &Binary, module: &Module) -> Presence {
    let others = if form::is_command(binary) {
        vec![form::START.to_owned()]
    } else {
        binary.functions_of(&Signature::of(form::TAKES_BYTES))
    };
    if let Wanted::Handler(name) = &module.wanted
        && let Some(export) = binary.export(name)
    {
        let kind = match &export.kind {
            Kind::Function(Some(signature)) => format!("a function of the type {signature}"),
            kind => kind.name().to_owned(),
        };
        if !binary.has(name, &Signature::of(form::TAKES_BYTES)) {
            return Presence::NoFunction { name: name.clone(), kind };
        }
    }
    Presence::Absent { others }
}
