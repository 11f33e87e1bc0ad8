//! `--template`: functions as a project file of another tool declares them.

use super::{Usage, print_beside};
use crate::{engines::Registry, http::Site};
use std::path::{Path, PathBuf};
use trine_template::{Inputs, Project};

/// The flags.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct TemplateFlags {
    /// Serve what this file declares: template.yaml of SAM or CloudFormation, serverless.yml, func.yaml and others
    #[arg(long, value_name = "FILE", conflicts_with = "path")]
    template: Option<PathBuf>,
    /// A parameter of the template, or an option of its tool such as stage (NAME=value); repeat for several
    #[arg(long, value_name = "NAME=VALUE", requires = "template", value_parser = parameter)]
    parameter: Vec<(String, String)>,
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write a name, = and a value, such as stage=dev".to_owned()),
    }
}

impl TemplateFlags {
    /// Returns the file, if one is given.
    pub(super) fn file(&self) -> Option<&Path> {
        self.template.as_deref()
    }

    /// Makes the site of the template, if one is given. `tells` says whether what was not understood is told.
    ///
    /// # Errors
    /// What is wrong in the file, with its place.
    pub(super) fn site(&self, registry: &Registry, tells: bool) -> anyhow::Result<Option<Site>> {
        let Some(file) = &self.template else { return Ok(None) };
        let mut inputs = Inputs::of_process();
        inputs.parameters.extend(self.parameter.iter().cloned());
        inputs.options.extend(self.parameter.iter().cloned());
        let project =
            Project::read_with(file, &inputs).map_err(|error| Usage(error.to_string()))?;
        if tells {
            for note in &project.not_understood {
                print_beside(&format!("note: {note}\n"));
            }
        }
        Ok(Some(Site::of_template(&project, registry)?))
    }
}
