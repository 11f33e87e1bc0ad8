//! Requests for whose function there is no room, and what they get.

use super::{
    error::{hidden, refusal},
    options::ErrorDetail,
    queue::{Admission, Full},
    response::Reply,
    service::{RETRY_AFTER, Service},
    site::ServedFunction,
};
use http::{Method, StatusCode, header};

impl Service {
    /// Admits a request to a function, if it has a place or may wait for one.
    pub(super) fn take_place(&self, index: usize) -> Result<Admission, Full> {
        let admitted = self.functions.admit(index);
        if let (Err(Full), Some(metrics)) = (&admitted, &self.shared.metrics) {
            metrics.failed(index, "Server.Busy");
        }
        admitted
    }

    /// Returns the answer to a request that would have to wait behind as many as may.
    pub(super) fn busy(&self, method: &Method, function: &ServedFunction) -> Reply {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let mut reply = match self.options.error_detail {
            ErrorDetail::Hidden => hidden(method, status),
            ErrorDetail::Full => {
                let name = &function.name;
                let message =
                    format!("the function '{name}' is busy, and as many requests wait as may");
                refusal(method, status, &message)
            }
        };
        reply.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        reply
    }
}
