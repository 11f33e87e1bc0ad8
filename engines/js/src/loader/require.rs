//! The reading of files for `require`.

use super::{Tracker, read};
use crate::typescript::{TypeScript, is_typescript};
use deno_error::JsErrorBox;
use deno_media_type::MediaType;
use deno_runtime::{
    deno_core::{FastString, ModuleSpecifier},
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
}

impl NodeRequireLoader for RequireLoader {
    fn ensure_read_permission<'a>(
        &self,
        _permissions: &mut PermissionsContainer,
        path: Cow<'a, Path>,
    ) -> Result<Cow<'a, Path>, JsErrorBox> {
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

/// The sources of CommonJS that other CommonJS exports anew, where it is no package's.
pub(super) struct Files;

impl CjsAnalysisSourceProvider for Files {
    fn load_source<'a>(&'a self, url: &ModuleSpecifier) -> Option<Cow<'a, str>> {
        read(&url.to_file_path().ok()?).ok().map(Cow::Owned)
    }
}
