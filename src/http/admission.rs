//! Who is let in: whether a request may reach its function.

use super::{
    auth::Refused, format::EventFormat, response::Reply, scaleway::Denied, service::Service,
};
use http::request::Parts;
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};
use trine_engine::Level;

impl Service {
    /// Lets a request in, or answers it. Returns what its event tells of the caller, where a token has told.
    pub(super) async fn let_in(&self, index: usize, parts: &Parts) -> Result<Option<Value>, Reply> {
        let Some(function) = self.site.functions().get(index) else { return Ok(None) };
        let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let refused = |level, why: &str| {
            let line = format!("function '{}': a request is not let in: {why}", function.name);
            self.log.line(level, &line, &[]);
        };
        if let Some(auth) = &function.auth {
            return auth.check(&parts.headers, now()).await.map(Some).map_err(|why| {
                match &why {
                    Refused::NoToken => refused(Level::Debug, "it has no token"),
                    Refused::Invalid(why) => refused(Level::Debug, why),
                    Refused::Scope(_) => refused(Level::Debug, "its token has none of the scopes"),
                    Refused::Unavailable(why) => refused(Level::Error, why),
                }
                why.reply(&parts.method)
            });
        }
        if self.format(index) != EventFormat::Scaleway {
            return Ok(None);
        }
        let admitted = self.options.scaleway.access.check(&parts.headers, now());
        admitted.map(|()| None).map_err(|why| {
            match &why {
                Denied::NoToken => refused(Level::Debug, "it has no token"),
                Denied::NoKey => refused(Level::Error, "there is no key to check tokens with"),
                Denied::Invalid(why) => refused(Level::Debug, why),
                Denied::Forbidden => refused(Level::Debug, "its token is for something else"),
            }
            why.reply(&parts.method)
        })
    }
}
