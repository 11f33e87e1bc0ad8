//! The facts that Lambda gives a function about itself, for one that runs without Lambda: under `serve` and `invoke`.
//! What the user has set counts; only the rest is made up, as the emulator makes it up.

use super::Settings;
use chrono::Utc;
use std::path::Path;

/// The account in ARNs, which belongs to nobody.
const ACCOUNT: &str = "012345678912";
/// Default memory, in MB: what Lambda gives a function whose author sets nothing.
const MEMORY_MB: u64 = 128;
/// The default region.
pub(super) const REGION: &str = "us-east-1";

/// A variable of the environment and its value.
pub type Variable = (&'static str, String);

impl Settings {
    /// Stands in for the platform: fills in what is not known about the function, which is called `name` unless the
    /// user has set another, and gives the variables that Lambda would set. `handler` is the text that names it; there
    /// is none where several functions share the process.
    pub fn stand_in(&mut self, name: &str, root: &Path, handler: Option<String>) -> Vec<Variable> {
        let limit = self.memory.value.or(self.container).map(|bytes| bytes >> 20);
        let function = &mut self.function;
        let name = function.name.get_or_insert_with(|| name.to_owned()).clone();
        let version = function.version.get_or_insert_with(|| "$LATEST".to_owned()).clone();
        let memory =
            function.memory_mb.get_or_insert_with(|| limit.unwrap_or(MEMORY_MB).to_string());
        let group = function.log_group.get_or_insert_with(|| format!("/aws/lambda/{name}"));
        let stream = function.log_stream.get_or_insert_with(|| {
            let id = uuid::Uuid::new_v4().simple();
            format!("{}/[{version}]{id}", Utc::now().format("%Y/%m/%d"))
        });
        let mut variables = vec![
            ("AWS_LAMBDA_FUNCTION_NAME", name),
            ("AWS_LAMBDA_FUNCTION_VERSION", version),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", memory.clone()),
            ("AWS_LAMBDA_LOG_GROUP_NAME", group.clone()),
            ("AWS_LAMBDA_LOG_STREAM_NAME", stream.clone()),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".to_owned()),
            ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023".to_owned()),
            ("AWS_REGION", self.region.clone()),
            ("AWS_DEFAULT_REGION", self.region.clone()),
            ("LAMBDA_TASK_ROOT", root.display().to_string()),
            ("TZ", ":UTC".to_owned()),
        ];
        variables.extend(handler.map(|handler| ("_HANDLER", handler)));
        variables
    }

    /// Returns the ARN of a function of this name.
    pub fn arn(&self, name: &str) -> String {
        let region = &self.region;
        let partition = match region.split('-').collect::<Vec<_>>().as_slice() {
            ["cn", ..] => "aws-cn",
            ["us", "gov", ..] => "aws-us-gov",
            _ => "aws",
        };
        format!("arn:{partition}:lambda:{region}:{ACCOUNT}:function:{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(variables: &[(&'static str, &str)]) -> Settings {
        let known = |name: &str| variables.iter().find(|(known, _)| *known == name);
        Settings::from_environment(|name| known(name).map(|(_, value)| (*value).to_owned()))
            .unwrap()
    }

    fn value<'v>(variables: &'v [Variable], name: &str) -> Option<&'v str> {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    #[test]
    fn what_is_not_set_is_made_up() {
        let mut settings = settings(&[]);
        let variables = settings.stand_in("app", Path::new("/task"), Some("app.handler".into()));
        for (name, expected) in [
            ("AWS_LAMBDA_FUNCTION_NAME", "app"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/app"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("LAMBDA_TASK_ROOT", "/task"),
            ("TZ", ":UTC"),
            ("_HANDLER", "app.handler"),
        ] {
            assert_eq!(value(&variables, name), Some(expected), "{name}");
        }
        assert_eq!(settings.function.name.as_deref(), Some("app"));
        assert!(settings.function.log_stream.unwrap().contains("/[$LATEST]"));
    }

    #[test]
    fn what_is_set_stays() {
        let set = [
            ("AWS_LAMBDA_FUNCTION_NAME", "mine"),
            ("AWS_DEFAULT_REGION", "us-gov-west-1"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "group"),
            ("TRINE_MEMORY", "512"),
        ];
        let mut settings = settings(&set);
        let variables = settings.stand_in("app", Path::new("/task"), None);
        assert_eq!(value(&variables, "AWS_LAMBDA_FUNCTION_NAME"), Some("mine"));
        assert_eq!(value(&variables, "AWS_REGION"), Some("us-gov-west-1"));
        assert_eq!(value(&variables, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"), Some("512"));
        assert_eq!(value(&variables, "_HANDLER"), None);
        assert_eq!(settings.function.log_group.as_deref(), Some("group"));
        assert_eq!(
            settings.arn("mine"),
            "arn:aws-us-gov:lambda:us-gov-west-1:012345678912:function:mine"
        );
    }
}
