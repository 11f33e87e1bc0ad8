//! V8's code cache of a function's modules, and what was found out about the CommonJS modules among them: in a folder
//! that the user has set aside for it, so that a start need not parse again what an earlier one has parsed.
//!
//! There is one file for each handler or middleware. Its entries are looked up by the content of the sources alone, so
//! a cache made in one place works in another. Nothing in a file is used unless the whole file is intact and was
//! written by the same build for the same source: V8 itself checks only the source's length, and trusts what it reads.

use crate::{commonjs, isolate::Snapshot, loader::Tracker, transpile::Parser};
use deno_media_type::MediaType;
use deno_resolver::cjs::analyzer::{
    DenoCjsAnalysis, ModuleExportAnalyzer as _, NodeAnalysisCache, NodeAnalysisCacheSourceHash,
};
use deno_runtime::deno_core::{ModuleSpecifier, v8};
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use trine_engine::Module;

/// The variable that names the folder.
const VARIABLE: &str = "TRINE_CODE_CACHE";
/// The folder in the task root that is used where the variable is not set and the folder exists.
pub(crate) const FOLDER: &str = ".trine-cache";
/// Maximum size of a file in bytes.
const LIMIT: usize = 64 << 20;
const MAGIC: &[u8; 8] = b"trine js";
const HEADER: usize = 24;

/// The form that a source is compiled as. The same text compiles to different code in another form.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Module = 1,
    Function = 2,
    Analysis = 3,
}

/// The code caches of an instance.
#[derive(Default)]
pub(crate) struct CodeCache(Mutex<Files>);

#[derive(Default)]
struct Files {
    all: Vec<CacheFile>,
    /// Number of the one that belongs to the module that was loaded last.
    current: usize,
}

/// The place of an entry: the number of its file, and the hash of the source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    file: usize,
    pub(crate) hash: u64,
}

/// The cache of one handler or middleware.
struct CacheFile {
    path: PathBuf,
    stamp: u64,
    entries: HashMap<u64, Vec<u8>>,
    /// Whether it could be written; unknown before the first miss.
    writable: Option<bool>,
    changed: bool,
}

impl CodeCache {
    /// Begins the load of a module and whatever it imports.
    pub(crate) fn begin(&self, module: &Module, snapshot: Snapshot) {
        let Some(folder) = folder(&module.root) else { return };
        let inside = module.path.strip_prefix(&module.root).unwrap_or(&module.path);
        let stem = inside.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let stamp = snapshot.id();
        let place = hash(inside.as_os_str().as_encoded_bytes(), snapshot as u64);
        let path = folder.join(format!("{stem}-{place:016x}.js-cache"));
        let mut files = self.files();
        files.current = match files.all.iter().position(|file| file.path == path) {
            Some(known) => known,
            None => {
                let entries = fs::read(&path).ok().and_then(|bytes| read(&bytes, stamp));
                let entries = entries.unwrap_or_default();
                files.all.push(CacheFile { path, stamp, entries, writable: None, changed: false });
                files.all.len() - 1
            }
        };
    }

    /// Returns where the code of an ES module belongs; `None` where there is no cache.
    pub(crate) fn of_module(&self, text: &str) -> Option<Slot> {
        let file = self.files().current()?;
        Some(Slot { file, hash: hash(text.as_bytes(), Kind::Module as u64) })
    }

    /// Does the same for the text of a CommonJS module.
    pub(crate) fn of_function(
        &self,
        isolate: &mut v8::Isolate,
        text: v8::Local<'_, v8::String>,
    ) -> Option<Slot> {
        let file = self.files().current()?;
        let seed = Kind::Function as u64;
        let hash = match v8::ValueView::new(isolate, text).data() {
            v8::ValueViewData::OneByte(bytes) => hash(bytes, seed),
            v8::ValueViewData::TwoByte(units) => hash_wide(units, seed),
        };
        Some(Slot { file, hash })
    }

    /// Returns what V8 made of a source earlier.
    pub(crate) fn get(&self, hash: u64) -> Option<Vec<u8>> {
        self.files().all.iter().rev().find_map(|file| file.entries.get(&hash).cloned())
    }

    /// Keeps an entry until it is written.
    pub(crate) fn add(&self, slot: Slot, data: &[u8]) {
        if let Some(file) = self.files().all.get_mut(slot.file) {
            file.entries.insert(slot.hash, data.to_vec());
            file.changed = true;
        }
    }

    /// Replaces an entry that V8 has rejected.
    pub(crate) fn replace(&self, hash: u64, data: &[u8]) {
        let file = self.files().all.iter().position(|file| file.entries.contains_key(&hash));
        if let Some(file) = file {
            self.add(Slot { file, hash }, data);
        }
    }

