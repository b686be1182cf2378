//! Makes what the broker sends legible for lapin.
//!
//! AMQP's short strings are bytes; lapin takes them for UTF-8 and gives the whole connection up over one that is not, at
//! each delivery again, for ever. It also follows nested headers by recursion, as deep as whoever published them likes,
//! and ends the process. Nobody can take such a message out of its queue with lapin, so it is mended before lapin sees it:
//! byte for byte, nothing gets longer or shorter.

use std::mem::take;

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const HEARTBEAT: u8 = 8;
/// Type, channel and length of a frame.
const HEAD: usize = 7;
/// The octet that ends a frame.
const END: usize = 1;
/// Longest frame that is looked into. RabbitMQ's own limit is 128 KiB; a frame has to be whole to be mended, and nothing
/// here is held without a bound.
const LONGEST: usize = 4 << 20;
/// How deep headers may be nested; what is deeper is handed on as bytes. RabbitMQ's own need three levels.
const DEEPEST: usize = 16;
/// Stands for each byte that is not UTF-8.
const ILLEGIBLE: u8 = b'?';

/// Mends a stream of frames.
#[derive(Debug, Default)]
pub struct Mender {
    /// Bytes of the present frame that are handed on as they come.
    passing: usize,
    /// What came is no frame: lapin is to see it as it is.
    lost: bool,
}

impl Mender {
    /// Mends the frames at the start of `bytes` in place. Returns how many bytes may be handed on; the next call begins
    /// with the others, and with more behind them.
    pub fn mend(&mut self, bytes: &mut [u8]) -> usize {
        let mut done = 0;
        while let Some(frame) = bytes.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match self.next(frame) {
                0 => break,
                count => done += count,
            }
        }
        done
    }

    /// How many bytes are done with; none if a frame has to be whole first.
    fn next(&mut self, bytes: &mut [u8]) -> usize {
        if self.lost {
            return bytes.len();
        }
        if self.passing > 0 {
            let count = self.passing.min(bytes.len());
            self.passing -= count;
            return count;
        }
        let Some(&[kind, _, _, a, b, c, d]) = bytes.first_chunk::<HEAD>() else {
            return 0;
        };
        // A length that does not fit is longer than anything that is looked into.
        let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        match kind {
            METHOD | HEADER if length <= LONGEST => {
                let whole = HEAD + length + END;
                let Some(payload) = bytes.get_mut(HEAD..whole) else {
                    return 0;
                };
                let mut fields = Fields(&mut payload[..length]);
                // Half mended is as good as it gets: the rest is not what it says it is.
                let _ = if kind == METHOD {
                    fields.method()
                } else {
                    fields.properties()
                };
                whole
            }
            METHOD | HEADER | BODY | HEARTBEAT => {
                self.passing = length.saturating_add(HEAD + END);
                self.next(bytes)
            }
            _ => {
                self.lost = true;
                bytes.len()
            }
        }
    }
}

/// What is still to be read of a frame. `None` everywhere: it ends too early.
struct Fields<'a>(&'a mut [u8]);

impl<'a> Fields<'a> {
    /// A method that carries what a publisher wrote: deliver, get-ok, return.
    fn method(&mut self) -> Option<()> {
        match self.take(4)? {
            [0, 60, 0, 60] => {
                self.short_string()?; // consumer tag
                self.take(9)?; // delivery tag, redelivered
            }
            [0, 60, 0, 71] => drop(self.take(9)?), // delivery tag, redelivered
            [0, 60, 0, 50] => {
                self.take(2)?; // reply code
                self.short_string()?; // reply text
            }
            _ => return Some(()),
        }
        self.short_string()?; // exchange
        self.short_string() // routing key
    }

    /// The properties of a message: flags say which of fourteen are there, in this order.
    fn properties(&mut self) -> Option<()> {
        self.take(12)?; // class, weight, size of the body
        let flags = u16::from_be_bytes(*self.take(2)?.first_chunk()?);
        for bit in (2..16).rev().filter(|bit| flags & (1 << bit) != 0) {
            match bit {
                13 => self.table(0)?,           // headers
                12 | 11 => drop(self.take(1)?), // delivery mode, priority
                6 => drop(self.take(8)?),       // timestamp
                _ => self.short_string()?,
            }
        }
        Some(())
    }

    fn table(&mut self, depth: usize) -> Option<()> {
        let mut entries = Fields(self.long()?);
        while !entries.0.is_empty() {
            entries.short_string()?; // name
            entries.value(depth)?;
        }
        Some(())
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        let mut items = Fields(self.long()?);
        while !items.0.is_empty() {
            items.value(depth)?;
        }
        Some(())
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        let kind = self.take(1)?.first_mut()?;
        let bytes = match *kind {
            b'F' | b'A' if depth >= DEEPEST => {
                *kind = b'x'; // an array of bytes: laid out in the same way, and looked into by nobody
                return self.long().map(drop);
            }
            b'F' => return self.table(depth + 1),
            b'A' => return self.array(depth + 1),
            b'S' | b'x' => return self.long().map(drop),
            b'V' => 0,
            b't' | b'b' | b'B' => 1,
            b's' | b'u' | b'U' => 2,
            b'I' | b'i' | b'f' => 4,
            b'D' => 5,
            b'l' | b'L' | b'd' | b'T' => 8,
            _ => return None,
        };
        self.take(bytes).map(drop)
    }

    fn short_string(&mut self) -> Option<()> {
        let length = *self.take(1)?.first()?;
        let mut text = self.take(length.into())?;
        while let Err(error) = std::str::from_utf8(text) {
            let bad = error.error_len().unwrap_or(text.len() - error.valid_up_to());
            let (_, rest) = text.split_at_mut(error.valid_up_to());
            let (bad, rest) = rest.split_at_mut(bad);
            bad.fill(ILLEGIBLE);
            text = rest;
        }
        Some(())
    }

    /// Bytes after a length of four octets.
    fn long(&mut self) -> Option<&'a mut [u8]> {
        let length = u32::from_be_bytes(*self.take(4)?.first_chunk()?);
        self.take(usize::try_from(length).ok()?)
    }

    fn take(&mut self, count: usize) -> Option<&'a mut [u8]> {
        if count > self.0.len() {
            return None;
        }
        let (taken, rest) = take(&mut self.0).split_at_mut(count);
        self.0 = rest;
        Some(taken)
    }
}
