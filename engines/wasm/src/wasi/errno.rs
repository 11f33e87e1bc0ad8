//! The error numbers of WASI preview 1.

use rustix::io::Errno as System;

/// An error of a WASI function, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Errno {
    TooBig = 1,
    Access = 2,
    Again = 6,
    BadDescriptor = 8,
    Busy = 10,
    Exists = 20,
    Fault = 21,
    FileTooBig = 22,
    Interrupted = 27,
    Invalid = 28,
    Io = 29,
    IsDirectory = 31,
    Loop = 32,
    TooManyOpen = 33,
    TooManyLinks = 34,
    NameTooLong = 37,
    TooManyOpenInSystem = 41,
    NoDevice = 43,
    NoEntry = 44,
    NoMemory = 48,
    NoSpace = 51,
    NoFunction = 52,
    NotDirectory = 54,
    NotEmpty = 55,
    NotSupported = 58,
    NoSuchDevice = 60,
    Overflow = 61,
    NotPermitted = 63,
    Pipe = 64,
    ReadOnly = 69,
    NoSeek = 70,
    TextBusy = 74,
    OtherDevice = 75,
    NotCapable = 76,
}

impl From<System> for Errno {
    fn from(error: System) -> Self {
        match error {
            System::TOOBIG => Self::TooBig,
            System::ACCESS => Self::Access,
            System::AGAIN => Self::Again,
            System::BADF => Self::BadDescriptor,
            System::BUSY => Self::Busy,
            System::EXIST => Self::Exists,
            System::FAULT => Self::Fault,
            System::FBIG => Self::FileTooBig,
            System::INTR => Self::Interrupted,
            System::INVAL => Self::Invalid,
            System::ISDIR => Self::IsDirectory,
            System::LOOP => Self::Loop,
            System::MFILE => Self::TooManyOpen,
            System::MLINK => Self::TooManyLinks,
            System::NAMETOOLONG => Self::NameTooLong,
            System::NFILE => Self::TooManyOpenInSystem,
            System::NODEV => Self::NoDevice,
            System::NOENT => Self::NoEntry,
            System::NOMEM => Self::NoMemory,
            System::NOSPC | System::DQUOT => Self::NoSpace,
            System::NOSYS => Self::NoFunction,
            System::NOTDIR => Self::NotDirectory,
            System::NOTEMPTY => Self::NotEmpty,
            System::NOTSUP => Self::NotSupported,
            System::NXIO => Self::NoSuchDevice,
            System::OVERFLOW => Self::Overflow,
            System::PERM => Self::NotPermitted,
            System::PIPE => Self::Pipe,
            System::ROFS => Self::ReadOnly,
            System::SPIPE => Self::NoSeek,
            System::TXTBSY => Self::TextBusy,
            System::XDEV => Self::OtherDevice,
            _ => Self::Io,
        }
    }
}

impl From<std::io::Error> for Errno {
    fn from(error: std::io::Error) -> Self {
        System::from_io_error(&error).map_or(Self::Io, Self::from)
    }
}

/// Result of a WASI function.
pub(crate) type Result<T, E = Errno> = std::result::Result<T, E>;
