//! What the functions of one root folder may do: the answers to what they ask for.

mod host;
mod name;
mod path;

pub(crate) use host::Host;
pub(crate) use name::{Program, Variable};

use crate::{Access, Extent, Permissions, Refusal};
use path::{entry, is_harmless, is_special, real, which};
use std::{
    ffi::OsStr,
    net::IpAddr,
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::{PoisonError, RwLock},
};

/// How much there is of something.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Amount<T> {
    Everything,
    Some(Vec<T>),
}

impl<T> Amount<T> {
    fn any(&self, mut covers: impl FnMut(&T) -> bool) -> bool {
        match self {
            Self::Everything => true,
            Self::Some(items) => items.iter().any(&mut covers),
        }
    }
}

/// What is allowed and what is denied of one kind of access.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule<T> {
    allowed: Amount<T>,
    denied: Amount<T>,
}

impl<T> Rule<T> {
    fn of(permissions: &Permissions, access: Access, read: impl Fn(&str) -> Option<T>) -> Self {
        let amount = |extent| match extent {
            Extent::Everything => Amount::Everything,
            Extent::Only(texts) => {
                Amount::Some(texts.iter().filter_map(|text| read(text)).collect())
            }
        };
        Self {
            allowed: amount(permissions.allowed(access)),
            denied: permissions.denied(access).map_or(Amount::Some(Vec::new()), amount),
        }
    }

    /// Whether nothing of it is denied, and everything allowed.
    fn is_everything(&self) -> bool {
        let denies_nothing = matches!(&self.denied, Amount::Some(denied) if denied.is_empty());
        matches!(self.allowed, Amount::Everything) && denies_nothing
    }

    fn check(
        &self,
        access: Access,
        what: impl FnOnce() -> Option<String>,
        allows: impl FnMut(&T) -> bool,
        denies: impl FnMut(&T) -> bool,
    ) -> Result<(), Refusal> {
        let is_denied = self.denied.any(denies);
        if !is_denied && self.allowed.any(allows) {
            return Ok(());
        }
        Err(Refusal { access, what: what(), is_denied })
    }
}

/// What the functions of one root folder may do. Answers about files look at the file system: links count as what they lead
/// to, so that none leads out of what is allowed.
#[derive(Debug)]
pub struct Permits {
    net: Rule<Host>,
    read: Rule<PathBuf>,
    write: Rule<PathBuf>,
    env: Rule<Variable>,
    run: Rule<Program>,
    ffi: Rule<PathBuf>,
    /// The places of the programs that may run, as they were at the start.
    programs: Vec<PathBuf>,
    /// The folders that hold code.
    code: RwLock<Vec<PathBuf>>,
    root: PathBuf,
}

impl Permits {
    pub(crate) fn new(permissions: &Permissions, root: &Path, code: &[&Path]) -> Self {
        let paths = |access| Rule::of(permissions, access, |text| Some(real(&root.join(text))));
        let run = Rule::of(permissions, Access::Run, |text| text.parse::<Program>().ok());
        let programs = match &run.allowed {
            Amount::Everything => Vec::new(),
            Amount::Some(programs) => {
                programs.iter().filter_map(|program| program.place(root)).collect()
            }
        };
        let code = std::iter::once(root).chain(code.iter().copied());
        Self {
            net: Rule::of(permissions, Access::Net, |text| text.parse().ok()),
            read: paths(Access::Read),
            write: paths(Access::Write),
            env: Rule::of(permissions, Access::Env, |text| text.parse().ok()),
            run,
            ffi: paths(Access::Ffi),
            programs,
            code: RwLock::new(code.map(real).collect()),
            root: root.to_owned(),
        }
    }

    /// Adds folders that hold code.
    #[must_use]
    pub fn with_code(self, folders: impl IntoIterator<Item = PathBuf>) -> Self {
        for folder in folders {
            self.add_code(&folder);
        }
        self
    }

    /// Adds a folder that holds code: that of a middleware which lies elsewhere than its function.
    pub fn add_code(&self, folder: &Path) {
        let folder = real(folder);
        let mut code = self.code.write().unwrap_or_else(PoisonError::into_inner);
        if !code.iter().any(|known| folder.starts_with(known)) {
            code.push(folder);
        }
    }

    /// Returns the folders that hold code.
    pub fn code_folders(&self) -> Vec<PathBuf> {
        self.code.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the places of the programs that may run where not all may.
    pub fn programs(&self) -> &[PathBuf] {
        &self.programs
    }

    /// Adds variables of the environment to those that are allowed.
    #[must_use]
    pub fn with_variables<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        if let Amount::Some(allowed) = &mut self.env.allowed {
            allowed.extend(names.into_iter().filter_map(|name| name.parse().ok()));
        }
        self
    }

