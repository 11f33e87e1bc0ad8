//! The way from an event to an answer: a file's statements are run one after the other, and the last one's rows are what the
//! caller gets.

use crate::{
    convert::Columns,
    error::{self, failed},
    event::Event,
    loader::{Kept, Script},
    settings::Rows,
    sqlite::{Failure, Statement},
};
use bytes::Bytes;
use libsqlite3_sys::SQLITE_ERROR;
use std::rc::Rc;
use trine_engine::{Invocation, Payload, Result};

impl Script {
    /// Answers an event. Interrupts hit it that are not among the first `began`.
    pub(crate) fn call(
        &self,
        event: Bytes,
        invocation: &Rc<Invocation>,
        began: u64,
    ) -> Result<Payload> {
        let _entered = self.host.account().enter();
        let _in_flight = self.host.run(Event::new(event), invocation, began);
        let answer = match &self.kept {
            Some(kept) => {
                let mut kept = kept.borrow_mut();
                let renewed = self.renew(&mut kept);
                renewed.map_err(|(failure, at)| self.failed(&failure, at))?;
                self.run_kept(&mut kept)?
            }
            None => self.run_anew()?,
        };
        Ok(Payload::json(answer))
    }

    /// Runs statements that are prepared, and makes them ready for the next call.
    fn run_kept(&self, kept: &mut Kept) -> Result<Vec<u8>> {
        let answer = (|| {
            let (last, others) =
                kept.statements.split_last_mut().expect("a script has a statement");
            for (at, statement) in others {
                statement.finish().map_err(|failure| self.failed(&failure, *at))?;
                statement.reset();
            }
            let (at, statement) = last;
            self.answer(statement, Some(&mut kept.columns), *at)
        })();
        // They let go of the event.
        kept.statements.iter_mut().for_each(|(_, statement)| statement.reset());
        answer
    }

    /// Runs the statements in a new database.
    fn run_anew(&self) -> Result<Vec<u8>> {
        let source = &self.source;
        let connection = self.open().map_err(|failure| self.failed(&failure, 0))?;
        let mut end = 0;
        loop {
            let at = source.next(end);
            let (prepared, next) = connection.prepare(source.text(), at, false);
            let statement = prepared.map_err(|failure| self.failed(&failure, at))?;
            end = next.max(at + 1);
            let is_last = source.is_over(end);
            let Some(mut statement) = statement else {
                match is_last {
                    true => return Ok(b"null".to_vec()),
                    false => continue,
                }
            };
            if let Some(name) = statement.parameter() {
                let message = error::parameter(&name);
                let failure = Failure { code: SQLITE_ERROR, message, offset: None };
                return Err(self.failed(&failure, at));
            }
            if is_last {
                return self.answer(&mut statement, None, at);
            }
            statement.finish().map_err(|failure| self.failed(&failure, at))?;
        }
    }

    /// Runs the last statement, as far as its rows are wanted.
    fn answer(
        &self,
        statement: &mut Statement,
        columns: Option<&mut Columns>,
        at: usize,
    ) -> Result<Vec<u8>> {
        let step = |statement: &mut Statement| {
            statement.step().map_err(|failure| self.failed(&failure, at))
        };
        let mut has_row = step(statement)?;
        let of_now;
        let columns = match columns {
            Some(known) => {
                if !known.hold(statement) {
                    *known = Columns::of(statement);
                }
                &*known
            }
            None => {
                of_now = Columns::of(statement);
                &of_now
            }
        };
        let mut out = Vec::with_capacity(128);
        let write = |statement: &mut Statement, out: &mut Vec<u8>| {
            let written = columns.write_row(statement, &self.host, out);
            written.map_err(|error| error.with_frames([self.source.frame(at)]))
        };
        if self.rows == Rows::First {
            match has_row {
                true => write(statement, &mut out)?,
                false => out.extend_from_slice(b"null"),
            }
            return Ok(out);
        }
        out.push(b'[');
        while has_row {
            write(statement, &mut out)?;
            has_row = step(statement)?;
            if has_row {
                out.push(b',');
            }
        }
        out.push(b']');
        Ok(out)
    }

    fn failed(&self, failure: &Failure, at: usize) -> trine_engine::Error {
        let error = failed(failure, &self.host, &self.source, at);
        match failure.is_lock() || self.host.patience().was_stopped() {
            true => self.about_locks(error),
            false => error,
        }
    }
}
