//! What is kept of a gateway's body when it goes to the dead letters: everything but keys, tokens and media.
//!
//! Gateways that are linked like a second phone put their API key into every event, and media in base64 beside the words.
//! None of it is read here, and none of it may lie in a queue for people to look at. The rest stays byte for byte, so that
//! a letter that is replayed reads as its body did.

use super::command::TYPE_PREFIX;
use super::fact::Kind;
use super::json::{self, Object, without_nul};
use super::place::Place;

/// What stands where something was taken out. A text, because a value that is null would count as absent.
const TAKEN_OUT: &[u8] = b"\"dropped\"";

/// Fields whose values are secrets or media, in whatever case and wherever they stand. None of them is ever read.
pub const NAMES: [&str; 21] = [
    // Keys of the gateway: whoever has one may send in the business's name.
    "apikey",
    "api_key",
    "token",
    "instancetoken",
    "accesstoken",
    "access_token",
    "authorization",
    "password",
    "secret",
    "hmackey",
    "hmac_key",
    // Codes that link a phone.
    "qrcode",
    "pairingcode",
    // WhatsApp's own keys: to media, to answers that are encrypted twice, to a group.
    "mediakey",
    "messagesecret",
    "axolotlsenderkeydistributionmessage",
    // Media and previews, in base64 or byte by byte.
    "base64",
    "jpegthumbnail",
    "pngthumbnail",
    "thumbnail",
    "thumbnailbase64",
];

/// Longest name that is looked at, in bytes. Written, it may be escaped, which makes six bytes of one.
const MAX_NAME: usize = 40 * 6;

/// Longer texts without a space are media, whatever their field is called.
const MAX_UNBROKEN: usize = 4 * 1024;

/// What stays of such a text: more than the longest identifier, so that what is refused as too long still is, and what is
/// cut to less is cut to the same.
const KEPT_OF_UNBROKEN: usize = 1_536;

/// Fields whose texts are a person's words: rules may read them, so they stay however long and unbroken they are.
const WORDS: [&str; 6] = [
    "conversation",
    "text",
    "caption",
    "selecteddisplaytext",
    "title",
    "message",
];

/// What to keep of a body in place of it; `None`: the body as it is, because there is nothing to take out, or because it is
/// no body of a gateway that puts such things in. One pass, whatever its size and depth.
///
/// What is no JSON stays as it is: nobody can say where in it a value begins.
pub fn redacted(body: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(body).ok()?;
    let top = Object::parse(json::without_mark(text), Place::root("")).ok()?;
    if !holds_secrets(&top) {
        return None;
    }
    let mut copy = Copy {
        from: body,
        at: 0,
        copied: 0,
        to: Vec::new(),
    };
    copy.values();
    copy.finish()
}

/// Whether this is a body of a gateway that puts keys and media into what it publishes, or a CloudEvent around one.
fn holds_secrets(top: &Object<'_, '_>) -> bool {
    if top.field("specversion").is_none() && top.field("source").is_none() {
        return is_gateways(top);
    }
    let kind = top.text("type").unwrap_or_default();
    let is_ours = Kind::of(&kind).is_some() || kind.starts_with(TYPE_PREFIX);
    let data = top.object("data").ok().flatten().filter(|_| !is_ours);
    data.is_some_and(|data| is_gateways(&data))
}

/// Looser than what the adapters take: a body that lacks what it needs to be read has its key all the same.
fn is_gateways(body: &Object<'_, '_>) -> bool {
    let has = |names: &[&'static str]| names.iter().any(|name| body.field(name).is_some());
    // The data of a fact or a command of ours, whose headers have said so.
    let is_ours = (has(&["channel"]) && has(&["contact"])) || (has(&["tenant"]) && has(&["actor"]));
    let linked = has(&["event", "type"])
        && has(&[
            "instance",
            "instanceId",
            "instanceToken",
            "instanceName",
            "apikey",
            "userID",
        ]);
    // UnoAPI puts beside a webhook's body where it goes, with the tokens for there.
    let wrapped = has(&["payload"]) && has(&["webhooks", "webhook"]);
    !is_ours && (linked || wrapped)
}

/// A walk over text that is known to be JSON: strings, and what stands between them.
struct Copy<'a> {
    from: &'a [u8],
    at: usize,
    /// Everything before this has been copied, or taken out.
    copied: usize,
    to: Vec<u8>,
}

