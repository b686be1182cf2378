//! A door to a server that can be shut: what is connected through it is cut, and nobody gets in until it opens again.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub struct Door {
    pub address: SocketAddr,
    open: watch::Sender<bool>,
}

impl Door {
    /// An open door to this server.
    pub async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (open, state) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((mut inside, _)) = listener.accept().await {
                let (server, mut state) = (server.clone(), state.clone());
                tokio::spawn(async move {
                    if !*state.borrow() {
                        return;
                    }
                    let Ok(mut outside) = TcpStream::connect(server).await else {
                        return;
                    };
                    tokio::select! {
                        _ = copy_bidirectional(&mut inside, &mut outside) => {}
                        _ = state.wait_for(|open| !open) => {}
                    }
                });
            }
        });
        Self { address, open }
    }

    pub fn shut(&self) {
        self.open.send_replace(false);
    }

    pub fn open(&self) {
        self.open.send_replace(true);
    }

    /// A URL that leads through this door instead of straight to the server.
    pub async fn through(url: &str) -> (Self, String) {
        let (scheme, rest) = url.split_once("://").expect("a URL has a scheme");
        let (before, host_and_more) = rest
            .rsplit_once('@')
            .map_or(("", rest), |(user, rest)| (user, rest));
        let end = host_and_more.find(['/', '?']).unwrap_or(host_and_more.len());
        let (host, more) = host_and_more.split_at(end);
        let proxy = Self::to(host.to_owned()).await;
        let user = if before.is_empty() {
            String::new()
        } else {
            format!("{before}@")
        };
        let url = format!("{scheme}://{user}{}{more}", proxy.address);
        (proxy, url)
    }
}
