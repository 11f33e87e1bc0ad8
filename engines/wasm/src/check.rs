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
    if let Err(error) = form::find(binary, module) {
        if error.kind() != ErrorKind::HandlerNotFound {
            return Err(error);
        }
        return Ok(absent(binary, module));
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
