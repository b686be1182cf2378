//! What UnoAPI publishes: a webhook of the Cloud API in `payload`, beside where it is to be sent.

use super::cloud_api;
use super::json::Object;
use super::reading::Reading;

/// Whether an object is such a body.
pub(super) fn is_one(body: &Object<'_, '_>) -> bool {
    let payload = body.object("payload");
    payload.is_ok_and(|payload| payload.as_ref().is_some_and(cloud_api::is_webhook))
}

/// Reads the webhook in it.
pub(super) fn read(reading: &mut Reading, body: &Object<'_, '_>) {
    if let Ok(Some(payload)) = body.object("payload") {
        cloud_api::read(reading, &payload);
    }
}
