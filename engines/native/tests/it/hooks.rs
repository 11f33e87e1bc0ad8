//! Middlewares that are libraries.

use crate::support::{FREE, Guest, bytes, invocation, run};
use trine_engine::{ErrorKind, Form, Hook, Payload, Wanted};

#[test]
fn hooks_change_what_passes_keep_it_or_answer() {
    let guest = Guest::new(&format!(
        "int32_t trine_hook_before(PARAMETERS) {{ UNUSED;\n\
             if (event[0] == '1') return give(\"\\\"early\\\"\", out, out_len, TRINE_REPLY);\n\
             if (event[0] == '2') return TRINE_REPLY;\n\
             if (event[0] == '3') return give(\"changed\", out, out_len, 1);\n\
             return event[0] == '4' ? give(\"44\", out, out_len, 0) : 0; }}\n\
         int32_t trine_hook_after(PARAMETERS) {{ UNUSED; return give(\"9\", out, out_len, TRINE_REPLY); }}\n\
         int32_t trine_handle(PARAMETERS) {{ UNUSED; return 0; }}\n{FREE}"
    ));
    run(async {
        let module = guest.0.module("app.so", Wanted::Hooks);
        let exports = guest.instance.load(&module).await.unwrap();
        let names: Vec<_> = exports.functions.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["before", "after"]);
        assert_eq!(exports.others, ["handler"]);
        let (before, after) =
            (exports.hook(Hook::Before).unwrap(), exports.hook(Hook::After).unwrap());
        let call = async |hook, function, event: &'static str| {
            let invocation = invocation("id-1");
            invocation.exchange.enter(Some(hook));
            let input = Payload::json(event);
            let result = guest.instance.call(function, input, Form::Native, &invocation).await;
            (result, invocation.exchange.take_reply())
        };
        let reply =
            async |event| call(Hook::Before, before, event).await.1.map(|reply| bytes(reply).0);
        assert_eq!(reply("1").await, Some(b"\"early\"".to_vec()));
        assert_eq!(reply("2").await, Some(b"null".to_vec()));
        assert_eq!(call(Hook::Before, before, "3").await.0.unwrap_err().message(), "changed");
        assert_eq!(bytes(call(Hook::Before, before, "4").await.0.unwrap()).0, b"44");
        assert!(matches!(call(Hook::Before, before, "5").await.0, Ok(Payload::Nothing)));
        let error = call(Hook::After, after, "1").await.0.unwrap_err();
        assert_eq!((error.kind(), error.message()), (ErrorKind::Guest, "9"));
    });
}

#[test]
fn a_native_function_cannot_be_wrapped() {
    let guest = Guest::new(&format!(
        "TRINE_EXPORT void trine_hook_wrap(void);\nvoid trine_hook_wrap(void) {{}}\n{FREE}"
    ));
    let module = guest.0.module("app.so", Wanted::Hooks);
    let error = run(guest.instance.load(&module)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("native functions cannot be wrapped"), "{error}");
}
