//! Deno's reader of what permissions name, which looks at the text of paths alone; this one looks at where links lead, too.

use deno_runtime::{
    deno_permissions::{
        AllowRunDescriptorParseResult, DenyRunDescriptor, EnvDescriptor, EnvDescriptorParseError,
        FfiDescriptor, ImportDescriptor, NetDescriptor, NetDescriptorParseError,
        PathQueryDescriptor, PathResolveError, PermissionDescriptorParser, ReadDescriptor,
        RunDescriptorParseError, RunQueryDescriptor, SpecialFilePathQueryDescriptor, SysDescriptor,
        SysDescriptorParseError, WriteDescriptor,
    },
    permissions::RuntimePermissionDescriptorParser,
};
use std::{borrow::Cow, io, path::Path, sync::Arc};
use sys_traits::impls::RealSys;
use trine_engine::Permits;

/// Deno's own reader, and the permits to which links are held.
#[derive(Debug)]
pub(super) struct Parser {
    own: RuntimePermissionDescriptorParser<RealSys>,
    permits: Arc<Permits>,
}

impl Parser {
    pub(super) fn new(permits: Arc<Permits>) -> Self {
        Self { own: RuntimePermissionDescriptorParser::new(RealSys), permits }
    }
}

/// Passes calls on to Deno's own reader.
macro_rules! passed_on {
    ($($name:ident($argument:ty) -> $result:ty;)*) => {
        $(fn $name(&self, given: $argument) -> $result {
            self.own.$name(given)
        })*
    };
}

impl PermissionDescriptorParser for Parser {
    passed_on! {
        parse_read_descriptor(&str) -> Result<ReadDescriptor, PathResolveError>;
        parse_write_descriptor(&str) -> Result<WriteDescriptor, PathResolveError>;
        parse_net_descriptor(&str) -> Result<NetDescriptor, NetDescriptorParseError>;
        parse_import_descriptor(&str) -> Result<ImportDescriptor, NetDescriptorParseError>;
        parse_env_descriptor(&str) -> Result<EnvDescriptor, EnvDescriptorParseError>;
        parse_sys_descriptor(&str) -> Result<SysDescriptor, SysDescriptorParseError>;
        parse_allow_run_descriptor(&str) -> Result<AllowRunDescriptorParseResult, RunDescriptorParseError>;
        parse_deny_run_descriptor(&str) -> Result<DenyRunDescriptor, PathResolveError>;
        parse_ffi_descriptor(&str) -> Result<FfiDescriptor, PathResolveError>;
        parse_net_query(&str) -> Result<NetDescriptor, NetDescriptorParseError>;
    }

    fn parse_path_query<'a>(
        &self,
        path: Cow<'a, Path>,
    ) -> Result<PathQueryDescriptor<'a>, PathResolveError> {
        self.own.parse_path_query(path)
    }

    /// Called for a file that is about to be opened, and that may be as far as its text says. Whether it is for reading or for
    /// writing is not known here; what may be neither is refused.
    fn parse_special_file_descriptor<'a>(
        &self,
        path: PathQueryDescriptor<'a>,
    ) -> Result<SpecialFilePathQueryDescriptor<'a>, PathResolveError> {
        let place = path.as_descriptor().into_path_buf();
        if let Err(refusal) = self.permits.read(&place)
            && self.permits.write(&place).is_err()
        {
            let error = io::Error::new(io::ErrorKind::PermissionDenied, refusal.to_string());
            return Err(PathResolveError::Canonicalize(error));
        }
        self.own.parse_special_file_descriptor(path)
    }

    fn parse_run_query<'a>(
        &self,
        requested: &'a str,
    ) -> Result<RunQueryDescriptor<'a>, RunDescriptorParseError> {
        self.own.parse_run_query(requested)
    }
}
