//! The facts that Lambda gives a function about itself, for one that runs without Lambda: under `serve` and `invoke`.
//! What the user has set counts; only the rest is made up, as the emulator makes it up.

use super::{Origin, Settings};
use crate::handler::Located;
use chrono::Utc;
use std::path::Path;

/// The account in ARNs, which belongs to nobody.
const ACCOUNT: &str = "012345678912";
/// Default memory, in MB: what Lambda gives a function whose author sets nothing.
const MEMORY_MB: u64 = 128;
/// The default region.
pub(super) const REGION: &str = "us-east-1";

/// The variable that says which of the platform's runtimes a function has.
const EXECUTION_ENVIRONMENT: &str = "AWS_EXECUTION_ENV";
/// The variable that names the handler.
const HANDLER: &str = "_HANDLER";

/// A variable of the environment and its value.
pub type Variable = (&'static str, String);

/// Returns what the platform tells functions of its own runtimes and leaves to a runtime like this one to tell.
/// `argument` is the handler that the command line names, as in a container.
pub fn as_managed(located: &Located, argument: Option<&str>) -> Vec<Variable> {
    let argument = argument.filter(|argument| !argument.is_empty()).map(str::to_owned);
    let mut variables = vec![(HANDLER, argument.unwrap_or_else(|| located.handler()))];
    variables.extend(execution_environment(located));
    variables
}

fn execution_environment(located: &Located) -> Option<Variable> {
    let runtime = located.engine.info().managed_runtime.as_ref()?;
    Some((EXECUTION_ENVIRONMENT, format!("AWS_Lambda_{runtime}")))
}

impl Settings {
    /// Stands in for the platform: fills in what is not known about the function, which is called `name` unless the
    /// user has set another, and gives the variables that Lambda would set. `only` is the function that has the process
    /// to itself; `None` where several share it.
    pub fn stand_in(&mut self, name: &str, root: &Path, only: Option<&Located>) -> Vec<Variable> {
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
            ("AWS_REGION", self.region.clone()),
            ("AWS_DEFAULT_REGION", self.region.clone()),
            ("LAMBDA_TASK_ROOT", root.display().to_string()),
            ("TZ", ":UTC".to_owned()),
        ];
        let provided = || (EXECUTION_ENVIRONMENT, "AWS_Lambda_provided.al2023".to_owned());
        variables.push(only.and_then(execution_environment).unwrap_or_else(provided));
        variables.extend(only.map(|only| (HANDLER, only.handler())));
        // Libraries that log by themselves look for these.
        if let Origin::Flag(_) = self.log_format.origin {
            variables.push(("AWS_LAMBDA_LOG_FORMAT", self.log_format.value.name().to_owned()));
        }
        if let (Origin::Flag(_), Some(level)) = (self.log_level.origin, self.log_level.value.0) {
            variables.push(("AWS_LAMBDA_LOG_LEVEL", level.name().to_owned()));
        }
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
    use crate::handler::tests::fixture::registry;
    use trine_engine::{Module, Wanted};

    /// Returns a function of the first language, in whose place Lambda has a runtime, or of the second.
    fn function(engine: usize) -> Located {
        let wanted = Wanted::Handler("handler".to_owned());
        let module = Module::new("/task", "/task/app", "app", wanted);
        Located { engine: registry().iter().nth(engine).unwrap().clone(), module }
    }

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
        let variables = settings.stand_in("app", Path::new("/task"), Some(&function(0)));
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
            ("AWS_EXECUTION_ENV", "AWS_Lambda_nodejs24.x"),
        ] {
            assert_eq!(value(&variables, name), Some(expected), "{name}");
        }
        assert_eq!(settings.function.name.as_deref(), Some("app"));
        assert!(settings.function.log_stream.unwrap().contains("/[$LATEST]"));
    }

    #[test]
    fn what_the_platform_leaves_to_the_runtime_is_what_its_own_ones_have() {
        let own = as_managed(&function(0), None);
        assert_eq!(value(&own, "_HANDLER"), Some("app.handler"));
        assert_eq!(value(&own, "AWS_EXECUTION_ENV"), Some("AWS_Lambda_nodejs24.x"));
        let named = as_managed(&function(1), Some("src/app.handler"));
        assert_eq!(value(&named, "_HANDLER"), Some("src/app.handler"));
        assert_eq!(value(&named, "AWS_EXECUTION_ENV"), None);
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
        let provided = Some("AWS_Lambda_provided.al2023");
        assert_eq!(value(&variables, "AWS_EXECUTION_ENV"), provided);
        assert_eq!(settings.function.log_group.as_deref(), Some("group"));
        assert_eq!(
            settings.arn("mine"),
            "arn:aws-us-gov:lambda:us-gov-west-1:012345678912:function:mine"
        );
    }
}
