//! A function that another program has loaded.

use super::{
    call::{Answer, AnswerStream, Call},
    thread::{Job, Jobs, Reply},
};
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;
use tokio::sync::oneshot;
use trine_engine::{Error, ErrorKind, ResponseStream, Result};

/// A function that a [`Runtime`](super::Runtime) has loaded. Cheap to clone, and usable from any thread.
#[derive(Debug, Clone)]
pub struct Handler {
    jobs: Arc<Jobs>,
    function: usize,
}

impl Handler {
    pub(super) fn new(jobs: Arc<Jobs>, function: usize) -> Self {
        Self { jobs, function }
    }

    /// Invokes the function with a value and returns its answer as one: a `serde_json::Value`, or types of the caller's.
    ///
    /// Whoever drops this future before its turn takes the invocation back; what has begun goes on to its end.
    ///
    /// # Errors
    /// What the handler or a hook raised, with its name, message and places in the user's files;
    /// [`ErrorKind::Unmarshal`] when the event has no JSON form; [`ErrorKind::Marshal`] when the answer is not a `T`;
    /// [`ErrorKind::Timeout`] and [`ErrorKind::OutOfMemory`] at the limits.
    pub async fn invoke<T: DeserializeOwned>(
        &self,
        event: &(impl Serialize + ?Sized),
    ) -> Result<T> {
        let event = serde_json::to_vec(event).map_err(|error| {
            Error::new(ErrorKind::Unmarshal, format!("the event has no JSON form: {error}"))
        })?;
        self.call(Call::json(event)).await?.json()
    }

    /// Invokes the function and returns its whole answer, as bytes. What it streams is collected.
    ///
    /// # Errors
    /// As [`Handler::invoke`].
    pub async fn call(&self, call: Call) -> Result<Answer> {
        match self.reply(call).await? {
            (Reply::Whole(body, content_type), _) => Ok(Answer::whole(body, content_type)),
            (Reply::Streamed(head), stream) => {
                AnswerStream::streamed(head, stream.reader()).collect().await
            }
        }
    }

    /// Invokes the function and returns its answer when it begins, to be read while it is made.
    ///
    /// # Errors
    /// As [`Handler::invoke`], for what fails before the first piece.
    pub async fn stream(&self, call: Call) -> Result<AnswerStream> {
        Ok(match self.reply(call).await? {
            (Reply::Whole(body, content_type), _) => {
                AnswerStream::of_whole(body, content_type.to_owned())
            }
            (Reply::Streamed(head), stream) => AnswerStream::streamed(head, stream.reader()),
        })
    }

    async fn reply(&self, call: Call) -> Result<(Reply, ResponseStream)> {
        let (answer, answered) = oneshot::channel();
        let stream = ResponseStream::default();
        let job = Job::Call { function: self.function, call, stream: stream.clone(), answer };
        self.jobs.send(job)?;
        let reply = self.jobs.unless_lost(answered).await?;
        Ok((reply, stream))
    }
}
