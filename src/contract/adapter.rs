//! What a queue takes: whatever is recognised, or the bodies of one adapter and nothing else.

use super::dead::{Dead, DeadReason};
use super::form::Carries;
use super::json::Object;
use super::reading::Reading;
use super::{cloud_api, evolution, unoapi, whatsmeow};

/// Which adapter reads what comes through a door.
///
/// Pinned, it reads only its own shape; everything else is `unrecognised`, also what another adapter would have known. A
/// gateway's body may be the data of a CloudEvent, whatever its type: relays wrap them so. A command or a native fact is
/// no gateway's body, so whoever may only publish to a gateway's queue cannot command anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Adapter {
    /// Whichever knows the body, in the documented order.
    #[default]
    Detect,
    /// CloudEvents in any mode: commands, native facts, and gateways' bodies as their data.
    CloudEvents,
    /// Webhooks of the Cloud API as Meta sends them.
    CloudApi,
    /// Webhooks of the Cloud API as UnoAPI wraps them.
    UnoApi,
    /// What Evolution API (version 2) publishes.
    Evolution,
    /// What wuzapi and Evolution Go publish.
    Whatsmeow,
}

/// The gateways' adapters, in the order of detection.
const GATEWAYS: [Adapter; 4] = [
    Adapter::CloudApi,
    Adapter::UnoApi,
    Adapter::Evolution,
    Adapter::Whatsmeow,
];

impl Adapter {
    /// Every adapter.
    pub const ALL: [Self; 6] = [
        Self::Detect,
        Self::CloudEvents,
        Self::CloudApi,
        Self::UnoApi,
        Self::Evolution,
        Self::Whatsmeow,
    ];

    /// Its word in settings and on the command line.
    pub fn wire(self) -> &'static str {
        match self {
            Self::Detect => "detect",
            Self::CloudEvents => "cloudevents",
            Self::CloudApi => "cloud_api",
            Self::UnoApi => "unoapi",
            Self::Evolution => "evolution",
            Self::Whatsmeow => "whatsmeow",
        }
    }

    /// The adapter of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|adapter| adapter.wire() == word)
    }

    /// Whether CloudEvents are read for what their type says: commands and native facts.
    pub(super) fn takes_events(self) -> bool {
        matches!(self, Self::Detect | Self::CloudEvents)
    }

    /// Whether a gateway's body may come without a CloudEvent around it.
    pub(super) fn takes_bare_bodies(self) -> bool {
        self != Self::CloudEvents
    }

    /// Reads a gateway's body, if it is one that is taken here; whether it was.
    pub(super) fn read(self, reading: &mut Reading, body: &Object<'_, '_>) -> Result<bool, Dead> {
        let gateways = match self {
            Self::Detect | Self::CloudEvents => &GATEWAYS[..],
            Self::CloudApi | Self::UnoApi | Self::Evolution | Self::Whatsmeow => &[self],
        };
        for gateway in gateways {
            if gateway.read_own(reading, body)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads a body of this very gateway; whether it is one.
    fn read_own(self, reading: &mut Reading, body: &Object<'_, '_>) -> Result<bool, Dead> {
        let is_own = match self {
            Self::CloudApi => cloud_api::is_webhook(body),
            Self::UnoApi => unoapi::is_one(body),
            Self::Evolution => evolution::is_one(body),
            Self::Whatsmeow => whatsmeow::is_one(body),
            Self::Detect | Self::CloudEvents => false,
        };
        if is_own {
            reading.carries(Carries::Gateway(self));
            match self {
                Self::UnoApi => unoapi::read(reading, body),
                Self::Evolution => evolution::read(reading, body)?,
                Self::Whatsmeow => whatsmeow::read(reading, body)?,
                Self::CloudApi | Self::Detect | Self::CloudEvents => cloud_api::read(reading, body),
            }
        }
        Ok(is_own)
    }

    /// Why a body that is not taken here is a dead letter.
    pub(super) fn unrecognised(self) -> Dead {
        let expected = match self {
            Self::Detect => {
                let detail = "the body is neither a CloudEvent nor a webhook of a gateway we know";
                return Dead::new(DeadReason::Unrecognised, detail);
            }
            Self::CloudEvents => "CloudEvent",
            Self::CloudApi => "webhook of the Cloud API",
            Self::UnoApi => "webhook of UnoAPI",
            Self::Evolution => "webhook of Evolution API",
            Self::Whatsmeow => "event of wuzapi or Evolution Go",
        };
        let detail = format_args!("the body is no {expected}, which is all this queue takes");
        Dead::new(DeadReason::Unrecognised, detail)
    }
}
