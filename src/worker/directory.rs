//! Which channel belongs to which tenant, and each tenant's plan: read once, used by every lane until it changes.
//!
//! The database keeps one number that rises with every activation. A batch reads it in its first round trip; if it is
//! not the number of the directory the batch was prepared with, the batch is prepared again with a newer one.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::{Mutex, watch};

use crate::contract::plan;
use crate::domain::ids::{ChannelKey, Tenant};
use crate::domain::plan::Plan;
use crate::store::{Store, StoreError, plans};

/// Everyone's plans at one moment.
#[derive(Debug, Default)]
pub struct Directory {
    /// The number this was read at.
    pub version: i64,
    channels: HashMap<ChannelKey, Tenant>,
    tenants: HashMap<Tenant, Arc<Active>>,
}

/// A plan in force, with the document it was made from.
#[derive(Debug)]
pub struct Active {
    /// Compiled.
    pub plan: Arc<Plan>,
    /// In canonical form: the same document says the same.
    pub document: serde_json::Value,
}

impl Directory {
    /// Whose channel this is.
    pub fn tenant_of(&self, channel: &ChannelKey) -> Option<&Tenant> {
        self.channels.get(channel)
    }

    /// A tenant's plan; `None` if it has none yet.
    pub fn active(&self, tenant: &Tenant) -> Option<&Arc<Active>> {
        self.tenants.get(tenant)
    }

    /// A tenant's plan, or the empty one.
    pub fn plan(&self, tenant: &Tenant) -> Arc<Plan> {
        let active = self.tenants.get(tenant).map(|active| active.plan.clone());
        active.unwrap_or_else(|| Arc::new(Plan::empty(tenant.clone())))
    }

    /// Every tenant with a plan.
    pub fn tenants(&self) -> impl Iterator<Item = (&Tenant, &Arc<Active>)> {
        self.tenants.iter()
    }
}

/// The directory as last read, shared by a process.
#[derive(Debug)]
pub struct Directories {
    store: Store,
    current: watch::Sender<Arc<Directory>>,
    reading: Mutex<()>,
}

impl Directories {
    /// Nothing read yet.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            current: watch::Sender::new(Arc::default()),
            reading: Mutex::new(()),
        }
    }

    /// As last read.
    pub fn current(&self) -> Arc<Directory> {
        self.current.borrow().clone()
    }

    /// Reads what has changed, unless the directory is at least this new by now.
    pub async fn refresh(&self, at_least: i64) -> Result<Arc<Directory>, StoreError> {
        let _one_reader = self.reading.lock().await;
        let known = self.current();
        if known.version >= at_least && known.version > 0 {
            return Ok(known);
        }
        let fresh = Arc::new(self.read(&known).await?);
        self.current.send_replace(fresh.clone());
        Ok(fresh)
    }

    async fn read(&self, known: &Directory) -> Result<Directory, StoreError> {
        let session = self.store.session().await?;
        // The number first: a plan activated between the two reads is then met again at the next batch.
        let listing = plans::directory(&session).await?;
        let mut tenants = HashMap::with_capacity(listing.plans.len());
        for (tenant, version) in listing.plans {
            let active = match known
                .tenants
                .get(&tenant)
                .filter(|active| active.plan.version == version)
            {
                Some(active) => active.clone(),
                None => {
                    let document = plans::document(&session, &tenant, version).await?;
                    let active = document.and_then(|document| compile(&document, version));
                    Arc::new(active.ok_or_else(|| not_understood(&tenant, version))?)
                }
            };
            tenants.insert(tenant, active);
        }
        Ok(Directory {
            version: listing.version,
            channels: listing.channels.into_iter().collect(),
            tenants,
        })
    }
}

/// Whoever cannot read a plan decides nothing: without it, its customers would be left with nobody.
fn not_understood(tenant: &Tenant, version: u32) -> StoreError {
    StoreError::Setup(format!(
        "version {version} of {tenant}'s plan is not understood here: a newer switchboard put it in force; run that one"
    ))
}

fn compile(document: &serde_json::Value, version: u32) -> Option<Active> {
    let checked = plan::from_json(document).ok()?;
    let plan = Arc::new(Plan {
        version,
        ..checked.plan
    });
    Some(Active {
        plan,
        document: checked.document,
    })
}
