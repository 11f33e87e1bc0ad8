//! One function of a template: its properties, with those that `Globals` gives to all.

use super::{Template, events, layer};
use crate::{
    error::{Fault, Place},
    node::{Entry, Map, Node},
    project::{EventForm, Function},
    reading::{Reading, line},
    runtimes, variables,
};
use std::{rc::Rc, time::Duration};

/// A function, and the form and the line of its URL.
pub(super) struct Read {
    pub(super) function: Function,
    pub(super) address: Option<(EventForm, usize)>,
}

/// A resource whose properties are asked for.
struct Properties<'t> {
    own: Option<Rc<Node>>,
    globals: Option<Rc<Node>>,
    template: &'t mut Template,
}

impl Properties<'_> {
    /// Returns a property's value, else the one for all functions.
    fn get(&mut self, reading: &mut Reading<'_>, name: &str) -> Result<Option<Rc<Node>>, Fault> {
        for source in [&self.own, &self.globals] {
            let Some(value) = source.as_ref().and_then(|source| source.get(name)) else { continue };
            if let Some(value) = self.template.resolver.resolve(reading, &Rc::clone(value))? {
                reading.spend(value.place, value.text().map_or(0, str::len))?;
                return Ok(Some(value));
            }
        }
        Ok(None)
    }

    fn text(&mut self, reading: &mut Reading<'_>, name: &str) -> Result<Option<String>, Fault> {
        Ok(self.get(reading, name)?.and_then(|value| value.variable()))
    }

    /// Returns a whole number.
    fn number(&mut self, reading: &mut Reading<'_>, name: &str) -> Result<Option<u64>, Fault> {
        let Some(value) = self.get(reading, name)? else { return Ok(None) };
        let number = value.text().and_then(|text| text.trim().parse().ok());
        if number.is_none() {
            let found = value.text().unwrap_or(value.kind());
            reading.note(
                value.place,
                format!("{name}: {found}"),
                "this is no whole number: it is ignored",
            );
        }
        Ok(number)
    }
}

/// Reads a function.
pub(super) fn read(
    reading: &mut Reading<'_>,
    template: &mut Template,
    entry: &Entry,
) -> Result<Read, Fault> {
    let is_sam = entry.value.text_of("Type").is_some_and(|kind| kind.contains("Serverless"));
    let globals = template.globals.as_ref().filter(|_| is_sam).and_then(|all| all.get("Function"));
    let globals = globals.cloned();
    let own = entry.value.get("Properties").cloned();
    let mut properties = Properties { own, globals, template };
    let mut function = Function {
        name: entry.key.to_string(),
        deployed_name: properties.text(reading, "FunctionName")?,
        line: line(entry.place),
        folder: reading.folder.clone(),
        handler: properties.text(reading, "Handler")?.unwrap_or_default(),
        runtime: properties.text(reading, "Runtime")?,
        timeout: properties.number(reading, "Timeout")?.map(Duration::from_secs),
        memory_mb: properties.number(reading, "MemorySize")?,
        ..Function::default()
    };
    let metadata = entry.value.get("Metadata").cloned();
    let build = metadata.as_ref().and_then(|metadata| metadata.text_of("BuildMethod"));
    let why = if properties.text(reading, "PackageType")?.as_deref() == Some("Image") {
        Some("it is a container image (PackageType: Image)".to_owned())
    } else {
        runtimes::not_served(function.runtime.as_deref(), &function.handler, build)
    };
    let code = code(reading, &mut properties, entry, is_sam)?;
    match why.map_or(code, Err) {
        Ok(folder) => function.folder = reading.path(&folder),
        Err(why) => {
            reading.note(
                entry.place,
                format!("the function {}", entry.key),
                format!("{why}: it is not served"),
            );
            function.not_served = Some(why);
        }
    }
    if build == Some("esbuild") {
        let properties = metadata.as_ref().and_then(|metadata| metadata.get("BuildProperties"));
        let entries = properties.and_then(|properties| properties.get("EntryPoints"));
        if let Some(handler) = entries.and_then(|entries| source_of(&function.handler, entries)) {
            function.handler = handler;
        }
    }
    if function.handler.is_empty() && function.not_served.is_none() {
        let why = "it has no Handler, which names its code".to_owned();
        reading.note(entry.place, format!("the function {}", entry.key), why.clone());
        function.not_served = Some(why);
    }
    environment(reading, &mut properties, &mut function)?;
    for name in ["VpcConfig", "FileSystemConfigs"] {
        if let Some(value) = properties.get(reading, name)? {
            let why = match name {
                "VpcConfig" => "it runs in this machine's network",
                _ => "file systems of the cloud are not there",
            };
            reading.note(value.place, format!("{name} of {}", entry.key), why);
        }
    }
    let mut layers = Vec::new();
    for source in [properties.globals.clone(), properties.own.clone()].into_iter().flatten() {
        if let Some(list) = source.get("Layers") {
            layers.extend(layer::read(reading, properties.template, list)?);
        }
    }
    function.layers = layers;
    if let Some(list) = properties.own.as_ref().and_then(|own| own.get("Events")).cloned() {
        events::read(reading, properties.template, &list, &mut function)?;
    }
    let address = address(reading, &mut properties, &mut function)?;
    Ok(Read { function, address })
}

