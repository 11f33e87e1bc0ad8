//! Which languages are served, by the names that platforms give them.

/// Runtimes whose functions have to be compiled or need an interpreter that is not there.
const ELSEWHERE: [(&str, &str); 10] = [
    ("go", "Go"),
    ("java", "Java"),
    ("quarkus", "Java"),
    ("springboot", "Java"),
    ("dotnet", ".NET"),
    ("ruby", "Ruby"),
    ("rust", "Rust"),
    ("php", "PHP"),
    ("swift", "Swift"),
    ("docker", "a container image"),
];

/// Returns why functions of a runtime are not served here, if so.
pub(crate) fn not_served(
    runtime: Option<&str>,
    handler: &str,
    build: Option<&str>,
) -> Option<String> {
    if let Some(method @ ("go1.x" | "rust-cargolambda" | "dotnet7" | "makefile")) = build {
        let is_custom = runtime.is_some_and(|runtime| runtime.starts_with("provided"));
        if method != "makefile" || is_custom {
            return Some(format!("its BuildMethod is {method}, so it has to be compiled"));
        }
    }
    let runtime = runtime?;
    if runtime.starts_with("provided") {
        let is_program =
            handler.is_empty() || handler == "bootstrap" || !handler.contains(['.', ':']);
        return is_program.then(|| format!("its handler is a program of its own for {runtime}"));
    }
    let lower = runtime.to_ascii_lowercase();
    let (_, language) = ELSEWHERE.iter().find(|(name, _)| {
        let rest = lower.strip_prefix(name);
        rest.is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
    })?;
    Some(format!("its runtime {runtime} is {language}"))
}
