//! `trine completions` and `trine man`.

use crate::support::{Finished, Folder, binary, command, run, trine};
use std::{fs, process::Command};

const SHELLS: [&str; 5] = ["bash", "zsh", "fish", "elvish", "powershell"];

/// Returns every command, as the help lists them.
fn commands(folder: &Folder) -> Vec<String> {
    let help = run(trine(folder, &["--help"])).stdout;
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let (list, _) = list.split_once("\n\n").unwrap();
    let words = list.lines().filter_map(|line| line.split_whitespace().next());
    words.filter(|word| *word != "help").map(str::to_owned).collect()
}

#[test]
fn every_shell_has_a_script_that_knows_all_commands() {
    let folder = Folder::new(&[]);
    for shell in SHELLS {
        let script = run(trine(&folder, &["completions", shell]));
        assert_eq!((script.code, script.stderr.as_str()), (Some(0), ""), "{shell}");
        for command in commands(&folder) {
            assert!(script.stdout.contains(&command), "{command} in {shell}");
        }
        assert!(script.stdout.contains("event-format"), "{shell}");
    }
    let finished = run(trine(&folder, &["completions", "dash"]));
    assert_eq!(finished.code, Some(2));
    assert!(finished.stderr.contains("[possible values: bash, elvish, fish"), "{finished:?}");
}

/// Completes the last of these words as bash does.
fn completed(folder: &Folder, words: &[&str]) -> Finished {
    let script = format!(
        "source <({} completions bash) || exit 9\n\
         COMP_WORDS=({}); COMP_CWORD={}\n\
         _trine trine \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        binary(),
        words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" "),
        words.len() - 1,
    );
    let mut bash = command("bash", folder);
    bash.args(["--norc", "-c", &script]);
    run(bash)
}

#[test]
fn bash_completes_commands_flags_and_values() {
    let folder = Folder::new(&[]);
    let words = |line: &[&str]| -> Vec<String> {
        let finished = completed(&folder, line);
        assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""), "{finished:?}");
        finished.stdout.lines().map(str::to_owned).collect()
    };
    let flags = words(&["trine", "serve", "--"]);
    for flag in ["--port", "--middlewares", "--event-format", "--allow-net", "--log-format"] {
        assert!(flags.iter().any(|word| word == flag), "{flag}: {flags:?}");
    }
    assert!(!flags.iter().any(|word| word == "--event"), "{flags:?}");
    assert_eq!(words(&["trine", "inv"]), ["invoke"]);
    let languages = words(&["trine", "new", "--language", ""]);
    assert_eq!(languages, ["ts", "js", "python", "lua"]);
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let folder = Folder::new(&[]);
    let finished = run(trine(&folder, &["man", "--dir", "man/man1"]));
    assert_eq!((finished.code, finished.stderr.as_str()), (Some(0), ""), "{finished:?}");
    let mut expected: Vec<String> =
        commands(&folder).iter().map(|command| format!("trine-{command}.1")).collect();
    expected.push("trine.1".to_owned());
    expected.sort();
    let mut written: Vec<String> = fs::read_dir(folder.file("man/man1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    written.sort();
    assert_eq!(written, expected);
    for page in &written {
        let text = fs::read_to_string(folder.file(&format!("man/man1/{page}"))).unwrap();
        let name = page.trim_end_matches(".1");
        for part in [&format!(".TH {name} 1"), ".SH NAME", ".SH SYNOPSIS", ".SH DESCRIPTION"] {
            assert!(text.contains(part), "{part} in {page}: {text}");
        }
        assert!(text.contains(concat!("trine ", env!("CARGO_PKG_VERSION"))), "{page}");
        assert!(text.lines().all(|line| line.len() < 2000 && !line.contains('\x1b')), "{page}");
        well_formed(&folder, page);
    }
    let printed = run(trine(&folder, &["man", "serve"])).stdout;
    assert_eq!(printed, fs::read_to_string(folder.file("man/man1/trine-serve.1")).unwrap());
    let finished = run(trine(&folder, &["man", "gone"]));
    assert_eq!(finished.code, Some(2));
    assert!(finished.stderr.contains("there is no command \"gone\""), "{finished:?}");
}

/// Has a page formatted by what this machine has for it, with warnings.
fn well_formed(folder: &Folder, page: &str) {
    let path = folder.file(&format!("man/man1/{page}"));
    let checks: [(&str, &[&str]); 2] =
        [("mandoc", &["-Tlint", "-Werror"]), ("groff", &["-man", "-Tutf8", "-ww", "-z"])];
    for (program, arguments) in checks {
        let is_there = Command::new(program).arg("--version").output().is_ok();
        if is_there {
            let mut check = command(program, folder);
            check.args(arguments).arg(&path);
            let finished = run(check);
            assert_eq!(
                (finished.code, finished.stderr.as_str()),
                (Some(0), ""),
                "{page} {program}"
            );
        }
    }
}
