//! The site of a project that is written for another tool: SAM, the Serverless Framework and others. What such files hold
//! the crate `trine-template` knows; here its functions and routes become ours.

use super::{
    error::ServeError,
    format::EventFormat,
    route::{Route, Routes},
    site::{ServedFunction, Site},
};
use crate::{
    engines::Registry,
    handler::{PassedOver, SearchPaths, locate},
};
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};
use trine_template::{Function, Project};

impl Site {
    /// Makes a site of the functions and routes that a template declares. Those that are not served are passed over, with the
    /// reason.
    ///
    /// # Errors
    /// [`ServeError::Routes`] for a route, or a variable, that cannot be as it is written; [`ServeError::NothingToServe`].
    pub fn of_template(project: &Project, registry: &Registry) -> Result<Self, ServeError> {
        let fault =
            |line, message| ServeError::Routes { file: project.file.clone(), line, message };
        let (mut functions, mut routes, mut passed_over) = (Vec::new(), Vec::new(), Vec::new());
        for declared in &project.functions {
            let served = match served(declared, registry) {
                Ok(served) => served,
                Err(why) => {
                    passed_over.push(PassedOver { path: declared.name.clone(), why });
                    continue;
                }
            };
            let index = functions.len();
            for route in &declared.routes {
                let any = ["ANY".to_owned()];
                let methods = if route.methods.is_empty() { &any[..] } else { &route.methods };
                for method in methods {
                    let made = Route::declared(method, &route.path, index);
                    let made = made.and_then(|made| match &route.base_path {
                        Some(base_path) => made.mounted_at(base_path),
                        None => Ok(made),
                    });
                    routes.push(made.map_err(|message| fault(route.line, message))?);
                }
            }
            // One that nothing calls over HTTP has its name, so that it can be tried.
            if declared.routes.is_empty() {
                routes.push(Route::named(&declared.name, index));
            }
            functions.push(served);
        }
        share(&mut functions, project).map_err(|(line, message)| fault(line, message))?;
        if functions.is_empty() {
            let file = project.file.display();
            let reasons =
                passed_over.iter().map(|PassedOver { path, why }| format!("\n  {path}: {why}"));
            let reasons: String = reasons.collect();
            return Err(ServeError::NothingToServe(format!(
                "{file} declares no function that can be served{reasons}"
            )));
        }
        let folder = project.file.parent().unwrap_or(Path::new("/"));
        Ok(Self::declared(functions, Routes::new(routes), folder, passed_over))
    }
}

/// Finds a function's code.
///
/// # Errors
/// Why it is not served.
fn served(declared: &Function, registry: &Registry) -> Result<ServedFunction, String> {
    if let Some(why) = &declared.not_served {
        return Err(why.clone());
    }
    let located = locate(&declared.handler, &SearchPaths::new(&declared.folder), registry);
    let located = located.map_err(|error| error.message().to_owned())?;
    let format = declared.routes.first().and_then(|route| route.format.name().parse().ok());
    Ok(ServedFunction {
        timeout: declared.timeout,
        event_format: format.filter(|format| *format != EventFormat::default()),
        variables: declared.environment.clone(),
        function_name: declared.deployed_name.clone(),
        ..ServedFunction::looked_at(declared.name.clone(), located)
    })
}

/// Gives functions that share an environment the variables of one another.
///
/// # Errors
/// Two values for one variable: the line of a function, and the problem.
fn share(functions: &mut [ServedFunction], project: &Project) -> Result<(), (usize, String)> {
    let place = |function: &ServedFunction| {
        (function.located.engine.info().id, function.place().to_owned())
    };
    let mut shared: HashMap<_, BTreeMap<String, (String, String)>> = HashMap::new();
    for function in &*functions {
        let variables = shared.entry(place(function)).or_default();
        for (name, value) in &function.variables {
            let wanted = (value.clone(), function.name.clone());
            let (known, by) = variables.entry(name.clone()).or_insert_with(|| wanted);
            if known != value {
                let mut declared = project.functions.iter();
                let line = declared.find(|one| one.name == function.name).map_or(1, |one| one.line);
                let message = format!(
                    "the functions '{by}' and '{}' share one interpreter, and want different values for {name}: give them \
                     folders of their own",
                    function.name
                );
                return Err((line, message));
            }
        }
    }
    for function in functions {
        let variables = shared.get(&place(function)).into_iter().flatten();
        let variables = variables.map(|(name, (value, _))| (name.clone(), value.clone()));
        function.variables = variables.collect();
    }
    Ok(())
}
