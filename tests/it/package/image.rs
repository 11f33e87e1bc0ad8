//! Container images: an archive that Python reads, and a program that runs when its layers are unpacked.

use super::{list_folder, package, packaged, python};
use crate::support::{Folder, LANGUAGES, Language, Process, eventually};
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::Command,
};
use trine_emulator::{Emulator, EmulatorOptions};

/// Checks an archive as whoever loads it does, and unpacks its layers; prints its configuration.
const OPEN: &str = "\
import gzip, hashlib, io, json, sys, tarfile
archive = tarfile.open(sys.argv[1])
names = archive.getnames()
assert names[:2] == ['oci-layout', 'index.json'], names
assert names[2:] == sorted(set(names[2:])), names
read = lambda name: archive.extractfile(name).read()
assert json.loads(read('oci-layout')) == {'imageLayoutVersion': '1.0.0'}
seen = set()
def blob(described):
    algorithm, digest = described['digest'].split(':')
    data = read(f'blobs/{algorithm}/{digest}')
    assert hashlib.sha256(data).hexdigest() == digest and len(data) == described['size']
    seen.add(f'blobs/{algorithm}/{digest}')
    return data
index = json.loads(read('index.json'))
[described] = index['manifests']
manifest = json.loads(blob(described))
config = json.loads(blob(manifest['config']))
for layer, identity in zip(manifest['layers'], config['rootfs']['diff_ids'], strict=True):
    unpacked = gzip.decompress(blob(layer))
    assert 'sha256:' + hashlib.sha256(unpacked).hexdigest() == identity
    with tarfile.open(fileobj=io.BytesIO(unpacked)) as files:
        for member in files:
            assert (member.uid, member.gid, member.mtime) == (0, 0, 315532800), member
        files.extractall(sys.argv[2])
assert seen == set(names[2:]), (seen, names)
print(json.dumps(config))
";

