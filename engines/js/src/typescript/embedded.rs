//! Source maps within the code that was made, where debuggers look for them.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use deno_ast::ModuleSpecifier;
use serde_json::{Value, json};

/// Returns the comment that ends code with its map. The map has the source with it: not every debugger reads this machine's
/// files.
pub(super) fn comment(map: &str, url: &ModuleSpecifier, source: &str) -> String {
    let Ok(Value::Object(mut map)) = serde_json::from_str(map) else { return String::new() };
    map.insert("sources".to_owned(), json!([url.as_str()]));
    map.insert("sourcesContent".to_owned(), json!([source]));
    let map = BASE64_STANDARD.encode(Value::Object(map).to_string());
    format!("\n//# sourceMappingURL=data:application/json;base64,{map}\n")
}
