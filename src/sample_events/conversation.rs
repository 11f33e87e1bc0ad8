//! Conversations: bots of Lex, and flows of Connect.

use super::{
    Field, Kind, Sample, Values,
    form::{ACCOUNT, ID, REGION},
};
use serde_json::{Map, Value, json};

pub(super) const SAMPLES: &[Sample] = &[
    Sample::new("lex", &["lex-v2"], "a bot of Lex V2 asks what to say or do", LEX, lex),
    Sample::new("connect", &["contact-flow"], "a flow of Amazon Connect", CONNECT, connect),
];

const LEX: &[Field] = &[
    Field::new(
        "source",
        Kind::Choice(&["DialogCodeHook", "FulfillmentCodeHook"]),
        &["DialogCodeHook"],
        "DialogCodeHook or FulfillmentCodeHook",
    ),
    Field::new("intent", Kind::Text, &["BookHotel"], "the intent"),
    Field::new("slot", Kind::Pairs, &[], "a slot that has a value"),
    Field::new("transcript", Kind::Text, &["book a hotel"], "what the user said"),
    Field::new("bot", Kind::Text, &["my-bot"], "the bot"),
    Field::new("locale", Kind::Text, &["en_US"], "the bot's locale"),
    Field::new("session", Kind::Text, &["session-1"], "the session's id"),
    Field::new("session-attribute", Kind::Pairs, &[], "an attribute of the session"),
    ID,
];

fn lex(values: &Values) -> Result<Value, String> {
    let source = values.text("source");
    let state = if source == "FulfillmentCodeHook" { "ReadyForFulfillment" } else { "InProgress" };
    let slots: Map<String, Value> = values
        .pairs("slot")
        .iter()
        .map(|(name, value)| {
            let value = json!({
                "originalValue": value,
                "interpretedValue": value,
                "resolvedValues": [value],
            });
            (name.clone(), json!({"shape": "Scalar", "value": value}))
        })
        .collect();
    let attributes: Map<String, Value> = values
        .pairs("session-attribute")
        .iter()
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect();
    let intent = json!({
        "name": values.text("intent"),
        "slots": slots,
        "state": state,
        "confirmationState": "None",
    });
    let transcript = values.text("transcript");
    Ok(json!({
        "messageVersion": "1.0",
        "invocationSource": source,
        "inputMode": "Text",
        "responseContentType": "text/plain; charset=utf-8",
        "sessionId": values.text("session"),
        "inputTranscript": transcript,
        "bot": {
            "id": "SAMPLEBOT1",
            "name": values.text("bot"),
            "aliasId": "TSTALIASID",
            "aliasName": "TestBotAlias",
            "localeId": values.text("locale"),
            "version": "DRAFT",
        },
        "interpretations": [{
            "interpretationSource": "Lex",
            "intent": intent,
            "nluConfidence": 0.95,
        }],
        "requestAttributes": {},
        "sessionState": {
            "activeContexts": [],
            "sessionAttributes": attributes,
            "intent": intent,
            "originatingRequestId": values.text("id"),
        },
        "transcriptions": [{
            "transcription": transcript,
            "transcriptionConfidence": 1.0,
            "resolvedContext": {"intent": values.text("intent")},
            "resolvedSlots": {},
        }],
    }))
}

const CONNECT: &[Field] = &[
    Field::new(
        "channel",
        Kind::Choice(&["VOICE", "CHAT", "TASK"]),
        &["VOICE"],
        "VOICE, CHAT, TASK",
    ),
    Field::new("from", Kind::Text, &["+12025550100"], "the customer's number"),
    Field::new("to", Kind::Text, &["+12025550199"], "the number that was called"),
    Field::new("attribute", Kind::Pairs, &[], "an attribute of the contact"),
    Field::new("parameter", Kind::Pairs, &[], "a parameter that the flow passes on"),
    ID,
    REGION,
    ACCOUNT,
];

fn connect(values: &Values) -> Result<Value, String> {
    let texts = |name: &str| super::form::object(values.pairs(name));
    let id = values.text("id");
    let endpoint = |address: &str| json!({"Address": address, "Type": "TELEPHONE_NUMBER"});
    let instance = values.arn("connect", "instance/00000000-0000-4000-8000-000000000009");
    let is_voice = values.text("channel") == "VOICE";
    Ok(json!({
        "Details": {
            "ContactData": {
                "Attributes": texts("attribute"),
                "Channel": values.text("channel"),
                "ContactId": id,
                "CustomerEndpoint": if is_voice { endpoint(values.text("from")) } else { Value::Null },
                "InitialContactId": id,
                "InitiationMethod": if is_voice { "INBOUND" } else { "API" },
                "InstanceARN": instance,
                "PreviousContactId": id,
                "Queue": null,
                "SystemEndpoint": if is_voice { endpoint(values.text("to")) } else { Value::Null },
            },
            "Parameters": texts("parameter"),
        },
        "Name": "ContactFlowEvent",
    }))
}
