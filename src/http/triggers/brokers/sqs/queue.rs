//! A queue, and all that is asked of it. What goes wrong is told in one line.

use super::http::{Client as HttpClient, causes};
use crate::http::triggers::source::SqsSource;
use aws_config::{
    BehaviorVersion, Region, imds::region::ImdsRegionProvider, meta::region::ProvideRegion,
    profile::ProfileFileRegionProvider, provider_config::ProviderConfig,
};
use aws_sdk_sqs::{
    Client,
    config::ProvideCredentials,
    error::{ProvideErrorMetadata, SdkError},
    types::{
        ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message,
        MessageSystemAttributeName, QueueAttributeName,
    },
};
use std::{env, error::Error, time::Duration};
use tokio::time;

/// The region of services of one's own, where nobody names one.
const ANY_REGION: &str = "us-east-1";
/// Number of attempts at deleting a message, beside those of the SDK.
const DELETIONS: u32 = 5;
/// The pause between two of them.
const PAUSE: Duration = Duration::from_millis(200);

/// A queue.
#[derive(Debug)]
pub(super) struct Queue {
    client: Client,
    url: String,
    pub(super) arn: String,
    pub(super) region: String,
    /// Time for which nobody else gets what was received.
    pub(super) visibility: Duration,
    dead_letter: Option<String>,
}

impl Queue {
    /// Finds the queue that a source names.
    ///
    /// # Errors
    /// The reason why it cannot be used, and what to do.
    pub(super) async fn open(source: &SqsSource) -> Result<Self, String> {
        let http = HttpClient::new()?;
        let region = region(source, &http).await?;
        let loader = aws_config::defaults(BehaviorVersion::latest());
        let config = loader.http_client(http).region(Region::new(region.clone())).load().await;
        check_credentials(&config).await?;
        let mut builder = aws_sdk_sqs::config::Builder::from(&config);
        if let Some(endpoint) = &source.endpoint {
            builder = builder.endpoint_url(endpoint);
        }
        let client = Client::from_conf(builder.build());
        let url = url_of(&client, &source.queue).await?;
        let dead_letter = match &source.delivery.dead_letter {
            Some(queue) => Some(url_of(&client, queue).await?),
            None => None,
        };
        let attributes = client
            .get_queue_attributes()
            .queue_url(&url)
            .attribute_names(QueueAttributeName::QueueArn)
            .attribute_names(QueueAttributeName::VisibilityTimeout)
            .send()
            .await
            .map_err(|error| told("sqs:GetQueueAttributes", &source.queue, &error))?;
        let attribute = |name| attributes.attributes().and_then(|all| all.get(&name));
        let arn = attribute(QueueAttributeName::QueueArn).cloned().unwrap_or_default();
        let own = attribute(QueueAttributeName::VisibilityTimeout);
        let own = own.and_then(|text| text.parse().ok()).unwrap_or(30);
        let visibility = source.visibility.unwrap_or(Duration::from_secs(own));
        // With less, what a function works at would come again before that can be put off.
        let visibility = visibility.max(Duration::from_secs(2));
        let region = arn.split(':').nth(3).filter(|of_arn| !of_arn.is_empty()).unwrap_or(&region);
        Ok(Self { region: region.to_owned(), client, url, arn, visibility, dead_letter })
    }

    /// Waits for messages.
    ///
    /// # Errors
    /// The reason why none can be received.
    pub(super) async fn receive(&self, source: &SqsSource) -> Result<Vec<Message>, String> {
        let received = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(source.batch_size.into())
            .wait_time_seconds(seconds(source.wait))
            .visibility_timeout(seconds(self.visibility))
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
            .await
            .map_err(|error| told("sqs:ReceiveMessage", &source.queue, &error))?;
        Ok(received.messages.unwrap_or_default())
    }

    /// Deletes messages. Returns those that could not be deleted, with the reason.
    pub(super) async fn delete<'m>(&self, messages: &[&'m Message]) -> Vec<(&'m Message, String)> {
        let mut left: Vec<(&Message, String)> =
            messages.iter().map(|message| (*message, String::new())).collect();
        for attempt in 0..DELETIONS {
            if left.is_empty() {
                break;
            }
            if attempt > 0 {
                time::sleep(PAUSE * attempt).await;
            }
            left = self.delete_once(left).await;
        }
        left
    }

    async fn delete_once<'m>(
        &self,
        left: Vec<(&'m Message, String)>,
    ) -> Vec<(&'m Message, String)> {
        let entries = left.iter().enumerate().filter_map(|(index, (message, _))| {
            let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
            entry.receipt_handle(message.receipt_handle().unwrap_or_default()).build().ok()
        });
        let request = self.client.delete_message_batch().queue_url(&self.url);
        let deleted = match request.set_entries(Some(entries.collect())).send().await {
            Ok(deleted) => deleted,
            Err(error) => {
                let why = told("sqs:DeleteMessage", &self.url, &error);
                return left.into_iter().map(|(message, _)| (message, why.clone())).collect();
            }
        };
        let failed = deleted.failed().iter().filter_map(|failed| {
            let (message, _) = left.get(failed.id().parse::<usize>().ok()?)?;
            Some((*message, format!("{}: {}", failed.code(), failed.message().unwrap_or_default())))
        });
        failed.collect()
    }

    /// Lets messages be received again after these times.
    ///
    /// # Errors
    /// The reason why the first of them cannot be.
    pub(super) async fn show_after(&self, messages: &[(&Message, Duration)]) -> Result<(), String> {
        if messages.is_empty() {
            return Ok(());
        }
        let entries = messages.iter().enumerate().filter_map(|(index, (message, pause))| {
            ChangeMessageVisibilityBatchRequestEntry::builder()
                .id(index.to_string())
                .receipt_handle(message.receipt_handle().unwrap_or_default())
                .visibility_timeout(seconds(*pause))
                .build()
                .ok()
        });
        let changed = self
            .client
            .change_message_visibility_batch()
            .queue_url(&self.url)
            .set_entries(Some(entries.collect()))
            .send()
            .await
            .map_err(|error| told("sqs:ChangeMessageVisibility", &self.url, &error))?;
        match changed.failed().first() {
            None => Ok(()),
            Some(failed) => {
                Err(format!("{}: {}", failed.code(), failed.message().unwrap_or_default()))
            }
        }
    }

    /// Whether there is a queue for what has failed for good.
    pub(super) fn has_dead_letter(&self) -> bool {
        self.dead_letter.is_some()
    }

    /// Sends a message to the queue for what has failed for good.
    ///
    /// # Errors
    /// The reason why it cannot be sent.
    pub(super) async fn bury(&self, message: &Message) -> Result<(), String> {
        let Some(url) = &self.dead_letter else { return Ok(()) };
        let attribute = |name| message.attributes().and_then(|all| all.get(&name));
        let request = self
            .client
            .send_message()
            .queue_url(url)
            .message_body(message.body().unwrap_or_default())
            .set_message_attributes(message.message_attributes.clone());
        let request = match url.ends_with(".fifo") {
            true => {
                let id = message.message_id().unwrap_or_default();
                let group = attribute(MessageSystemAttributeName::MessageGroupId);
                request
                    .message_group_id(group.map_or(id, String::as_str))
                    .message_deduplication_id(id)
            }
            false => request,
        };
        let sent = request.send().await;
        sent.map(drop).map_err(|error| told("sqs:SendMessage", url, &error))
    }
}

fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis().div_ceil(1000)).unwrap_or(i32::MAX)
}

/// Returns the region of a source's queue.
async fn region(source: &SqsSource, http: &HttpClient) -> Result<String, String> {
    if let Some(region) = &source.region {
        return Ok(region.clone());
    }
    let has_endpoint = source.endpoint.is_some()
        || ["AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL"].map(env::var).iter().any(Result::is_ok);
    let config = ProviderConfig::default().with_http_client(http.clone());
    let profile = ProfileFileRegionProvider::builder().configure(&config).build();
    let mut region = profile.region().await;
    if region.is_none() && !has_endpoint {
        let machine = ImdsRegionProvider::builder().configure(&config).build();
        region = machine.region().await;
    }
    match region {
        Some(region) => Ok(region.to_string()),
        None if has_endpoint => Ok(ANY_REGION.to_owned()),
        None => Err(format!(
            "the region of the queue {} is not known: set 'region' or AWS_REGION, or name the queue by its URL or ARN",
            source.queue
        )),
    }
}

/// Checks that there are credentials, which requests would tell less clearly.
async fn check_credentials(config: &aws_config::SdkConfig) -> Result<(), String> {
    let none = "there are no credentials for AWS: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name a profile with \
                AWS_PROFILE, or give the machine a role";
    let provider = config.credentials_provider().ok_or(none)?;
    let found = provider.provide_credentials().await;
    found.map(drop).map_err(|error| format!("{none} ({})", causes(&error)))
}

/// Returns the URL of a queue that is named in any way.
async fn url_of(client: &Client, queue: &str) -> Result<String, String> {
    if queue.contains("://") {
        return Ok(queue.to_owned());
    }
    let request = client.get_queue_url();
    let request = match queue.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", _, "sqs", _, account, name] => {
            request.queue_name(*name).queue_owner_aws_account_id(*account)
        }
        _ => request.queue_name(queue),
    };
    let found = request.send().await;
    let found = found.map_err(|error| told("sqs:GetQueueUrl", queue, &error))?;
    found.queue_url.ok_or_else(|| format!("the service told no URL of the queue {queue}"))
}

/// Tells what went wrong with a request, in one line.
fn told<E, R>(action: &str, queue: &str, error: &SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + Error + 'static,
    R: std::fmt::Debug,
{
    let Some(service) = error.as_service_error() else {
        let why = match error {
            SdkError::TimeoutError(_) => "no answer in time".to_owned(),
            SdkError::DispatchFailure(failure) => {
                failure.as_connector_error().map_or_else(String::new, |error| causes(error))
            }
            other => causes(other),
        };
        return format!("the service of the queue {queue} cannot be reached ({action}): {why}");
    };
    let code = service.code().unwrap_or("an error without a code");
    let message = service.message().unwrap_or_default();
    let names = |all: &[&str]| all.iter().any(|name| code.contains(name));
    let hint = if names(&["NonExistentQueue", "QueueDoesNotExist"]) {
        "; look at its name, its account and its region"
    } else if names(&["AccessDenied", "AuthorizationError", "NotAuthorized"]) {
        "; allow it sqs:ReceiveMessage, sqs:DeleteMessage, sqs:ChangeMessageVisibility, sqs:GetQueueAttributes and \
         sqs:GetQueueUrl, and sqs:SendMessage for a dead-letter queue"
    } else if names(&[
        "InvalidClientTokenId",
        "UnrecognizedClient",
        "Signature",
        "ExpiredToken",
        "Security",
    ]) {
        "; look at the credentials, and at the machine's clock"
    } else {
        ""
    };
    let message = if message.is_empty() { String::new() } else { format!(": {message}") };
    let line = format!("the queue {queue} refuses {action}: {code}{message}{hint}");
    line.replace(['\r', '\n'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_second_count_as_one() {
        assert_eq!([0, 1, 1000, 1001].map(|ms| seconds(Duration::from_millis(ms))), [0, 1, 1, 2]);
    }
}
