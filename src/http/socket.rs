//! The sockets of a server: a TCP port or a path of the file system, and the connections that come there, with TLS or
//! without.

use super::{
    error::ServeError,
    options::{Listen, ServeOptions},
};
use listenfd::ListenFd;
use socket2::SockRef;
use std::{
    fmt, fs,
    io::{self, IoSlice, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::{
        fd::{AsFd, BorrowedFd},
        unix::{
            fs::{FileTypeExt, MetadataExt},
            net::{UnixListener, UnixStream as StdUnixStream},
        },
    },
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    thread,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpSocket, TcpStream, UnixStream},
};
use tokio_rustls::server::TlsStream;

/// Maximum number of connections that wait to be accepted, as in the standard library.
const BACKLOG: u32 = 128;
/// The client of a connection that has no address: it is on this machine.
const HERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The place where clients reach a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// An address with a port.
    Tcp(SocketAddr),
    /// A path; empty where a service manager has opened a socket without one.
    Unix(PathBuf),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Endpoint {
    /// Returns the address, if it is one.
    pub fn tcp(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(address) => Some(*address),
            Self::Unix(_) => None,
        }
    }
}

/// A socket on which a server listens.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, Option<Arc<SocketFile>>),
}

/// The file of a socket, which is removed with its last listener.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and number of the file: another server's is left alone.
    identity: Option<(u64, u64)>,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path) == self.identity {
            // It is of no use to anybody if it cannot be removed.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    fs::symlink_metadata(path).ok().map(|about| (about.dev(), about.ino()))
}

impl Listener {
    /// Begins to listen where the options say.
    ///
    /// # Errors
    /// [`ServeError::PortInUse`], [`ServeError::Listen`] and [`ServeError::Socket`].
    pub(super) fn open(options: &ServeOptions) -> Result<Self, ServeError> {
        let listener = match &options.listen {
            Listen::Address => {
                let address = options.address;
                let failed = |source: io::Error| match source.kind() {
                    io::ErrorKind::AddrInUse => ServeError::PortInUse(address),
                    _ => ServeError::Listen { address, source },
                };
                Self::Tcp(bind(address, options.share_port).map_err(failed)?)
            }
            Listen::Unix(path) => {
                let failed = |why| ServeError::Socket(format!("unix:{}", path.display()), why);
                Self::at(path).map_err(failed)?
            }
            Listen::Inherited => Self::inherited()
                .map_err(|why| ServeError::Socket("the socket of LISTEN_FDS".to_owned(), why))?,
        };
        let set = match &listener {
            Self::Tcp(tcp) => tcp.set_nonblocking(true),
            Self::Unix(unix, _) => unix.set_nonblocking(true),
        };
        set.map_err(ServeError::Start)?;
        Ok(listener)
    }

