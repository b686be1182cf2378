//! A wire to RabbitMQ that can fall silent: it stays open, and nothing comes back any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub struct Proxy {
    /// Host and port to connect to.
    pub place: String,
    silent: Arc<AtomicBool>,
}

impl Proxy {
    /// A wire to `server`, host and port.
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let place = listener.local_addr().expect("an address").to_string();
        let silent = Arc::new(AtomicBool::new(false));
        let (server, hush) = (server.to_owned(), silent.clone());
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.expect("RabbitMQ is there");
                tokio::spawn(carry(client, server, hush.clone()));
            }
        });
        Self { place, silent }
    }

    /// From now on nothing comes back.
    pub fn fall_silent(&self) {
        self.silent.store(true, Ordering::SeqCst);
    }
}

async fn carry(client: TcpStream, server: TcpStream, silent: Arc<AtomicBool>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
        if !silent.load(Ordering::SeqCst) && to_client.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
