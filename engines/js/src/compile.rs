//! What V8 compiles for a function while its code cache lacks it. The code goes into the cache when the instance ends,
//! with every inner function that was called meanwhile: V8 compiles a function when it is first called, so that code taken
//! at once would hold little more than the outermost one.

use crate::{
    code_cache::{CodeCache, Slot},
    loader::Loader,
};
use deno_error::JsErrorBox;
use deno_runtime::deno_core::{
    JsRuntime, ModuleSpecifier, OpState, op2,
    v8::{
        self,
        script_compiler::{self, CompileOptions, NoCacheReason},
    },
};
use std::{cell::RefCell, rc::Rc};

/// The code that is to be taken into the cache.
#[derive(Default)]
pub(crate) struct Fresh {
    modules: RefCell<Vec<(Slot, ModuleSpecifier, String)>>,
    functions: RefCell<Vec<(Slot, v8::Global<v8::Function>)>>,
}

impl Fresh {
    /// Notes an ES module that is about to be compiled from this text.
    pub(crate) fn add_module(&self, slot: Slot, url: &ModuleSpecifier, text: &str) {
        self.modules.borrow_mut().push((slot, url.clone(), text.to_owned()));
    }

    /// Makes the code caches of all that has been noted, in its isolate.
    pub(crate) fn take_into(&self, cache: &CodeCache, runtime: &mut JsRuntime) {
        let (functions, modules) = (self.functions.take(), self.modules.take());
        if functions.is_empty() && modules.is_empty() {
            return;
        }
        deno_runtime::deno_core::scope!(scope, runtime);
        v8::tc_scope!(let scope, scope);
        for (slot, function) in functions {
            if let Some(code) = v8::Local::new(scope, function).create_code_cache() {
                cache.add(slot, &code);
            }
        }
        for (slot, url, text) in modules {
            if let Some(code) = code_of_module(scope, &url, &text) {
                cache.add(slot, &code);
            }
        }
    }
}

/// Makes the code cache of an ES module that this isolate has compiled. V8 finds what it has made of a text of this name.
fn code_of_module(
    scope: &mut v8::PinScope<'_, '_>,
    url: &ModuleSpecifier,
    text: &str,
) -> Option<v8::UniqueRef<v8::CachedData<'static>>> {
    let (name, text) = (v8::String::new(scope, url.as_str())?, v8::String::new(scope, text)?);
    let origin = origin(scope, name, true, None);
    let mut source = script_compiler::Source::new(text, Some(&origin));
    let module = script_compiler::compile_module(scope, &mut source)?;
    module.get_unbound_module_script(scope).create_code_cache()
}

/// Describes where a source comes from, as deno_core does.
fn origin<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    name: v8::Local<'s, v8::String>,
    is_module: bool,
    options: Option<v8::Local<'s, v8::Data>>,
) -> v8::ScriptOrigin<'s> {
    let name = name.into();
    v8::ScriptOrigin::new(scope, name, 0, 0, false, 0, None, false, false, is_module, options)
}

/// Compiles the text of a CommonJS module as the body of a function. Returns the function, or null and what V8 has thrown.
#[op2(reentrant)]
pub(crate) fn op_trine_compile_function<'s, 'i>(
    state: Rc<RefCell<OpState>>,
    scope: &mut v8::PinScope<'s, 'i>,
    text: v8::Local<'s, v8::Value>,
    #[string] name: &str,
    options: Option<v8::Local<'s, v8::Array>>,
    parameters: v8::Local<'s, v8::Array>,
) -> Result<v8::Local<'s, v8::Value>, JsErrorBox> {
    let loader = state.borrow().try_borrow::<Rc<Loader>>().cloned();
    let text = v8::Local::<v8::String>::try_from(text)
        .map_err(|_| JsErrorBox::type_error("the text of a module is a string"))?;
    let outcome = v8::Array::new(scope, 2);
    let null: v8::Local<'_, v8::Value> = v8::null(scope).into();
    v8::tc_scope!(let scope, scope);
    let compiled = compile(scope, loader.as_deref(), text, name, options, parameters);
    let (function, error) = match (compiled, scope.exception()) {
        (Some(compiled), _) => (compiled.into(), null),
        (None, thrown) => {
            let thrown = thrown.unwrap_or_else(|| v8::undefined(scope).into());
            let is_native = v8::Boolean::new(scope, thrown.is_native_error()).into();
            let is_compile = v8::Boolean::new(scope, true).into();
            let error = v8::Array::new_with_elements(scope, &[thrown, is_native, is_compile]);
            (null, error.into())
        }
    };
    outcome.set_index(scope, 0, function);
    outcome.set_index(scope, 1, error);
    Ok(outcome.into())
}

fn compile<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    loader: Option<&Loader>,
    text: v8::Local<'s, v8::String>,
    name: &str,
    options: Option<v8::Local<'s, v8::Array>>,
    parameters: v8::Local<'s, v8::Array>,
) -> Option<v8::Local<'s, v8::Function>> {
    let parameters: Vec<v8::Local<'_, v8::String>> =
        elements(scope, parameters).filter_map(|name| name.try_into().ok()).collect();
    let options = options.map(|options| {
        let values: Vec<_> = elements(scope, options).collect();
        let array = v8::PrimitiveArray::new(scope, values.len());
        for (place, value) in values.into_iter().enumerate() {
            if let Ok(value) = value.try_cast::<v8::Primitive>() {
                array.set(scope, place, value);
            }
        }
        array.into()
    });
    let name = v8::String::new(scope, name)?;
    let origin = origin(scope, name, false, options);
    let slot = loader.and_then(|loader| loader.code_cache.of_function(scope, text));
    let known = loader.zip(slot).and_then(|(loader, slot)| loader.code_cache.get(slot.hash));
    let compile = |mut source: script_compiler::Source, how: CompileOptions| {
        let why = NoCacheReason::NoReason;
        let function =
            script_compiler::compile_function(scope, &mut source, &parameters, &[], how, why);
        let rejected = source.get_cached_data().is_none_or(|data| data.rejected());
        Some((function?, rejected))
    };
    let (function, rejected) = match &known {
        Some(code) => {
            let code = v8::CachedData::new(code);
            let source = script_compiler::Source::new_with_cached_data(text, Some(&origin), code);
            compile(source, CompileOptions::ConsumeCodeCache)?
        }
        None => {
            let source = script_compiler::Source::new(text, Some(&origin));
            compile(source, CompileOptions::NoCompileOptions)?
        }
    };
    if let (true, Some(loader), Some(slot)) = (rejected, loader, slot)
        && loader.code_cache.can_be_added_to()
    {
        let function = v8::Global::new(scope, function);
        loader.fresh.functions.borrow_mut().push((slot, function));
    }
    Some(function)
}

fn elements<'a, 's>(
    scope: &'a v8::PinScope<'s, '_>,
    array: v8::Local<'s, v8::Array>,
) -> impl Iterator<Item = v8::Local<'s, v8::Value>> + 'a {
    (0..array.length()).filter_map(move |place| array.get_index(scope, place))
}