    /// Listens at a path. The socket of a server that is gone is replaced.
    fn at(path: &Path) -> Result<Self, String> {
        let bound = match UnixListener::bind(path) {
            Err(e) if e.kind() == io::ErrorKind::AddrInUse => {
                let is_socket =
                    fs::symlink_metadata(path).is_ok_and(|about| about.file_type().is_socket());
                if !is_socket {
                    return Err("there is a file of another kind at this path".to_owned());
                }
                match StdUnixStream::connect(path) {
                    Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => {}
                    _ => return Err("another process listens there".to_owned()),
                }
                fs::remove_file(path).and_then(|()| UnixListener::bind(path))
            }
            other => other,
        };
        let listener = bound.map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => "its folder does not exist".to_owned(),
            io::ErrorKind::InvalidInput => format!("{e}: a socket's path has 107 bytes at most"),
            _ => e.to_string(),
        })?;
        let file = SocketFile { path: path.to_owned(), identity: identity(path) };
        Ok(Self::Unix(listener, Some(Arc::new(file))))
    }

    /// Takes over the one socket that a service manager has opened.
    fn inherited() -> Result<Self, String> {
        let mut handed = ListenFd::from_env();
        if handed.len() != 1 {
            let count = handed.len();
            return Err(format!("there are {count} sockets, and a server listens on one"));
        }
        if let Ok(Some(tcp)) = handed.take_tcp_listener(0) {
            return Ok(Self::Tcp(tcp));
        }
        match handed.take_unix_listener(0) {
            Ok(Some(unix)) => Ok(Self::Unix(unix, None)),
            Ok(None) => Err("it was taken already".to_owned()),
            Err(e) => Err(format!("neither TCP nor Unix: {e}")),
        }
    }

    /// Returns where clients reach it.
    pub(super) fn endpoint(&self) -> io::Result<Endpoint> {
        Ok(match self {
            Self::Tcp(tcp) => Endpoint::Tcp(tcp.local_addr()?),
            Self::Unix(unix, _) => {
                let address = unix.local_addr()?;
                Endpoint::Unix(address.as_pathname().unwrap_or(Path::new("")).to_owned())
            }
        })
    }

    pub(super) fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(tcp) => Self::Tcp(tcp.try_clone()?),
            Self::Unix(unix, file) => Self::Unix(unix.try_clone()?, file.clone()),
        })
    }

    /// Accepts a connection that waits, within a runtime.
    pub(super) fn accept_now(&self) -> io::Result<(Socket, SocketAddr)> {
        Ok(match self {
            Self::Tcp(tcp) => {
                let (stream, client) = tcp.accept()?;
                stream.set_nonblocking(true)?;
                (Socket::Tcp(TcpStream::from_std(stream)?), client)
            }
            Self::Unix(unix, _) => {
                let (stream, _) = unix.accept()?;
                stream.set_nonblocking(true)?;
                (Socket::Unix(UnixStream::from_std(stream)?), HERE)
            }
        })
    }
}

/// Makes a listener, whose port is shared with other processes that ask for the same.
fn bind(address: SocketAddr, share_port: bool) -> io::Result<TcpListener> {
    if !share_port {
        return TcpListener::bind(address);
    }
    // Listening through this socket takes an event queue, though nothing is waited for.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _inside = runtime.enter();
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// A listener within a runtime.
pub(super) enum Acceptor {
    Tcp(tokio::net::TcpListener),
    Unix(
        tokio::net::UnixListener,
        #[expect(dead_code, reason = "kept for its end")] Option<Arc<SocketFile>>,
    ),
}

impl Acceptor {
    pub(super) fn new(listener: Listener) -> io::Result<Self> {
        Ok(match listener {
            Listener::Tcp(tcp) => Self::Tcp(tokio::net::TcpListener::from_std(tcp)?),
            Listener::Unix(unix, file) => {
                Self::Unix(tokio::net::UnixListener::from_std(unix)?, file)
            }
        })
    }

    /// Waits for the next connection.
    pub(super) async fn accept(&self) -> io::Result<(Socket, SocketAddr)> {
        Ok(match self {
            Self::Tcp(tcp) => {
                let (stream, client) = tcp.accept().await?;
                // Without it, small answers wait for the client's acknowledgement; if it fails, they do.
                let _ = stream.set_nodelay(true);
                (Socket::Tcp(stream), client)
            }
            Self::Unix(unix, _) => (Socket::Unix(unix.accept().await?.0), HERE),
        })
    }
}

/// A connection's socket.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    /// Whether a client begins to speak something else than TLS, as far as can be seen beforehand.
    pub(super) async fn begins_without_tls(&self) -> bool {
        let Self::Tcp(stream) = self else { return false };
        let mut first = [0];
        matches!(stream.peek(&mut first).await, Ok(1)) && first[0].is_ascii_alphabetic()
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
        }
    }
}

/// What a connection reads from and writes to.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
}

impl Stream {
    /// Waits until something can be read from the socket.
    pub(super) async fn readable(&self) -> io::Result<()> {
        let socket = match self {
            Self::Plain(socket) => socket,
            Self::Tls(tls) => tls.get_ref().0,
        };
        match socket {
            Socket::Tcp(stream) => stream.readable().await,
            Socket::Unix(stream) => stream.readable().await,
        }
    }

