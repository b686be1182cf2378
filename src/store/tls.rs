//! TLS as `sslmode` asks for it, with the words of libpq, so that a URL that works with `psql` works here.
//!
//! | `sslmode` | encrypted | certificate |
//! |---|---|---|
//! | `disable` | no | – |
//! | `allow`, `prefer` (default) | if the server can | not checked: it would go on in plain text just as well |
//! | `require` | yes | not checked |
//! | `verify-ca`, `verify-full` | yes | checked, name included, against the system's authorities (or `SSL_CERT_FILE`) |

use std::borrow::Cow;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::StoreError;

/// Whom to believe that it is the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// Whoever answers.
    Anyone,
    /// Whoever shows a certificate for the host's name from a known authority.
    Authorities,
}

/// Splits libpq's `sslmode` into what the driver understands of it and whom to trust.
pub(super) fn read_sslmode(url: &str) -> (Cow<'_, str>, Trust) {
    // In a URL it stands behind the question mark; in the key-value form, anywhere.
    let start = if url.contains("://") {
        url.rfind('?').unwrap_or(url.len())
    } else {
        0
    };
    let (place, asked) = url.split_at(start);
    for (theirs, drivers, trust) in [
        ("sslmode=verify-full", "sslmode=require", Trust::Authorities),
        ("sslmode=verify-ca", "sslmode=require", Trust::Authorities),
        ("sslmode=allow", "sslmode=prefer", Trust::Anyone),
    ] {
        if asked.contains(theirs) {
            return (format!("{place}{}", asked.replace(theirs, drivers)).into(), trust);
        }
    }
    (url.into(), Trust::Anyone)
}

/// Makes connections encrypted.
pub(super) fn connector(trust: Trust) -> Result<MakeRustlsConnect, StoreError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| StoreError::Setup(format!("TLS cannot be set up: {error}")))?;
    let config = match trust {
        Trust::Anyone => config
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Unchecked(provider))),
        Trust::Authorities => config.with_root_certificates(authorities()?),
    };
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
}

fn authorities() -> Result<RootCertStore, StoreError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(StoreError::Setup(
            "DATABASE_URL asks to check the server's certificate, but this system has no certificate authorities: \
             install ca-certificates, or name a file in SSL_CERT_FILE"
                .into(),
        ));
    }
    Ok(roots)
}

/// Takes any certificate; that whoever shows it also has its key is still checked.
#[derive(Debug)]
struct Unchecked(Arc<CryptoProvider>);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_the_driver_does_not_know_are_translated() {
        for (given, driver, trust) in [
            ("postgres://u@h/d", "postgres://u@h/d", Trust::Anyone),
            (
                "postgres://u@h/d?sslmode=require",
                "postgres://u@h/d?sslmode=require",
                Trust::Anyone,
            ),
            (
                "postgres://u@h/d?sslmode=verify-full",
                "postgres://u@h/d?sslmode=require",
                Trust::Authorities,
            ),
            (
                "postgres://u@h/d?a=b&sslmode=verify-ca&c=d",
                "postgres://u@h/d?a=b&sslmode=require&c=d",
                Trust::Authorities,
            ),
            (
                "host=h sslmode=verify-full",
                "host=h sslmode=require",
                Trust::Authorities,
            ),
            ("host=h sslmode=allow", "host=h sslmode=prefer", Trust::Anyone),
        ] {
            assert_eq!(read_sslmode(given), (driver.into(), trust), "{given}");
        }
    }

    #[test]
    fn a_password_that_looks_like_an_option_stays_as_it_is() {
        let url = "postgres://u:sslmode=verify-full@h/d?connect_timeout=3";
        assert_eq!(read_sslmode(url), (url.into(), Trust::Anyone));
    }
}
