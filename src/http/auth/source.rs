//! Where the keys of an issuer come from: fixed, a file, or a URL. Issuers exchange their keys from time to time, so that
//! files and URLs are looked at again.

use super::{fetch, keys::KeySet};
use crate::worker::spawn_beside;
use http::Uri;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant, SystemTime},
};
use tokio::{sync::watch, time};

/// Time between two looks at whether a file has changed.
const FILE_PAUSE: Duration = Duration::from_secs(1);
/// Time for which keys from a URL are taken to be those of the issuer, where its answer does not say.
const FRESH: Duration = Duration::from_secs(300);
/// The shortest and the longest such time.
const FRESH_RANGE: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(86_400));
/// Time for which keys are used beyond that while no newer ones can be had.
const STALE: Duration = Duration::from_secs(3600);
/// Time between two requests to a URL, whatever tokens ask for.
const URL_PAUSE: Duration = Duration::from_secs(5);
/// Time for which a request waits for keys.
const PATIENCE: Duration = Duration::from_secs(15);

/// The source of keys.
#[derive(Debug)]
pub(super) enum Source {
    /// Keys that do not change.
    Fixed(Arc<KeySet>),
    /// A set of JSON Web Keys in a file.
    File(Box<FileSource>),
    /// The same behind a URL.
    Url(Arc<UrlSource>),
}

/// There are no keys, for this reason.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unavailable(pub(super) String);

impl Source {
    /// Makes the source of a set of JSON Web Keys, in a file of `folder` or behind a URL. A file is read at once.
    ///
    /// # Errors
    /// The reason why it is none.
    pub(super) fn of_set(place: &str, folder: &Path) -> Result<Self, String> {
        if place.starts_with("http://") || place.starts_with("https://") {
            let url: Uri = place.parse().map_err(|error| format!("it is no URL: {error}"))?;
            if url.host().is_none_or(str::is_empty) {
                return Err("it is no URL: it names no host".to_owned());
            }
            let news = watch::Sender::default();
            return Ok(Self::Url(Arc::new(UrlSource { url, state: Mutex::default(), news })));
        }
        if place.contains("://") {
            return Err("keys come from a file, http:// or https://".to_owned());
        }
        let path = folder.join(place);
        let modified = modified(&path);
        let keys = Arc::new(read(&path)?);
        let state = FileState { keys, modified, looked: Instant::now() };
        Ok(Self::File(Box::new(FileSource { path, state: Mutex::new(state) })))
    }

    /// Returns the keys for a token that names this one, newer ones if it is not among them.
    pub(super) async fn find(&self, id: Option<&str>) -> Result<Arc<KeySet>, Unavailable> {
        match self {
            Self::Fixed(keys) => Ok(keys.clone()),
            Self::File(file) => Ok(file.find(id)),
            Self::Url(url) => url.find(id).await,
        }
    }
}

/// A set of JSON Web Keys in a file.
#[derive(Debug)]
pub(super) struct FileSource {
    path: PathBuf,
    state: Mutex<FileState>,
}

#[derive(Debug)]
struct FileState {
    keys: Arc<KeySet>,
    modified: Option<SystemTime>,
    looked: Instant,
}

impl FileSource {
    fn find(&self, id: Option<&str>) -> Arc<KeySet> {
        let mut state = locked(&self.state);
        if !state.keys.has(id) || state.looked.elapsed() > FILE_PAUSE {
            state.looked = Instant::now();
            let modified = modified(&self.path);
            // One that is half written keeps the keys from before; the next look comes soon.
            if modified != state.modified
                && let Ok(keys) = read(&self.path)
            {
                state.keys = Arc::new(keys);
                state.modified = modified;
            }
        }
        state.keys.clone()
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|facts| facts.modified()).ok()
}

fn read(path: &Path) -> Result<KeySet, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("it cannot be read: {error}"))?;
    KeySet::of_json(&text)
}

/// A set of JSON Web Keys behind a URL.
#[derive(Debug)]
pub(super) struct UrlSource {
    url: Uri,
    state: Mutex<UrlState>,
    /// Changes whenever a request to the URL has ended.
    news: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct UrlState {
    keys: Option<Arc<KeySet>>,
    fresh_until: Option<Instant>,
    /// The time at which the last request to the URL began.
    asked: Option<Instant>,
    is_asking: bool,
    /// The reason why the last request failed.
    problem: Option<String>,
}

/// What is known of the keys at an instant.
enum Look {
    Keys(Arc<KeySet>),
    Soon,
    Never(String),
}

impl UrlSource {
    async fn find(self: &Arc<Self>, id: Option<&str>) -> Result<Arc<KeySet>, Unavailable> {
        let mut news = self.news.subscribe();
        let found = async {
            loop {
                match self.look(id) {
                    Look::Keys(keys) => return Ok(keys),
                    Look::Never(why) => return Err(Unavailable(why)),
                    Look::Soon => {}
                }
                // The sender lives as long as this source.
                let _ = news.changed().await;
            }
        };
        let in_time = time::timeout(PATIENCE, found).await;
        in_time.unwrap_or_else(|_| {
            Err(Unavailable(format!("{} has not answered in {} s", self.url, PATIENCE.as_secs())))
        })
    }

    fn look(self: &Arc<Self>, id: Option<&str>) -> Look {
        let mut state = locked(&self.state);
        let now = Instant::now();
        let age = state.fresh_until.map(|until| now.saturating_duration_since(until));
        let keys = state.keys.clone().filter(|_| age.is_some_and(|age| age < STALE));
        let is_fresh = age == Some(Duration::ZERO);
        let is_known = keys.as_ref().is_some_and(|keys| keys.has(id));
        let is_enough = is_known && is_fresh;
        let may_ask = state.asked.is_none_or(|asked| now.duration_since(asked) >= URL_PAUSE);
        if !is_enough && !state.is_asking && may_ask {
            state.asked = Some(now);
            state.is_asking = true;
            self.ask(&mut state);
        }
        match keys {
            Some(keys) if is_known || !state.is_asking => Look::Keys(keys),
            _ if state.is_asking => Look::Soon,
            _ => Look::Never(state.problem.clone().unwrap_or_else(|| "no keys have come".into())),
        }
    }

    /// Asks the URL, on a thread of its own: a worker's may be busy with a function.
    fn ask(self: &Arc<Self>, state: &mut UrlState) {
        let source = self.clone();
        let asking = spawn_beside("trine-keys", move || {
            let answer = fetch::get(&source.url).and_then(|fetched| {
                KeySet::of_json(&fetched.text).map(|keys| (keys, fetched.max_age))
            });
            source.hear(answer);
        });
        if let Err(error) = asking {
            state.is_asking = false;
            state.problem = Some(format!("no thread could be started: {error}"));
        }
    }

    fn hear(&self, answer: Result<(KeySet, Option<Duration>), String>) {
        let mut state = locked(&self.state);
        state.is_asking = false;
        match answer {
            Ok((keys, max_age)) => {
                let fresh = max_age.unwrap_or(FRESH).clamp(FRESH_RANGE.0, FRESH_RANGE.1);
                state.keys = Some(Arc::new(keys));
                state.fresh_until = Some(Instant::now() + fresh);
                state.problem = None;
            }
            Err(why) => state.problem = Some(format!("{}: {why}", self.url)),
        }
        drop(state);
        self.news.send_modify(|number| *number += 1);
    }
}

/// Locks what a thread that has panicked leaves as it is: every change here is whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
