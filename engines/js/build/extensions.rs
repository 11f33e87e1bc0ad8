// The extensions that the prelude consists of: for the build script, which makes snapshots of them, and for the crate,
// which starts isolates from those. Included by both.

/// Defines the extensions `trine_prelude` and `trine_node_prelude`; the options go to the first.
macro_rules! prelude_extensions {
    ($($options:tt)*) => {
        deno_runtime::deno_core::extension!(
            trine_prelude,
            esm_entry_point = "ext:trine_prelude/web.js",
            esm = [
                dir "src/prelude",
                "web.js",
                "awslambda.js",
                "channels.js",
                "children.js",
                "invoke.js",
                "connections.js",
                "console.js",
                "ending.js",
                "errors.js",
                "context.js",
                "exchange.js",
                "exits.js",
                "failures.js",
                "fatal.js",
                "fetch_handler.js",
                "flavour.js",
                "generations.js",
                "interfaces.js",
                "interpreter.js",
                "invoke_store.js",
                "loader.js",
                "marshal.js",
                "node_handler.js",
                "node_head.js",
                "options.js",
                "preload.js",
                "parameters.js",
                "process.js",
                "program.js",
                "records.js",
                "response_stream.js",
                "rules.js",
                "serve.js",
                "servers.js",
                "snapshot.js",
                "source_maps.js",
                "stack.js",
                "stream.js",
                "threads.js",
                "web_exchange.js",
                "addons.js",
                "async_context.js",
                "blame.js",
                "callbacks.js",
            ],
            $($options)*
        );

        deno_runtime::deno_core::extension!(
            trine_node_prelude,
            esm_entry_point = "ext:trine_node_prelude/node.js",
            esm = [dir "src/prelude", "node_first.js", "node.js"],
        );
    };
}
