//! A shop whose prices are made by functions in the folder `functions`: whoever sells writes them, in the language that
//! they like, and no program is built anew.

use futures::executor::block_on;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{error::Error, time::Duration};
use trine::{Runtime, runtime::Call};

#[derive(Serialize)]
struct Cart {
    items: Vec<Item>,
}

#[derive(Serialize)]
struct Item {
    name: &'static str,
    price: u32,
    count: u32,
}

#[derive(Deserialize)]
struct Price {
    total: u32,
    why: String,
}

#[allow(clippy::print_stdout, reason = "this is what the program is for")]
fn main() -> Result<(), Box<dyn Error>> {
    let functions = concat!(env!("CARGO_MANIFEST_DIR"), "/functions");
    let runtime = Runtime::builder(functions)
        .middlewares("rounded")
        .timeout(Duration::from_secs(2))
        .memory(64 << 20)
        .build()?;
    block_on(async {
        let cart = Cart {
            items: vec![
                Item { name: "anvil", price: 4995, count: 2 },
                Item { name: "rope", price: 1250, count: 1 },
            ],
        };
        for rule in ["three_for_two.handler", "friends.py:price", "weekday.lua"] {
            let function = runtime.load(rule).await?;
            let price: Price = function.invoke(&cart).await?;
            println!("{rule}: {} ({})", price.total, price.why);
        }
        let receipt = runtime.load("receipt.handler").await?;
        let mut lines = receipt.stream(Call::from(&json!(cart))).await?;
        while let Some(line) = lines.chunk().await {
            print!("{}", String::from_utf8_lossy(&line?));
        }
        let broken = runtime.load("broken.handler").await?;
        if let Err(error) = broken.invoke::<Price>(&cart).await {
            println!("broken.handler: {error}");
        }
        runtime.shutdown().await;
        Ok(())
    })
}