    /// Whether everything of a kind is allowed, and nothing denied.
    pub fn has_all(&self, access: Access) -> bool {
        match access {
            Access::Net => self.net.is_everything(),
            Access::Read => self.read.is_everything(),
            Access::Write => self.write.is_everything(),
            Access::Env => self.env.is_everything(),
            Access::Run => self.run.is_everything(),
            Access::Ffi => self.ffi.is_everything(),
        }
    }

    /// Asks for all of a kind of access.
    ///
    /// # Errors
    /// [`Refusal`] unless everything of it is allowed.
    pub fn all(&self, access: Access) -> Result<(), Refusal> {
        match self.has_all(access) {
            true => Ok(()),
            false => Err(Refusal { access, what: None, is_denied: false }),
        }
    }

    /// Asks for a host by its name or its address, `[…]` around it or not. Without a port, it is enough that some port of
    /// it is allowed.
    ///
    /// # Errors
    /// [`Refusal`] when it is not allowed, or denied.
    pub fn host(&self, host: &str, port: Option<u16>) -> Result<(), Refusal> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        // What the zone of an address is, is the machine's affair.
        let literal = bare.split('%').next().unwrap_or_default();
        if let Ok(address) = literal.parse::<IpAddr>() {
            return self.address(address, port, &[]);
        }
        let covers = |unknown| move |rule: &Host| rule.covers_name(host, port, unknown);
        let what = || Some(with_port(host, port));
        self.net.check(Access::Net, what, covers(true), covers(false))
    }

    /// Asks for an address to which these names lead, any of which will do.
    ///
    /// # Errors
    /// As [`Permits::host`].
    pub fn address(
        &self,
        address: IpAddr,
        port: Option<u16>,
        names: &[String],
    ) -> Result<(), Refusal> {
        let named = |rule: &Host| names.iter().any(|name| rule.covers_name(name, port, true));
        let allows = |rule: &Host| rule.covers_address(address, port, true) || named(rule);
        let denies = |rule: &Host| rule.covers_address(address, port, false);
        let what = || {
            let text = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
            Some(with_port(&text, port))
        };
        self.net.check(Access::Net, what, allows, denies)
    }

    /// Asks whether an address is denied, to which a name leads that is allowed.
    ///
    /// # Errors
    /// [`Refusal`] when it is.
    pub fn not_denied(&self, address: IpAddr, port: Option<u16>) -> Result<(), Refusal> {
        if self.net.denied.any(|rule| rule.covers_address(address, port, false)) {
            let what = Some(with_port(&address.to_string(), port));
            return Err(Refusal { access: Access::Net, what, is_denied: true });
        }
        Ok(())
    }

    /// Whether addresses are denied, so that those behind names have to be looked at.
    pub fn denies_addresses(&self) -> bool {
        match &self.net.denied {
            Amount::Everything => false,
            Amount::Some(denied) => denied.iter().any(Host::is_address),
        }
    }

    /// Asks for a socket of this machine by its path, which has to be readable and writable as well; `None` for one
    /// without a path in the file system.
    ///
    /// # Errors
    /// As [`Permits::host`].
    pub fn socket(&self, path: Option<&Path>) -> Result<(), Refusal> {
        let Some(path) = path else { return self.all(Access::Net) };
        self.read(path)?;
        self.write(path)?;
        let real = real(path);
        let covers = |rule: &Host| rule.covers_socket(path) || rule.covers_socket(&real);
        let what = || Some(format!("unix:{}", path.display()));
        self.net.check(Access::Net, what, covers, covers)
    }

    /// Asks for reading what a path leads to. Code may be read unless it is denied.
    ///
    /// # Errors
    /// [`Refusal`] when it is not allowed, or denied.
    pub fn read(&self, path: &Path) -> Result<(), Refusal> {
        self.file(&self.read, Access::Read, path, real(path))
    }

    /// Asks for reading an entry of a folder, such as a link itself.
    ///
    /// # Errors
    /// As [`Permits::read`].
    pub fn read_entry(&self, path: &Path) -> Result<(), Refusal> {
        self.file(&self.read, Access::Read, path, entry(path))
    }

    /// Asks for writing what a path leads to.
    ///
    /// # Errors
    /// As [`Permits::read`].
    pub fn write(&self, path: &Path) -> Result<(), Refusal> {
        self.file(&self.write, Access::Write, path, real(path))
    }

    /// Asks for removing or replacing an entry of a folder, with all that lies in it.
    ///
    /// # Errors
    /// As [`Permits::read`].
    pub fn write_entry(&self, path: &Path) -> Result<(), Refusal> {
        let entry = entry(path);
        let holds = |denied: &PathBuf| denied.starts_with(&entry);
        if let Amount::Some(denied) = &self.write.denied
            && denied.iter().any(holds)
        {
            let what = Some(path.display().to_string());
            return Err(Refusal { access: Access::Write, what, is_denied: true });
        }
        self.file(&self.write, Access::Write, path, entry)
    }

    /// Whether a file is code: it lies in the root, in a layer or in a library.
    pub fn is_code(&self, path: &Path) -> bool {
        self.lies_in_code(&real(path))
    }

    fn lies_in_code(&self, real: &Path) -> bool {
        let code = self.code.read().unwrap_or_else(PoisonError::into_inner);
        code.iter().any(|folder| real.starts_with(folder))
    }

    fn file(
        &self,
        rule: &Rule<PathBuf>,
        access: Access,
        path: &Path,
        real: PathBuf,
    ) -> Result<(), Refusal> {
        if is_harmless(&real) || rule.is_everything() && !is_special(&real) {
            return Ok(());
        }
        let what = || Some(path.display().to_string());
        if is_special(&real) {
            // Who may read and write there can do what the process can.
            return match Access::ALL.into_iter().find(|access| !self.has_all(*access)) {
                None => Ok(()),
                Some(_) => Err(Refusal { access, what: what(), is_denied: false }),
            };
        }
        let covers = |folder: &PathBuf| real.starts_with(folder);
        match rule.check(access, what, covers, covers) {
            Err(refusal)
                if access == Access::Read && !refusal.is_denied && self.lies_in_code(&real) =>
            {
                Ok(())
            }
            checked => checked,
        }
    }

    /// Whether a variable of the environment may be seen and set.
    pub fn sees_variable(&self, name: &str) -> bool {
        self.variable(name).is_ok()
    }

    /// Asks for a variable of the environment.
    ///
    /// # Errors
    /// [`Refusal`] when it is not allowed, or denied.
    pub fn variable(&self, name: &str) -> Result<(), Refusal> {
        let covers = |variable: &Variable| variable.covers(name);
        self.env.check(Access::Env, || Some(name.to_owned()), covers, covers)
    }

    /// Asks for running a program, by its path or by a name that is looked for along `folders`, a list like `PATH`.
    ///
    /// # Errors
    /// [`Refusal`] when it is not allowed, or denied.
    pub fn run(&self, program: &[u8], folders: Option<&[u8]>) -> Result<(), Refusal> {
        if self.run.is_everything() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(program);
        let place = if program.contains(&b'/') {
            Some(entry(Path::new(OsStr::from_bytes(program))))
        } else {
            let own = std::env::var_os("PATH").unwrap_or_default();
            let folders = folders.map_or(own.as_os_str(), OsStr::from_bytes);
            which(&text, folders).map(|path| entry(&path))
        };
        // What is not there is refused as what is, so that nobody learns which it is.
        let place = place.unwrap_or_else(|| PathBuf::from(text.as_ref()));
        let is_allowed = self.programs.contains(&place);
        let denies = |program: &Program| program.denies(&place, &self.root);
        self.run.check(Access::Run, || Some(text.into_owned()), |_| is_allowed, denies)
    }

    /// Whether any program may run.
    pub fn runs_any(&self) -> bool {
        matches!(self.run.allowed, Amount::Everything) || !self.programs.is_empty()
    }

    /// Asks for loading native code from a file; `None` for code of the process itself.
    ///
    /// # Errors
    /// [`Refusal`] when it is not allowed, or denied.
    pub fn load(&self, path: Option<&Path>) -> Result<(), Refusal> {
        let Some(path) = path else { return self.all(Access::Ffi) };
        let real = real(path);
        let covers = |folder: &PathBuf| real.starts_with(folder);
        self.ffi.check(Access::Ffi, || Some(path.display().to_string()), covers, covers)
    }
}

