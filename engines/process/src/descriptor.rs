//! Descriptors that the process was started with.

use libc::c_int;
use std::{
    io,
    os::fd::{FromRawFd, OwnedFd},
};

/// Returns a descriptor of its own for what the process has open under this number, and keeps both from the programs that
/// it will start. To be called before any guest has run.
///
/// # Errors
/// When there is nothing open under the number.
pub fn inherited(number: c_int) -> io::Result<OwnedFd> {
    // SAFETY: takes two numbers and looks at no memory.
    let own = unsafe { libc::fcntl(number, libc::F_DUPFD_CLOEXEC, 3) };
    if own == -1 {
        return Err(io::Error::last_os_error());
    }
    if number > libc::STDERR_FILENO {
        // SAFETY: as above. It was open a moment ago; should this fail, it is merely inherited.
        unsafe { libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    // SAFETY: the system has just made this descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(own) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        fs::File,
        io::{Read, Write},
        os::fd::AsRawFd,
    };

    #[test]
    fn what_is_open_can_be_written_to_and_what_is_not_is_an_error() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut own = File::from(inherited(writer.as_raw_fd()).unwrap());
        drop(writer);
        own.write_all(b"through").unwrap();
        drop(own);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "through");
        assert!(inherited(-1).is_err());
        assert!(inherited(1_000_000).is_err());
    }
}