    /// Returns the socket below.
    pub(super) fn socket(&self) -> SockRef<'_> {
        match self {
            Self::Plain(socket) => SockRef::from(socket),
            Self::Tls(tls) => SockRef::from(tls.get_ref().0),
        }
    }

    /// Sends bytes from whichever thread, and waits no longer than until then for room.
    pub(super) fn send_now(&mut self, bytes: &[u8], until: Instant) -> io::Result<()> {
        match self {
            Self::Plain(socket) => Sending { socket, until }.write_all(bytes),
            Self::Tls(tls) => {
                let (socket, session) = tls.get_mut();
                session.writer().write_all(bytes)?;
                session.send_close_notify();
                let mut sending = Sending { socket, until };
                while session.wants_write() {
                    session.write_tls(&mut sending)?;
                }
                Ok(())
            }
        }
    }
}

/// A socket that is written to outside of its runtime.
struct Sending<'s> {
    socket: &'s Socket,
    until: Instant,
}

impl io::Write for Sending<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let socket = SockRef::from(self.socket);
        loop {
            match socket.send(bytes) {
                Err(e) if e.kind() == io::ErrorKind::WouldBlock && Instant::now() < self.until => {
                    thread::sleep(Duration::from_millis(1));
                }
                other => return other,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What bytes come from and go to.
trait Duplex: AsyncRead + AsyncWrite + Unpin {}

impl<D: AsyncRead + AsyncWrite + Unpin> Duplex for D {}

macro_rules! passes_on {
    ($name:ident, $($kind:ident)|+) => {
        impl $name {
            fn inside(&mut self) -> Pin<&mut dyn Duplex> {
                match self {
                    $(Self::$kind(inner) => Pin::new(inner),)+
                }
            }
        }

        impl AsyncRead for $name {
            fn poll_read(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buffer: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                self.get_mut().inside().poll_read(cx, buffer)
            }
        }

        impl AsyncWrite for $name {
            fn poll_write(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.get_mut().inside().poll_write(cx, bytes)
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_write_vectored(
                self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                slices: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                self.get_mut().inside().poll_write_vectored(cx, slices)
            }

            fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.get_mut().inside().poll_flush(cx)
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.get_mut().inside().poll_shutdown(cx)
            }
        }
    };
}

passes_on!(Socket, Tcp | Unix);
passes_on!(Stream, Plain | Tls);

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path) -> Result<Listener, String> {
        let mut options = ServeOptions::new(HERE);
        options.listen = Listen::Unix(path.to_owned());
        Listener::open(&options).map_err(|error| format!("{error}"))
    }

    #[test]
    fn a_sockets_file_is_there_for_as_long_as_somebody_listens() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = open(&path).unwrap();
        let second = listener.try_clone().unwrap();
        assert_eq!(listener.endpoint().unwrap(), Endpoint::Unix(path.clone()));
        drop(listener);
        assert!(path.exists());
        let why = open(&path).unwrap_err();
        assert!(why.contains("another process listens there"), "{why}");
        drop(second);
        assert!(!path.exists());
    }

    #[test]
    fn what_a_server_left_behind_is_replaced_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        drop(UnixListener::bind(&path).unwrap());
        let listener = open(&path).unwrap();
        // Another server's in its place is left alone.
        fs::remove_file(&path).unwrap();
        let other = UnixListener::bind(&path).unwrap();
        drop(listener);
        assert!(path.exists());
        drop(other);
        fs::remove_file(&path).unwrap();
        fs::write(&path, "text").unwrap();
        let why = open(&path).unwrap_err();
        assert!(why.contains("a file of another kind"), "{why}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "text");
        let why = open(&folder.path().join("no/s")).unwrap_err();
        assert!(why.contains("its folder does not exist"), "{why}");
        let why = open(&folder.path().join("s".repeat(200))).unwrap_err();
        assert!(why.contains("107 bytes"), "{why}");
    }
}
