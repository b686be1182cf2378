//! Connecting: what a person must fix says so, what time may heal does not, and no sentence holds the password.

use secrecy::SecretString;
use switchboard::broker::{BrokerError, Connector};
use tokio::net::TcpListener;

use crate::support::rabbit::url;
use crate::support::wait::within;

const PASSWORD: &str = "not-the-password-8c1f";

async fn refusal(url: &str) -> BrokerError {
    let connector = Connector::new(&SecretString::from(url.to_owned())).expect("it is a URL");
    within("an answer", connector.connect("service test"))
        .await
        .expect_err("it cannot succeed")
}

/// Host and port of the test server.
fn place() -> String {
    Connector::new(&SecretString::from(url()))
        .expect("AMQP_URL is a URL")
        .place()
        .to_owned()
}

/// The test server's URL with another vhost.
fn with_vhost(path: &str) -> String {
    let url = url();
    let (scheme, rest) = url.split_once("://").expect("a URL");
    let authority = rest.split(['/', '?']).next().expect("a first part");
    format!("{scheme}://{authority}{path}")
}

#[tokio::test]
async fn a_wrong_password_is_for_a_person_to_fix_and_is_not_repeated() {
    let error = refusal(&format!("amqp://nobody-here:{PASSWORD}@{}/%2f", place())).await;
    let text = error.to_string();
    assert!(error.is_permanent(), "{text}");
    assert!(
        text.contains("nobody-here") && text.contains(&place()) && text.contains("AMQP_URL"),
        "{text}"
    );
    assert!(
        !text.contains(PASSWORD) && !format!("{error:?}").contains(PASSWORD),
        "{text}"
    );
}

#[tokio::test]
async fn a_vhost_that_is_not_there_is_for_a_person_to_fix() {
    let error = refusal(&with_vhost("/no-such-vhost")).await;
    assert!(error.is_permanent());
    assert!(error.to_string().contains("no-such-vhost"), "{error}");
}

#[tokio::test]
async fn a_trailing_slash_means_the_vhost_with_the_empty_name_and_the_error_says_so() {
    let error = refusal(&with_vhost("/")).await;
    assert!(error.is_permanent());
    assert!(error.to_string().contains("trailing slash"), "{error}");
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_may_come_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let place = listener.local_addr().expect("an address").to_string();
    drop(listener);
    let error = refusal(&format!("amqp://guest:{PASSWORD}@{place}/%2f")).await;
    assert!(!error.is_permanent());
    assert!(
        error.to_string().contains(&place) && !error.to_string().contains(PASSWORD),
        "{error}"
    );
}

#[tokio::test]
async fn a_server_that_hangs_up_during_the_login_may_come_back() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let place = listener.local_addr().expect("an address").to_string();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    let error = refusal(&format!("amqp://guest:{PASSWORD}@{place}/%2f")).await;
    assert!(!error.is_permanent(), "{error}");
}

#[tokio::test]
async fn tls_where_there_is_none_is_for_a_person_to_fix() {
    let error = refusal(&format!("amqps://guest:{PASSWORD}@{}/%2f", place())).await;
    let text = error.to_string();
    assert!(error.is_permanent() && text.contains("TLS"), "{text}");
    assert!(!text.contains(PASSWORD), "{text}");
}

#[test]
fn what_is_no_amqp_url_is_refused_without_repeating_it() {
    for url in [
        "",
        "guest",
        "localhost:5672",
        &format!("http://guest:{PASSWORD}@localhost/"),
        &format!("amqp:guest:{PASSWORD}"),
        &format!("amqp://guest:{PASSWORD}@localhost:port/"),
        &format!("amqp://guest:{PASSWORD}@localhost/%ff"),
        &format!("amqp://guest:{PASSWORD}@localhost/?heartbeat=often"),
        &format!("amqp://guest:{PASSWORD}@localhost/{}", "v".repeat(256)),
    ] {
        let error = Connector::new(&SecretString::from(url.to_owned())).expect_err(url);
        assert!(error.is_permanent());
        assert!(!error.to_string().contains(PASSWORD), "{error}");
    }
}

#[test]
fn an_ipv6_address_is_not_taken_for_localhost() {
    for (url, place) in [
        ("amqp://guest:guest@[2001:db8::1]:5673/%2f", "2001:db8::1:5673"),
        ("amqp://[::1]", "::1:5672"),
        ("amqp://rabbit.example/%2f", "rabbit.example:5672"),
        ("amqps://rabbit.example", "rabbit.example:5671"),
        ("amqp://guest:p[1]@rabbit.example", "rabbit.example:5672"),
    ] {
        let connector = Connector::new(&SecretString::from(url.to_owned())).expect(url);
        assert_eq!(connector.place(), place);
    }
}

#[test]
fn a_connector_does_not_show_its_url() {
    let connector =
        Connector::new(&SecretString::from(format!("amqp://guest:{PASSWORD}@localhost"))).expect("a URL");
    assert!(!format!("{connector:?}").contains(PASSWORD));
}
