//! `trine package`: a zip file, an image or a project of a function's folder.

mod summary;

use super::{Usage, doctor::runtime, print, progress::Progress, settings};
use crate::{
    config::Settings,
    diagnostic::explain,
    doctor::{Layers, Tree, strays},
    engines::Registry,
    folder::{Contents, Entry, Survey},
    handler::{Located, SearchPaths, from_environment},
    package::{Base, Image, Project, Stage, Target, Template, Time, write_new, write_zip},
};
use anyhow::Context;
use clap::Args;
use std::{
    env, fs,
    path::{Path, PathBuf},
};
use summary::Summary;
use trine_engine::{HANDLER_NAMES, Verdict, Wanted};

/// Package a function's folder: a zip file for Lambda, a container image, a project that deploys it.
///
/// The function is first copied to an empty place and loaded there, by the runtime that will run it, without an event: so
/// what the package lacks is found here, and compiled code for faster starts goes in. Packages are reproducible; times are
/// 1980-01-01, or what SOURCE_DATE_EPOCH says. .trineignore, in the syntax of .gitignore, names what stays out.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Package {
    /// The handler as Lambda gets it: app.handler, src/app.py:handler or a file, seen from the function's folder
    #[arg(required_unless_present = "layer")]
    handler: Option<String>,
    /// The function's folder
    #[arg(default_value = ".", conflicts_with = "layer")]
    folder: PathBuf,
    /// Write a zip file
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Package a layer's folder instead of a function
    #[arg(long, value_name = "DIR", conflicts_with_all = ["image", "template"], requires = "output")]
    layer: Option<PathBuf>,
    /// Write a container image, as an archive in OCI's layout
    #[arg(long, value_name = "FILE")]
    image: Option<PathBuf>,
    /// The image's root: a folder or a tar file with a C library. Without it the image holds runtime and function alone
    #[arg(long, value_name = "DIR|TAR", requires = "image")]
    base: Option<PathBuf>,
    /// The folder that the runtime ships in, for the image [default: the one that --runtime belongs to]
    #[arg(long, value_name = "DIR", requires = "image")]
    tree: Option<PathBuf>,
    /// Make the image an HTTP server on the port that PORT names, instead of a Lambda function
    #[arg(long, requires = "image")]
    serve: bool,
    /// Write a project that deploys the package
    #[arg(long, value_enum, value_name = "TOOL")]
    template: Option<Template>,
    /// The folder of the project
    #[arg(long, value_name = "DIR", default_value = "deploy", requires = "template")]
    dir: PathBuf,
    /// The zip file of the runtime's layer, for the project
    #[arg(
        long,
        value_name = "FILE",
        default_value = "dist/trine-layer-x86_64-python3.11.zip",
        requires = "template"
    )]
    runtime_layer: PathBuf,
    /// The image's name in a registry, for the project [default: the function's name]
    #[arg(long, value_name = "NAME", requires = "template")]
    image_name: Option<String>,
    /// The function's name, for the project [default: the folder's]
    #[arg(long, value_name = "NAME", requires = "template")]
    name: Option<String>,
    /// A layer's folder that the function runs with, as it is unpacked into /opt; may be given several times
    #[arg(long, value_name = "DIR", conflicts_with = "layer")]
    with_layer: Vec<PathBuf>,
    /// The build of this program that will run the function: its file, or the folder that it ships in [default: this
    /// program]
    #[arg(long, value_name = "PATH")]
    runtime: Option<PathBuf>,
    /// Take what links out of the folder lead to, as in workspaces of npm
    #[arg(long)]
    follow_links: bool,
    /// Do not look whether the handler loads
    #[arg(long)]
    no_check: bool,
    /// Do not pack compiled code for faster starts
    #[arg(long)]
    no_cache: bool,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
}

const EXAMPLES: &str = "\
Examples:
  trine package app.handler -o function.zip
  trine package src/app.handler shop/ -o shop.zip --template sam --dir deploy/
  trine package --layer layer/ -o layer.zip
  trine package app.handler --image image.tar --base root/ --serve";

/// The function that is packaged.
struct Function {
    contents: Contents,
    layers: Vec<Contents>,
    entries: Vec<Entry>,
    located: Option<Located>,
    /// The copy that some of the entries are in.
    _stage: Option<Stage>,
}

