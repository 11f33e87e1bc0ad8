//! The Runtime API's endpoints around invocations: next, init/error, restore/next and restore/error.

use super::{
    answers::ErrorPost,
    body::{self, ReplyBody},
    refusal::Refusal,
    server::{accepted, refused},
    shared::Shared,
    state::{Delivery, Next, Phase},
    violation::rule,
};
use http::{HeaderName, HeaderValue, Request, Response};
use hyper::body::Incoming;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Waits for an event, without limit.
pub(super) async fn next(shared: &Arc<Shared>) -> Response<ReplyBody> {
    let mut breaches = Vec::new();
    shared.refill();
    let next = shared.with_state(|state| state.next(&mut breaches));
    if !breaches.is_empty() {
        shared.record(breaches);
    }
    shared.polled.send_if_modified(|polled| !std::mem::replace(polled, true));
    let delivery = match next {
        Err(refusal) => return refused(&refusal),
        Ok(Next::Deliver(delivery)) => delivery,
        Ok(Next::Wait(receiver)) => {
            let mut waiting = Waiting { shared, receiver, is_over: false };
            let received = (&mut waiting.receiver).await;
            waiting.is_over = true;
            match received {
                Ok(delivery) => delivery,
                Err(_) => return refused(&Refusal::transition(Phase::Started, Phase::Ready)),
            }
        }
    };
    render(shared, &delivery)
}

/// A waiting poller. If it goes away with an event that it was just given, the event goes back to the queue.
struct Waiting<'a> {
    shared: &'a Shared,
    receiver: oneshot::Receiver<Box<Delivery>>,
    is_over: bool,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        self.receiver.close();
        if let Ok(delivery) = self.receiver.try_recv() {
            self.shared.with_state(|state| state.take_back(*delivery));
        }
    }
}

/// Renders an event with its headers. Those with an empty value are left out, as the platform does.
fn render(shared: &Shared, delivery: &Delivery) -> Response<ReplyBody> {
    let event = &delivery.event;
    let mut reply = Response::new(ReplyBody::full(event.body.clone()));
    let headers = reply.headers_mut();
    headers.reserve(10);
    let mut set = |name: &'static str, value: Option<&str>| {
        if let Some(value) = value.filter(|value| !value.is_empty())
            && let Ok(value) = HeaderValue::from_bytes(value.as_bytes())
        {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    let content_type = event.content_type.as_deref().unwrap_or("application/json");
    let own_arn;
    let arn = match event.invoked_function_arn.as_deref() {
        Some(arn) => arn,
        None => {
            own_arn = shared.options.function_arn();
            &own_arn
        }
    };
    let client_context = event.client_context.as_deref().map(one_line);
    let identity = event.identity.as_deref().map(one_line);
    set("content-type", Some(content_type));
    set("lambda-runtime-aws-request-id", Some(&delivery.request_id));
    set("lambda-runtime-deadline-ms", Some(&delivery.deadline_ms.to_string()));
    set("lambda-runtime-invoked-function-arn", Some(arn));
    set("lambda-runtime-trace-id", event.trace_id.as_deref());
    set("lambda-runtime-client-context", client_context.as_deref());
    set("lambda-runtime-cognito-identity", identity.as_deref());
    set("lambda-runtime-aws-tenant-id", event.tenant_id.as_deref());
    set("lambda-runtime-invocation-id", delivery.invocation_id.as_deref());
    for (name, value) in &event.headers {
        headers.remove(name);
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value))
            && !value.is_empty()
        {
            headers.insert(name, value);
        }
    }
    reply
}

/// Makes JSON text fit a header: line ends and other control characters can only stand between its tokens.
fn one_line(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}

/// Records that the runtime could not start. Only before the first `/next`, only once.
pub(super) async fn init_error(
    shared: &Arc<Shared>,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    let from = shared.with_state(|state| state.phase);
    match from {
        Phase::Started | Phase::Restoring => {}
        Phase::InitError if shared.options.is_concurrent() => {}
        Phase::InitError => {
            shared.record(vec![(rule::INIT_ERROR_TWICE, "a second init/error".into())]);
        }
        other => {
            let detail = format!("init/error in state {}", other.name());
            shared.record(vec![(rule::INIT_ERROR_LATE, detail)]);
        }
    }
    fail(shared, request, &[Phase::Started, Phase::Restoring]).await
}

/// Blocks until the restore, which the first event starts. The path exists only with SnapStart.
pub(super) async fn restore_next(shared: &Arc<Shared>) -> Response<ReplyBody> {
    if !shared.options.snap_start {
        return refused(&Refusal::not_found("/runtime/restore/next outside of SnapStart"));
    }
    match shared.with_state(super::state::State::restore_next) {
        Ok(restored) => match restored.await {
            Ok(()) => Response::new(ReplyBody::Full(None)),
            Err(_) => refused(&Refusal::transition(Phase::Started, Phase::Restoring)),
        },
        Err(refusal) => {
            let detail = format!("/restore/next: {}", refusal.message);
            shared.record(vec![(rule::RESTORE_STATE, detail)]);
            refused(&refusal)
        }
    }
}

/// Records that a hook failed after the restore.
pub(super) async fn restore_error(
    shared: &Arc<Shared>,
    request: Request<Incoming>,
) -> Response<ReplyBody> {
    if !shared.options.snap_start {
        body::drain(request.into_body()).await;
        return refused(&Refusal::not_found("/runtime/restore/error outside of SnapStart"));
    }
    let from = shared.with_state(|state| state.phase);
    if from != Phase::Restoring {
        let detail = format!("/restore/error in state {}", from.name());
        shared.record(vec![(rule::RESTORE_STATE, detail)]);
    }
    fail(shared, request, &[Phase::Restoring]).await
}

/// Accepts an error document that ends the start, if the state is one of `allowed`.
async fn fail(
    shared: &Arc<Shared>,
    request: Request<Incoming>,
    allowed: &[Phase],
) -> Response<ReplyBody> {
    let post = match ErrorPost::read(shared, request).await {
        Ok(post) => post,
        Err(refusal) => return refused(&refusal),
    };
    let taken = shared.with_state(|state| {
        if allowed.contains(&state.phase) {
            state.fail_init(post.into_failure());
            Ok(())
        } else {
            Err(Refusal::transition(state.phase, Phase::InitError))
        }
    });
    match taken {
        Ok(()) => accepted(),
        Err(refusal) => refused(&refusal),
    }
}
