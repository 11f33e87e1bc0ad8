//! The functions of WASI preview 1 by name, with their types.

use super::{
    Call, clocks,
    errno::{Errno, Result},
    files, paths, process,
};

/// The name of the module that guests import.
pub(crate) const MODULE: &str = "wasi_snapshot_preview1";

/// A function of WASI.
pub(crate) struct Function {
    pub(crate) name: &'static str,
    /// Its parameters, `I` for those of 64 bits. All but `proc_exit` give an `i32`, the error's number.
    pub(crate) parameters: &'static str,
    pub(crate) run: fn(&mut Call<'_>) -> Result<()>,
}

impl Function {
    /// Returns its type, as a module's import of it has to have it.
    pub(crate) fn signature(&self) -> String {
        let result = if self.name == "proc_exit" { "" } else { "i" };
        format!("{}:{result}", self.parameters)
    }
}

/// Returns the function of a name, and its number.
pub(crate) fn named(name: &str) -> Option<(usize, &'static Function)> {
    FUNCTIONS.iter().enumerate().find(|(_, function)| function.name == name)
}

fn not_supported(_: &mut Call<'_>) -> Result<()> {
    Err(Errno::NotSupported)
}

macro_rules! functions {
    ($($name:literal $parameters:literal $run:path;)*) => {
        /// All of them.
        pub(crate) static FUNCTIONS: &[Function] =
            &[$(Function { name: $name, parameters: $parameters, run: $run }),*];
    };
}

functions! {
    "args_get" "ii" process::args_get;
    "args_sizes_get" "ii" process::args_sizes_get;
    "clock_res_get" "ii" clocks::clock_res_get;
    "clock_time_get" "iIi" clocks::clock_time_get;
    "environ_get" "ii" process::environ_get;
    "environ_sizes_get" "ii" process::environ_sizes_get;
    "fd_advise" "iIIi" files::fd_advise;
    "fd_allocate" "iII" files::fd_allocate;
    "fd_close" "i" files::fd_close;
    "fd_datasync" "i" files::fd_sync;
    "fd_fdstat_get" "ii" files::fd_fdstat_get;
    "fd_fdstat_set_flags" "ii" files::fd_fdstat_set_flags;
    "fd_fdstat_set_rights" "iII" files::fd_fdstat_set_rights;
    "fd_filestat_get" "ii" files::fd_filestat_get;
    "fd_filestat_set_size" "iI" files::fd_filestat_set_size;
    "fd_filestat_set_times" "iIIi" files::fd_filestat_set_times;
    "fd_pread" "iiiIi" files::fd_pread;
    "fd_prestat_dir_name" "iii" paths::fd_prestat_dir_name;
    "fd_prestat_get" "ii" paths::fd_prestat_get;
    "fd_pwrite" "iiiIi" files::fd_pwrite;
    "fd_read" "iiii" files::fd_read;
    "fd_readdir" "iiiIi" paths::fd_readdir;
    "fd_renumber" "ii" files::fd_renumber;
    "fd_seek" "iIii" files::fd_seek;
    "fd_sync" "i" files::fd_sync;
    "fd_tell" "ii" files::fd_tell;
    "fd_write" "iiii" files::fd_write;
    "path_create_directory" "iii" paths::path_create_directory;
    "path_filestat_get" "iiiii" paths::path_filestat_get;
    "path_filestat_set_times" "iiiiIIi" paths::path_filestat_set_times;
    "path_link" "iiiiiii" paths::path_link;
    "path_open" "iiiiiIIii" paths::path_open;
    "path_readlink" "iiiiii" paths::path_readlink;
    "path_remove_directory" "iii" paths::path_remove_directory;
    "path_rename" "iiiiii" paths::path_rename;
    "path_symlink" "iiiii" paths::path_symlink;
    "path_unlink_file" "iii" paths::path_unlink_file;
    "poll_oneoff" "iiii" clocks::poll_oneoff;
    "proc_exit" "i" process::proc_exit;
    "proc_raise" "i" not_supported;
    "random_get" "ii" process::random_get;
    "sched_yield" "" process::sched_yield;
    "sock_accept" "iii" not_supported;
    "sock_recv" "iiiiii" not_supported;
    "sock_send" "iiiii" not_supported;
    "sock_shutdown" "ii" not_supported;
}
