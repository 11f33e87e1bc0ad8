//! What a project's file declares, in words that fit all of its kinds.

use crate::{error::ReadError, inputs::Inputs, kind, reading::Reading};
use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

/// The functions that a project's file declares, and what of the file was not understood.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Project {
    /// The kind of file it is, by its content.
    pub kind: Kind,
    /// The file.
    pub file: PathBuf,
    /// The functions, in the order of the file. Those that cannot be served are among them, see [`Function::not_served`].
    pub functions: Vec<Function>,
    /// What was not understood, and what has consequences in the cloud that it does not have here.
    pub not_understood: Vec<Note>,
}

/// The kinds of files that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// A template of AWS SAM.
    Sam,
    /// A template of AWS CloudFormation without SAM's transform.
    CloudFormation,
    /// The Serverless Framework's file, for AWS or for a provider that is not known.
    Serverless,
    /// The Serverless Framework's file with Scaleway's plug-in.
    Scaleway,
    /// `func.yaml` of Knative's functions.
    Knative,
    /// `func.yaml` of the Fn project.
    Fn,
    /// `netlify.toml`.
    Netlify,
    /// `vercel.json`.
    Vercel,
}

impl Kind {
    /// Returns its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sam => "AWS SAM",
            Self::CloudFormation => "CloudFormation",
            Self::Serverless => "Serverless Framework",
            Self::Scaleway => "Serverless Framework for Scaleway",
            Self::Knative => "Knative function",
            Self::Fn => "Fn function",
            Self::Netlify => "Netlify",
            Self::Vercel => "Vercel",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A function of a project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Function {
    /// Its name in the file: the logical id in templates of AWS, the key below `functions` for the Serverless Framework.
    pub name: String,
    /// The name that it gets where it is deployed, if the file says it.
    pub deployed_name: Option<String>,
    /// The line in which it begins, counted from 1. It is one of the project's file, unless that has functions from others.
    pub line: usize,
    /// The folder with its code, absolute. It is not looked at.
    pub folder: PathBuf,
    /// The handler as the file names it, relative to the folder: `app.handler`, `src/app.handle`.
    pub handler: String,
    /// The platform's name for its language: `nodejs22.x`, `python3.13`.
    pub runtime: Option<String>,
    /// The requests that it answers.
    pub routes: Vec<Route>,
    /// What else invokes it in the cloud, and nothing here.
    pub triggers: Vec<Trigger>,
    /// Its environment variables, in order; no name stands twice.
    pub environment: Vec<(String, String)>,
    /// Folders of its layers, absolute, those that come first in the file first.
    pub layers: Vec<PathBuf>,
    /// The time that an invocation may take; `None` where the platform's own limit applies.
    pub timeout: Option<Duration>,
    /// Its memory in mebibytes (a Netlify or Vercel megabyte counts as one).
    pub memory_mb: Option<u64>,
    /// Whether its function URL streams answers (`InvokeMode: RESPONSE_STREAM`).
    pub streams: bool,
    /// Why it cannot be served here: it is an image, or in a language that has to be compiled. The project's notes say
    /// so too.
    pub not_served: Option<String>,
}

/// The requests that go to a function.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// The methods, in capitals; empty for any.
    pub methods: Vec<String>,
    /// The path in the form of `trine.toml`: `/items/{id}`, with `{path+}` at its end for all that follow.
    pub path: String,
    /// The beginning of the path that the function does not see, where the function has an address of its own in the cloud
    /// and shares one with others here.
    pub base_path: Option<String>,
    /// The form of its events.
    pub format: EventForm,
    /// The line that declares it, counted from 1.
    pub line: usize,
}

/// The form of a route's events, named as `event-format` in `trine.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventForm {
    /// Payload format 1.0: `aws-v1`.
    AwsV1,
    /// Payload format 2.0: `aws-v2`.
    AwsV2,
    /// Application Load Balancer: `alb`.
    Alb,
    /// Function URL: `function-url`.
    FunctionUrl,
    /// Scaleway: `scaleway`.
    Scaleway,
    /// CloudEvents: `cloudevents`.
    CloudEvents,
    /// The body alone: `raw`.
    Raw,
}

impl EventForm {
    /// Returns the name that users write.
    pub fn name(self) -> &'static str {
        match self {
            Self::AwsV1 => "aws-v1",
            Self::AwsV2 => "aws-v2",
            Self::Alb => "alb",
            Self::FunctionUrl => "function-url",
            Self::Scaleway => "scaleway",
            Self::CloudEvents => "cloudevents",
            Self::Raw => "raw",
        }
    }
}

impl fmt::Display for EventForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A source of events that are no requests.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trigger {
    /// Its kind as the file calls it: `SQS`, `schedule`.
    pub kind: String,
    /// The line that declares it, counted from 1.
    pub line: usize,
}

/// A part of a file that was not understood, or that has a consequence in the cloud and none here.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// The file that it stands in.
    pub file: PathBuf,
    /// The line, counted from 1.
    pub line: usize,
    /// The part of the file: `the variable TABLE of Orders`.
    pub what: String,
    /// What that means: `Table exists only in the cloud, its logical id stands in its place`.
    pub why: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}: {}", self.file.display(), self.line, self.what, self.why)
    }
}

/// Names under which a project's file lies in a folder, the most telling first.
const NAMES: [&str; 14] = [
    "template.yaml",
    "template.yml",
    "template.json",
    "serverless.yml",
    "serverless.yaml",
    "serverless.json",
    "func.yaml",
    "func.yml",
    "func.json",
    "func.toml",
    "netlify.toml",
    "vercel.json",
    "cloudformation.yaml",
    "cloudformation.yml",
];

impl Project {
    /// Reads a file with the environment variables of this process, and no parameters.
    ///
    /// # Errors
    /// The file cannot be read, is of no kind that is known, or makes no sense.
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        Self::read_with(path, &Inputs::of_process())
    }

    /// Reads a file with parameters, options and environment variables that are given.
    ///
    /// # Errors
    /// The file cannot be read, is of no kind that is known, or makes no sense.
    pub fn read_with(path: &Path, inputs: &Inputs) -> Result<Self, ReadError> {
        let mut reading = Reading::new(path, inputs);
        let read = kind::read(&mut reading);
        let (kind, functions) = read.map_err(|fault| reading.error(fault))?;
        let not_understood = reading.into_notes();
        Ok(Self { kind, file: path.to_owned(), functions, not_understood })
    }

    /// Returns the file in a folder that [`Project::read`] would read, by the names that such files have.
    pub fn find(folder: &Path) -> Option<PathBuf> {
        NAMES.iter().map(|name| folder.join(name)).find(|file| file.is_file())
    }
}
