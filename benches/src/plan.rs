//! The plan of a run: which parts of the comparison, which contestants, how many rounds.

use crate::contestant::{Contestants, Identity, Lambda, Places, Server, Suite};
use anyhow::ensure;
use clap::ValueEnum;
use std::{collections::BTreeSet, fmt, fs, path::Path, time::Duration};

/// Number of rounds in a full run.
pub const ROUNDS: usize = 7;

/// A part of the comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Part {
    /// Time from exec to the first `/next`.
    Start,
    /// Blocks of what ships that a cold start reads.
    Blocks,
    /// Resident memory.
    Memory,
    /// Warm invocations of four sizes.
    Warm,
    /// Warm invocations with no, one and three hooks.
    Hooks,
    /// HTTP servers under load.
    Http,
    /// The results of `cargo bench`.
    Criterion,
}

impl Part {
    /// All parts, in the order in which they run: first those for which the machine should be idle.
    pub const ALL: [Self; 7] = [
        Self::Start,
        Self::Blocks,
        Self::Memory,
        Self::Warm,
        Self::Hooks,
        Self::Http,
        Self::Criterion,
    ];

    /// Returns its name in [`Figure::suite`](crate::record::Figure::suite).
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Blocks => "blocks",
            Self::Memory => "memory",
            Self::Warm => "warm",
            Self::Hooks => "hooks",
            Self::Http => "http",
            Self::Criterion => "criterion",
        }
    }

    fn suite(self) -> Option<Suite> {
        match self {
            Self::Start => Some(Suite::Start),
            Self::Blocks => Some(Suite::Blocks),
            Self::Memory => Some(Suite::Memory),
            Self::Warm => Some(Suite::Warm),
            Self::Hooks => Some(Suite::Hooks),
            Self::Http | Self::Criterion => None,
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The plan of a run.
#[derive(Debug)]
pub struct Plan {
    /// Parts to measure.
    pub parts: BTreeSet<Part>,
    /// Ids of the contestants to measure; all of them when empty.
    pub only: BTreeSet<String>,
    /// Number of rounds.
    pub rounds: usize,
    /// All contestants.
    pub contestants: Contestants,
    /// Locations of the folders.
    pub places: Places,
}

impl Plan {
    /// Checks the plan.
    ///
    /// # Errors
    /// When `only` names an unknown contestant, or there is nothing to do.
    pub fn check(&self) -> anyhow::Result<()> {
        ensure!(self.rounds > 0, "--rounds must be at least 1");
        let known: BTreeSet<&str> =
            self.contestants.identities().map(|identity| identity.id.as_str()).collect();
        for id in &self.only {
            let known: Vec<&str> = known.iter().copied().collect();
            ensure!(
                known.contains(&id.as_str()),
                "--only: there is no contestant {id}; there are {}",
                known.join(", ")
            );
        }
        Ok(())
    }

    /// Whether this is the run that results are published from.
    pub fn is_full(&self) -> bool {
        self.parts.len() == Part::ALL.len() && self.only.is_empty() && self.rounds == ROUNDS
    }

    /// Returns the processes that take part in a suite.
    pub(crate) fn lambda(&self, part: Part) -> Vec<&Lambda> {
        let suite = part.suite().filter(|_| self.parts.contains(&part));
        let takes_part = |lambda: &&Lambda| {
            suite.is_some_and(|suite| lambda.suites.contains(&suite))
                && self.wants(&lambda.identity)
        };
        self.contestants.lambda.iter().filter(takes_part).collect()
    }

    /// Returns the servers that take part.
    pub(crate) fn servers(&self) -> Vec<&Server> {
        let is_on = self.parts.contains(&Part::Http);
        let servers = self.contestants.http.iter();
        servers.filter(|server| is_on && self.wants(&server.identity)).collect()
    }

    /// Whether results of `cargo bench` are included: they do not belong to any contestant.
    pub(crate) fn wants_criterion(&self) -> bool {
        self.parts.contains(&Part::Criterion) && self.only.is_empty()
    }

    fn wants(&self, identity: &Identity) -> bool {
        self.only.is_empty() || self.only.contains(&identity.id)
    }

    /// Estimates how long the run takes.
    pub(crate) fn estimate(&self) -> Duration {
        let cold = fs::OpenOptions::new().write(true).open("/proc/sys/vm/drop_caches").is_ok();
        let rounds = self.rounds as f64;
        let count = |part| self.lambda(part).len() as f64;
        let start = count(Part::Start) * (rounds + 1.0) * 0.3;
        let cold_rounds = if cold { rounds } else { 0.0 };
        let seconds = start
            + count(Part::Start) * cold_rounds * 1.2
            + if cold { count(Part::Blocks) * 15.0 } else { 0.0 }
            + count(Part::Memory) * rounds * 3.5
            + count(Part::Warm) * (1.5 + rounds * 4.0 * 0.28)
            + count(Part::Hooks) * (1.5 + rounds * 3.0 * 0.28)
            + self.servers().len() as f64 * (2.5 + rounds * 3.0 * 1.1);
        Duration::from_secs_f64(seconds)
    }
}

/// Returns why a contestant is not there, if it is not.
pub(crate) fn absence(places: &Places, identity: &Identity) -> Option<String> {
    if let Some(why) = identity.peer.as_ref().and_then(|peer| peer_absence(&places.peers, peer)) {
        return Some(why);
    }
    let needs = identity.needs.as_ref()?;
    let is_there = Path::new(&places.fill(&needs.file)).exists();
    (!is_there).then(|| format!("there is no {}: `{}` makes it", needs.file, needs.made_by))
}

/// Returns why a peer is not installed, if it is not.
pub(crate) fn peer_absence(peers: &Path, name: &str) -> Option<String> {
    match fs::read_to_string(peers.join("status").join(name)) {
        Ok(status) if status.trim() == "ok" => None,
        Ok(status) => Some(format!("{name} could not be installed: {}", status.trim())),
        Err(_) => Some(format!("{name} is not installed: run `trine-bench install`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_installation_that_went_well_counts() {
        let peers = tempfile::tempdir().unwrap();
        let status = peers.path().join("status");
        fs::create_dir(&status).unwrap();
        fs::write(status.join("good"), "ok\n").unwrap();
        fs::write(status.join("bad"), "failed: no network\n").unwrap();
        let why = |name| peer_absence(peers.path(), name);
        assert_eq!(why("good"), None);
        assert_eq!(why("bad").unwrap(), "bad could not be installed: failed: no network");
        assert!(why("unknown").unwrap().starts_with("unknown is not installed"));
    }

    #[test]
    fn the_contestants_of_this_crate_can_be_read() {
        let benches = Path::new(env!("CARGO_MANIFEST_DIR"));
        let contestants = Contestants::read(&benches.join("contestants")).unwrap();
        assert!(contestants.lambda.iter().any(|lambda| lambda.identity.id == "trine-js"));
        let places = Places {
            benches: benches.to_owned(),
            peers: "/peers".into(),
            target: "/target".into(),
            tree: "/tree".into(),
        };
        for lambda in &contestants.lambda {
            let hooks = lambda.suites.contains(&Suite::Hooks);
            assert_eq!(hooks, lambda.hooks_variable.is_some(), "{}", lambda.identity.id);
            let blocks = lambda.suites.contains(&Suite::Blocks);
            assert_eq!(blocks, !lambda.ships.is_empty(), "{}", lambda.identity.id);
            let names: Vec<&str> = Part::ALL.map(Part::name).to_vec();
            assert!(lambda.goals.keys().all(|suite| names.contains(&&**suite)));
            let texts = lambda.command.iter().chain(lambda.env.values()).chain(&lambda.ships);
            for text in texts.chain(&lambda.library_of) {
                let filled = places.fill(text);
                let names = ["{benches}", "{peers}", "{target}", "{tree}"];
                assert!(!names.iter().any(|name| filled.contains(name)), "{text}");
            }
        }
        let mut only = BTreeSet::from(["trine-js".to_owned()]);
        let parts = BTreeSet::from([Part::Warm]);
        let mut plan = Plan { parts, only: only.clone(), rounds: 1, contestants, places };
        plan.check().unwrap();
        assert_eq!(plan.lambda(Part::Warm).len(), 1);
        assert!(plan.lambda(Part::Hooks).is_empty() && plan.servers().is_empty());
        assert!(!plan.is_full());
        only.insert("nobody".to_owned());
        plan.only = only;
        assert!(plan.check().unwrap_err().to_string().contains("there is no contestant nobody"));
    }
}
