//! TLS to RabbitMQ: everything goes through it as without it, mended as without it; and whom not to trust is said.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use lapin::BasicProperties;
use lapin::options::BasicPublishOptions;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use uuid::Uuid;

use crate::illegible::ill_mannered;
use crate::support::bodies::{PLAN, phone, webhook};
use crate::support::wait::within;
use crate::support::{Stage, environment};

/// A body of many TLS records and frames.
const LONG_TEXT: usize = 1 << 20;

/// An authority, and a certificate of its for `localhost`, in a folder that goes when the test ends.
struct Certificates(PathBuf);

impl Certificates {
    /// `None`: there is no `openssl` to make them with.
    fn made() -> Option<Self> {
        let found = Command::new("openssl")
            .arg("version")
            .stdout(Stdio::null())
            .status();
        if found.is_err() {
            println!("not run: openssl is not there to make certificates");
            return None;
        }
        let made = Self(std::env::temp_dir().join(format!("sbtest_{}", Uuid::new_v4().simple())));
        std::fs::create_dir(&made.0).expect("a folder");
        std::fs::write(made.file("names"), "subjectAltName=DNS:localhost\n").expect("a file");
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
        for line in [
            format!("req -x509 {key} -keyout authority.key -out authority.pem -days 2 -subj /CN=authority"),
            format!("req {key} -keyout key.pem -out request.pem -subj /CN=localhost"),
            "x509 -req -in request.pem -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 -extfile names -out \
             certificate.pem"
                .into(),
        ] {
            let openssl = Command::new("openssl")
                .args(line.split_whitespace())
                .current_dir(&made.0)
                .output()
                .expect("it runs");
            assert!(openssl.status.success(), "{line}: {}", String::from_utf8_lossy(&openssl.stderr));
        }
        Some(made)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn acceptor(&self) -> TlsAcceptor {
        let chain = CertificateDer::pem_file_iter(self.file("certificate.pem")).expect("a file");
        let chain = chain.collect::<Result<_, _>>().expect("certificates");
        let key = PrivateKeyDer::from_pem_file(self.file("key.pem")).expect("a key");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("they belong together");
        TlsAcceptor::from(Arc::new(config))
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Ends TLS in front of the test broker, as a balancer would; the URL to reach it by.
async fn ends_tls(acceptor: TlsAcceptor) -> String {
    let plain = environment("AMQP_URL");
    let (before, rest) = plain
        .rsplit_once('@')
        .expect("the test servers ask for a password");
    let (place, vhost) = rest.split_once('/').expect("a vhost");
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let user = before.split_once("://").expect("a scheme").1;
    let url = format!("amqps://{user}@localhost:{port}/{vhost}");
    let place = place.to_owned();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (acceptor, place) = (acceptor.clone(), place.clone());
            tokio::spawn(async move {
                let mut server = TcpStream::connect(place).await.expect("the broker is there");
                if let Ok(mut client) = acceptor.accept(client).await {
                    // Whichever ends it: the other one sees it.
                    let _ = copy_bidirectional(&mut client, &mut server).await;
                }
            });
        }
    });
    url
}

/// What is said where there is nobody to trust.
async fn refused(stage: &Stage, url: &str, authority: &Path) -> String {
    let mut command = stage.program(&["topology", "check"]);
    command.env("AMQP_URL", url).env("SSL_CERT_FILE", authority);
    let output = within("the refusal", command.output()).await.expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let secret = url.split([':', '@']).nth(2).expect("a password");
    assert!(
        said.contains("no TLS connection to RabbitMQ") && !said.contains(secret),
        "{said}"
    );
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_does_all_its_work_over_tls_also_with_what_has_to_be_mended() {
    const MESSAGES: usize = 40;
    let Some(certificates) = Certificates::made() else {
        return;
    };
    let stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    let url = ends_tls(certificates.acceptor()).await;
    let mut worker = stage.program(&["worker"]);
    worker
        .env("AMQP_URL", &url)
        .env("SSL_CERT_FILE", certificates.file("authority.pem"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut worker = worker.spawn().expect("it starts");
    let channel = ill_mannered().await;
    let exchange = stage.rabbit.topology.name("ingress");
    for n in 0..MESSAGES {
        let text = if n % 10 == 0 {
            "x".repeat(LONG_TEXT)
        } else {
            "hello".into()
        };
        let body = webhook(&phone(n), &format!("wamid.{n}"), &text).to_string();
        let bad = BasicProperties::default().with_message_id("ill-mannered".into());
        let options = BasicPublishOptions::default();
        let sent = channel.basic_publish(
            exchange.as_str().into(),
            "ill-mannered".into(),
            options,
            body.as_bytes(),
            bad,
        );
        assert!(sent.await.expect("it is sent").await.expect("an answer").is_ack());
    }
    witness.until_events("message.received", MESSAGES).await;
    witness.assert_sequences();
    witness.assert_published_once();
    worker.kill().await.expect("it runs");
    stage.assert_audit_is_clean().await;
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_authority_a_name_or_a_port_that_is_not_the_right_one_is_said_in_one_sentence() {
    let Some(certificates) = Certificates::made() else {
        return;
    };
    let stage = Stage::empty().await;
    let authority = certificates.file("authority.pem");
    let url = ends_tls(certificates.acceptor()).await;
    let mut trusted = stage.program(&["topology", "check"]);
    trusted.env("AMQP_URL", &url).env("SSL_CERT_FILE", &authority);
    let output = within("the check", trusted.output()).await.expect("it runs");
    assert!(output.status.success(), "{output:?}");

    let stranger = Certificates::made()
        .expect("openssl is there")
        .file("authority.pem");
    let said = refused(&stage, &url, &stranger).await;
    assert!(
        said.contains("UnknownIssuer") || said.contains("SSL_CERT_FILE"),
        "{said}"
    );
    let said = refused(&stage, &url.replace("localhost", "127.0.0.1"), &authority).await;
    assert!(said.contains("not valid for name"), "{said}");
    let plain = environment("AMQP_URL").replacen("amqp://", "amqps://", 1);
    refused(&stage, &plain, &authority).await;
    stage.end().await;
}
