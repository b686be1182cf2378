//! From files to messages.

use std::borrow::Cow;

use switchboard::cli::publish::bodies::{Body, Envelope, Split, files, header, split};

fn texts(content: &[u8], how: Split) -> Vec<String> {
    let bodies = split("f.json", content, how).expect("good");
    bodies
        .into_iter()
        .map(|body| String::from_utf8(body.bytes).expect("text"))
        .collect()
}

#[test]
fn values_stand_behind_each_other_however_they_are_laid_out_and_stay_as_they_are_written() {
    let content = b"\xef\xbb\xbf{\"a\": 1.0}\n[2,\n 3] {}\t\"x\"\n";
    assert_eq!(
        texts(content, Split::Values),
        ["{\"a\": 1.0}", "[2,\n 3]", "{}", "\"x\""]
    );
}

#[test]
fn lines_are_messages_whatever_is_in_them_and_empty_ones_are_none() {
    assert_eq!(
        texts(b"{\"a\":\r\n\n  \nplain\n", Split::Lines),
        ["{\"a\":", "plain"]
    );
    let bytes = split("f", b"\xff\n", Split::Lines).expect("good");
    assert_eq!(bytes[0].bytes, b"\xff");
}

#[test]
fn a_raw_file_is_one_message_byte_for_byte() {
    let content = b"\xef\xbb\xbf \xff\n";
    let bodies = split("f", content, Split::Whole).expect("good");
    assert_eq!(
        bodies,
        [Body {
            name: "f".into(),
            bytes: content.to_vec()
        }]
    );
}

#[test]
fn messages_are_numbered_where_a_file_has_several() {
    let names = |content: &[u8]| -> Vec<String> {
        let bodies = split("f.json", content, Split::Values).expect("good");
        bodies.into_iter().map(|body| body.name).collect()
    };
    assert_eq!(names(b"{}"), ["f.json"]);
    assert_eq!(names(b"{} {}"), ["f.json:1", "f.json:2"]);
}

#[test]
fn what_is_no_json_is_named_with_its_place_and_the_way_out() {
    for (content, words) in [
        (
            &b"{}\n{\"a\": }"[..],
            "f.json: message 2: expected value at line 2",
        ),
        (b"\xff\xfe{\x00}\x00", "UTF-16"),
        (b"{\"a\": \"\xff\"}", "is not UTF-8"),
        (b" \n", "is empty"),
    ] {
        let fault = split("f.json", content, Split::Values).expect_err("bad");
        assert!(fault.contains(words), "{fault}");
        assert!(words == "is empty" || fault.contains("--raw"), "{fault}");
    }
}

#[test]
fn a_folder_is_its_json_files_by_name() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/inbound");
    let found = files(folder.as_ref()).expect("good");
    assert!(found.len() > 5 && found.is_sorted(), "{found:?}");
    assert!(
        found
            .iter()
            .all(|file| file.extension().is_some_and(|ending| ending == "json"))
    );
    let none = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
    assert!(
        files(none.as_ref())
            .expect_err("none")
            .to_string()
            .contains("holds no json")
    );
    assert_eq!(files("-".as_ref()).expect("standard input").len(), 1);
}

#[test]
fn a_header_is_a_name_and_a_value_also_where_the_name_has_a_colon() {
    let read = |text: &str| header(text).map(|(name, value)| format!("{name}={value}"));
    assert_eq!(read("ce-id: 1:2").as_deref(), Ok("ce-id=1:2"));
    assert_eq!(read("ce-id:1").as_deref(), Ok("ce-id=1"));
    assert_eq!(read("cloudEvents:id: 7").as_deref(), Ok("cloudEvents:id=7"));
    assert_eq!(read("x-empty: ").as_deref(), Ok("x-empty="));
    assert!(
        read("nothing").is_err() && read(": 1").is_err() && read(&format!("{}: 1", "n".repeat(300))).is_err()
    );
}

#[test]
fn the_partition_key_is_found_in_the_headers_and_in_the_body() {
    let of = |body: &[u8], headers: &[(&str, Cow<'_, str>)]| {
        let envelope = Envelope::of(body, headers);
        (envelope.is_event, envelope.partition_key)
    };
    assert_eq!(of(b"{}", &[]), (false, None));
    assert_eq!(of(b"not json", &[]), (false, None));
    assert_eq!(
        of(br#"{"specversion": "1.0", "partitionkey": "k"}"#, &[]),
        (true, Some("k".into()))
    );
    assert_eq!(
        of(b"{}", &[("ce-partitionkey", "h".into())]),
        (false, Some("h".into()))
    );
}
