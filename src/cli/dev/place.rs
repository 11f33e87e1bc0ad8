//! A generation's place in the row: how its process is told, and how it takes it.

use crate::http::Generation;
use std::{
    ffi::OsString,
    fs::File,
    io::{self, Read as _, stdin},
    net::TcpListener,
    os::{
        fd::AsFd as _,
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr as UnixAddress, UnixStream},
    },
    str::FromStr,
};

/// Number of letters and digits in a token of the console's.
const TOKEN_LENGTH: usize = 64;

/// The place of a generation, as its command line names it: the channel to whoever has started it, its number, and what
/// keeps it from serving, if that is known beforehand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Place {
    pub(super) channel: String,
    pub(in super::super) number: u64,
    pub(in super::super) fault: Option<String>,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "this flag is for servers that --reload starts".to_owned();
        let mut parts = text.splitn(3, '/');
        let (Some(channel), Some(number)) = (parts.next(), parts.next()) else {
            return Err(wrong());
        };
        let number = number.parse().map_err(|_| wrong())?;
        Ok(Self { channel: channel.to_owned(), number, fault: parts.next().map(str::to_owned) })
    }
}

impl Place {
    pub(super) fn flag(&self) -> OsString {
        let fault = self.fault.as_ref().map(|fault| format!("/{fault}")).unwrap_or_default();
        format!("--generation={}/{}{fault}", self.channel, self.number).into()
    }

    /// Takes the place: returns the port and the channel. Standard input, through which the port came, is empty from then on.
    ///
    /// # Errors
    /// When nobody has started this process to take it.
    pub(in super::super) fn take(&self) -> io::Result<Taken> {
        let port = stdin().as_fd().try_clone_to_owned()?;
        nix::unistd::dup2_stdin(File::open("/dev/null")?)?;
        let address = UnixAddress::from_abstract_name(&self.channel)?;
        let mut channel = UnixStream::connect_addr(&address)?;
        let mut token = [0; TOKEN_LENGTH];
        channel.read_exact(&mut token)?;
        let token = String::from_utf8_lossy(&token).into_owned();
        Ok(Taken { port: TcpListener::from(port), generation: Generation::new(channel), token })
    }
}

/// A place that was taken.
pub(in super::super) struct Taken {
    pub(in super::super) port: TcpListener,
    pub(in super::super) generation: Generation,
    /// The token of the console's page, which all in the row have.
    pub(in super::super) token: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        for fault in [None, Some("a/b: c=d\n".to_owned())] {
            let place = Place { channel: "trine-1-ab".to_owned(), number: 7, fault };
            let flag = place.flag().into_string().unwrap();
            let (name, text) = flag.split_once('=').unwrap();
            assert_eq!((name, text.parse()), ("--generation", Ok(place)));
        }
        assert!("x".parse::<Place>().unwrap_err().contains("--reload"));
        assert!("x/y".parse::<Place>().is_err());
    }
}
