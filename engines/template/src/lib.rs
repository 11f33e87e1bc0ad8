//! Reads the project files of other tools, AWS SAM and the Serverless Framework among them, so that their functions can be
//! served without those tools.
//!
//! [`Project::read`] reads a file, judges its kind by its content, and returns its functions with their routes, their code
//! and their environment. It runs nothing and asks nobody: what only the cloud knows is noted, and what could not be
//! understood too.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("template.yaml");
//! std::fs::write(&path, "
//! Transform: AWS::Serverless-2016-10-31
//! Resources:
//!   Items:
//!     Type: AWS::Serverless::Function
//!     Properties:
//!       CodeUri: items
//!       Handler: app.handler
//!       Runtime: nodejs22.x
//!       Environment: { Variables: { REGION: !Ref AWS::Region } }
//!       Events:
//!         Get: { Type: HttpApi, Properties: { Path: '/items/{id}', Method: get } }
//! ")?;
//! let project = trine_template::Project::read(&path)?;
//! let items = &project.functions[0];
//! assert_eq!(items.folder, folder.path().join("items"));
//! assert_eq!(items.routes[0].path, "/items/{id}");
//! assert_eq!(items.routes[0].methods, ["GET"]);
//! assert_eq!(items.routes[0].format.name(), "aws-v2");
//! assert!(project.not_understood.is_empty());
//! # Ok(())
//! # }
//! ```
//!
#![doc = include_str!("../docs.md")]

mod aws;
mod code_files;
mod error;
mod fn_project;
mod inputs;
mod kind;
mod knative;
mod netlify;
mod node;
mod project;
mod reading;
mod routes;
mod runtimes;
mod serverless;
mod similar;
mod toml;
mod variables;
mod vercel;
mod yaml;

pub use error::ReadError;
pub use inputs::Inputs;
pub use project::{EventForm, Function, Kind, Note, Project, Route, Trigger};
