//! The functions that an instance has loaded, by the numbers under which it hands them out, for engines whose functions are
//! plain values of Rust.

use crate::{Error, FunctionId, Result};
use std::{
    cell::{Cell, RefCell},
    fmt,
    rc::Rc,
};

/// The functions of an instance, its calls, and whether it is still open.
///
/// ```
/// use trine_engine::LoadedFunctions;
///
/// let functions = LoadedFunctions::new("Brainfuck");
/// let id = functions.keep("+[-.]");
/// assert_eq!(functions.find(|known| *known == "+[-.]"), Some(id));
/// assert_eq!(*functions.get(id)?, "+[-.]");
/// functions.close();
/// assert_eq!(functions.check_open().unwrap_err().message(), "this instance of Brainfuck is shut down");
/// # Ok::<(), trine_engine::Error>(())
/// ```
pub struct LoadedFunctions<F> {
    language: &'static str,
    functions: RefCell<Vec<Rc<F>>>,
    calls: Cell<u64>,
    closed: Cell<bool>,
}

impl<F> LoadedFunctions<F> {
    /// Makes the functions, of which there are none yet, of an instance of a language, which is named in messages.
    pub fn new(language: &'static str) -> Self {
        Self {
            language,
            functions: RefCell::default(),
            calls: Cell::new(0),
            closed: Cell::new(false),
        }
    }

    /// Checks that the instance has not been shut down.
    ///
    /// # Errors
    /// Of kind [`crate::ErrorKind::Internal`] when it has.
    pub fn check_open(&self) -> Result<()> {
        match self.closed.get() {
            true => {
                Err(Error::internal(format!("this instance of {} is shut down", self.language)))
            }
            false => Ok(()),
        }
    }

    /// Returns the number of a function that was kept.
    pub fn find(&self, is_it: impl Fn(&F) -> bool) -> Option<FunctionId> {
        let index = self.functions.borrow().iter().position(|known| is_it(known))?;
        Some(FunctionId(index as u32))
    }

    /// Keeps a function; returns its number.
    pub fn keep(&self, function: F) -> FunctionId {
        let mut functions = self.functions.borrow_mut();
        functions.push(Rc::new(function));
        FunctionId((functions.len() - 1) as u32)
    }

    /// Returns a function by its number.
    ///
    /// # Errors
    /// Of kind [`crate::ErrorKind::Internal`] when there is none.
    pub fn get(&self, id: FunctionId) -> Result<Rc<F>> {
        self.functions.borrow().get(id.0 as usize).cloned().ok_or_else(|| {
            Error::internal(format!(
                "no function of this instance of {} has the id {}",
                self.language, id.0
            ))
        })
    }

    /// Returns all of them.
    pub fn all(&self) -> Vec<Rc<F>> {
        self.functions.borrow().clone()
    }

    /// Counts a call that has ended.
    pub fn count_call(&self) {
        self.calls.set(self.calls.get() + 1);
    }

    /// Returns the number of calls.
    pub fn calls(&self) -> u64 {
        self.calls.get()
    }

    /// Shuts the instance down, and drops its functions. A second time changes nothing.
    pub fn close(&self) {
        self.closed.set(true);
        drop(self.functions.take());
    }
}

impl<F> fmt::Debug for LoadedFunctions<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedFunctions")
            .field("language", &self.language)
            .field("functions", &self.functions.borrow().len())
            .field("calls", &self.calls)
            .field("closed", &self.closed)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn functions_have_numbers_until_the_instance_is_shut_down() {
        let functions = LoadedFunctions::new("SQL");
        assert_eq!((functions.keep("a"), functions.keep("b")), (FunctionId(0), FunctionId(1)));
        assert_eq!(functions.find(|known| *known == "b"), Some(FunctionId(1)));
        assert_eq!(functions.find(|known| *known == "c"), None);
        assert_eq!(*functions.get(FunctionId(1)).unwrap(), "b");
        let unknown = functions.get(FunctionId(2)).unwrap_err();
        assert_eq!(unknown.message(), "no function of this instance of SQL has the id 2");
        functions.count_call();
        functions.close();
        functions.close();
        assert_eq!(functions.check_open().unwrap_err().kind(), ErrorKind::Internal);
        assert_eq!(functions.get(FunctionId(0)).unwrap_err().kind(), ErrorKind::Internal);
        assert_eq!((functions.all().len(), functions.calls()), (0, 1));
    }
}