impl Copy<'_> {
    fn values(&mut self) {
        // The name of the field whose value comes next.
        let mut words = false;
        while let Some(byte) = self.peek() {
            if byte != b'"' {
                self.at += 1;
                words &= byte != b',';
                continue;
            }
            let string = self.string();
            self.blanks();
            if self.peek() == Some(b':') {
                self.at += 1;
                self.blanks();
                let name = Name::read(&self.from[string.0..string.1]);
                words = name.is_one_of(&WORDS);
                if name.is_one_of(&NAMES) {
                    self.take_out_next();
                }
            } else if !words && self.is_media(string) {
                self.cut(string);
            }
        }
    }

    fn finish(mut self) -> Option<Vec<u8>> {
        if self.copied == 0 {
            return None;
        }
        self.to.extend_from_slice(&self.from[self.copied..]);
        Some(self.to)
    }

    fn peek(&self) -> Option<u8> {
        self.from.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Passes over a string; where it is, its quotes included.
    fn string(&mut self) -> (usize, usize) {
        let begin = self.at;
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
        self.at = self.at.min(self.from.len());
        (begin, self.at)
    }

    /// Takes out the value that begins here, unless it says nothing, or only yes, no or how many.
    fn take_out_next(&mut self) {
        let begin = self.at;
        match self.peek() {
            Some(b'"') => {
                let string = self.string();
                if string.1 - string.0 > "\"\"".len() {
                    self.take_out(string);
                }
            }
            Some(b'{' | b'[') => {
                self.nested();
                self.take_out((begin, self.at));
            }
            _ => {}
        }
    }

    /// Passes over an object or a list.
    fn nested(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.string();
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                break;
            }
        }
    }

    /// Whether a text is long, and of nothing but what base64 and the beginning of a data URL are written with. Some writers
    /// escape its slashes; what holds other escapes is shorter than it looks, and cut it might be a good identifier.
    fn is_media(&self, (begin, end): (usize, usize)) -> bool {
        let of_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_:;,.".contains(&byte);
        if end - begin <= MAX_UNBROKEN {
            return false;
        }
        let mut bytes = self.from[begin + 1..end - 1].iter();
        while let Some(byte) = bytes.next() {
            let escaped_slash = *byte == b'\\' && bytes.next() == Some(&b'/');
            if !escaped_slash && !of_base64(*byte) {
                return false;
            }
        }
        true
    }

    /// Cuts media short, between two characters as they are written.
    fn cut(&mut self, (begin, end): (usize, usize)) {
        let mut kept = begin + 1;
        while kept < begin + KEPT_OF_UNBROKEN {
            kept += if self.from[kept] == b'\\' { 2 } else { 1 };
        }
        self.to.extend_from_slice(&self.from[self.copied..kept]);
        self.copied = end - 1;
    }

    fn take_out(&mut self, (begin, end): (usize, usize)) {
        self.to.extend_from_slice(&self.from[self.copied..begin]);
        self.to.extend_from_slice(TAKEN_OUT);
        self.copied = end;
    }
}

/// A field's name, unless it is too long to be one we look for.
struct Name(Option<String>);

impl Name {
    /// Reads a name as it is written, with its quotes.
    fn read(written: &[u8]) -> Self {
        if written.len() > MAX_NAME {
            return Self(None);
        }
        let name = serde_json::from_slice::<String>(written).ok();
        Self(name.map(|name| without_nul(&name).to_ascii_lowercase()))
    }

    fn is_one_of(&self, names: &[&str]) -> bool {
        let name = self.0.as_deref();
        name.is_some_and(|name| names.contains(&name))
    }
}
