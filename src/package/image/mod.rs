//! Container images, written without a daemon: an OCI image layout in one tar file.
//!
//! The places are those of Lambda's official images: the runtime in `/var/runtime`, which is started as
//! `/var/runtime/bootstrap` with the handler as its argument, the function in `/var/task`, layers in `/opt`. With
//! `serve`, the image is an HTTP server on the port that the variable `PORT` names.
//!
//! Contract: OCI Image Format Specification 1.0 (layout, index, manifest, configuration, layers).

mod base;
mod blob;

pub use base::Base;

use super::{PackageError, Progress, Target, Time};
use crate::{
    doctor::Tree,
    folder::{Contents, Entry},
};
use blob::{Blob, Layer};
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{self, BufWriter, Seek, Write},
};

const RUNTIME: &str = "var/runtime";
const TASK: &str = "var/task";
const LAYERS: &str = "opt";

/// The port that an image serves where nobody names another.
const PORT: u16 = 8080;

/// An image that is to be written.
pub struct Image<'i> {
    /// The root with a C library; without one, whoever runs the image mounts it over one.
    pub base: Option<&'i Base>,
    /// The runtime.
    pub tree: &'i Tree,
    /// Its files.
    pub runtime: &'i Contents,
    /// The function.
    pub function: &'i Contents,
    /// Its entries, with what was made for it.
    pub entries: &'i [Entry],
    /// The layers, unpacked one after the other.
    pub layers: &'i [Contents],
    /// The argument of the entry point: a handler string, or a path for a server.
    pub command: &'i str,
    /// Whether it is an HTTP server instead of a Lambda function.
    pub serve: bool,
    /// The time of everything in it.
    pub time: Time,
}

impl Image<'_> {
    /// Writes the image. Returns the sizes of its layers, compressed, with what each holds.
    ///
    /// # Errors
    /// When a file cannot be read, the base is none, or the image cannot be written.
    pub fn write(
        &self,
        target: &mut Target,
        progress: Progress<'_>,
    ) -> Result<Vec<(String, u64)>, PackageError> {
        let mut blobs: Vec<(String, Blob)> = Vec::new();
        if let Some(base) = self.base {
            progress("image: the base");
            blobs.push(("base".to_owned(), base.blob(target, self.time)?));
        }
        progress("image: the runtime");
        let mut layer = Layer::new(target, self.time)?;
        layer.folders(RUNTIME)?;
        layer.entries(RUNTIME, &self.runtime.entries, progress)?;
        if self.runtime.entries.iter().all(|entry| entry.name != "bootstrap") {
            layer.link(&format!("{RUNTIME}/bootstrap"), "bin/trine")?;
        }
        blobs.push((format!("/{RUNTIME}"), layer.finish()?));
        for contents in self.layers {
            let mut layer = Layer::new(target, self.time)?;
            layer.folders(LAYERS)?;
            layer.entries(LAYERS, &contents.entries, progress)?;
            blobs.push((format!("/{LAYERS}"), layer.finish()?));
        }
        let mut layer = Layer::new(target, self.time)?;
        layer.folder("tmp", 0o1777)?;
        layer.folders(LAYERS)?;
        layer.folders(TASK)?;
        layer.entries(TASK, self.entries, progress)?;
        blobs.push((format!("/{TASK}"), layer.finish()?));
        progress("image: putting it together");
        self.assemble(target, &mut blobs)?;
        Ok(blobs.into_iter().map(|(what, blob)| (what, blob.size)).collect())
    }

    /// Writes the layout: descriptions first, then the blobs in the order of their names.
    fn assemble(
        &self,
        target: &mut Target,
        blobs: &mut [(String, Blob)],
    ) -> Result<(), PackageError> {
        let config = self.config(blobs).to_string();
        let mut config = Blob::of_bytes(config.as_bytes(), target)?;
        let layers: Vec<Value> = blobs
            .iter()
            .map(|(_, blob)| blob.described("application/vnd.oci.image.layer.v1.tar+gzip"))
            .collect();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": config.described("application/vnd.oci.image.config.v1+json"),
            "layers": layers,
        });
        let mut manifest = Blob::of_bytes(manifest.to_string().as_bytes(), target)?;
        let mut described = manifest.described("application/vnd.oci.image.manifest.v1+json");
        described["annotations"] = json!({"org.opencontainers.image.ref.name": "latest"});
        described["platform"] = json!({"architecture": architecture(), "os": "linux"});
        let index = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.index.v1+json",
            "manifests": [described],
        });
        let mut all: Vec<&mut Blob> = blobs.iter_mut().map(|(_, blob)| blob).collect();
        all.extend([&mut config, &mut manifest]);
        all.sort_by(|a, b| a.digest.cmp(&b.digest));
        // The same layer twice is one blob.
        all.dedup_by(|a, b| a.digest == b.digest);
        let written = write_layout(target.file(), &index.to_string(), all, self.time);
        written.map_err(|error| target.failed(error))
    }

    fn config(&self, blobs: &[(String, Blob)]) -> Value {
        let time = self.time.text();
        let mut variables = vec![
            "PATH=/var/runtime/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin".to_owned(),
            "LD_LIBRARY_PATH=/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
                .to_owned(),
            "LANG=en_US.UTF-8".to_owned(),
            "TZ=:/etc/localtime".to_owned(),
            format!("LAMBDA_TASK_ROOT=/{TASK}"),
            format!("LAMBDA_RUNTIME_DIR=/{RUNTIME}"),
        ];
        let mut config = json!({
            "WorkingDir": format!("/{TASK}"),
            "Entrypoint": [format!("/{RUNTIME}/bootstrap")],
            "Cmd": [self.command],
        });
        if self.serve {
            variables.push(format!("PORT={PORT}"));
            config["Entrypoint"] =
                json!([format!("/{RUNTIME}/bin/trine"), "serve", "--host", "0.0.0.0"]);
            config["ExposedPorts"][format!("{PORT}/tcp")] = json!({});
            // Lambda chooses a user itself; a server needs nothing of root's.
            config["User"] = json!("65532:65532");
        }
        config["Env"] = json!(variables);
        let history: Vec<Value> = blobs
            .iter()
            .map(|(what, _)| json!({"created": time, "created_by": format!("trine package: {what}")}))
            .collect();
        let ids: Vec<String> =
            blobs.iter().map(|(_, blob)| format!("sha256:{}", blob.unpacked_digest)).collect();
        json!({
            "created": time,
            "architecture": architecture(),
            "os": "linux",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": ids},
            "history": history,
        })
    }
}

/// Writes the files of a layout: descriptions first, then the blobs.
fn write_layout(file: &mut File, index: &str, blobs: Vec<&mut Blob>, time: Time) -> io::Result<()> {
    let header = |size: u64| {
        let mut header = tar::Header::new_gnu();
        header.set_size(size);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(time.seconds());
        header
    };
    let mut tar = tar::Builder::new(BufWriter::with_capacity(1 << 20, file));
    for (name, text) in [("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#), ("index.json", index)]
    {
        tar.append_data(&mut header(text.len() as u64), name, text.as_bytes())?;
    }
    for blob in blobs {
        blob.file.rewind()?;
        let name = format!("blobs/sha256/{}", blob.digest);
        tar.append_data(&mut header(blob.size), name, &mut blob.file)?;
    }
    tar.into_inner()?.flush()
}

/// Returns this machine's name, as images use it.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
