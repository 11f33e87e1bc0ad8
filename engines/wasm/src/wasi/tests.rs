//! Tests of WASI's functions as a guest calls them, without one.

mod folders;

use super::{place::Folder, table::FUNCTIONS, *};
use proptest::prelude::*;
use std::{fs, path::Path};
use tempfile::TempDir;
use trine_engine::LogSettings;
use trine_testkit::guest::Log;

const FD_READ: u64 = 1 << 1;
const FD_WRITE: u64 = 1 << 6;

/// The descriptors of the given folders.
const ROOT: u64 = 3;
const TEMPORARY: u64 = 4;

/// A guest that is not there: its side of the system, and its memory.
struct Guest {
    wasi: Wasi,
    memory: Vec<u8>,
    log: Arc<Log>,
    folder: TempDir,
}

impl Guest {
    /// Makes a guest with the folders `task`, which it may read, and `tmp`, which it may write.
    fn new() -> Self {
        Self::permitted(|_| None)
    }

    fn permitted(permits: impl FnOnce(&Path) -> Option<Permits>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["task", "tmp"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        fs::write(folder.path().join("task/data.txt"), "some data").unwrap();
        let log = Arc::new(Log::default());
        let settings = LogSettings { sink: log.clone(), ..LogSettings::default() };
        let open = |name: &str, known: &str, writable| {
            Rc::new(Folder::open(&folder.path().join(name), known, writable).unwrap())
        };
        let program = Program {
            arguments: vec![b"app.wasm".to_vec()],
            variables: vec![(b"STAGE".to_vec(), b"test".to_vec())],
            folders: vec![open("task", ".", false), open("tmp", "/tmp", true)],
            permits: permits(folder.path()),
            output: Rc::new(GuestOutput::new(settings)),
            stop: Arc::new(Stop::default()),
            started: Instant::now(),
            most_printed: 1000,
            refused: RefCell::default(),
        };
        let wasi = Wasi::command(Rc::new(program), Bytes::from_static(b"input"));
        Self { wasi, memory: vec![0; 1 << 16], log, folder }
    }

    fn call(&mut self, name: &str, arguments: &[u64]) -> u16 {
        let (_, function) = table::named(name).unwrap();
        assert_eq!(function.parameters.len(), arguments.len(), "{name}");
        self.run(function, arguments)
    }

    fn run(&mut self, function: &Function, arguments: &[u64]) -> u16 {
        let mut all = [0; 9];
        all[..arguments.len()].copy_from_slice(arguments);
        let memory = Memory::new(&mut self.memory);
        Call { wasi: &mut self.wasi, memory, arguments: all }.run(function)
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.memory[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn number(&self, at: usize) -> u32 {
        u32::from_le_bytes(self.memory[at..at + 4].try_into().unwrap())
    }

    fn text(&self, at: usize, length: usize) -> String {
        String::from_utf8_lossy(&self.memory[at..at + length]).into_owned()
    }

    /// Puts a path at 1000 and returns it as two arguments.
    fn path(&mut self, path: &str) -> [u64; 2] {
        self.put(1000, path.as_bytes());
        [1000, path.len() as u64]
    }

    /// Opens a file; returns its descriptor.
    fn open(&mut self, folder: u64, path: &str, how: u64, rights: u64) -> Result<u64, u16> {
        let [pointer, length] = self.path(path);
        match self.call("path_open", &[folder, 1, pointer, length, how, rights, 0, 0, 500]) {
            0 => Ok(self.number(500).into()),
            error => Err(error),
        }
    }

    fn write(&mut self, descriptor: u64, text: &str) -> u16 {
        self.put(2000, text.as_bytes());
        self.put(600, &2000_u32.to_le_bytes());
        self.put(604, &(text.len() as u32).to_le_bytes());
        self.call("fd_write", &[descriptor, 600, 1, 608])
    }

    fn read(&mut self, descriptor: u64) -> Result<String, u16> {
        self.put(600, &3000_u32.to_le_bytes());
        self.put(604, &1000_u32.to_le_bytes());
        match self.call("fd_read", &[descriptor, 600, 1, 608]) {
            0 => Ok(self.text(3000, self.number(608) as usize)),
            error => Err(error),
        }
    }

    /// Calls a function that takes a folder and a path.
    fn at(&mut self, name: &str, folder: u64, path: &str) -> u16 {
        let [pointer, length] = self.path(path);
        self.call(name, &[folder, pointer, length])
    }
}

fn errno(error: Errno) -> Result<u64, u16> {
    Err(error as u16)
}

#[test]
fn input_is_read_and_output_is_kept_or_logged() {
    let mut guest = Guest::new();
    assert_eq!(guest.read(0), Ok("input".into()));
    assert_eq!(guest.read(0), Ok(String::new()), "its end");
    assert_eq!(guest.write(1, "answer"), 0);
    assert_eq!(guest.write(2, "one\ntw"), 0);
    assert_eq!(guest.write(2, "o\n"), 0);
    assert_eq!(guest.write(0, "no"), Errno::BadDescriptor as u16);
    assert_eq!(guest.wasi.take_printed(), "answer");
    assert_eq!(guest.log.lines(), ["one\n", "two\n"]);
}

#[test]
fn a_program_that_prints_without_end_is_noticed() {
    let mut guest = Guest::new();
    assert_eq!(guest.write(1, &"x".repeat(1000)), 0);
    assert!(!guest.wasi.printed_too_much);
    assert_eq!(guest.write(1, "x"), Errno::NoSpace as u16);
    assert!(guest.wasi.printed_too_much);
}

#[test]
fn arguments_and_variables_are_texts_with_a_zero() {
    let mut guest = Guest::new();
    let invocation = Invocation {
        request_id: "id-1".into(),
        trace_id: Some("Root=1".into()),
        ..Invocation::default()
    };
    guest.wasi.invocation = Some(Rc::new(invocation));
    assert_eq!(guest.call("args_sizes_get", &[0, 4]), 0);
    assert_eq!((guest.number(0), guest.number(4)), (1, 9));
    assert_eq!(guest.call("args_get", &[0, 100]), 0);
    assert_eq!(guest.text(100, 9), "app.wasm\0");
    assert_eq!(guest.call("environ_sizes_get", &[0, 4]), 0);
    let size = guest.number(4) as usize;
    assert_eq!(guest.call("environ_get", &[0, 100]), 0);
    assert_eq!(
        guest.text(100, size),
        "STAGE=test\0LAMBDA_RUNTIME_AWS_REQUEST_ID=id-1\0_X_AMZN_TRACE_ID=Root=1\0"
    );
    assert_eq!(guest.number(4), 100 + 11, "where the second one is");
    assert_eq!(guest.call("environ_get", &[0, (1 << 16) - 20]), Errno::Fault as u16);
}

#[test]
fn descriptors_are_renumbered_and_limited() {
    let mut guest = Guest::new();
    let file = guest.open(ROOT, "data.txt", 0, FD_READ).unwrap();
    assert_eq!(guest.call("fd_renumber", &[file, 0]), 0);
    assert_eq!(guest.read(0), Ok("some data".into()));
    assert_eq!(guest.call("fd_renumber", &[file, 0]), Errno::BadDescriptor as u16);
    let opened = std::iter::repeat_with(|| guest.open(ROOT, "data.txt", 0, FD_READ));
    let refused = opened.take(300).find_map(Result::err);
    assert_eq!(refused, Some(Errno::TooManyOpen as u16));
}

#[test]
fn rights_can_be_given_up() {
    let mut guest = Guest::new();
    let file = guest.open(TEMPORARY, "x", 1, FD_READ | FD_WRITE).unwrap();
    assert_eq!(guest.call("fd_fdstat_set_rights", &[file, FD_READ, 0]), 0);
    assert_eq!(guest.write(file, "x"), Errno::BadDescriptor as u16);
    let again = guest.call("fd_fdstat_set_rights", &[file, FD_READ | FD_WRITE, 0]);
    assert_eq!(again, Errno::NotCapable as u16);
}

#[test]
fn waits_end_with_the_first_clock_and_ready_descriptors_at_once() {
    let mut guest = Guest::new();
    // User data 7, a clock: monotonic, one millisecond; user data 8: an hour.
    for (at, user, nanoseconds) in [(0, 7_u64, 1_000_000_u64), (48, 8, 3_600_000_000_000)] {
        guest.put(at, &user.to_le_bytes());
        guest.put(at + 16, &1_u32.to_le_bytes());
        guest.put(at + 24, &nanoseconds.to_le_bytes());
    }
    assert_eq!(guest.call("poll_oneoff", &[0, 1000, 2, 500]), 0);
    assert_eq!((guest.number(500), guest.number(1000)), (1, 7));
    guest.put(8, &[1]);
    guest.put(16, &0_u32.to_le_bytes());
    assert_eq!(guest.call("poll_oneoff", &[0, 1000, 2, 500]), 0);
    assert_eq!((guest.number(500), guest.number(1000), guest.number(1016)), (1, 7, 5));
    assert_eq!(guest.call("poll_oneoff", &[0, 1000, 0, 500]), Errno::Invalid as u16);
    assert_eq!(guest.call("poll_oneoff", &[0, 1000, u64::MAX, 500]), Errno::Invalid as u16);
}

#[test]
fn a_guest_that_was_stopped_does_nothing_more() {
    let mut guest = Guest::new();
    guest.wasi.program.stop.interrupter().interrupt();
    assert_eq!(guest.open(TEMPORARY, "x", 1, FD_WRITE), errno(Errno::Interrupted));
    let mut guest = Guest::new();
    assert_eq!(guest.call("proc_exit", &[3]), 0);
    assert_eq!(guest.wasi.exit, Some(3));
    assert_eq!(guest.at("path_create_directory", TEMPORARY, "x"), Errno::Interrupted as u16);
}

#[test]
fn every_function_has_a_type_of_its_own_arguments() {
    assert_eq!(FUNCTIONS.len(), 46);
    assert!(FUNCTIONS.iter().all(|function| function.parameters.len() <= 9));
    assert!(FUNCTIONS.is_sorted_by_key(|function| function.name));
}

/// Numbers of descriptors, lengths, addresses near both ends, and anything.
fn argument() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0..8_u64,
        2 => 0..(1_u64 << 17),
        1 => ((1_u64 << 16) - 64)..(1_u64 << 16),
        1 => (u64::from(u32::MAX) - 64)..=u64::from(u32::MAX),
        1 => any::<u64>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_arguments_make_a_function_panic_or_lead_out(
        calls in proptest::collection::vec(
            (0..FUNCTIONS.len(), proptest::collection::vec(argument(), 9)), 1..60,
        ),
        fill in prop_oneof![Just(0_u8), any::<u8>()],
    ) {
        let mut guest = Guest::new();
        guest.memory.fill(fill);
        for (at, arguments) in calls {
            let function = &FUNCTIONS[at];
            // A wait may be as long as the memory says; `proc_exit` would end it all.
            if !matches!(function.name, "poll_oneoff" | "proc_exit" | "fd_allocate" | "fd_filestat_set_size") {
                guest.run(function, &arguments[..function.parameters.len()]);
            }
        }
        let mut left: Vec<_> = fs::read_dir(guest.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        prop_assert_eq!(left, ["task", "tmp"]);
        let text = fs::read_to_string(guest.folder.path().join("task/data.txt")).unwrap();
        prop_assert_eq!(text, "some data");
    }

    #[test]
    fn subscriptions_anywhere_make_no_panic(arguments in proptest::collection::vec(argument(), 4)) {
        let mut guest = Guest::new();
        guest.call("poll_oneoff", &arguments);
    }
}
