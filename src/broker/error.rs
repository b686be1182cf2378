//! What can go wrong with RabbitMQ, sorted by what to do about it. Never carries a password.

use lapin::ErrorKind;
use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};

/// A failure, sorted by what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// A person must fix it: the text says what.
    #[error("{0}")]
    Setup(String),
    /// A queue or exchange that should be there is not.
    #[error("{0}")]
    Missing(String),
    /// A queue or exchange is declared in another way than ours.
    #[error("{0}")]
    Different(String),
    /// The server cannot be reached, or the connection or channel ended: try again.
    #[error("the broker cannot be used ({0})")]
    Away(String),
    /// The server did not answer in time: blocked, or gone.
    #[error("the broker did not answer in time ({0})")]
    Timeout(&'static str),
    /// A publish was refused or went unconfirmed: everything from it on has to be published again.
    #[error("the broker did not confirm a publish ({0})")]
    Unconfirmed(&'static str),
}

impl BrokerError {
    /// Whether only a person can fix it.
    pub fn is_permanent(&self) -> bool {
        matches!(
            self,
            BrokerError::Setup(_) | BrokerError::Missing(_) | BrokerError::Different(_)
        )
    }
}

impl From<lapin::Error> for BrokerError {
    fn from(error: lapin::Error) -> Self {
        let ErrorKind::ProtocolError(answer) = error.kind() else {
            return BrokerError::Away(error.to_string());
        };
        let text = answer.get_message().to_string();
        match answer.kind() {
            AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) => BrokerError::Setup(format!(
                "AMQP_URL names a vhost that is not there or not ours ({text}); a trailing slash means the vhost with \
                 the empty name, %2f the default one"
            )),
            AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => BrokerError::Setup(format!(
                "the broker refuses access ({text}): check user, password and permissions in AMQP_URL"
            )),
            AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND) => {
                BrokerError::Missing(format!("{text}: run `switchboard topology declare`"))
            }
            AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED) => {
                BrokerError::Different(format!(
                    "{text}: it is declared in another way than this version needs; delete it (after draining) and run \
                 `switchboard topology declare`, or use another SWITCHBOARD_PREFIX"
                ))
            }
            _ => BrokerError::Away(text),
        }
    }
}
