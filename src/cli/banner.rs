//! What `trine serve` prints when it listens: the functions, what was passed over, and lines to try.

use crate::{
    handler::PassedOver,
    http::{Endpoint, Route, ServedFunction, Site},
};
use std::{
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
    path::Path,
};
use trine_engine::Error;

/// Describes what is served: a table of functions, and a line to try each. `asked` is the number of workers that was
/// asked for, `threads` the number of threads for functions that hold theirs.
pub(super) fn banner(site: &Site, place: &Reached<'_>, asked: usize, threads: usize) -> String {
    let base = place.base_url();
    let mut rows = vec![["FUNCTION", "ENGINE", "METHOD", "URL"].map(str::to_owned)];
    let mut tries = String::new();
    for (route, function) in in_reading_order(site) {
        let info = function.located.engine.info();
        let method = route.method.as_ref().map_or("ANY", |method| method.as_str());
        let url = format!("{base}{}", route.path);
        rows.push([
            function.name.clone(),
            format!("{} ({})", info.name, info.version),
            method.into(),
            url,
        ]);
        if function.problem.is_none() {
            let _ = writeln!(
                tries,
                "  {}",
                place.curl(method, &format!("{base}{}", sample(&route.path)))
            );
        }
    }
    let count = counted(site.functions().len(), "function");
    let languages = languages_on_main_thread(site);
    let (workers, note) = match languages.as_str() {
        "" => (counted(asked, "worker"), String::new()),
        _ => {
            let accepting = match site.functions().iter().all(ServedFunction::on_main_thread) {
                true => counted(1, "worker"),
                false => format!("{} and one thread for {languages}", counted(asked, "worker")),
            };
            let on_main = site.functions().iter().filter(|function| function.on_main_thread());
            let most = on_main.map(|function| function.threads.unwrap_or(threads)).max();
            let where_to = match most {
                Some(most @ 2..) => {
                    format!("on the main thread, and what holds its thread on up to {most} others")
                }
                _ => "on one thread, the main one; for more see --threads and --share-port"
                    .to_owned(),
            };
            (accepting, format!("\n{languages} runs {where_to}.\n"))
        }
    };
    let mut out = format!("Serving {count} on {} with {workers}\n\n", place.name());
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..3).map(|column| width(column).unwrap_or(0)).collect();
    for [function, engine, method, url] in &rows {
        let (a, b, c) = (widths[0], widths[1], widths[2]);
        let _ = writeln!(out, "  {function:a$}  {engine:b$}  {method:c$}  {url}");
    }
    out.push_str(&note);
    out.push_str(&beside_functions(site, &base));
    if !site.passed_over().is_empty() {
        out.push_str("\nPassed over\n");
        for PassedOver { path, why } in site.passed_over() {
            let _ = writeln!(out, "  {path}: {why}");
        }
    }
    let broken = broken(site);
    if !broken.is_empty() {
        let _ = write!(out, "\n{broken}");
    }
    if !tries.is_empty() {
        let _ = write!(out, "\nTry\n{tries}");
    }
    out.push_str("\nCtrl-C stops.\n");
    out
}

/// Describes what keeps functions from being loaded; empty where nothing does.
pub(super) fn broken(site: &Site) -> String {
    let mut broken = String::new();
    for function in site.functions() {
        if let Some(problem) = &function.problem {
            let problem = placed(problem, site.folder_served());
            let _ = writeln!(broken, "  {}: {problem}", function.name);
        }
    }
    if broken.is_empty() {
        broken
    } else {
        format!("Cannot be loaded until they are mended\n{broken}")
    }
}

/// Describes what a server has beside functions: folders of files, and triggers with the time of their next run.
fn beside_functions(site: &Site, base: &str) -> String {
    let (mut files, mut triggers) = (String::new(), String::new());
    for (path, folder) in site.folders() {
        let root = std::fs::canonicalize(site.root()).ok();
        let shown = root.and_then(|root| folder.strip_prefix(root).ok().map(Path::to_owned));
        let shown = shown.as_deref().unwrap_or(folder).display();
        let _ = writeln!(files, "  {base}{path}  {shown}");
    }
    for trigger in site.triggers() {
        let function = site.functions().get(trigger.function).map_or("", |f| f.name.as_str());
        let next = trigger.source.clock().map_or_else(String::new, |clock| {
            let next = clock.schedule.next_after(chrono::Utc::now());
            format!(
                ", next at {}",
                next.map_or_else(|| "never".to_owned(), |next| next.to_rfc3339())
            )
        });
        let (name, source) = (&trigger.name, &trigger.source);
        let _ = writeln!(triggers, "  {name}: {source}, invokes {function}{next}");
    }
    let titled = |title: &str, lines: String| match lines.is_empty() {
        true => lines,
        false => format!("\n{title}\n{lines}"),
    };
    [titled("Files", files), titled("Triggers", triggers)].concat()
}

