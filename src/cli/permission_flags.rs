//! `--allow-…` and `--deny-…`, as several commands have them.

use crate::config::{Origin, Settings, extent};
use trine_engine::{Access, Extent, Permissions};

/// Defines the flags: a pair for each kind of access. Their help is no documentation comment, because clap reads none that is put
/// together.
macro_rules! flags {
    ($($access:ident $allow:ident $deny:ident $allow_flag:literal $deny_flag:literal $list:literal $what:literal;)*) => {
        /// The flags.
        #[derive(Debug, Clone, Default, clap::Args)]
        pub(super) struct PermissionFlags {
            /// Let functions do everything that no --deny flag takes away, whatever else is allowed
            #[arg(long, short = 'A', help_heading = HEADING)]
            allow_all: bool,
            $(
                #[arg(
                    help = concat!("Let functions ", $what, ", all or these; what no --allow flag names is denied then"),
                    long, value_name = $list, help_heading = HEADING, num_args = 0..=1,
                    require_equals = true, default_missing_value = "*",
                    value_parser = |text: &str| extent(Access::$access, text)
                )]
                $allow: Option<Extent>,
                #[arg(
                    help = concat!("Do not let functions ", $what, ", or these, whatever is allowed"),
                    long, value_name = $list, help_heading = HEADING, num_args = 0..=1,
                    require_equals = true, default_missing_value = "*",
                    value_parser = |text: &str| extent(Access::$access, text)
                )]
                $deny: Option<Extent>,
            )*
        }

        impl PermissionFlags {
            /// Applies the flags, each of which takes precedence over its variable.
            ///
            /// # Errors
            /// The reason why a value makes no sense.
            pub(super) fn apply_to(&self, settings: &mut Settings) -> Result<(), String> {
                let permissions = &mut settings.permissions;
                if self.allow_all {
                    permissions.value.allow_all();
                    permissions.origin = Origin::Flag("--allow-all");
                }
                type Say = fn(&mut Permissions, Access, Extent) -> Result<(), String>;
                let given: [(&Option<Extent>, Access, &'static str, Say); 12] = [$(
                    (&self.$allow, Access::$access, $allow_flag, Permissions::allow),
                    (&self.$deny, Access::$access, $deny_flag, Permissions::deny),
                )*];
                for (extent, access, flag, say) in given {
                    if let Some(extent) = extent {
                        say(&mut permissions.value, access, extent.clone())?;
                        permissions.origin = Origin::Flag(flag);
                    }
                }
                Ok(())
            }
        }
    };
}

/// The heading of the flags in the help.
const HEADING: &str = "What functions may do (everything, unless any of these says otherwise)";

flags! {
    Net allow_net deny_net "--allow-net" "--deny-net" "HOST,…" "connect to hosts and listen";
    Read allow_read deny_read "--allow-read" "--deny-read" "PATH,…" "read files and folders";
    Write allow_write deny_write "--allow-write" "--deny-write" "PATH,…" "write files and folders";
    Env allow_env deny_env "--allow-env" "--deny-env" "NAME,…" "see environment variables";
    Run allow_run deny_run "--allow-run" "--deny-run" "PROGRAM,…" "run programs";
    Ffi allow_ffi deny_ffi "--allow-ffi" "--deny-ffi" "PATH,…" "load native code";
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: PermissionFlags,
    }

    fn applied(line: &[&str], variable: Option<&str>) -> Settings {
        let line = Line::try_parse_from([&["serve"], line].concat()).unwrap();
        let mut settings = Settings::from_environment(|name| {
            variable.filter(|_| name == "TRINE_ALLOW_NET").map(str::to_owned)
        })
        .unwrap();
        line.flags.apply_to(&mut settings).unwrap();
        settings
    }

    #[test]
    fn a_flag_takes_the_place_of_its_variable() {
        let settings = applied(&["--allow-net=b.example", "--deny-run"], Some("a.example"));
        let permissions = &settings.permissions;
        assert_eq!(permissions.value.allowed(Access::Net), Extent::Only(vec!["b.example".into()]));
        assert_eq!(permissions.value.denied(Access::Run), Some(Extent::Everything));
        assert_eq!(permissions.origin, Origin::Flag("--deny-run"));
        assert!(!applied(&["-A"], Some("a.example")).permissions.value.are_narrowed());
        assert!(!applied(&[], None).permissions.value.are_narrowed());
    }

    #[test]
    fn values_without_sense_are_told_with_the_flag() {
        let told = Line::try_parse_from(["serve", "--allow-net=http://a.example"]).err().unwrap();
        let told = told.to_string();
        assert!(
            told.contains("--allow-net") && told.contains("did you mean \"a.example:80\"?"),
            "{told}"
        );
    }
}