fn with_port(host: &str, port: Option<u16>) -> String {
    match port {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn permits(allowed: &[(Access, &str)], denied: &[(Access, &str)]) -> Permits {
        let mut permissions = Permissions::default();
        for (access, text) in allowed {
            permissions.allow(*access, text.parse().unwrap()).unwrap();
        }
        for (access, text) in denied {
            permissions.deny(*access, text.parse().unwrap()).unwrap();
        }
        permissions.at(Path::new("/task/shop"), &[Path::new("/opt")])
    }

    #[test]
    fn denied_hosts_are_denied_whatever_is_allowed() {
        let permits = permits(&[(Access::Net, "*")], &[(Access::Net, "10.0.0.0/8,a.example:80")]);
        assert!(permits.host("b.example", Some(80)).is_ok());
        assert!(permits.host("a.example", Some(81)).is_ok());
        assert!(permits.host("a.example", None).is_ok(), "another port may be meant");
        let refused = permits.host("a.example", Some(80)).unwrap_err();
        assert!(refused.is_denied);
        assert!(permits.host("10.1.1.1", Some(5)).is_err());
        assert!(permits.host("[::ffff:10.1.1.1]", Some(5)).is_err());
        assert!(permits.denies_addresses());
    }

    #[test]
    fn an_address_is_allowed_by_the_names_that_lead_there() {
        let permits = permits(&[(Access::Net, "a.example:443")], &[(Access::Net, "127.0.0.1")]);
        let names = ["a.example".to_owned()];
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(permits.host("a.example", None).is_ok());
        assert!(permits.address(address("1.2.3.4"), Some(443), &names).is_ok());
        assert!(permits.address(address("1.2.3.4"), Some(80), &names).is_err());
        assert!(permits.address(address("1.2.3.4"), Some(443), &[]).is_err());
        assert!(permits.address(address("127.0.0.1"), Some(443), &names).is_err());
        assert!(permits.socket(Some(Path::new("/run/a.sock"))).is_err());
    }

    #[test]
    fn paths_are_those_below_and_code_is_readable() {
        let permits = permits(
            &[(Access::Read, "data,/etc/hosts"), (Access::Write, "/var/out")],
            &[(Access::Read, "data/secret"), (Access::Write, "/var/out/kept")],
        );
        let (read, write) = (
            |path: &str| permits.read(Path::new(path)),
            |path: &str| permits.write(Path::new(path)),
        );
        assert!(read("/task/shop/data/a").is_ok());
        assert!(read("/task/shop/data/secret/a").unwrap_err().is_denied);
        assert!(read("/task/shop/app.py").is_ok(), "code");
        assert!(read("/opt/lib/a.py").is_ok(), "code of a layer");
        assert!(read("/etc/hosts").is_ok());
        assert!(read("/etc/passwd").is_err());
        assert!(read("/task/shop/../secret").is_err());
        assert!(read("/dev/null").is_ok());
        assert!(read("/proc/self/environ").is_err());
        assert!(write("/var/out/a").is_ok());
        assert!(write("/var/output").is_err());
        assert!(write("/task/shop/app.py").is_err());
        assert!(permits.write_entry(Path::new("/var/out")).is_err(), "what is denied lies in it");
    }

    #[test]
    fn everything_of_a_kind_leaves_out_the_doors_to_the_process() {
        let permits = permits(&[(Access::Read, "*"), (Access::Write, "*")], &[]);
        assert!(permits.read(Path::new("/etc/passwd")).is_ok());
        assert!(permits.write(Path::new("/proc/self/mem")).is_err());
        assert!(permits.read(Path::new("/proc/self/environ")).is_err());
    }

    #[test]
    fn variables_are_named_or_begin_so() {
        let permits = permits(&[(Access::Env, "HOME,AWS_*")], &[(Access::Env, "AWS_SECRET*")]);
        assert!(permits.sees_variable("HOME") && permits.sees_variable("AWS_REGION"));
        assert!(!permits.sees_variable("HOMER") && !permits.sees_variable("AWS_SECRET_ACCESS_KEY"));
    }

    #[test]
    fn programs_are_known_by_where_they_are() {
        let folder = std::env::temp_dir().join(format!("trine-programs-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let fake = folder.join("sh");
        fs::copy("/bin/sh", &fake).unwrap();
        let permits = permits(&[(Access::Run, "sh")], &[]);
        assert!(permits.run(b"sh", None).is_ok());
        assert!(permits.run(b"/bin/sh", None).is_ok());
        assert!(permits.run(b"ls", None).is_err());
        assert!(permits.run(b"sh", Some(folder.as_os_str().as_bytes())).is_err(), "another one");
        assert!(permits.run(fake.as_os_str().as_bytes(), None).is_err());
        assert!(permits.runs_any() && permits.all(Access::Run).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_denied_program_is_denied_wherever_it_lies() {
        let permits = permits(&[], &[(Access::Run, "ls")]);
        assert!(permits.run(b"sh", None).is_ok());
        assert!(permits.run(b"/somewhere/ls", None).unwrap_err().is_denied);
        assert!(permits.load(None).is_err(), "native code could run it");
    }
}