/// Makes the folder that the runtime ships in: the real program, or another one.
fn tree(folder: &Folder, program: Option<&str>) -> PathBuf {
    let tree = folder.layers().join("tree");
    fs::create_dir_all(tree.join("bin")).unwrap();
    fs::create_dir_all(tree.join("share/trine")).unwrap();
    let file = tree.join("bin/trine");
    match program {
        Some(text) => fs::write(&file, text).unwrap(),
        None => drop(fs::copy(env!("CARGO_BIN_EXE_trine"), &file).unwrap()),
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    symlink("bin/trine", tree.join("bootstrap")).unwrap();
    let size = fs::metadata(&file).unwrap().len();
    let manifest =
        json!({"trine": "0.1.0", "glibc": "2.34", "files": {"bin/trine": {"size": size}}});
    fs::write(tree.join("share/trine/manifest.json"), manifest.to_string()).unwrap();
    tree
}

/// Unpacks an image into a folder; returns its configuration.
#[track_caller]
fn open(image: &Path, root: &Path) -> Value {
    fs::create_dir_all(root).unwrap();
    serde_json::from_str(&python(OPEN, &[image.as_os_str(), root.as_os_str()])).unwrap()
}

/// Makes a folder whose function is packaged.
fn function(language: Language) -> Folder {
    let folder = Folder::probe(language);
    folder.write("bin/tool", "#!/bin/sh\n");
    folder
}

#[test]
fn an_image_for_lambda_runs_where_it_is_unpacked() {
    let folder = function(LANGUAGES[4]);
    let tree = tree(&folder, None);
    folder.write("base/etc/os-release", "ID=test\n");
    fs::create_dir(folder.task().join("base/tmp")).unwrap();
    fs::set_permissions(folder.task().join("base/tmp"), fs::Permissions::from_mode(0o1777))
        .unwrap();
    symlink("/nowhere", folder.task().join("base/etc/absolute")).unwrap();
    fs::rename(folder.task().join("base"), folder.layers().join("base")).unwrap();
    let base = folder.layers().join("base");
    let (base, tree) = (base.to_str().unwrap(), tree.to_str().unwrap());
    let finished = packaged(
        &folder,
        &["probe.handler", "--image", "image.tar", "--tree", tree, "--base", base],
    );
    assert!(finished.stdout.starts_with("image.tar: "), "{finished:?}");
    let root = folder.layers().join("root");
    let config = open(&folder.task().join("image.tar"), &root);
    let told = &config["config"];
    assert_eq!(told["Entrypoint"], json!(["/var/runtime/bootstrap"]));
    assert_eq!(told["Cmd"], json!(["probe.handler"]));
    assert_eq!(told["WorkingDir"], "/var/task");
    assert_eq!(
        (&config["os"], &config["created"]),
        (&json!("linux"), &json!("1980-01-01T00:00:00Z"))
    );
    let variables = told["Env"].as_array().unwrap();
    assert!(variables.contains(&json!("LAMBDA_TASK_ROOT=/var/task")), "{variables:?}");
    assert_eq!(fs::read_link(root.join("etc/absolute")).unwrap(), Path::new("/nowhere"));
    assert_eq!(fs::metadata(root.join("tmp")).unwrap().permissions().mode() & 0o7777, 0o1777);
    assert_eq!(
        fs::metadata(root.join("var/task/bin/tool")).unwrap().permissions().mode() & 0o777,
        0o644
    );
    // As whoever runs the image starts it, but for the paths.
    let emulator = Emulator::spawn_thread(EmulatorOptions::default()).unwrap();
    let mut command = Command::new(root.join("var/runtime/bootstrap"));
    command.arg("probe.handler").current_dir(root.join("var/task")).envs(emulator.environment());
    command.env("LAMBDA_TASK_ROOT", root.join("var/task"));
    let process = Process::start(command);
    let outcome = emulator.invoke_blocking(json!({"a": 1}));
    assert!(outcome.is_response(), "{outcome:?}\n{process:?}");
    assert_eq!(outcome.json(), json!({"a": 1}));
    process.signal("TERM");
    assert_eq!(process.wait(), Some(0));
}

#[test]
fn an_image_that_serves_listens_on_the_port_that_is_named() {
    let folder = function(LANGUAGES[4]);
    let tree = tree(&folder, None);
    let arguments =
        ["probe.handler", "--image", "image.tar", "--tree", tree.to_str().unwrap(), "--serve"];
    let finished = packaged(&folder, &arguments);
    assert!(finished.stdout.contains("warning: without --base the image has no C library"));
    let root = folder.layers().join("root");
    let config = open(&folder.task().join("image.tar"), &root);
    let told = &config["config"];
    let words = |name: &str| {
        let words = told[name].as_array().unwrap().iter();
        words.map(|word| word.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(told["User"], "65532:65532");
    assert_eq!(told["ExposedPorts"], json!({"8080/tcp": {}}));
    assert!(words("Env").contains(&"PORT=8080".to_owned()));
    let mut line = words("Entrypoint");
    line.extend(words("Cmd"));
    assert_eq!(line, ["/var/runtime/bin/trine", "serve", "--host", "0.0.0.0", "probe.lua"]);
    let mut command = Command::new(root.join(line[0].trim_start_matches('/')));
    command.args(&line[1..]).current_dir(root.join("var/task")).env("PORT", "0");
    let process = Process::start(command);
    let address = eventually("the server says where it listens", || {
        assert_eq!(process.status(), None, "{process:?}");
        let text = process.stdout();
        let (_, rest) = text.split_once("http://")?;
        rest.split_once(|c: char| c.is_whitespace() || c == '/')?.0.rsplit_once(':')?.1.parse().ok()
    });
    let address: u16 = address;
    let mut connection =
        crate::support::Connection::open(std::net::SocketAddr::from(([127, 0, 0, 1], address)));
    assert_eq!(connection.exchange("GET", "/.trine/health", &[], b"").status, 200, "{process:?}");
    process.signal("TERM");
    assert_eq!(process.wait(), Some(0));
}

#[test]
fn two_images_of_the_same_files_are_the_same_bytes() {
    let image = |program: &str| {
        let folder = function(LANGUAGES[4]);
        let tree = tree(&folder, Some(program));
        let layer = folder.layers().join("layer");
        fs::create_dir_all(layer.join("lua")).unwrap();
        fs::write(layer.join("lua/money.lua"), "return {}").unwrap();
        let (tree, layer) = (tree.to_str().unwrap(), layer.to_str().unwrap());
        let arguments =
            ["probe.handler", "--image", "image.tar", "--tree", tree, "--with-layer", layer];
        packaged(&folder, &arguments);
        let root = folder.layers().join("root");
        open(&folder.task().join("image.tar"), &root);
        assert!(root.join("opt/lua/money.lua").is_file());
        fs::read(folder.task().join("image.tar")).unwrap()
    };
    let (first, second, other) =
        (image("#!/bin/sh\n"), image("#!/bin/sh\n"), image("#!/bin/bash\n"));
    // Each was made in a folder of its own.
    assert!(first == second, "the bytes differ");
    assert!(first != other);
}

/// Asks for an image that cannot be made, and returns what is said about it.
fn refusal(folder: &Folder, arguments: &[&str]) -> String {
    let finished =
        package(folder, &[&["probe.handler", "--image", "image.tar"], arguments].concat());
    assert_ne!(finished.code, Some(0), "{finished:?}");
    assert!(!list_folder(&folder.task()).contains(&"image.tar".to_owned()));
    finished.stderr
}

#[test]
fn a_binary_that_ships_in_no_folder_wants_one_for_an_image() {
    let told = refusal(&function(LANGUAGES[4]), &[]);
    assert!(told.contains("share/trine/manifest.json") && told.contains("--tree"), "{told}");
}

#[test]
fn what_an_image_lacks_is_told_before_any_work() {
    let folder = function(LANGUAGES[4]);
    let with = |arguments: &[&str]| refusal(&folder, arguments);
    let told = with(&["--tree", "bin"]);
    assert!(told.contains("holds no runtime to ship"), "{told}");
    let tree = tree(&folder, Some("#!/bin/sh\n"));
    let tree_name = tree.to_str().unwrap().to_owned();
    folder.write("base.tar", "no archive");
    let told = with(&["--tree", &tree_name, "--base", "base.tar"]);
    assert!(told.contains("is no folder and no tar file"), "{told}");
    fs::write(tree.join("bin/trine"), "cut").unwrap();
    let told = with(&["--tree", &tree_name]);
    assert!(told.contains("are missing or damaged: bin/trine"), "{told}");
}