    /// Whether new entries could be written.
    pub(crate) fn can_be_added_to(&self) -> bool {
        let mut files = self.files();
        let current = files.current;
        files.all.get_mut(current).is_some_and(CacheFile::is_writable)
    }

    /// Writes new entries. Those that cannot be written are made again by the next process.
    pub(crate) fn write(&self) {
        for file in self.files().all.iter_mut().filter(|file| file.changed) {
            file.changed = false;
            let bytes = file.bytes();
            let part = file.part();
            // Readers find either the old file or the complete new one.
            if fs::write(&part, bytes).and_then(|()| fs::rename(&part, &file.path)).is_err() {
                let _ = fs::remove_file(part);
            }
        }
    }

    fn files(&self) -> MutexGuard<'_, Files> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files {
    fn current(&self) -> Option<usize> {
        (!self.all.is_empty()).then_some(self.current)
    }
}

impl CacheFile {
    /// Returns the name that the file has while it is being written.
    fn part(&self) -> PathBuf {
        self.path.with_extension(format!("{}.part", std::process::id()))
    }

    fn is_writable(&mut self) -> bool {
        let part = self.part();
        *self.writable.get_or_insert_with(|| {
            let _ = part.parent().map(fs::create_dir_all);
            let created = fs::write(&part, []).is_ok();
            let _ = fs::remove_file(part);
            created
        })
    }

    fn bytes(&self) -> Vec<u8> {
        let mut body = Vec::new();
        // In an order of their own, so that the same entries make the same file.
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(|(hash, _)| **hash);
        for (hash, data) in entries {
            if body.len() + data.len() > LIMIT {
                continue;
            }
            body.extend_from_slice(&hash.to_le_bytes());
            body.extend_from_slice(&(data.len() as u64).to_le_bytes());
            body.extend_from_slice(data);
        }
        let mut bytes = Vec::with_capacity(HEADER + body.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.stamp.to_le_bytes());
        bytes.extend_from_slice(&hash(&body, self.stamp).to_le_bytes());
        bytes.append(&mut body);
        bytes
    }
}

/// Reads the entries of a file, if it is intact and of this build.
fn read(bytes: &[u8], stamp: u64) -> Option<HashMap<u64, Vec<u8>>> {
    let (header, mut body) = bytes.split_at_checked(HEADER)?;
    let (magic, numbers) = header.split_at(MAGIC.len());
    if magic != MAGIC || number(numbers)? != stamp || number(&numbers[8..])? != hash(body, stamp) {
        return None;
    }
    let mut entries = HashMap::new();
    while !body.is_empty() {
        let (head, rest) = body.split_at_checked(16)?;
        let length = usize::try_from(number(&head[8..])?).ok()?;
        let (data, rest) = rest.split_at_checked(length)?;
        entries.insert(number(head)?, data.to_vec());
        body = rest;
    }
    Some(entries)
}

fn number(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.first_chunk()?))
}

fn folder(root: &Path) -> Option<PathBuf> {
    if let Some(folder) = std::env::var_os(VARIABLE) {
        return (!folder.is_empty()).then(|| PathBuf::from(folder));
    }
    Some(root.join(FOLDER)).filter(|folder| folder.is_dir())
}

/// Hashes bytes.
fn hash(bytes: &[u8], seed: u64) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let words = words.iter().chain([&last]).map(|word| u64::from_le_bytes(*word));
    hash_words(words, bytes.len(), seed)
}

/// Hashes a text of V8's.
fn hash_wide(units: &[u16], seed: u64) -> u64 {
    let (words, rest) = units.as_chunks::<4>();
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    let word = |units: &[u16; 4]| units.iter().fold(0, |word, unit| word << 16 | u64::from(*unit));
    hash_words(words.iter().chain([&last]).map(word), units.len(), seed)
}

/// Hashes words. The hash need not be secure, for whoever can write the cache can write the function; but it must be
/// fast, as it covers every source on the way to the first invocation.
fn hash_words(words: impl Iterator<Item = u64>, length: usize, seed: u64) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mix = |state: u64, word: u64| {
        let product = u128::from(state ^ word) * u128::from(FACTOR);
        (product as u64) ^ (product >> 64) as u64
    };
    let (state, before) = words.fold((seed, length as u64), |(state, before), word| {
        // With the state before, no word can wipe out what came earlier.
        (mix(state, word).wrapping_add(before.rotate_left(23)), state)
    });
    mix(mix(state, FACTOR), before)
}

/// The exports of CommonJS modules, for the ES modules that import them: finding them takes a parser.
pub(crate) struct Analyses {
    cache: Arc<CodeCache>,
    tracker: Tracker,
    /// The source that the next question is about.
    source: Mutex<Option<Arc<str>>>,
}

