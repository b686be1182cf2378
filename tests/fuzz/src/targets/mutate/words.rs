//! The words that lead deeper into the readers, and values that break what is not ready for them.

use super::Chance;

/// Values without parts.
pub const LEAVES: &[&str] = &[
    "null", "true", "false", "0", "-1", "1", "1795255200", "1795255200000", "1.5", "1e400", "-0.0", "9223372036854775807",
    "18446744073709551616", "[]", "{}", "\"\"", "\"\\u0000\"", "\"\\ud800\"",
];

/// Texts that mean something, or nothing at all.
pub const TEXTS: &[&str] = &[
    "5511977776666 Zenobia", "5511999990000", "+55 (11) 99999-0000", "BR.1029384756", "BR.ENT.5550001", "998877665544@lid",
    "5511999990000@s.whatsapp.net", "5511999990000:12@s.whatsapp.net", "120363@g.us", "status@broadcast",
    "2026-11-21T10:00:03Z", "1795255200", "1.5e9", "whatsapp:123456789012345", "a\u{0}b", "\u{feff}", "\u{202e}", "é", "",
    " ", "0191f0c4-0000-7000-8000-000000000001", "two words", "whatsapp:", ":",
];

/// Names and words of bodies.
pub const BODIES: &[&str] = &[
    "object", "whatsapp_business_account", "entry", "changes", "field", "value", "messages", "smb_message_echoes",
    "message_echoes", "standby", "messaging_handovers", "history", "smb_app_state_sync", "state_sync", "statuses",
    "user_actions", "calls", "errors", "contacts", "metadata", "phone_number_id", "wa_id", "user_id", "parent_user_id",
    "profile", "name", "from", "from_user_id", "from_parent_user_id", "to", "to_user_id", "to_parent_user_id", "id",
    "timestamp", "type", "text", "body", "button", "image", "caption", "interactive", "button_reply", "list_reply",
    "title", "order", "system", "previous_user_id", "previous_parent_user_id", "new_wa_id", "group_id", "context",
    "referral", "source_id", "ctwa_clid", "source_url", "source_type", "control_passed", "sender", "recipient",
    "phone_number", "payload", "webhooks", "event", "instance", "data", "messages.upsert", "send.message",
    "messages.update", "date_time", "key", "remoteJid", "remoteJidAlt", "senderPn", "senderLid", "fromMe", "message",
    "pushName", "messageTimestamp", "low", "high", "conversation", "extendedTextMessage", "imageMessage",
    "reactionMessage", "protocolMessage", "editedMessage", "ephemeralMessage", "viewOnceMessageV2", "contextInfo",
    "stanzaId", "stanzaID", "externalAdReply", "sourceId", "senderKeyDistributionMessage", "messageContextInfo",
    "userID", "Info", "Message", "SendMessage", "ID", "Chat", "Sender", "SenderAlt", "RecipientAlt", "IsFromMe",
    "IsGroup", "PushName", "Timestamp", "instanceId", "specversion", "1.0", "source", "time", "partitionkey",
    "data_base64", "whatsapp.message.received", "whatsapp.message.sent", "whatsapp.handover.requested",
    "switchboard.command.assign", "switchboard.command.reply", "switchboard.command.plan.apply",
    "switchboard.command.contact.forget", "switchboard.command.bulk_assign", "switchboard.command.agent.upsert",
    "switchboard.command.presence", "switchboard.command.close", "channel", "contact", "phone", "bsuid", "parent_bsuid",
    "lid", "group", "previous", "language", "country", "attributes", "kind", "reply_to", "agent", "origin", "automation",
    "leave_unassigned", "reason", "tenant", "actor", "team", "expected_epoch", "note", "priority", "urgent", "until",
    "request", "bulk", "conversations", "presence", "online", "ttl", "plan", "template", "skills", "capacity", "role",
];

/// Names and words of plans.
pub const PLANS: &[&str] = &[
    "tenant", "settings", "channels", "agents", "teams", "responses", "rules", "calendars", "default", "id", "key", "name",
    "role", "capacity", "skills", "members", "managers", "strategy", "fallback", "response", "when", "team", "agent",
    "outcome", "priority", "relax", "after", "drop", "notify", "hours", "mon", "holidays", "timezone", "burst", "limit",
    "window", "on_breach", "assign_within", "respond_within", "aging", "max_age", "subscribers", "phone_agent",
    "acme", "w:1", "desk", "ana", "2m", "0s", "nobody", "manual", "admin", "UTC", "America/Sao_Paulo", "true", "calendar",
    "contact.language == \"fr\"", "message.text.matches(\"a\")", "09:00-17:00", "2026-12-25", "outside", "wait",
    "reopen", "sticky", "escalate", "escalate_to", "warn_before", "request_timeout", "[[rules]]\n", "[[teams]]\n",
    "[[agents]]\n", "[settings]\n", "'''", "\"\"\"", " = ", "{ ", " }", "[", "]", "\n", "#", ".", ",",
];

/// Words of conditions.
pub const CONDITIONS: &[&str] = &[
    "message.text", "message.kind", "message.referral", "message.reply_to", "contact.name", "contact.language",
    "contact.attributes", "contact.attributes.tier", "contact.attributes['odd key']", "contact.returning", "channel.key",
    "conversation.episode", "conversation.previous_owner", "conversation.priority", "conversation.waiting", "now.hour",
    "now.weekday", "now.working", ".contains(", ".startsWith(", ".matches(", "matches(", ".lowerAscii()", ".trim()",
    ".size()", "size(", "int(", "double(", "string(", "has(", ".all(x, ", ".exists(x, ", ".exists_one(x, ", ".map(x, ",
    ".filter(x, ", "timestamp(", "duration(", "type(", "(?i)", "\\\\b", "\\\\p{L}", "[a-z]{1,99}", "(a|b)*", "'", "\"",
    "r'", "b'", "'''", " && ", " || ", "!", " == ", " != ", " <= ", " in ", " ? ", " : ", " + ", " - ", " * ", " / ", " % ",
    "(", ")", "[", "]", "{", "}", ", ", "0", "1", "2.5", "1u", "0x7f", "9223372036854775807", "-9223372036854775808", "1e308",
    "true", "false", "null", "x", "\n", "//", "\u{1f44d}", "\\u0000", ".?", "[?",
];

/// Header lines: some kind of CloudEvent, nearly.
pub fn head(chance: &mut Chance) -> String {
    let types = [
        "application/json",
        "application/cloudevents+json",
        "APPLICATION/CloudEvents; charset=utf-8",
        " application/cloudevents-batch+json",
        "text/plain",
    ];
    let mut head = String::new();
    if chance.below(3) > 0 {
        head += &format!("content-type: {}\n", chance.of(&types));
    }
    let prefix = *chance.of(&["ce-", "cloudEvents:", "cloudEvents_", "CE-"]);
    let kinds = ["whatsapp.message.received", "switchboard.command.assign", "com.example.webhook"];
    for (name, value) in [
        ("specversion", *chance.of(&["1.0", "1.0", "1.0", "0.3"])),
        ("type", *chance.of(&kinds)),
        ("id", *chance.of(&["1", "wamid.5511977776666", "\0"])),
        ("source", *chance.of(&["gateway", "é"])),
        ("time", *chance.of(&["2026-11-21T10:00:03Z", "soon", "0"])),
        ("partitionkey", "a-key"),
    ] {
        if chance.below(8) > 0 {
            head += &format!("{prefix}{name}: {value}\n");
        }
    }
    if !head.is_empty() {
        head.push('\n');
    }
    head
}
