//! The worker's two connections to the broker: one to consume, one to publish. Made again whenever one is lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lapin::Connection;
use metrics::gauge;
use tokio::sync::Mutex;

use crate::broker::{BrokerError, Connector};
use crate::telemetry;

/// Both connections, alive when they were handed out.
#[derive(Debug)]
pub struct Pair {
    /// For consuming and acknowledging.
    pub consuming: Connection,
    /// For publishing: a broker that blocks publishers must not block our acks.
    pub publishing: Connection,
}

impl Pair {
    fn is_alive(&self) -> bool {
        self.consuming.status().connected() && self.publishing.status().connected()
    }
}

/// The present pair, shared by all lanes.
#[derive(Debug)]
pub struct Links {
    connector: Connector,
    name: String,
    present: Mutex<Present>,
}

#[derive(Debug)]
struct Present {
    pair: Option<Arc<Pair>>,
    alive_at: Instant,
}

impl Links {
    /// No connection yet.
    pub fn new(connector: Connector, name: String) -> Self {
        let present = Present {
            pair: None,
            alive_at: Instant::now(),
        };
        Self {
            connector,
            name,
            present: Mutex::new(present),
        }
    }

    /// A living pair: the present one, or a new one. One caller at a time tries, the others wait for what it finds.
    pub async fn get(&self) -> Result<Arc<Pair>, BrokerError> {
        let mut present = self.present.lock().await;
        if let Some(pair) = present.pair.as_ref().filter(|pair| pair.is_alive()) {
            let pair = pair.clone();
            present.alive_at = Instant::now();
            return Ok(pair);
        }
        present.pair = None;
        gauge!(telemetry::BROKER_UP).set(0.0);
        let consuming = self
            .connector
            .connect(&format!("{} consuming", self.name))
            .await?;
        let publishing = self
            .connector
            .connect(&format!("{} publishing", self.name))
            .await?;
        let pair = Arc::new(Pair {
            consuming,
            publishing,
        });
        present.pair = Some(pair.clone());
        present.alive_at = Instant::now();
        gauge!(telemetry::BROKER_UP).set(1.0);
        Ok(pair)
    }

    /// Tries to have a living pair; says for how long there has been none.
    pub async fn away_for(&self) -> Duration {
        match self.get().await {
            Ok(_) => Duration::ZERO,
            Err(_) => self.present.lock().await.alive_at.elapsed(),
        }
    }

    /// Closes both.
    pub async fn close(&self) {
        if let Some(pair) = self.present.lock().await.pair.take() {
            let _ = pair.consuming.close(200, "stopped".into()).await;
            let _ = pair.publishing.close(200, "stopped".into()).await;
        }
    }
}