impl Analyses {
    pub(crate) fn new(cache: Arc<CodeCache>, tracker: Tracker) -> Self {
        Self { cache, tracker, source: Mutex::default() }
    }

    /// Analyses ordinary CommonJS. Deno's own way leads over another thread, whose heap must grow page by page.
    fn analyze(&self, url: &ModuleSpecifier, source: Arc<str>) -> Option<DenoCjsAnalysis> {
        let media_type = MediaType::from_specifier(url);
        let javascript = matches!(media_type, MediaType::JavaScript | MediaType::Cjs);
        if !javascript || !self.tracker.is_maybe_cjs(url, media_type).ok()? {
            return None;
        }
        if let Some(found) = commonjs::exports_of(&source)
            && self.tracker.is_cjs_with_known_is_script(url, media_type, true).ok()?
        {
            return Some(DenoCjsAnalysis::Cjs(found));
        }
        let parsed = Parser.parse_module(url.clone(), media_type, source).ok()?;
        let is_script = parsed.compute_is_script();
        let tracker = &self.tracker;
        let is_commonjs = tracker.is_cjs_with_known_is_script(url, media_type, is_script).ok()?;
        is_commonjs.then(|| DenoCjsAnalysis::Cjs(parsed.analyze_cjs()))
    }

    /// Makes the key of an analysis: it depends on the source, and on what the file's name and package say about it.
    fn key(&self, url: &ModuleSpecifier, hash_of_source: u64) -> u64 {
        let media_type = MediaType::from_specifier(url);
        let maybe_commonjs = self.tracker.is_maybe_cjs(url, media_type).unwrap_or(false);
        hash(format!("{media_type:?} {maybe_commonjs}").as_bytes(), hash_of_source)
    }
}

impl NodeAnalysisCache for Analyses {
    fn compute_source_hash(&self, source: &str) -> NodeAnalysisCacheSourceHash {
        let text = Some(Arc::from(source));
        *self.source.lock().unwrap_or_else(PoisonError::into_inner) = text;
        NodeAnalysisCacheSourceHash(match self.cache.files().current() {
            None => 0,
            Some(_) => hash(source.as_bytes(), Kind::Analysis as u64),
        })
    }

    fn get_cjs_analysis(
        &self,
        url: &ModuleSpecifier,
        hash: NodeAnalysisCacheSourceHash,
    ) -> Option<DenoCjsAnalysis> {
        let source = self.source.lock().unwrap_or_else(PoisonError::into_inner).take();
        let known = (hash.0 != 0).then(|| self.cache.get(self.key(url, hash.0))).flatten();
        if let Some(analysis) = known.and_then(|text| serde_json::from_slice(&text).ok()) {
            return Some(analysis);
        }
        let analysis = self.analyze(url, source?)?;
        self.set_cjs_analysis(url, hash, &analysis);
        Some(analysis)
    }

    fn set_cjs_analysis(
        &self,
        url: &ModuleSpecifier,
        hash: NodeAnalysisCacheSourceHash,
        analysis: &DenoCjsAnalysis,
    ) {
        let file = self.cache.files().current();
        if let Some(file) = file
            && hash.0 != 0
            && self.cache.can_be_added_to()
            && let Ok(text) = serde_json::to_vec(analysis)
        {
            self.cache.add(Slot { file, hash: self.key(url, hash.0) }, &text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_a_whole_or_not_at_all() {
        let entries = HashMap::from([(1, b"one".to_vec()), (2, Vec::new())]);
        let path = PathBuf::new();
        let file =
            CacheFile { path, stamp: 7, entries: entries.clone(), writable: None, changed: true };
        let bytes = file.bytes();
        assert_eq!(read(&bytes, 7), Some(entries));
        assert_eq!(read(&bytes, 8), None, "of another build");
        for length in 0..bytes.len() {
            assert_eq!(read(&bytes[..length], 7), None, "cut off after {length} bytes");
        }
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 0x10;
            assert_eq!(read(&changed, 7), None, "changed at {place}");
        }
    }

    #[test]
    fn every_part_of_a_source_counts() {
        let mut numbers = std::collections::HashSet::new();
        for length in 0..40 {
            assert!(numbers.insert(hash(&vec![0; length], 1)));
            for place in 0..length {
                let mut bytes = vec![0; length];
                bytes[place] = 1;
                assert!(numbers.insert(hash(&bytes, 1)), "{place} of {length}");
                assert!(numbers.insert(hash(&bytes, 2)), "{place} of {length}");
            }
        }
        assert_ne!(hash_wide(&[1, 2, 3, 4, 5], 1), hash_wide(&[1, 2, 3, 5, 4], 1));
        assert_ne!(hash_wide(&[1, 0], 1), hash_wide(&[1], 1));
    }
}
