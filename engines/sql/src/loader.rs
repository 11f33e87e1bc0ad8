//! The loader: reads a file, cuts it into statements, and rehearses them.
//!
//! A statement can be prepared only once the tables that it names are there, which earlier statements create. So those
//! that shape the database (`CREATE TABLE`, `PRAGMA`, `BEGIN`) are run in a database that is then thrown away, where `event`
//! and `context` are NULL and `print` is silent; those that are about rows are prepared, and not run. Where a shaping
//! statement fails, because it needs what only a call has, nothing but grammar is looked at behind it.

use crate::{
    ID, attach,
    attach::Database,
    convert::Columns,
    error,
    host::Host,
    limits::{Stop, stopped},
    settings::{Rows, Settings},
    source::Source,
    sqlite::{Connection, Failure, Statement},
};
use std::{cell::RefCell, rc::Rc, sync::Arc};
use trine_engine::{Environment, Error, LogSettings, Module, Result};

/// Maximum number of statements that are kept: each takes some thousand bytes.
const MOST_KEPT: usize = 256;

/// A file that was loaded.
pub(crate) struct Script {
    pub(crate) source: Source,
    pub(crate) host: Rc<Host>,
    pub(crate) rows: Rows,
    databases: Vec<Database>,
    /// Its statements, where none of them does more than select: they never need another database.
    pub(crate) kept: Option<RefCell<Kept>>,
}

/// The statements of a file, prepared once.
pub(crate) struct Kept {
    /// Each with the place where it begins.
    pub(crate) statements: Vec<(usize, Statement)>,
    /// The columns of the last one.
    pub(crate) columns: Columns,
}

/// Loads a module's file.
///
/// # Errors
/// When it cannot be read, is no SQL, or cannot have the databases that are attached; when there was an interrupt that is not
/// among the first `began`.
pub(crate) fn load(
    module: &Module,
    environment: &Environment,
    stop: &Arc<Stop>,
    began: u64,
) -> Result<Script> {
    let environment = environment.of_place(ID, &module.root);
    let settings = Settings::of(&environment)?;
    let permits = environment.permits(&module.root);
    let source = Source::read(module)?;
    let host = Rc::new(Host::new(&environment, stop.clone()));
    let entered = host.account().enter();
    host.begin(began);
    let prepared = (|| {
        let connection = Connection::open(&host).map_err(|failure| error::unopened(&failure))?;
        let databases =
            attach::find(&settings.attached, &module.root, permits.as_ref(), &connection)?;
        connection.guard().map_err(|failure| error::unopened(&failure))?;
        let statements = rehearse(&source, &connection, module, false)?;
        let kept = statements.and_then(|statements| {
            let columns = Columns::of(&statements.last()?.1);
            Some(RefCell::new(Kept { statements, columns }))
        });
        Ok((databases, kept))
    })();
    drop(entered);
    // Whatever went wrong meanwhile: SQLite gets no memory any more, for one thing.
    if host.is_stopped() {
        return Err(stopped());
    }
    let (databases, kept) = prepared?;
    Ok(Script { source, host, rows: settings.rows, databases, kept })
}

/// Checks a module's file as [`load`] does, without the databases that may be attached to it.
///
/// # Errors
/// As [`load`].
pub(crate) fn check(module: &Module) -> Result<()> {
    let source = Source::read(module)?;
    let environment = Environment::new("/opt", LogSettings::default());
    let host = Rc::new(Host::new(&environment, Arc::default()));
    let _entered = host.account().enter();
    host.begin(0);
    let connection = Connection::open(&host).map_err(|failure| error::unopened(&failure))?;
    connection.guard().map_err(|failure| error::unopened(&failure))?;
    let lacks = Settings::of(&environment).is_ok_and(|settings| !settings.attached.is_empty());
    rehearse(&source, &connection, module, lacks).map(|_| ())
}

/// Rehearses a file's statements. Returns them where they do nothing but select. `lacks` says that a name may be that of
/// something that is not there now.
fn rehearse(
    source: &Source,
    connection: &Connection,
    module: &Module,
    mut lacks: bool,
) -> Result<Option<Vec<(usize, Statement)>>> {
    let host = connection.host();
    let mut kept = Some(Vec::new());
    let mut end = 0;
    while !source.is_over(end) {
        let at = source.next(end);
        host.traits().take();
        let (prepared, next) = connection.prepare(source.text(), at, true);
        let statement = match prepared {
            Ok(statement) => statement,
            Err(failure) if lacks && !error::is_grammar(&failure) => return Ok(None),
            Err(failure) if failure.is_lock() => return Err(attach::locked(&failure)),
            Err(failure) => return Err(error::unprepared(&failure, host, source, at, module)),
        };
        let traits = host.traits().get();
        end = next.max(at + 1);
        let Some(mut statement) = statement else { continue };
        if let Some(name) = statement.parameter() {
            return Err(error::syntax(&error::parameter(&name), source, at, module));
        }
        if traits.is_structural && !lacks {
            lacks = host.rehearse(|| statement.finish()).is_err();
            host.take_refusal();
            if host.is_stopped() {
                return Err(stopped());
            }
            host.account().begin();
        }
        let is_full = kept.as_ref().is_some_and(|kept| kept.len() == MOST_KEPT);
        if is_full || traits.does_more || !statement.is_read_only() {
            kept = None;
        }
        if let Some(kept) = &mut kept {
            kept.push((at, statement));
        }
    }
    Ok(kept.filter(|kept| !kept.is_empty()))
}

impl Script {
    /// Prepares the kept statements anew where a file that is attached to their connection has another one in its place.
    pub(crate) fn renew(&self, kept: &mut Kept) -> Result<(), (Failure, usize)> {
        // All of them are asked, so that each remembers.
        let changed = self.databases.iter().filter(|database| database.has_changed()).count();
        if changed == 0 {
            return Ok(());
        }
        let connection = self.open().map_err(|failure| (failure, 0))?;
        let places: Vec<usize> = kept.statements.iter().map(|(at, _)| *at).collect();
        let mut statements = Vec::with_capacity(places.len());
        for at in places {
            let (prepared, _) = connection.prepare(self.source.text(), at, true);
            if let Some(statement) = prepared.map_err(|failure| (failure, at))? {
                statements.push((at, statement));
            }
        }
        if let Some((_, last)) = statements.last() {
            kept.columns = Columns::of(last);
            kept.statements = statements;
        }
        Ok(())
    }

    /// Adds to an error which databases other processes have locked; where it was interrupted, which may be.
    pub(crate) fn about_locks(&self, error: Error) -> Error {
        let all = self.databases.iter();
        if self.host.is_stopped() {
            let files: Vec<String> = all.map(|database| database.path().to_string()).collect();
            return error.with_context("waited for a lock of", files.join(", "));
        }
        let waited = attach::after(self.host.patience().waited());
        let locked: Vec<String> = all
            .filter(|database| database.is_locked(&self.host))
            .map(|database| database.path().to_string())
            .collect();
        let which = match &locked[..] {
            // It is free by now.
            [] => "another process held it".to_owned(),
            locked => format!("another process holds {}", locked.join(" and ")),
        };
        let message = format!("{}: {which}{waited}", error.message());
        error.with_message(message)
    }

    /// Opens a new database for a call, with those attached that can be read.
    pub(crate) fn open(&self) -> Result<Connection, Failure> {
        let connection = Connection::open(&self.host)?;
        for database in &self.databases {
            database.attach(&connection)?;
        }
        connection.guard()?;
        Ok(connection)
    }
}
