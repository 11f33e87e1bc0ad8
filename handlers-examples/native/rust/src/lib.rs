//! A greeting in Rust.

use trine_handler::{Context, Error};

#[derive(serde::Deserialize)]
struct Event {
    name: Option<String>,
}

fn greet(event: &[u8], _context: &Context<'_>) -> Result<String, Error> {
    let event: Event = serde_json::from_slice(event)?;
    let name = event.name.ok_or_else(|| Error::new("BadRequest", "a name is missing"))?;
    Ok(serde_json::json!({"greeting": format!("Hello, {name}!")}).to_string())
}

trine_handler::handler!(greet);
