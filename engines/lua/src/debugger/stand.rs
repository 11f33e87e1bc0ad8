//! A guest that stands: what it tells whoever debugs until it goes on.

use super::{
    Debugger, Reason,
    evaluate::{self, Form},
    guest::split,
    protocol::Request,
    scopes::Scope,
    values::{self, Part},
};
use crate::{
    frames::{self, GuestFrame},
    limits::Watch,
};
use mlua::{Lua, Table, Value, ffi::lua_State};
use serde_json::{Value as Json, json};
use std::{cell::Cell, path::Path, rc::Rc};

/// Maximum number of frames that are shown.
const MOST_FRAMES: usize = 1000;
/// Length from which on the members of a sequence are asked for in parts.
const LONG: usize = 100;

/// A guest that stands.
pub(super) struct Stand<'s> {
    debugger: &'s Debugger,
    watch: &'s Watch,
    lua: Lua,
    frames: Vec<GuestFrame>,
    stands: Rc<Cell<bool>>,
    groups: Vec<Group>,
    reason: &'s Reason,
}

/// Variables that are shown together.
#[derive(Clone)]
enum Group {
    /// The locals of a frame.
    Locals(usize),
    /// What the function of a frame has taken from outside.
    Upvalues(usize),
    /// The members of a table that was found by way of a frame, and the expression for it.
    Members { table: Table, frame: usize, expression: Option<String> },
}

impl Drop for Stand<'_> {
    fn drop(&mut self) {
        self.stands.set(false);
    }
}

impl<'s> Stand<'s> {
    /// # Safety
    /// The coroutines of `chain` are live, and stand still for as long as this lives.
    pub(super) unsafe fn new(
        debugger: &'s Debugger,
        watch: &'s Watch,
        chain: &[*mut lua_State],
        reason: &'s Reason,
    ) -> Option<Self> {
        let innermost = *chain.last()?;
        let label = watch.observed().label().clone();
        // SAFETY: as the caller vouches.
        let (lua, frames) = unsafe {
            let lua = Lua::get_or_init_from_ptr(innermost).clone();
            (lua, frames::of_chain(chain, &label, MOST_FRAMES))
        };
        let stands = Rc::new(Cell::new(true));
        Some(Self { debugger, watch, lua, frames, stands, groups: Vec::new(), reason })
    }

    /// Runs code among the variables of the innermost frame.
    pub(super) fn evaluate(&self, code: &str) -> Result<Vec<Value>, String> {
        self.run(0, code, Form::Expression)
    }

    fn run(&self, frame: usize, code: &str, form: Form) -> Result<Vec<Value>, String> {
        let scope = self.scope(frame)?;
        let values = evaluate::run(self.watch, self.debugger, &self.lua, &scope, code, form);
        values.map(|values| values.into_vec())
    }

    fn scope(&self, frame: usize) -> Result<Scope, String> {
        let found = self.frames.get(frame).cloned();
        let found = found.ok_or_else(|| "there is no such frame any more".to_owned())?;
        Ok(Scope::new(&self.lua, found, self.stands.clone()))
    }

    /// Answers a request.
    pub(super) fn answer(&mut self, request: &Request) -> Result<Json, String> {
        match request.command.as_str() {
            "stackTrace" => Ok(self.stack_trace(request)),
            "scopes" => self.scopes(request),
            "variables" => self.variables(request),
            "setVariable" => self.set_variable(request),
            "evaluate" => self.evaluated(request),
            "exceptionInfo" => self.reason.exception_info(),
            unknown => Err(format!("a guest cannot answer {unknown:?}")),
        }
    }

    fn stack_trace(&self, request: &Request) -> Json {
        let count = |name| request.integer(name).and_then(|count| usize::try_from(count).ok());
        let (start, levels) = (count("startFrame").unwrap_or(0), count("levels").unwrap_or(0));
        let levels = if levels == 0 { self.frames.len() } else { levels };
        let shown = self.frames.iter().enumerate().skip(start).take(levels).map(|(index, frame)| {
            let source = match frame.path() {
                Some(path) => json!({"name": file_name(path), "path": self.debugger.shown_path(path)}),
                None => json!({"name": frame.short_source, "presentationHint": "deemphasize"}),
            };
            json!({
                "id": self.debugger.guest.reference(index), "name": frame.title(), "line": frame.line, "column": 1,
                "source": source,
            })
        });
        json!({"stackFrames": shown.collect::<Vec<_>>(), "totalFrames": self.frames.len()})
    }

    /// Returns the index of the frame that a request names; that of the innermost where it names none.
    fn frame_of(&self, request: &Request) -> Result<usize, String> {
        let Some(id) = request.integer("frameId") else { return Ok(0) };
        let index = split(id).map(|(_, index)| index).filter(|index| *index < self.frames.len());
        index.ok_or_else(|| format!("there is no frame {id}"))
    }

    fn scopes(&mut self, request: &Request) -> Result<Json, String> {
        let frame = self.frame_of(request)?;
        let table = self.scope(frame)?.globals(&self.lua);
        let mut scopes = Vec::new();
        for (name, group) in [
            ("Locals", Group::Locals(frame)),
            ("Upvalues", Group::Upvalues(frame)),
            ("Globals", Group::Members { table, frame, expression: None }),
        ] {
            let is_expensive = name == "Globals";
            let reference = self.refer_to(group);
            let hint = (name == "Locals").then_some("locals");
            scopes.push(json!({
                "name": name, "variablesReference": reference, "expensive": is_expensive, "presentationHint": hint,
            }));
        }
        Ok(json!({"scopes": scopes}))
    }

