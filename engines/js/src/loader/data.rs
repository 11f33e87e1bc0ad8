//! Modules whose text is in their URL.

use deno_error::JsErrorBox;
use deno_media_type::data_url::RawDataUrl;
use deno_runtime::deno_core::{
    ModuleSource, ModuleSourceCode, ModuleSpecifier, ModuleType,
    RequestedModuleType as CoreModuleType,
};

/// Loads the module that a URL contains, of the types that Node knows there.
pub(super) fn module(
    url: &ModuleSpecifier,
    requested: &CoreModuleType,
) -> Result<ModuleSource, JsErrorBox> {
    let data = RawDataUrl::parse(url).map_err(JsErrorBox::from_err)?;
    let essence = data.mime_type.split(';').next().unwrap_or_default().trim();
    let kind = match (essence, requested) {
        ("text/javascript" | "application/javascript", CoreModuleType::None) => {
            ModuleType::JavaScript
        }
        ("application/json", CoreModuleType::Json) => ModuleType::Json,
        ("application/json", _) => {
            return Err(JsErrorBox::type_error(
                "a module of the type application/json needs the import attribute \"type\": \"json\"",
            ));
        }
        (other, _) => {
            return Err(JsErrorBox::type_error(format!(
                "a data: URL of the type {other} is no module; text/javascript or application/json would be"
            )));
        }
    };
    let code = data.decode().map_err(JsErrorBox::from_err)?;
    Ok(ModuleSource::new(kind, ModuleSourceCode::String(code.into()), url, None))
}
