//! The reading of files for `require`.

use super::{Loader, Tracker, read};
use crate::{
    packages::{Kind, Packages},
    permits,
    typescript::{TypeScript, is_typescript},
};
use deno_error::JsErrorBox;
use deno_media_type::MediaType;
use deno_runtime::{
    deno_core::{FastString, ModuleSpecifier, OpState, op2},
    deno_node::NodeRequireLoader,
    deno_permissions::PermissionsContainer,
};
use node_resolver::{analyze::CjsAnalysisSourceProvider, errors::PackageJsonLoadError};
use std::{
    borrow::Cow,
    cell::RefCell,
    path::{Path, PathBuf},
    rc::Rc,
};

/// The loader of files for `require`.
pub(super) struct RequireLoader {
    pub(super) tracker: Tracker,
    pub(super) typescript: Rc<TypeScript>,
    pub(super) last_required: Rc<RefCell<Option<PathBuf>>>,
    pub(super) permits: permits::Shared,
}

impl NodeRequireLoader for RequireLoader {
    fn ensure_read_permission<'a>(
        &self,
        _permissions: &mut PermissionsContainer,
        path: Cow<'a, Path>,
    ) -> Result<Cow<'a, Path>, JsErrorBox> {
        permits::load(&self.permits, &path)?;
        Ok(path)
    }

    fn load_text_file_lossy(&self, path: &Path) -> Result<FastString, JsErrorBox> {
        self.last_required.replace(Some(path.to_owned()));
        Ok(match MediaType::from_path(path) {
            MediaType::Cts => self.typescript.take(path)?.text.into(),
            // Its format is asked for next.
            media_type if is_typescript(media_type) => {
                self.typescript.look_at(path)?.text.clone().into()
            }
            _ => read(path)?.into(),
        })
    }

    fn is_maybe_cjs(&self, url: &ModuleSpecifier) -> Result<bool, PackageJsonLoadError> {
        self.tracker.is_maybe_cjs(url, MediaType::from_specifier(url))
    }

    fn is_maybe_cjs_from_require(
        &self,
        url: &ModuleSpecifier,
    ) -> Result<bool, PackageJsonLoadError> {
        let media_type = MediaType::from_specifier(url);
        if is_typescript(media_type)
            && let Ok(path) = url.to_file_path()
            && let Ok(looked) = self.typescript.look_at(&path)
        {
            return Ok(looked.is_commonjs);
        }
        self.tracker.is_maybe_cjs_from_require(url, media_type)
    }
}

/// Names of modules that have no file, because their text comes from the command line or from standard input.
const WITHOUT_FILE: [&str; 4] =
    ["$deno$eval.cjs", "$deno$eval.cts", "$deno$stdin.cjs", "$deno$stdin.cts"];

/// Resolves the symbolic links in the path of a module.
#[op2]
#[string]
pub(crate) fn op_trine_require_real_path(
    state: &mut OpState,
    #[string] path: &str,
) -> Result<String, JsErrorBox> {
    let path = Path::new(path);
    let real = match state.try_borrow::<Rc<Loader>>() {
        Some(loader) => loader.packages.real_path(path),
        None => Packages::default().real_path(path),
    };
    let real = match real {
        Err(_) if WITHOUT_FILE.iter().any(|name| path.ends_with(name)) => path.to_owned(),
        real => real.map_err(JsErrorBox::from_err)?,
    };
    Ok(real.to_string_lossy().into_owned())
}

/// Returns 0 where there is a file, 1 where there is something else, -1 where there is nothing.
#[op2(fast)]
pub(crate) fn op_trine_require_stat(state: &mut OpState, #[string] path: &str) -> i32 {
    let path = Path::new(path);
    let kind = match state.try_borrow::<Rc<Loader>>() {
        Some(loader) => loader.packages.kind(path),
        None => Packages::default().kind(path),
    };
    match kind {
        Kind::File => 0,
        Kind::Other => 1,
        Kind::Nothing => -1,
    }
}

/// The sources of CommonJS that other CommonJS exports anew, where it is no package's.
pub(super) struct Files;

impl CjsAnalysisSourceProvider for Files {
    fn load_source<'a>(&'a self, url: &ModuleSpecifier) -> Option<Cow<'a, str>> {
        read(&url.to_file_path().ok()?).ok().map(Cow::Owned)
    }
}
