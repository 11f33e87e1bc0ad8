//! The languages, and the functions that are measured in them, which are the same in each.

/// A language, with the functions that are measured in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Language {
    /// Its engine's id.
    pub(crate) id: &'static str,
    /// Its file extension.
    pub(crate) extension: &'static str,
    /// A handler that returns its event.
    pub(crate) echo: &'static str,
    /// The same as an asynchronous function that awaits once something that is already there. Lua has none: there the
    /// host makes a function wait.
    pub(crate) asynchronous: Option<&'static str>,
    /// A handler that returns its event after reading two members of its context.
    pub(crate) context: &'static str,
    /// A handler that returns its event after writing a member of what the functions of its invocation share.
    pub(crate) state: &'static str,
    /// A handler that reads the ten members of [`crate::events::order`] and returns a sum over them.
    pub(crate) ten_fields: &'static str,
    /// A middleware that counts itself in `event.hooks`.
    pub(crate) hook: &'static str,
    /// A handler that never returns, whatever happens.
    pub(crate) stubborn: &'static str,
    /// The same within a single match of a pattern, or one after another.
    pub(crate) matching: &'static str,
    /// A handler that never returns, unless warned in a way that running code notices; in JavaScript waiting code only.
    pub(crate) endless: Option<&'static str>,
}

/// Every language.
pub(crate) const LANGUAGES: [Language; 3] = [
    Language {
        id: "js",
        extension: "mjs",
        echo: "export const handler = (event) => event;\n",
        asynchronous: Some(
            "export const handler = async (event) => { await undefined; return event; };\n",
        ),
        context: "\
export const handler = (event, context) => {
  if (context.awsRequestId.length !== 36 || context.getRemainingTimeInMillis() < 1) throw new Error('wrong context');
  return event;
};
",
        state: "export const handler = (event, context) => { context.state.n = 1; return event; };\n",
        ten_fields: "\
export const handler = (event) => ({
  sum: event.id.length + event.path.length + event.method.length + event.count + event.total + (event.paid ? 1 : 0)
    + event.tags.length + event.customer.id + event.address.city.length + event.body.length,
});
",
        hook: "export const before = (event) => { event.hooks = (event.hooks ?? 0) + 1; };\n",
        stubborn: "export const handler = () => { for (;;); };\n",
        matching: "export const handler = () => /^(a+)+$/.test('a'.repeat(60) + 'b');\n",
        endless: None,
    },
    Language {
        id: "python",
        extension: "py",
        echo: "def handler(event, context):\n    return event\n",
        asynchronous: Some(
            "\
import asyncio

async def handler(event, context):
    await asyncio.sleep(0)
    return event
",
        ),
        context: "\
def handler(event, context):
    if len(context.aws_request_id) != 36 or context.get_remaining_time_in_millis() < 1:
        raise ValueError('wrong context')
    return event
",
        state: "def handler(event, context):\n    context.state['n'] = 1\n    return event\n",
        ten_fields: "\
def handler(event, context):
    return {'sum': len(event['id']) + len(event['path']) + len(event['method']) + event['count'] + event['total']
        + (1 if event['paid'] else 0) + len(event['tags']) + event['customer']['id'] + len(event['address']['city'])
        + len(event['body'])}
",
        hook: "def before(event, context):\n    event['hooks'] = event.get('hooks', 0) + 1\n",
        stubborn: "\
def handler(event, context):
    try:
        while True:
            pass
    except BaseException:
        while True:
            pass
",
        matching: "\
import re

def handler(event, context):
    try:
        re.match('(a+)+$', 'a' * 60 + 'b')
    except BaseException:
        re.match('(a+)+$', 'a' * 60 + 'b')
",
        endless: Some("def handler(event, context):\n    while True: pass\n"),
    },
    Language {
        id: "lua",
        extension: "lua",
        echo: "return { handler = function(event) return event end }\n",
        asynchronous: None,
        context: "\
return { handler = function(event, context)
  if #context.aws_request_id ~= 36 or context.get_remaining_time_in_millis() < 1 then error('wrong context') end
  return event
end }
",
        state: "return { handler = function(event, context) context.state.n = 1 return event end }\n",
        ten_fields: "\
return { handler = function(event)
  return { sum = #event.id + #event.path + #event.method + event.count + event.total + (event.paid and 1 or 0)
    + #event.tags + event.customer.id + #event.address.city + #event.body }
end }
",
        hook: "return { before = function(event) event.hooks = (event.hooks or 0) + 1 end }\n",
        stubborn: "\
return { handler = function()
  pcall(function() while true do end end)
  while true do end
end }
",
        matching: "\
return { handler = function()
  local text, pattern = ('a'):rep(60), ('a-'):rep(40) .. 'b'
  pcall(string.find, text, pattern)
  return text:find(pattern)
end }
",
        endless: Some("return { handler = function() while true do end end }\n"),
    },
];

impl Language {
    /// Returns the name of a file in this language.
    pub(crate) fn file(&self, stem: &str) -> String {
        format!("{stem}.{}", self.extension)
    }
}
