//! A wire to RabbitMQ that can fall silent (it stays open, and nothing comes back any more), and that can put bytes on the
//! way there in place of others.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub struct Proxy {
    /// Host and port to connect to.
    pub place: String,
    silent: Arc<AtomicBool>,
    garbled: Arc<Mutex<Vec<Garbling>>>,
}

/// What is replaced, and by what that is as long.
type Garbling = (&'static [u8], &'static [u8]);

impl Proxy {
    /// A wire to `server`, host and port.
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let place = listener.local_addr().expect("an address").to_string();
        let silent = Arc::new(AtomicBool::new(false));
        let garbled = Arc::default();
        let (server, hush, garbling) = (server.to_owned(), silent.clone(), Arc::clone(&garbled));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.expect("RabbitMQ is there");
                tokio::spawn(carry(client, server, hush.clone(), Arc::clone(&garbling)));
            }
        });
        Self {
            place,
            silent,
            garbled,
        }
    }

    /// From now on nothing comes back.
    pub fn fall_silent(&self) {
        self.silent.store(true, Ordering::SeqCst);
    }

    /// From now on what passes to the server has `to` wherever it had `from`: no client sends bytes that are not UTF-8.
    pub fn garble(&self, from: &'static [u8], to: &'static [u8]) {
        assert_eq!(from.len(), to.len());
        self.garbled
            .lock()
            .expect("no panic while it is held")
            .push((from, to));
    }
}

async fn carry(
    client: TcpStream,
    server: TcpStream,
    silent: Arc<AtomicBool>,
    garbled: Arc<Mutex<Vec<Garbling>>>,
) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move {
        let mut buffer = vec![0; 256 * 1024];
        while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
            let sent = &mut buffer[..count];
            for (from, to) in &*garbled.lock().expect("no panic while it is held") {
                let places = 0..count.saturating_sub(from.len() - 1);
                for place in places {
                    if sent[place..].starts_with(from) {
                        sent[place..place + to.len()].copy_from_slice(to);
                    }
                }
            }
            if to_server.write_all(sent).await.is_err() {
                return;
            }
        }
    });
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
        if !silent.load(Ordering::SeqCst) && to_client.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
