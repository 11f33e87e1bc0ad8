//! The places where modules are looked for: `package.path`, and the same search for a handler, which needs no Lua.

use crate::permits;
use std::{
    env,
    path::{Path, PathBuf},
};
use trine_engine::{Lookup, Search};

/// Variables that add to the search path; as in stock Lua, only the first one that is set counts.
const VARIABLES: [&str; 2] = ["LUA_PATH_5_4", "LUA_PATH"];

/// Makes the `package.path` of a function: its root, the layers, then what the user has set.
pub(crate) fn search_path(root: &Path, layers: &Path) -> String {
    let own = VARIABLES.into_iter().find_map(env::var_os);
    joined(root, layers, &own.unwrap_or_default().to_string_lossy())
}

fn joined(root: &Path, layers: &Path, variable: &str) -> String {
    let (root, layers) = (root.display(), layers.display());
    let mut path = format!(
        "{root}/?.lua;{root}/?/init.lua;{root}/lua/?.lua;{root}/lua/?/init.lua;\
         {layers}/lua/?.lua;{layers}/lua/?/init.lua"
    );
    // An empty template means the default path (`;;`), which is already here.
    for template in variable.split(';').filter(|template| !template.is_empty()) {
        path.push(';');
        path.push_str(template);
    }
    path
}

/// Returns the folders that the user's own search path leads to.
pub(crate) fn folders_of_user() -> Vec<PathBuf> {
    let own = VARIABLES.into_iter().find_map(env::var_os).unwrap_or_default();
    permits::folders(&own.to_string_lossy())
}

/// Finds the file that `require` would run for a module.
pub(crate) fn find(lookup: &Lookup<'_>) -> Search {
    find_in(&search_path(lookup.root, lookup.layer_root), lookup.name)
}

fn find_in(path: &str, name: &str) -> Search {
    let mut search = Search::default();
    let file = name.trim_start_matches("./").replace('.', "/");
    for template in path.split(';') {
        let place = template.split('?').next().unwrap_or_default().trim_end_matches('/');
        if !search.places.iter().any(|known| known == place) && Path::new(place).is_dir() {
            search.places.push(place.to_owned());
        }
        let candidate = PathBuf::from(template.replace('?', &file));
        if search.found.is_none() && !name.starts_with('/') && candidate.is_file() {
            // A relative template is relative to the working directory, which may change.
            search.found = std::path::absolute(&candidate).ok();
        }
    }
    search
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_users_search_path_comes_after_root_and_layers() {
        let path = joined(Path::new("/task"), Path::new("/opt"), ";;/more/?.lua;./?.luac");
        assert!(path.starts_with("/task/?.lua;/task/?/init.lua;/task/lua/?.lua;"), "{path}");
        assert!(path.ends_with("/opt/lua/?/init.lua;/more/?.lua;./?.luac"), "{path}");
        assert!(joined(Path::new("/task"), Path::new("/opt"), "").ends_with("/opt/lua/?/init.lua"));
    }

    #[test]
    fn a_modules_dots_are_folders() {
        let folder = env::temp_dir().join(format!("trine-lua-find-{}", std::process::id()));
        fs::create_dir_all(folder.join("opt/lua/apm/deep")).unwrap();
        fs::write(folder.join("opt/lua/apm/deep/init.lua"), "").unwrap();
        let path = joined(&folder, &folder.join("opt"), "");
        let found = find_in(&path, "apm.deep");
        assert_eq!(found.found, Some(folder.join("opt/lua/apm/deep/init.lua")));
        assert_eq!(found.places.len(), 2, "{found:?}");
        assert_eq!(find_in(&path, "apm").found, None);
        fs::remove_dir_all(folder).unwrap();
    }
}
