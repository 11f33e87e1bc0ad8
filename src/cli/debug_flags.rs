//! `--inspect` and `--debug`: where debuggers attach, as the commands have them that run functions.

use crate::config::Settings;
use std::net::SocketAddr;
use trine_engine::{DebugListener, Debuggers};

/// The flags. A port alone is one of this machine.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct DebugFlags {
    /// Let Chrome's developer tools or an editor attach to JavaScript and TypeScript at this address or port [without one:
    /// 127.0.0.1:9229]
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, require_equals = true, default_missing_value = "127.0.0.1:9229", value_parser = place)]
    inspect: Option<SocketAddr>,
    /// As --inspect, and wait for it before the first statement
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, require_equals = true, default_missing_value = "127.0.0.1:9229", value_parser = place, conflicts_with = "inspect")]
    inspect_brk: Option<SocketAddr>,
    /// Let an editor attach to Python, by its package debugpy, or to Lua: an address or a port for the Debug Adapter Protocol
    /// [without one: 127.0.0.1:5678]
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, require_equals = true, default_missing_value = "127.0.0.1:5678", value_parser = place)]
    debug: Option<SocketAddr>,
    /// As --debug, and wait for it before the first statement
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, require_equals = true, default_missing_value = "127.0.0.1:5678", value_parser = place, conflicts_with = "debug")]
    debug_brk: Option<SocketAddr>,
}

fn place(text: &str) -> Result<SocketAddr, String> {
    crate::config::debug_place(text)
}

impl DebugFlags {
    /// Applies the flags, which take precedence over the variables.
    pub(super) fn apply_to(&self, settings: &mut Settings) {
        let Debuggers { inspector, adapter } = self.debuggers();
        settings.debuggers.inspector = inspector.or(settings.debuggers.inspector);
        settings.debuggers.adapter = adapter.or(settings.debuggers.adapter);
    }

    /// Returns the variables that say the same to a runtime.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let said = |listener: DebugListener| {
            format!("{}{}", if listener.waits { "wait:" } else { "" }, listener.address)
        };
        let Debuggers { inspector, adapter } = self.debuggers();
        let inspector = inspector.map(|listener| ("TRINE_INSPECT", said(listener)));
        let adapter = adapter.map(|listener| ("TRINE_DEBUG", said(listener)));
        inspector.into_iter().chain(adapter).collect()
    }

    /// Whether any is given.
    pub(super) fn are_given(&self) -> bool {
        self.debuggers().are_expected()
    }

    fn debuggers(&self) -> Debuggers {
        let one = |runs: Option<SocketAddr>, waits: Option<SocketAddr>| {
            let listener = |address, waits| DebugListener { address, waits };
            waits.map(|at| listener(at, true)).or(runs.map(|at| listener(at, false)))
        };
        Debuggers {
            inspector: one(self.inspect, self.inspect_brk),
            adapter: one(self.debug, self.debug_brk),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        debug: DebugFlags,
    }

    fn variables(line: &[&str]) -> Vec<(&'static str, String)> {
        Line::try_parse_from([&["trine"], line].concat()).unwrap().debug.variables()
    }

    #[test]
    fn a_runtime_is_told_the_same_by_variables() {
        assert_eq!(variables(&[]), []);
        assert_eq!(variables(&["--inspect"]), [("TRINE_INSPECT", "127.0.0.1:9229".to_owned())]);
        assert_eq!(
            variables(&["--inspect-brk=9230", "--debug=[::1]:4711"]),
            [
                ("TRINE_INSPECT", "wait:127.0.0.1:9230".to_owned()),
                ("TRINE_DEBUG", "[::1]:4711".to_owned())
            ]
        );
    }

    #[test]
    fn a_place_that_is_none_is_told() {
        let why = |line: &[&str]| {
            let parsed = Line::try_parse_from([&["trine"], line].concat());
            parsed.err().map(|error| error.to_string()).unwrap_or_default()
        };
        assert!(why(&["--inspect=x"]).contains("127.0.0.1:9229"), "{}", why(&["--inspect=x"]));
        assert!(why(&["--inspect", "--inspect-brk"]).contains("cannot be used with"));
    }
}
