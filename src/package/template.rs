//! Projects that deploy what was packaged: a small, complete one for each tool.

use std::path::{Component, Path, PathBuf};

/// A tool that deploys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Template {
    /// AWS Serverless Application Model
    Sam,
    /// AWS Cloud Development Kit, in TypeScript
    Cdk,
    /// Terraform or OpenTofu
    Terraform,
    /// Serverless Framework
    Serverless,
    /// Knative on Kubernetes
    Knative,
}

/// The facts that a project names.
#[derive(Debug, Clone)]
pub struct Project<'p> {
    /// The folder that it is written to.
    pub folder: &'p Path,
    /// The function's name.
    pub name: &'p str,
    /// The handler string.
    pub handler: &'p str,
    /// The function's zip file.
    pub code: &'p Path,
    /// The zip file of the runtime's layer.
    pub runtime_layer: &'p Path,
    /// The image's reference in a registry.
    pub image: &'p str,
}

impl Template {
    /// Returns the files of a project: names and texts.
    fn texts(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Sam => &[("template.yaml", include_str!("templates/sam/template.yaml"))],
            Self::Cdk => &[
                ("app.ts", include_str!("templates/cdk/app.ts")),
                ("cdk.json", include_str!("templates/cdk/cdk.json")),
                ("package.json", include_str!("templates/cdk/package.json")),
                ("tsconfig.json", include_str!("templates/cdk/tsconfig.json")),
            ],
            Self::Terraform => &[("main.tf", include_str!("templates/terraform/main.tf"))],
            Self::Serverless => {
                &[("serverless.yml", include_str!("templates/serverless/serverless.yml"))]
            }
            Self::Knative => &[("service.yaml", include_str!("templates/knative/service.yaml"))],
        }
    }

    /// Returns the files of a project, by their paths.
    pub fn files(self, project: &Project<'_>) -> Vec<(PathBuf, String)> {
        let relative = |path: &Path| relative(project.folder, path).display().to_string();
        let facts = [
            ("NAME", project.name.to_owned()),
            ("HANDLER", project.handler.to_owned()),
            ("CODE", relative(project.code)),
            ("RUNTIME_LAYER", relative(project.runtime_layer)),
            ("IMAGE", project.image.to_owned()),
        ];
        let filled = |text: &str| {
            facts.iter().fold(text.to_owned(), |text, (name, value)| {
                text.replace(&format!("{{{{{name}}}}}"), &quoted(value, self))
            })
        };
        let files = self.texts().iter();
        files.map(|(name, text)| (project.folder.join(name), filled(text))).collect()
    }
}

/// Returns a text as a quoted literal, which JSON, YAML, TypeScript and Terraform write alike but for one character.
fn quoted(text: &str, template: Template) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    match template {
        Template::Terraform => quoted.replace("${", "$${").replace("%{", "%%{"),
        _ => quoted,
    }
}

/// Returns the path by which `path` is found from `folder`.
fn relative(folder: &Path, path: &Path) -> PathBuf {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (folder, path) = (normal(&absolute(folder)), normal(&absolute(path)));
    let shared = folder.iter().zip(&path).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n(PathBuf::from(".."), folder.len() - shared);
    up.chain(path.iter().skip(shared).map(PathBuf::from)).collect()
}

/// Returns the parts of an absolute path without `..`, as far as its text tells.
fn normal(path: &Path) -> Vec<std::ffi::OsString> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(parts.pop()),
            Component::Normal(name) => parts.push(name.to_owned()),
            _ => {}
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    fn project() -> Project<'static> {
        Project {
            folder: Path::new("/work/deploy"),
            name: "shop",
            handler: "src/app.handler",
            code: Path::new("/work/function.zip"),
            runtime_layer: Path::new("/work/dist/../dist/layer.zip"),
            image: "registry.example/shop:1",
        }
    }

    #[test]
    fn every_place_is_filled_in() {
        for template in Template::value_variants() {
            let files = template.files(&project());
            let whole: String = files.iter().map(|(_, text)| text.as_str()).collect();
            assert!(!whole.contains("{{"), "{template:?}: {whole}");
            let names: &[&str] = match template {
                Template::Knative => &["\"registry.example/shop:1\""],
                _ => &["\"src/app.handler\"", "\"../function.zip\"", "\"../dist/layer.zip\""],
            };
            for name in names {
                assert!(whole.contains(name), "{template:?} names {name}: {whole}");
            }
            assert!(files.iter().all(|(path, _)| path.starts_with("/work/deploy")));
        }
    }

    #[test]
    fn odd_names_stay_texts() {
        let odd = Project { handler: "a${b}\"c.handler", ..project() };
        let text = |template: Template| template.files(&odd).swap_remove(0).1;
        assert!(text(Template::Terraform).contains(r#""a$${b}\"c.handler""#));
        assert!(text(Template::Sam).contains(r#""a${b}\"c.handler""#));
    }

    #[test]
    fn paths_are_found_from_the_projects_folder() {
        let of = |folder: &str, path: &str| relative(Path::new(folder), Path::new(path));
        assert_eq!(of("/a/b", "/a/c.zip"), Path::new("../c.zip"));
        assert_eq!(of("/a", "/a/c.zip"), Path::new("c.zip"));
        assert_eq!(of("/a/x/../b", "/d/e.zip"), Path::new("../../d/e.zip"));
    }
}
