//! Tests of what the functions of one invocation share: the context, `context.state`, `context.reply`.

use crate::{
    hooks::foreign,
    support::{Guest, handler, invocation, run},
};
use std::rc::Rc;
use trine_engine::{ErrorKind, Hook, Invocation, NativeValue, Payload};

/// Calls one function after another for one invocation, with `null` as their event.
async fn calls(guest: &Guest, cx: &Rc<Invocation>, exports: &[&str]) -> Vec<String> {
    let mut answers = Vec::new();
    for export in exports {
        let function = guest.load("app", export).await.unwrap();
        answers.push(match guest.call_with(function, "null", cx).await {
            Ok(answer) => answer,
            Err(error) => error.message().to_owned(),
        });
    }
    answers
}

#[test]
fn functions_of_one_invocation_get_one_context() {
    run(async {
        let guest = Guest::new(
            "function first(_, context) seen = context context.user = {name = 'Ada'} return 1 end \
             function second(_, context) return {context == seen, context.user and context.user.name or 'none', context.aws_request_id} end",
        );
        let cx = invocation("one");
        assert_eq!(calls(&guest, &cx, &["first", "second"]).await[1], r#"[true,"Ada","one"]"#);
        let other = invocation("two");
        assert_eq!(calls(&guest, &other, &["second"]).await[0], r#"[false,"none","two"]"#);
        assert_eq!(calls(&guest, &cx, &["second"]).await[0], r#"[true,"Ada","one"]"#);
    });
}

#[test]
fn state_is_a_table_to_its_users() {
    run(async {
        let guest = Guest::new(
            "function first(_, context) local s = context.state \
               s.user = {name = 'Ada', tags = {}} s.f = print s.n = 1.0 s.b = false s.gone = 1 s.gone = nil s.null = trine.null \
               user = s.user return s == context.state end \
             function second(_, context) local s = context.state \
               s.user.tags[1] = 'nested' \
               local keys = {} for k, v in pairs(s) do keys[#keys + 1] = k end \
               return {s.user == user, s.user.tags[1], s.f == print, s.n, s.b, s.gone == nil, s[1] == nil, s.null == trine.null, table.concat(keys, ' ')} end \
             function third(_, context) return context.state end \
             function fourth(_, context) context.state.f = nil return {context.state, trine.json.encode(context.state.user)} end \
             function fifth(_, context) context.state[1] = 2 end",
        );
        let cx = invocation("1");
        let answers = calls(&guest, &cx, &["first", "second", "third", "fourth", "fifth"]).await;
        assert_eq!(answers[0], "true");
        assert_eq!(
            answers[1],
            r#"[true,"nested",true,1.0,false,true,true,true,"user f n b null"]"#
        );
        assert!(answers[2].contains("result.f is a function"), "{}", answers[2]);
        assert!(answers[3].contains(r#""tags":["nested"]"#), "{}", answers[3]);
        assert_eq!(
            answers[4],
            "the keys of context.state are strings in UTF-8, this one is a number"
        );
        let all = cx.exchange.state_to_json().unwrap();
        let all: serde_json::Value = serde_json::from_slice(&all).unwrap();
        let user = serde_json::json!({"name": "Ada", "tags": ["nested"]});
        assert_eq!(all, serde_json::json!({"user": user, "n": 1.0, "b": false, "null": null}));
    });
}

#[test]
fn what_another_language_has_written_becomes_one_table_for_all() {
    run(async {
        let guest = Guest::new(
            "function first(_, context) context.state.user.seen = true table.insert(context.state.list, 3) return context.state.user.name end \
             function second(_, context) return {context.state.user == context.state.user, context.state.n} end \
             function third(_, context) return context.state.timer end",
        );
        let cx = invocation("1");
        cx.exchange.write_state("user", foreign("{\"name\":\"Ada\"}"));
        cx.exchange.write_state("list", Payload::json("[1,2]"));
        cx.exchange.write_state("n", Payload::json("9007199254740993"));
        cx.exchange.write_state("timer", foreign(""));
        let answers = calls(&guest, &cx, &["first", "second", "third"]).await;
        assert_eq!(answers[..2], ["\"Ada\"", "[true,9007199254740993]"]);
        assert_eq!(
            answers[2],
            "context.state.timer cannot be read by Lua: a function has no JSON form"
        );
        let list = cx.exchange.read_state("list", "x", |_| false).unwrap().unwrap();
        assert_eq!(list.into_bytes().unwrap().0, "[1,2,3]");
        let user = cx.exchange.read_state("user", "x", |_| false).unwrap().unwrap();
        assert!(String::from_utf8_lossy(&user.into_bytes().unwrap().0).contains("\"seen\":true"));
    });
}

#[test]
fn what_cannot_cross_is_named_when_another_language_reads_it() {
    run(async {
        let guest = Guest::new(&handler(
            "local s = context.state s.f = {deep = {print}} s.class = {setmetatable({}, {__index = {}})} \
             s.cycle = {} s.cycle.self = s.cycle s.nan = 0/0 s.bytes = '\\xff' s.co = coroutine.create(print) \
             s.mixed = {1, a = 2} s.fine = trine.array({1, nil, 3}) return 'written'",
        ));
        let function = guest.load("app", "handler").await.unwrap();
        let cx = invocation("1");
        assert_eq!(guest.call_with(function, "0", &cx).await.unwrap(), "\"written\"");
        for (key, reason) in [
            ("f", "value.deep[1] is a function, which has no JSON form"),
            ("class", "value[1] is a table with a metatable, which has no JSON form"),
            ("cycle", "value.self contains itself"),
            ("nan", "value is NaN, which has no JSON form"),
            ("bytes", "value is a string that is not UTF-8, which has no JSON form"),
            ("co", "value is a thread, which has no JSON form"),
            ("mixed", "value is a table with mixed keys"),
        ] {
            let error = cx.exchange.read_state(key, "Python", |_| false).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Marshal);
            let start = format!("context.state.{key} cannot be read by Python: {reason}");
            assert!(error.message().to_lowercase().starts_with(&start.to_lowercase()), "{error}");
        }
        let fine = cx.exchange.read_state("fine", "Python", |_| false).unwrap().unwrap();
        assert_eq!(fine.into_bytes().unwrap().0, "[1,null,3]");
    });
}

#[test]
fn state_ends_with_its_invocation() {
    run(async {
        let guest = Guest::new(
            "function keep(_, context) state = context.state kept = context context.state.a = setmetatable({}, {__gc = function() freed = true end}) return 1 end \
             function look() collectgarbage() collectgarbage() \
               return {state.a == nil, kept.state == nil, (pcall(function() state.a = 1 end)), freed or false, next(state) == nil} end",
        );
        calls(&guest, &invocation("1"), &["keep"]).await;
        assert_eq!(
            calls(&guest, &invocation("2"), &["look"]).await[0],
            "[true,true,false,true,true]"
        );
    });
}

#[test]
fn a_before_hook_replies_with_or_without_a_colon() {
    run(async {
        let guest = Guest::new(
            "return {before = function(event, context) \
               if event == 1 then context.reply({statusCode = 401}) end \
               if event == 2 then context:reply({statusCode = 402}) end \
               if event == 3 then context.reply() end \
               if event == 4 then context.reply(1) context:reply(2) end \
               if event == 5 then local c = coroutine.wrap(function() trine.sleep(0) context:reply('late') end) c() end end}",
        );
        let before = guest.hooks("app").await.unwrap().hook(Hook::Before).unwrap();
        let reply = async |event: &str| {
            let cx = invocation("1");
            cx.exchange.enter(Some(Hook::Before));
            let result = guest.native(before, Payload::json(event.to_owned()), &cx).await;
            let reply = cx.exchange.take_reply().map(|reply| reply.into_bytes().unwrap().0);
            (result, reply.map(|text| String::from_utf8_lossy(&text).into_owned()))
        };
        for (event, expected) in [
            ("1", "{\"statusCode\":401}"),
            ("2", "{\"statusCode\":402}"),
            ("3", "null"),
            ("5", "\"late\""),
        ] {
            let (result, reply) = reply(event).await;
            assert!(matches!(result.unwrap(), Payload::Nothing));
            assert_eq!(reply.unwrap(), expected);
        }
        let error = reply("4").await.0.unwrap_err();
        assert!(error.message().contains("called twice"), "{error}");
        assert_eq!(error.kind(), ErrorKind::Guest);
        assert_eq!(error.frames()[0].line, 1);
        // Outside a before hook.
        let function = guest.hooks("app").await.unwrap().hook(Hook::Before).unwrap();
        let error = guest.call(function, "1").await.unwrap_err();
        assert!(error.message().contains("this is the handler"), "{error}");
    });
}

#[test]
fn a_reply_stays_a_value_of_its_state() {
    run(async {
        let guest = Guest::new(
            "return {before = function(event, context) made = {} context.reply(made) end, after = function(r) return r == made end}",
        );
        let exports = guest.hooks("app").await.unwrap();
        let cx = invocation("1");
        cx.exchange.enter(Some(Hook::Before));
        let (before, after) =
            (exports.hook(Hook::Before).unwrap(), exports.hook(Hook::After).unwrap());
        guest.native(before, Payload::Nothing, &cx).await.unwrap();
        let reply = cx.exchange.take_reply().unwrap();
        let same = guest.native(after, reply, &cx).await.unwrap();
        assert_eq!(same.into_bytes().unwrap().0, "true");
    });
}

#[test]
fn contexts_leave_nothing_behind() {
    run(async {
        let guest = Guest::new(&handler(
            "context.state.a = ('x'):rep(10000) .. event context.b = ('y'):rep(10000) .. event return context.state.a:len()",
        ));
        let function = guest.load("app", "handler").await.unwrap();
        let mut baseline = 0;
        for round in 0..3000 {
            guest.call_with(function, &round.to_string(), &invocation("1")).await.unwrap();
            if round == 1500 {
                baseline = guest.instance.usage().heap_bytes;
            }
        }
        let grown = guest.instance.usage().heap_bytes.saturating_sub(baseline);
        assert!(grown < 2 << 20, "{grown} bytes more");
    });
}

#[test]
fn natives_answer_strictly_or_as_ever() {
    run(async {
        let guest = Guest::new(&handler("return setmetatable({a = 1}, {__index = {}})"));
        let function = guest.load("app", "handler").await.unwrap();
        let value = guest.native(function, Payload::Nothing, &invocation("1")).await.unwrap();
        let Payload::Native(value) = value else { panic!("a native value") };
        let value: &dyn NativeValue = &*value;
        assert_eq!(value.to_json().unwrap(), "{\"a\":1}");
        assert_eq!(value.to_plain_json().unwrap_err().kind(), ErrorKind::Marshal);
    });
}
