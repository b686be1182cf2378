//! What can go wrong with RabbitMQ, sorted by what to do about it. One sentence each; never the URL, which holds the
//! password.

use lapin::protocol::{AMQPErrorKind, AMQPHardError, AMQPSoftError};
use lapin::{Error, ErrorKind};

/// A failure, sorted by what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
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
    #[error(
        "the broker did not answer in time ({0}): it is gone, or blocks this connection for lack of memory or disk"
    )]
    Timeout(&'static str),
    /// A publish was refused or went unconfirmed: everything from it on has to be published again.
    #[error("the broker did not confirm a publish ({0})")]
    Unconfirmed(&'static str),
}

impl BrokerError {
    /// Whether only a person can fix it: trying again will never help.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Setup(_) | Self::Missing(_) | Self::Different(_))
    }

    /// What failed while a connection to `place` (host and port) was opened.
    pub(super) fn connecting(place: &str, user: &str, vhost: &str, error: &Error) -> Self {
        match error.kind() {
            ErrorKind::ProtocolError(answer) => {
                let said = answer.get_message();
                match answer.kind() {
                    AMQPErrorKind::Soft(AMQPSoftError::ACCESSREFUSED) => Self::Setup(format!(
                        "RabbitMQ at {place} refuses the user \"{user}\" with this password: correct AMQP_URL"
                    )),
                    // A limit on connections is reached now and not for ever; anything else has to be put right.
                    AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED) if !said.as_str().contains("limit") => {
                        Self::Setup(format!(
                            "RabbitMQ at {place} does not let the user \"{user}\" into the vhost \"{vhost}\" ({said}): create it, \
                         grant access to it, or correct AMQP_URL, where a trailing slash means the vhost with the empty \
                         name and /%2f the default one"
                        ))
                    }
                    _ => Self::Away(format!("{place}: {said}")),
                }
            }
            // A bad certificate, or no TLS at the other end: it will be the same a second later.
            ErrorKind::IOError(io) if io.get_ref().is_some_and(|cause| cause.is::<rustls::Error>()) => {
                Self::Setup(format!(
                    "no TLS connection to RabbitMQ at {place} ({io}): check the scheme, host name and port in AMQP_URL, \
                     the server's certificate, and the trusted roots (SSL_CERT_FILE)"
                ))
            }
            _ => Self::Away(format!("{place}: {error}")),
        }
    }

    /// What failed while `subject` ("the queue x") was declared or compared.
    pub(super) fn declaring(subject: &str, error: &Error) -> Self {
        match soft(error) {
            Some((AMQPSoftError::NOTFOUND, said)) if is_absent(&said) => Self::Missing(format!(
                "{subject} is not there: run `switchboard topology declare`"
            )),
            Some((AMQPSoftError::PRECONDITIONFAILED, said)) => Self::Different(format!(
                "{subject} is declared in another way than this version needs ({said}): drain and delete it, then run \
                 `switchboard topology declare`, or use another SWITCHBOARD_PREFIX"
            )),
            Some((AMQPSoftError::ACCESSREFUSED, said)) => Self::Setup(format!(
                "the user of AMQP_URL may not use {subject} ({said}): grant the permission"
            )),
            _ => error.clone().into(),
        }
    }
}

/// An operation on an open channel. A failed precondition is no difference in a declaration here: it also ends a channel
/// whose deliveries went unacknowledged for half an hour.
impl From<Error> for BrokerError {
    fn from(error: Error) -> Self {
        match soft(&error) {
            Some((AMQPSoftError::NOTFOUND, said)) if is_absent(&said) => {
                Self::Missing(format!("{said}: run `switchboard topology declare`"))
            }
            Some((AMQPSoftError::ACCESSREFUSED, said)) => Self::Setup(format!(
                "the broker refuses the user of AMQP_URL ({said}): grant the permission"
            )),
            Some((_, said)) => Self::Away(said),
            None => Self::Away(error.to_string()),
        }
    }
}

/// Whether "not found" means that there is no such thing. The broker says it too of a queue whose node is down, which may
/// come back, and tells the two apart in words only.
fn is_absent(said: &str) -> bool {
    said.contains("no queue") || said.contains("no exchange")
}

/// The broker's refusal of one operation, with its own words.
fn soft(error: &Error) -> Option<(AMQPSoftError, String)> {
    let ErrorKind::ProtocolError(answer) = error.kind() else {
        return None;
    };
    match answer.kind() {
        AMQPErrorKind::Soft(kind) => Some((kind.clone(), answer.get_message().to_string())),
        AMQPErrorKind::Hard(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use lapin::protocol::AMQPError;

    use super::*;

    fn refusal(kind: AMQPErrorKind, said: &str) -> Error {
        ErrorKind::ProtocolError(AMQPError::new(kind, said.into())).into()
    }

    fn not_found(said: &str) -> Error {
        refusal(AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND), said)
    }

    #[test]
    fn a_queue_that_was_never_declared_is_for_a_person_to_fix() {
        let error = not_found("NOT_FOUND - no queue 'switchboard.partition.0' in vhost '/'");
        assert!(BrokerError::from(error.clone()).is_permanent());
        assert!(BrokerError::declaring("the queue switchboard.partition.0", &error).is_permanent());
    }

    #[test]
    fn a_queue_whose_node_is_down_may_come_back() {
        let error =
            not_found("NOT_FOUND - failed to perform operation on queue 'q' in vhost '/' due to timeout");
        assert!(!BrokerError::from(error.clone()).is_permanent());
        assert!(!BrokerError::declaring("the queue q", &error).is_permanent());
    }

    #[test]
    fn deliveries_unacknowledged_for_too_long_are_no_difference_in_a_declaration() {
        let kind = AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED);
        let error = refusal(
            kind,
            "PRECONDITION_FAILED - delivery acknowledgement on channel 1 timed out",
        );
        assert!(!BrokerError::from(error).is_permanent());
    }

    #[test]
    fn a_limit_on_connections_is_waited_for_and_a_vhost_that_is_not_ours_is_not() {
        let connecting = |said| {
            let error = refusal(AMQPErrorKind::Hard(AMQPHardError::NOTALLOWED), said);
            BrokerError::connecting("rabbit:5672", "sw", "/", &error)
        };
        assert!(
            !connecting("access to vhost '/' refused for user 'sw': connection limit (10) is reached")
                .is_permanent()
        );
        assert!(connecting("access to vhost '/' refused for user 'sw'").is_permanent());
    }
}
