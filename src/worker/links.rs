//! The worker's two connections to the broker: one to consume, one to publish. Made again whenever one is lost.

use std::sync::Arc;
use std::time::{Duration, Instant};

use lapin::Connection;
use metrics::gauge;
use tokio::sync::Mutex;
use tokio::time::timeout;

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
    present: Mutex<Option<Arc<Pair>>>,
    /// When the pair was last seen alive. Its own lock: whoever asks must not wait for a connection being made.
    alive_at: std::sync::Mutex<Instant>,
}

impl Links {
    /// No connection yet.
    pub fn new(connector: Connector, name: String) -> Self {
        Self {
            connector,
            name,
            present: Mutex::default(),
            alive_at: std::sync::Mutex::new(Instant::now()),
        }
    }

    /// A living pair: the present one, or a new one. One caller at a time tries, the others wait for what it finds.
    pub async fn get(&self) -> Result<Arc<Pair>, BrokerError> {
        let mut present = self.present.lock().await;
        if let Some(pair) = present.as_ref().filter(|pair| pair.is_alive()) {
            self.note_alive();
            return Ok(pair.clone());
        }
        *present = None;
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
        *present = Some(pair.clone());
        self.note_alive();
        gauge!(telemetry::BROKER_UP).set(1.0);
        Ok(pair)
    }

    /// Tries for a moment to have a living pair; says for how long there has been none.
    pub async fn away_for(&self, moment: Duration) -> Duration {
        match timeout(moment, self.get()).await {
            Ok(Ok(_)) => Duration::ZERO,
            Ok(Err(_)) | Err(_) => self.alive_at().elapsed().max(Duration::from_millis(1)),
        }
    }

    fn alive_at(&self) -> Instant {
        *self
            .alive_at
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn note_alive(&self) {
        *self
            .alive_at
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = Instant::now();
    }

    /// Closes both.
    pub async fn close(&self) {
        if let Some(pair) = self.present.lock().await.take() {
            let _ = pair.consuming.close(200, "stopped".into()).await;
            let _ = pair.publishing.close(200, "stopped".into()).await;
        }
    }
}
