//! A wire to Postgres that remembers what was sent, can keep the answers back, and can be cut.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub struct Wire {
    /// Leads over this wire.
    pub url: String,
    state: Arc<State>,
}

struct State {
    sent: Mutex<Vec<u8>>,
    keeps_answers: AtomicBool,
    whole: watch::Sender<bool>,
}

impl Wire {
    pub async fn over(url: &str) -> Self {
        let config: tokio_postgres::Config = url.parse().expect("a URL");
        let tokio_postgres::config::Host::Tcp(host) = &config.get_hosts()[0] else {
            panic!("DATABASE_URL has to name a host, not a socket");
        };
        let server = (host.clone(), config.get_ports().first().copied().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let place = listener.local_addr().expect("an address").to_string();
        let state = Arc::new(State {
            sent: Mutex::default(),
            keeps_answers: AtomicBool::new(false),
            whole: watch::channel(true).0,
        });
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(server.clone())
                    .await
                    .expect("Postgres is there");
                tokio::spawn(carry(client, server, shared.clone()));
            }
        });
        Self {
            url: with_host(url, &place),
            state,
        }
    }

    /// What was sent since the last look: the tags of the messages, in order.
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

    pub fn cut(&self) {
        self.state.whole.send_replace(false);
    }
}

async fn carry(client: TcpStream, server: TcpStream, state: Arc<State>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let there = async {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
            state
                .sent
                .lock()
                .expect("no panic while it is held")
                .extend_from_slice(&buffer[..count]);
            if to_server.write_all(&buffer[..count]).await.is_err() {
                return;
            }
        }
    };
    let back = async {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
            let kept = state.keeps_answers.load(Ordering::SeqCst);
            if !kept && to_client.write_all(&buffer[..count]).await.is_err() {
                return;
            }
        }
    };
    let mut whole = state.whole.subscribe();
    tokio::select! {
        () = there => {}
        () = back => {}
        _ = whole.wait_for(|whole| !whole) => {}
    }
}

fn with_host(url: &str, place: &str) -> String {
    let (scheme, rest) = url
        .split_once("://")
        .expect("DATABASE_URL is a URL: postgresql://…");
    let (host, path) = rest.split_once('/').expect("it names a database");
    let user = host
        .rsplit_once('@')
        .map(|(user, _)| format!("{user}@"))
        .unwrap_or_default();
    format!("{scheme}://{user}{place}/{path}")
}
