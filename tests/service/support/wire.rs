//! A wire to a server that remembers what was sent, can keep the answers back or garble what is sent, can block publishers
//! as a RabbitMQ without memory does, and can be cut and mended.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Carried at once: more than a publish of any test here, so that what is garbled is not cut in two.
const ROOM: usize = 256 * 1024;

pub struct Wire {
    /// Leads over this wire.
    pub url: String,
    state: Arc<State>,
}

/// What is replaced, and by what that is as long.
type Garbling = (&'static [u8], &'static [u8]);

struct State {
    sent: Mutex<Vec<u8>>,
    keeps_answers: AtomicBool,
    garbled: Mutex<Vec<Garbling>>,
    whole: watch::Sender<bool>,
    blocks: watch::Sender<bool>,
}

/// How a connection that publishes says so, in the name that it gives itself.
const PUBLISHES: &[u8] = b" publishing";
/// `connection.blocked`, with a reason, and `connection.unblocked`.
const BLOCKED: &[u8] = b"\x01\0\0\0\0\0\x12\0\x0a\0\x3c\x0dlow on memory\xce";
const UNBLOCKED: &[u8] = b"\x01\0\0\0\0\0\x04\0\x0a\0\x3d\xce";

impl Wire {
    /// A wire to the server that this URL leads to.
    pub async fn over(url: &str) -> Self {
        let [before, server, behind] = around_place(url);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let place = listener.local_addr().expect("an address");
        let state = Arc::new(State {
            sent: Mutex::default(),
            keeps_answers: AtomicBool::new(false),
            garbled: Mutex::default(),
            whole: watch::channel(true).0,
            blocks: watch::channel(false).0,
        });
        let (server, shared) = (server.to_owned(), state.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server.clone(), shared.clone()));
            }
        });
        Self {
            url: format!("{before}{place}{behind}"),
            state,
        }
    }

    /// What was sent to Postgres since the last look: the tags of the messages, in order.
    pub fn take(&self) -> String {
        let sent = std::mem::take(&mut *self.state.sent.lock().expect("no panic while it is held"));
        let mut rest = sent.as_slice();
        let mut tags = String::new();
        while let [tag, a, b, c, d, ..] = *rest {
            let length = u32::from_be_bytes([a, b, c, d]);
            tags.push(char::from(tag));
            rest = &rest[1 + usize::try_from(length).expect("it fits")..];
        }
        tags
    }

    /// What was sent so far is not looked at. The first message of a connection has no tag.
    pub fn forget(&self) {
        self.state.sent.lock().expect("no panic while it is held").clear();
    }

    /// From now on no answer arrives.
    pub fn keep_answers(&self) {
        self.state.keeps_answers.store(true, Ordering::SeqCst);
    }

    /// From now on what is sent has `to` wherever it had `from`: no client sends bytes that are not UTF-8.
    pub fn garble(&self, from: &'static [u8], to: &'static [u8]) {
        assert_eq!(from.len(), to.len());
        let mut garbled = self.state.garbled.lock().expect("no panic while it is held");
        garbled.push((from, to));
    }

    /// From now on RabbitMQ reads nothing from connections that publish, and tells them so.
    pub fn block(&self) {
        self.state.blocks.send_replace(true);
    }

    /// It reads again.
    pub fn unblock(&self) {
        self.state.blocks.send_replace(false);
    }

    /// Ends every connection, and whoever connects is sent away, until it is mended.
    pub fn cut(&self) {
        self.state.whole.send_replace(false);
    }

    /// Carries again.
    pub fn mend(&self) {
        self.state.whole.send_replace(true);
    }
}

impl State {
    /// Remembers what is sent, garbled if it is to be.
    fn note(&self, sent: &mut [u8]) {
        for (from, to) in &*self.garbled.lock().expect("no panic while it is held") {
            for place in 0..sent.len().saturating_sub(from.len() - 1) {
                if sent[place..].starts_with(from) {
                    sent[place..place + to.len()].copy_from_slice(to);
                }
            }
        }
        let mut all = self.sent.lock().expect("no panic while it is held");
        all.extend_from_slice(sent);
    }
}

async fn carry(client: TcpStream, server: String, state: Arc<State>) {
    let mut whole = state.whole.subscribe();
    if !*whole.borrow_and_update() {
        return;
    }
    let server = TcpStream::connect(server).await.expect("the server is there");
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let publishes = AtomicBool::new(false);
    let there = async {
        let mut buffer = vec![0; ROOM];
        let mut blocks = state.blocks.subscribe();
        while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
            let sent = &mut buffer[..count];
            state.note(sent);
            if sent.windows(PUBLISHES.len()).any(|bytes| bytes == PUBLISHES) {
                publishes.store(true, Ordering::SeqCst);
            }
            if publishes.load(Ordering::SeqCst) {
                let _ = blocks.wait_for(|blocks| !blocks).await;
            }
            if to_server.write_all(sent).await.is_err() {
                return;
            }
        }
    };
    let back = async {
        let mut buffer = vec![0; ROOM];
        let mut blocks = state.blocks.subscribe();
        loop {
            let count = tokio::select! {
                read = from_server.read(&mut buffer) => match read {
                    Ok(count @ 1..) => count,
                    Ok(_) | Err(_) => return,
                },
                // What RabbitMQ sends at once are whole frames: between two reads there is room for one more.
                changed = blocks.changed(), if publishes.load(Ordering::SeqCst) => {
                    let said = if *blocks.borrow_and_update() { BLOCKED } else { UNBLOCKED };
                    if changed.is_err() || to_client.write_all(said).await.is_err() {
                        return;
                    }
                    continue;
                }
            };
            let kept = state.keeps_answers.load(Ordering::SeqCst);
            if !kept && to_client.write_all(&buffer[..count]).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = there => {}
        () = back => {}
        _ = whole.wait_for(|whole| !whole) => {}
    }
}

/// A URL as what stands before the host and port, these, and what stands behind them.
fn around_place(url: &str) -> [&str; 3] {
    let scheme = url.find("://").expect("a URL has a scheme") + 3;
    let end = url[scheme..]
        .find(['/', '?'])
        .map_or(url.len(), |found| scheme + found);
    let start = url[..end].rfind('@').map_or(scheme, |at| at + 1);
    [&url[..start], &url[start..end], &url[end..]]
}