/// Describes a problem of a file, after its place as seen from the served folder: `shop.mjs:3:7: SyntaxError: …`.
fn placed(problem: &Error, folder: Option<&Path>) -> String {
    let message = problem.message();
    // What is wrong with a whole file has no place in it.
    let Some(frame) = problem.frames().first().filter(|frame| !frame.file.is_empty()) else {
        return message.to_owned();
    };
    let file = Path::new(&frame.file);
    let file = folder.and_then(|folder| file.strip_prefix(folder).ok()).unwrap_or(file).display();
    match (frame.line, frame.column) {
        (0, _) => format!("{file}: {message}"),
        (line, 0) => format!("{file}:{line}: {message}"),
        (line, column) => format!("{file}:{line}:{column}: {message}"),
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// Returns the languages whose functions run on the main thread alone, by name; empty where none is served.
fn languages_on_main_thread(site: &Site) -> String {
    let mut names: Vec<&str> = Vec::new();
    for function in site.functions() {
        for engine in function.engines() {
            let info = engine.info();
            if info.on_main_thread && !names.contains(&info.name) {
                names.push(info.name);
            }
        }
    }
    names.join(" and ")
}

/// Sorts routes by function, as a reader expects them.
fn in_reading_order(site: &Site) -> Vec<(&Route, &ServedFunction)> {
    let mut routes: Vec<_> = site.routes().collect();
    routes.sort_by(|(a, f), (b, g)| f.name.cmp(&g.name).then_with(|| a.path.cmp(&b.path)));
    routes
}

/// Where a server is reached, and whether with TLS.
pub(super) struct Reached<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) is_secured: bool,
}

impl Reached<'_> {
    /// Returns the URL at which this machine reaches the server.
    pub(super) fn base_url(&self) -> String {
        let scheme = if self.is_secured { "https" } else { "http" };
        match self.endpoint.tcp() {
            Some(address) => base_url(scheme, address),
            None => format!("{scheme}://localhost"),
        }
    }

    fn name(&self) -> String {
        if self.endpoint.tcp().is_some() { self.base_url() } else { self.endpoint.to_string() }
    }

    /// Returns a line to try a URL of this server.
    fn curl(&self, method: &str, url: &str) -> String {
        match self.endpoint {
            Endpoint::Tcp(_) => curl(method, url),
            Endpoint::Unix(path) => {
                let line = curl(method, url);
                let rest = line.strip_prefix("curl ").unwrap_or(&line);
                format!("curl --unix-socket {} {rest}", path.display())
            }
        }
    }
}

/// Returns the URL at which this machine reaches an address.
pub(super) fn base_url(scheme: &str, address: SocketAddr) -> String {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => "127.0.0.1".to_owned(),
        IpAddr::V6(ip) if ip.is_unspecified() => "[::1]".to_owned(),
        IpAddr::V6(ip) => format!("[{ip}]"),
        IpAddr::V4(ip) => ip.to_string(),
    };
    format!("{scheme}://{ip}:{}", address.port())
}

/// Returns a path that a route's pattern matches.
fn sample(pattern: &str) -> String {
    let segments = pattern.split('/').map(|segment| match segment.strip_prefix('{') {
        Some(parameter) if parameter.ends_with("+}") => "a/b",
        Some(_) => "1",
        None => segment,
    });
    segments.collect::<Vec<_>>().join("/")
}

fn curl(method: &str, url: &str) -> String {
    match method {
        "ANY" | "GET" => format!("curl {url}"),
        "HEAD" => format!("curl -I {url}"),
        "POST" => format!("curl -H 'content-type: application/json' -d '{{}}' {url}"),
        "PUT" | "PATCH" => {
            format!("curl -X {method} -H 'content-type: application/json' -d '{{}}' {url}")
        }
        other => format!("curl -X {other} {url}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handler::tests::fixture::{folders, registry};

    #[test]
    fn a_line_to_try_fits_method_and_pattern() {
        assert_eq!(sample("/pets/{id}/x/{rest+}"), "/pets/1/x/a/b");
        assert_eq!(curl("ANY", "u"), "curl u");
        assert_eq!(curl("DELETE", "u"), "curl -X DELETE u");
        assert_eq!(base_url("http", "0.0.0.0:80".parse().unwrap()), "http://127.0.0.1:80");
        assert_eq!(base_url("https", "[::1]:80".parse().unwrap()), "https://[::1]:80");
    }

    #[test]
    fn the_banner_is_a_table_of_functions_and_a_line_to_try_each() {
        let (_parent, search) =
            folders(&["task/hello/app.py", "task/hello/app.lua", "task/pets.js"]);
        let routes = "[[route]]\nmethod = \"POST\"\npath = \"/zoo/{id}\"\nfunction = \"pets\"\n";
        std::fs::write(search.task_root.join("trine.toml"), routes).unwrap();
        let site = Site::folder(&search.task_root, &registry()).unwrap();
        let expected = "\
Serving 3 functions on http://127.0.0.1:9000 with 2 workers

  FUNCTION      ENGINE      METHOD  URL
  hello/lua     lua (0)     ANY     http://127.0.0.1:9000/hello/lua
  hello/python  python (0)  ANY     http://127.0.0.1:9000/hello/python
  pets          js (0)      ANY     http://127.0.0.1:9000/pets
  pets          js (0)      POST    http://127.0.0.1:9000/zoo/{id}

Try
  curl http://127.0.0.1:9000/hello/lua
  curl http://127.0.0.1:9000/hello/python
  curl http://127.0.0.1:9000/pets
  curl -H 'content-type: application/json' -d '{}' http://127.0.0.1:9000/zoo/1

Ctrl-C stops.
";
        let endpoint = Endpoint::Tcp("127.0.0.1:9000".parse().unwrap());
        let place = Reached { endpoint: &endpoint, is_secured: false };
        assert_eq!(banner(&site, &place, 2, 1), expected);
        let endpoint = Endpoint::Unix("/run/a.sock".into());
        let text = banner(&site, &Reached { endpoint: &endpoint, is_secured: false }, 2, 1);
        assert!(
            text.starts_with("Serving 3 functions on unix:/run/a.sock with 2 workers\n"),
            "{text}"
        );
        assert!(
            text.contains("  curl --unix-socket /run/a.sock http://localhost/pets\n"),
            "{text}"
        );
    }
}