/// Returns a function's folder as it is written, or why its code is not there.
fn code(
    reading: &mut Reading<'_>,
    properties: &mut Properties<'_>,
    entry: &Entry,
    is_sam: bool,
) -> Result<Result<String, String>, Fault> {
    let asset = entry.value.get("Metadata").and_then(|all| all.text_of("aws:asset:path"));
    if let Some(asset) = asset {
        return Ok(local(asset));
    }
    if is_sam && properties.get(reading, "InlineCode")?.is_some() {
        return Ok(Err("its code stands in the template itself (InlineCode)".to_owned()));
    }
    let name = if is_sam { "CodeUri" } else { "Code" };
    let Some(code) = properties.get(reading, name)? else { return Ok(Ok(".".to_owned())) };
    if let Some(text) = code.text() {
        return Ok(local(text));
    }
    let has = |key: &str| code.get(key).is_some();
    Ok(Err(if has("ZipFile") {
        "its code stands in the template itself (ZipFile)".to_owned()
    } else if has("ImageUri") {
        "it is a container image (ImageUri)".to_owned()
    } else {
        "its code is kept in the cloud, in a bucket".to_owned()
    }))
}

/// Returns the folder that a text names, or why it names none.
pub(super) fn local(written: &str) -> Result<String, String> {
    if written.contains("://") {
        return Err(format!("its code is kept elsewhere ({written})"));
    }
    let lower = written.to_ascii_lowercase();
    if [".zip", ".jar", ".war"].iter().any(|end| lower.ends_with(end)) {
        return Err(format!("its code is an archive ({written}): name the folder it was made of"));
    }
    Ok(written.to_owned())
}

/// Returns the handler in the source of an entry point, where esbuild would put the file elsewhere.
///
/// Its output has the paths of its entry points below the folder that they have in common.
fn source_of(handler: &str, entries: &Node) -> Option<String> {
    let (module, export) = handler.rsplit_once('.')?;
    let points: Vec<&str> = match entries.list() {
        Some(items) => items.iter().filter_map(|item| item.text()).collect(),
        None => vec![entries.text()?],
    };
    let clean = |point: &str| point.trim_start_matches("./").to_owned();
    let folders = |point: &str| -> Vec<String> {
        let folder = point.rsplit_once('/').map_or("", |(folder, _)| folder);
        folder.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let points: Vec<String> = points.into_iter().map(clean).collect();
    let mut common = folders(points.first()?);
    for point in &points {
        let others = folders(point);
        let same = common.iter().zip(&others).take_while(|(one, other)| one == other).count();
        common.truncate(same);
    }
    let common = common.join("/");
    points.iter().find_map(|point| {
        let below = point.strip_prefix(&common)?.trim_start_matches('/');
        let stem = below.rsplit_once('.').map_or(below, |(stem, _)| stem);
        let source = point.rsplit_once('.').map_or(point.as_str(), |(source, _)| source);
        (stem == module).then(|| format!("{source}.{export}"))
    })
}

fn environment(
    reading: &mut Reading<'_>,
    properties: &mut Properties<'_>,
    function: &mut Function,
) -> Result<(), Fault> {
    let sources = [properties.globals.clone(), properties.own.clone()];
    let mut all = variables::Variables::default();
    for environment in sources.iter().flatten().filter_map(|source| source.get("Environment")) {
        let resolver = &mut properties.template.resolver;
        // A call in the place of the whole table is looked into; the values of a plain one are resolved one by one.
        let Some(table) = variables_of(reading, resolver, environment)? else { continue };
        for entry in table.map().map(Map::entries).unwrap_or_default() {
            if let Some(value) = resolver.resolve(reading, &entry.value)? {
                all.set(reading, &function.name, entry, &value)?;
            }
        }
    }
    function.environment = all.into_list();
    Ok(())
}

fn variables_of(
    reading: &mut Reading<'_>,
    resolver: &mut super::Resolver,
    environment: &Rc<Node>,
) -> Result<Option<Rc<Node>>, Fault> {
    let is_plain = |node: &Node| node.tag.is_none() && node.get("Fn::If").is_none();
    if is_plain(environment) {
        let Some(table) = environment.get("Variables") else { return Ok(None) };
        return if is_plain(table) {
            Ok(Some(Rc::clone(table)))
        } else {
            resolver.resolve(reading, table)
        };
    }
    let resolved = resolver.resolve(reading, environment)?;
    Ok(resolved.and_then(|resolved| resolved.get("Variables").cloned()))
}

fn address(
    reading: &mut Reading<'_>,
    properties: &mut Properties<'_>,
    function: &mut Function,
) -> Result<Option<(EventForm, usize)>, Fault> {
    let Some(url) = properties.get(reading, "FunctionUrlConfig")? else { return Ok(None) };
    let place = key_place(properties.own.as_ref(), "FunctionUrlConfig").unwrap_or(url.place);
    note_url(reading, &url, place, function);
    Ok(Some((EventForm::FunctionUrl, line(place))))
}

/// Takes from a function URL what matters here.
pub(super) fn note_url(
    reading: &mut Reading<'_>,
    url: &Node,
    place: Place,
    function: &mut Function,
) {
    function.streams = url.text_of("InvokeMode") == Some("RESPONSE_STREAM");
    if url.text_of("AuthType") == Some("AWS_IAM") {
        let why = "signatures are not checked here: everybody is let in";
        reading.note(place, format!("AuthType of the URL of {}", function.name), why);
    }
    if url.get("Cors").is_some() {
        reading.note(place, format!("Cors of the URL of {}", function.name), events::NO_CORS);
    }
}

/// Returns where a key stands.
pub(super) fn key_place(node: Option<&Rc<Node>>, key: &str) -> Option<Place> {
    Some(node?.map()?.entry(key)?.place)
}
