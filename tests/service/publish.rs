//! `switchboard publish` with servers, and what is left of a gateway's body among the dead letters.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::Stage;
use crate::support::bodies::{CHANNEL, PLAN, fact, phone, presence, webhook};
use crate::support::wait::until;

/// A folder for a test's files that goes with it.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("switchboard-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, content: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A picture by way of Evolution API, with its key and itself.
fn evolution(id: &str) -> Value {
    json!({
        "event": "messages.upsert", "instance": "shop", "apikey": "SECRET-API-KEY", "server_url": "http://gateway.test",
        "data": {
            "key": {"remoteJid": format!("{}@s.whatsapp.net", phone(7)), "fromMe": false, "id": id},
            "message": {
                "imageMessage": {"caption": "the invoice", "mediaKey": "SECRET-MEDIA-KEY", "jpegThumbnail": "SECRET-THUMBNAIL"},
                "base64": "SECRET".repeat(4_000),
            },
            "messageTimestamp": Timestamp::now().as_second(),
        },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_of_a_gateway_lacks_its_key_and_its_media_and_is_routed_when_it_is_replayed() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    stage.worker();
    stage.send(&evolution("3EB0AA")).await;
    // Larger than is read: what makes it so is dropped with the rest.
    let mut large = evolution("3EB0AB");
    large["data"]["message"]["base64"] = json!("SECRET".repeat(20_000));
    stage.send(&large).await;
    // A lane gives up what comes straight to it no other way.
    let to_a_lane = serde_json::to_vec(&evolution("3EB0AC")).unwrap();
    stage
        .publish("inbound", "1", &to_a_lane, lapin::BasicProperties::default())
        .await;
    let listed = until("three dead letters", async || {
        let (_, listed, _) = stage.run(&["dead", "list", "--json"]).await;
        let listed: Value = serde_json::from_str(&listed).ok()?;
        (listed.as_array()?.len() == 3).then_some(listed)
    })
    .await;
    let mut reasons: Vec<&str> = Vec::new();
    for letter in listed.as_array().unwrap() {
        reasons.push(letter["reason"].as_str().unwrap());
        let (good, body, error) = stage.run(&["dead", "show", letter["id"].as_str().unwrap()]).await;
        assert!(good, "{error}");
        assert!(!body.contains("SECRET") && body.contains("\"dropped\""), "{body}");
        assert!(body.contains("the invoice") && body.len() < 2_000, "{body}");
    }
    reasons.sort_unstable();
    assert_eq!(reasons, ["too_large", "unknown_channel", "unknown_channel"]);
    stage
        .apply(&format!("{PLAN}\n[[channels]]\nkey = \"evolution:shop\"\n"))
        .await;
    let (good, said, error) = stage.run(&["dead", "replay"]).await;
    assert!(good, "{said}{error}");
    witness.until_events("message.received", 3).await;
    let mut ids: Vec<&str> = witness
        .seen
        .iter()
        .filter(|one| one.kind() == "message.received")
        .map(|one| one.text("/data/message/id"))
        .collect();
    ids.sort_unstable();
    assert_eq!(ids, ["3EB0AA", "3EB0AB", "3EB0AC"]);
    for one in &witness.seen {
        assert!(!one.body.to_string().contains("SECRET"), "{}", one.body);
    }
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_format_goes_through_the_door_from_files_folders_and_headers() {
    let mut stage = Stage::with_plan(PLAN).await;
    let mut witness = stage.witness().await;
    stage.worker();
    let folder = Folder::new();
    let native = fact(&phone(2), "wamid.2", "key-2");
    folder.file(
        "1.json",
        &format!("\u{feff}{:#}", webhook(&phone(1), "wamid.1", "hello")),
    );
    folder.file(
        "2.jsonl",
        &format!("{native}\n{}\n", webhook(&phone(3), "wamid.3", "hello")),
    );
    let one_more = folder.file("more.json", &presence("martha", "online").to_string());
    let (good, said, error) = stage
        .run(&["publish", folder.0.to_str().unwrap(), &one_more])
        .await;
    assert!(good && said.starts_with("5 confirmed"), "{said}{error}");
    let data = folder.file("data.json", &fact(&phone(4), "wamid.4", "k")["data"].to_string());
    let headers = [
        "ce-specversion: 1.0",
        "ce-id: b-1",
        "ce-source: test",
        "ce-type: whatsapp.message.received",
        "ce-partitionkey: key-4",
    ];
    let mut binary = vec!["publish", &data, "--door", "inbound"];
    for header in headers {
        binary.extend(["--header", header]);
    }
    let (good, said, error) = stage.run(&binary).await;
    assert!(good && said.starts_with("1 confirmed"), "{said}{error}");
    witness.until_events("message.received", 4).await;
    let keyed = witness
        .seen
        .iter()
        .find(|one| one.body["data"]["cause"] == "b-1")
        .expect("the binary one");
    assert_eq!(keyed.text("/partitionkey"), "key-4");
    binary.push(&one_more);
    let (good, _, error) = stage.run(&binary).await;
    assert!(!good && error.contains("the same id"), "{error}");
    stage.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn explain_asks_the_plans_in_force_publishes_nothing_and_fails_where_something_would() {
    let mut stage = Stage::with_plan(PLAN).await;
    let folder = Folder::new();
    let good_file = folder.file("good.json", &webhook(&phone(1), "wamid.1", "hello").to_string());
    let (good, said, error) = stage.run(&["publish", "--explain", &good_file, "--json"]).await;
    assert!(good, "{error}");
    let told: Value = serde_json::from_str(&said).unwrap();
    let fact = &told[0]["facts"][0];
    assert_eq!(
        (&fact["channel"], &fact["route"]["tenant"], &fact["route"]["team"]),
        (&json!(CHANNEL), &json!("acme"), &json!("support"))
    );
    assert!(!said.contains(&phone(1)), "{said}");
    let bad_file = folder.file("bad.json", "{\"hello\": \"world\"}");
    let (good, said, _) = stage.run(&["publish", "--explain", &good_file, &bad_file]).await;
    assert!(
        !good && said.contains("dead letter: unrecognised") && said.contains("messages 2, facts 1"),
        "{said}"
    );
    // Neither server is asked where a plan is given.
    let plan = folder.file("plan.toml", PLAN);
    let arguments = [
        "publish",
        "--explain",
        "--plan",
        &plan,
        "--partitions",
        "4",
        &good_file,
    ];
    let mut alone = stage.program(&arguments);
    alone.env_remove("DATABASE_URL").env_remove("AMQP_URL");
    let output = alone.output().await.unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("team support"), "{said}");
    let faulty = folder.file("faulty.toml", "tenant = \"acme\"\nteems = 1\n");
    let (good, said, error) = stage
        .run(&["publish", "--explain", "--plan", &faulty, &good_file])
        .await;
    assert!(
        !good && said.contains("teems") && error.contains("no good plan"),
        "{said}{error}"
    );
    let letters: Value = serde_json::from_str(&stage.run(&["dead", "list", "--json"]).await.1).unwrap();
    assert_eq!(letters, json!([]));
    stage.worker();
    let mut witness = stage.witness().await;
    stage.send(&presence("martha", "online")).await;
    witness.until_events("agent.presence_changed", 1).await;
    assert_eq!(
        stage.count("select count(*) from conversation").await,
        0,
        "nothing was published"
    );
    stage.end().await;
}