impl Package {
    /// Writes what was asked for and tells how large it is.
    ///
    /// # Errors
    /// When something of the function cannot be packaged, or the packages cannot be written.
    pub(super) fn run(self, registry: &Registry) -> anyhow::Result<()> {
        let settings = settings()?;
        let progress = Progress::new();
        let variable = env::var(Time::variable()).ok();
        let time = Time::of_packages(variable.as_deref()).map_err(|e| Usage(e.to_string()))?;
        if self.output.is_none() && self.image.is_none() && self.template.is_none() {
            let asked = "name what to write: -o function.zip, --image image.tar or --template sam";
            return Err(Usage(asked.to_owned()).into());
        }
        if let Some(folder) = &self.layer {
            return self.pack_layer(folder, registry, time, &progress);
        }
        // What cannot be written, or is missing, is told before any work is done.
        let output =
            self.output.as_deref().map(|path| Target::create(path, self.force)).transpose()?;
        let image =
            self.image.as_deref().map(|path| Target::create(path, self.force)).transpose()?;
        let parts = image.is_some().then(|| self.parts_of_image()).transpose()?;
        let project = self.project(&settings)?;
        let function = self.function(&settings, registry, &progress)?;
        let mut summary = Summary::new(&function.contents, &function.layers, &function.entries);
        if let Some(mut target) = output {
            write_zip(&function.entries, time, &mut target, &|text| progress.say(text))?;
            let path = target.path().to_owned();
            summary.zip(&path, target.finish()?);
        }
        if let (Some(mut target), Some(parts)) = (image, &parts) {
            let command = self.command(&function);
            let image = Image {
                base: parts.base.as_ref(),
                tree: &parts.tree,
                runtime: &parts.runtime,
                function: &function.contents,
                entries: &function.entries,
                layers: &function.layers,
                command: &command,
                serve: self.serve,
                time,
            };
            let layers = image.write(&mut target, &|text| progress.say(text))?;
            let path = target.path().to_owned();
            summary.image(&path, target.finish()?, &layers, parts.base.is_some());
        }
        for (path, text) in project {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)
                    .with_context(|| format!("cannot make the folder {}", folder.display()))?;
            }
            write_new(&path, &text, self.force)?;
            summary.file(&path);
        }
        drop(progress);
        summary.lines().iter().for_each(print);
        Ok(())
    }

    fn pack_layer(
        &self,
        folder: &Path,
        registry: &Registry,
        time: Time,
        progress: &Progress,
    ) -> anyhow::Result<()> {
        let path = self.output.as_deref().unwrap_or(Path::new(""));
        let mut target = Target::create(path, self.force)?;
        let contents = self.survey(folder, registry, &[], progress)?;
        write_zip(&contents.entries, time, &mut target, &|text| progress.say(text))?;
        let path = target.path().to_owned();
        let mut summary = Summary::new(&contents, &[], &contents.entries);
        summary.zip(&path, target.finish()?);
        for finding in strays(&contents, registry) {
            match finding.verdict {
                Verdict::Ok => summary.note(finding.what),
                _ => summary.warning(format!(
                    "{}: {}",
                    finding.what,
                    finding.advice.unwrap_or_default()
                )),
            }
        }
        summary.lines().iter().for_each(print);
        Ok(())
    }

    /// Surveys a folder; whatever cannot be packaged is an error that names all of it.
    fn survey(
        &self,
        root: &Path,
        registry: &Registry,
        except: &[PathBuf],
        progress: &Progress,
    ) -> anyhow::Result<Contents> {
        let project = self.template.map(|_| &self.dir);
        let written = self.output.iter().chain(&self.image).chain(project);
        let except: Vec<PathBuf> = written.chain(except).cloned().collect();
        let told = |found: usize| progress.say(&format!("found {found} files"));
        let survey =
            Survey { root, except: &except, follow: self.follow_links, registry, progress: &told };
        let contents = survey.run()?;
        let problems = &contents.problems;
        if !problems.is_empty() {
            const MOST: usize = 10;
            let told = problems.iter().take(MOST).map(|p| format!("\n  {}: {}", p.what, p.advice));
            let more = match problems.len().checked_sub(MOST + 1) {
                Some(more) => format!("\n  and {} more", more + 1),
                None => String::new(),
            };
            let told: String = told.collect();
            anyhow::bail!("{} cannot be packaged as it is:{told}{more}", root.display());
        }
        anyhow::ensure!(
            !contents.entries.is_empty(),
            "{} holds nothing to package",
            root.display()
        );
        Ok(contents)
    }

    /// Looks at the function, tries it, and gathers what goes into the package.
    fn function(
        &self,
        settings: &Settings,
        registry: &Registry,
        progress: &Progress,
    ) -> anyhow::Result<Function> {
        let with_cache = !self.no_cache;
        let root = &self.folder;
        // What earlier runs have left is made anew.
        let caches: Vec<PathBuf> = registry
            .iter()
            .filter_map(|engine| engine.cache_folder())
            .filter(|_| with_cache)
            .map(|name| root.join(name))
            .collect();
        let contents = self.survey(root, registry, &caches, progress)?;
        let layers =
            self.with_layer.iter().map(|layer| self.survey(layer, registry, &[], progress));
        let layers = layers.collect::<anyhow::Result<Vec<_>>>()?;
        let merged = Layers::of(&self.with_layer, &settings.layer_root.value)?;
        let handler = self.handler.as_deref().unwrap_or_default();
        let search =
            SearchPaths { task_root: contents.root.clone(), layer_root: merged.root().to_owned() };
        let located = match from_environment(Some(handler), |_| None, &search, registry) {
            Ok(located) => Some(located),
            Err(_) if self.no_check => None,
            Err(error) => anyhow::bail!("{}", explain(&error).trim_start_matches("error: ")),
        };
        let mut entries = contents.entries.clone();
        let mut stage = None;
        if with_cache || !self.no_check {
            progress.say("copying the function");
            let copy = Stage::new(&contents, registry, with_cache)?;
            progress.say("loading the function");
            let outcome = copy.run(&runtime(self.runtime.as_deref())?, handler, merged.root());
            match outcome.failure() {
                Some((what, advice)) if !self.no_check => {
                    let place = format!("{}/", copy.root().display());
                    let (what, output) =
                        (what.replace(&place, ""), outcome.output().replace(&place, ""));
                    let output = match output.as_str() {
                        "" => String::new(),
                        output => format!("\n{output}"),
                    };
                    anyhow::bail!(
                        "{what}{output}\n{advice}; 'trine doctor' tells more, --no-check packages it all the same"
                    );
                }
                _ => {}
            }
            entries.extend(copy.left_behind()?);
            entries.sort_by(|a, b| a.name.cmp(&b.name));
            stage = Some(copy);
        }
        Ok(Function { contents, layers, entries, located, _stage: stage })
    }

    /// Returns the argument of the image's entry point.
    fn command(&self, function: &Function) -> String {
        let handler = self.handler.clone().unwrap_or_default();
        let Some(located) = function.located.as_ref().filter(|_| self.serve) else {
            return handler;
        };
        let path = &located.module.path;
        let path = path.strip_prefix(&function.contents.root).unwrap_or(path).display();
        match &located.module.wanted {
            Wanted::Handler(export) if export != HANDLER_NAMES[0] => format!("{path}:{export}"),
            _ => path.to_string(),
        }
    }

    fn project(&self, settings: &Settings) -> anyhow::Result<Vec<(PathBuf, String)>> {
        let Some(template) = self.template else { return Ok(Vec::new()) };
        let folder = std::path::absolute(&self.folder)?;
        let of_folder = folder.file_name().unwrap_or_default().to_string_lossy();
        let name = match (&self.name, &settings.function.name) {
            (Some(name), _) | (None, Some(name)) => name.clone(),
            (None, None) => plain(&of_folder),
        };
        let code = self.output.clone().unwrap_or_else(|| self.dir.join("function.zip"));
        let project = Project {
            folder: &self.dir,
            name: &name,
            handler: self.handler.as_deref().unwrap_or_default(),
            code: &code,
            runtime_layer: &self.runtime_layer,
            image: self.image_name.as_deref().unwrap_or(&name),
        };
        let files = template.files(&project);
        for (path, _) in &files {
            anyhow::ensure!(
                self.force || !path.exists(),
                "{} exists already: choose another folder with --dir, or replace it with --force",
                path.display()
            );
        }
        Ok(files)
    }

    fn parts_of_image(&self) -> anyhow::Result<Parts> {
        let tree = match &self.tree {
            Some(root) => Tree::open(root).map_err(|why| Usage(format!("--tree: {why}")))?,
            None => {
                let runtime = runtime(self.runtime.as_deref())?;
                Tree::of_runtime(&runtime).with_context(|| {
                    format!(
                        "{} does not belong to a folder with share/trine/manifest.json, and an image needs all of it: \
                         name the folder with --tree",
                        runtime.display()
                    )
                })?
            }
        };
        let damaged = tree.damaged();
        anyhow::ensure!(
            damaged.is_empty(),
            "files of the runtime in {} are missing or damaged: {}",
            tree.root().display(),
            damaged.join(", ")
        );
        let base = self.base.as_deref().map(Base::open).transpose()?;
        // The runtime is shipped as it is, without anybody's idea of what it needs.
        let registry = Registry::new(Vec::new());
        let survey = Survey {
            root: tree.root(),
            except: &[],
            follow: false,
            registry: &registry,
            progress: &|_| (),
        };
        let runtime = survey.run()?;
        if let Some(problem) = runtime.problems.first() {
            anyhow::bail!(
                "the runtime in {} cannot be shipped: {}",
                tree.root().display(),
                problem.what
            );
        }
        Ok(Parts { base, runtime, tree })
    }
}

/// The parts of an image that are not the function's.
struct Parts {
    base: Option<Base>,
    tree: Tree,
    runtime: Contents,
}

/// Returns a name that every platform takes: lower-case letters, digits and dashes.
fn plain(name: &str) -> String {
    let plain = |letter: char| match letter {
        'A'..='Z' => letter.to_ascii_lowercase(),
        'a'..='z' | '0'..='9' => letter,
        _ => '-',
    };
    let name: String = name.chars().map(plain).collect();
    let name = name.trim_matches('-');
    match name.chars().next() {
        Some('a'..='z') => name.to_owned(),
        Some(_) => format!("f-{name}"),
        None => "function".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_every_platform_takes() {
        for (name, expected) in
            [("shop", "shop"), ("My_Shop 2", "my-shop-2"), ("2nd", "f-2nd"), ("é", "function")]
        {
            assert_eq!(plain(name), expected);
        }
    }
}