    /// Keeps a group of variables and returns its reference.
    fn refer_to(&mut self, group: Group) -> i64 {
        let reference = self.debugger.guest.reference(self.groups.len());
        if reference != 0 {
            self.groups.push(group);
        }
        reference
    }

    fn group(&self, request: &Request) -> Result<Group, String> {
        let reference = request.integer("variablesReference").unwrap_or(0);
        let group = split(reference).and_then(|(_, index)| self.groups.get(index)).cloned();
        group.ok_or_else(|| format!("no variables have the reference {reference}"))
    }

    fn variables(&mut self, request: &Request) -> Result<Json, String> {
        let count =
            |name| request.integer(name).and_then(|count| usize::try_from(count).ok()).unwrap_or(0);
        let part = match request.text("filter") {
            Some("indexed") => Part::Indexed,
            Some("named") => Part::Named,
            _ => Part::All,
        };
        let group = self.group(request)?;
        let (members, is_more) = match &group {
            Group::Locals(frame) => (self.scope(*frame)?.locals(), false),
            Group::Upvalues(frame) => (self.scope(*frame)?.upvalues(), false),
            Group::Members { table, .. } => {
                values::members(table, part, count("start"), count("count"))
            }
        };
        let mut shown: Vec<Json> = members
            .into_iter()
            .map(|(name, value)| {
                let (frame, expression) = match &group {
                    Group::Locals(frame) | Group::Upvalues(frame) => (*frame, Some(name.clone())),
                    Group::Members { frame, expression, .. } => {
                        let member = |table: &String| values::member_expression(table, &name);
                        (*frame, expression.as_ref().and_then(member))
                    }
                };
                self.variable(name, &value, frame, expression)
            })
            .collect();
        let is_first = part != Part::Indexed && count("start") == 0;
        if let (Group::Members { table, frame, .. }, true) = (&group, is_first)
            && let Some(meta) = table.metatable()
        {
            shown.push(self.variable("(metatable)".to_owned(), &Value::Table(meta), *frame, None));
        }
        if is_more && part == Part::All && count("count") == 0 {
            let what = "there are more: evaluate an expression to see them";
            shown.push(json!({"name": "…", "value": what, "variablesReference": 0}));
        }
        Ok(json!({"variables": shown}))
    }

    fn variable(
        &mut self,
        name: String,
        value: &Value,
        frame: usize,
        expression: Option<String>,
    ) -> Json {
        let mut shown = self.shown(value, frame, expression.clone());
        shown["value"] = values::show_member(value).into();
        shown["name"] = name.into();
        shown["evaluateName"] = expression.into();
        shown
    }

    /// Returns type and reference of a value, and how many members it has where they are many.
    fn shown(&mut self, value: &Value, frame: usize, expression: Option<String>) -> Json {
        let Value::Table(table) = value else {
            return json!({"type": values::kind(value), "variablesReference": 0});
        };
        let group = Group::Members { table: table.clone(), frame, expression };
        let mut shown = json!({"type": "table", "variablesReference": self.refer_to(group)});
        let length = table.raw_len();
        if length > LONG {
            shown["indexedVariables"] = length.into();
            // How many there are nobody has counted; one makes clients ask.
            shown["namedVariables"] = 1.into();
        }
        shown
    }

    fn evaluated(&mut self, request: &Request) -> Result<Json, String> {
        let Some(code) = request.text("expression") else {
            return Err("the request needs an expression".to_owned());
        };
        let context = request.text("context").unwrap_or_default();
        let form = if matches!(context, "hover" | "watch") { Form::Expression } else { Form::Any };
        let frame = self.frame_of(request)?;
        let results = self.run(frame, code, form)?;
        let longest = values::LONGEST_ALONE;
        let text: Vec<_> = results.iter().map(|value| values::show(value, longest)).collect();
        let mut shown = match &results[..] {
            [only] => self.shown(only, frame, Some(format!("({code})"))),
            _ => json!({"variablesReference": 0}),
        };
        shown["result"] = text.join(", ").into();
        Ok(shown)
    }

    fn set_variable(&mut self, request: &Request) -> Result<Json, String> {
        let (Some(name), Some(code)) = (request.text("name"), request.text("value")) else {
            return Err("the request needs a name and a value".to_owned());
        };
        let group = self.group(request)?;
        let (Group::Locals(frame) | Group::Upvalues(frame) | Group::Members { frame, .. }) = group;
        let value = self.run(frame, code, Form::Expression)?.into_iter().next();
        let value = value.unwrap_or(Value::Nil);
        let is_set = match &group {
            Group::Locals(frame) => self.scope(*frame)?.set_local(name, &value),
            Group::Upvalues(frame) => self.scope(*frame)?.set_upvalue(name, &value),
            Group::Members { table, .. } => {
                values::key_named(table, name).is_some_and(|key| table.raw_set(key, &value).is_ok())
            }
        };
        if !is_set {
            return Err(format!("{name} cannot be set"));
        }
        let mut shown = self.shown(&value, frame, None);
        shown["value"] = values::show_member(&value).into();
        Ok(shown)
    }
}

fn file_name(path: &str) -> String {
    Path::new(path)
        .file_name()
        .map_or_else(|| path.to_owned(), |name| name.to_string_lossy().into_owned())
}
