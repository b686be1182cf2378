//! What the broker sends is mended in place: whatever it is, and in whatever pieces it comes.

use proptest::collection::vec;
use proptest::prelude::*;
use switchboard::broker::legible::Mender;

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&[kind, 0, 1], length.as_slice(), payload, &[0xce]].concat()
}

fn short(text: &[u8]) -> Vec<u8> {
    [&[u8::try_from(text.len()).unwrap()], text].concat()
}

fn long(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

/// `basic.deliver`, the header of its content with every property there is, and a body.
fn delivery(text: &[u8], table: &[u8], body: &[u8]) -> Vec<u8> {
    let text = short(text);
    let deliver = [&[0, 60, 0, 60], &*text, &[0; 9], &text, &text].concat();
    let header = [
        &[0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xfc],
        &*text,
        &text,
        &long(table),
        &[2, 0],
        &text,
        &text,
        &text,
        &text,
        &[0; 8],
        &text,
        &text,
        &text,
        &text,
    ]
    .concat();
    [
        frame(1, &deliver),
        frame(2, &header),
        frame(3, body),
        frame(8, &[]),
    ]
    .concat()
}

/// Mends it as it would be read: in pieces that end after these many bytes, over and over.
fn mended(bytes: &[u8], pieces: &[usize]) -> Vec<u8> {
    let mut mender = Mender::default();
    let (mut held, mut out) = (Vec::new(), Vec::new());
    let mut rest = bytes;
    for piece in pieces.iter().cycle() {
        let (now, later) = rest.split_at((*piece).min(rest.len()));
        held.extend_from_slice(now);
        let done = mender.mend(&mut held);
        out.extend(held.drain(..done));
        rest = later;
        if rest.is_empty() {
            break;
        }
    }
    out.extend(held);
    out
}

fn whole(bytes: &[u8]) -> Vec<u8> {
    mended(bytes, &[bytes.len().max(1)])
}

/// A header for each kind of value, short strings and names of this text.
fn every_kind(text: &[u8]) -> Vec<u8> {
    let name = short(text);
    let inner = [&*name, b"S", &long(b"\xff")].concat();
    let items = [b"F", &*long(&inner), b"V"].concat();
    let kinds: [(u8, Vec<u8>); 18] = [
        (b't', vec![1]),
        (b'b', vec![1]),
        (b'B', vec![1]),
        (b's', vec![0; 2]),
        (b'U', vec![0; 2]),
        (b'u', vec![0; 2]),
        (b'I', vec![0; 4]),
        (b'i', vec![0; 4]),
        (b'l', vec![0; 8]),
        (b'L', vec![0; 8]),
        (b'f', vec![0; 4]),
        (b'd', vec![0; 8]),
        (b'D', vec![0; 5]),
        (b'T', vec![0; 8]),
        (b'S', long(b"text")),
        (b'x', long(b"\xff\xff")),
        (b'A', long(&items)),
        (b'F', long(&inner)),
    ];
    let entry = |(kind, value): &(u8, Vec<u8>)| [&*name, &[*kind], value].concat();
    kinds.iter().flat_map(entry).collect()
}

#[test]
fn each_byte_that_is_not_utf8_becomes_a_question_mark_and_nothing_else_changes() {
    let (bad, good) = (b"a\xff\xe9\xc3\xa9\xf0\x9f".as_slice(), "a??é??".as_bytes());
    let body = b"\xff is for the reader of the body";
    assert_eq!(
        whole(&delivery(bad, &every_kind(bad), body)),
        delivery(good, &every_kind(good), body)
    );
    let get_ok = |text: &[u8]| {
        frame(
            1,
            &[&[0, 60, 0, 71], &[0; 9][..], &short(b"x"), &short(text)].concat(),
        )
    };
    assert_eq!(whole(&get_ok(bad)), get_ok(good));
    let returned = |text: &[u8]| {
        let text = short(text);
        frame(1, &[&[0, 60, 0, 50, 1, 56], &*text, &text, &text].concat())
    };
    assert_eq!(whole(&returned(bad)), returned(good));
}

#[test]
fn tables_deeper_than_anyone_needs_are_handed_on_as_bytes() {
    let nest = |kinds: &[u8]| {
        let wrap = |inside: Vec<u8>, kind: &u8| [&[1, b'n', *kind], &*long(&inside)].concat();
        kinds.iter().rev().fold(Vec::new(), wrap)
    };
    let levels = |open: usize, shut: u8, behind: usize| {
        let kinds = [vec![b'F'; open], vec![shut], vec![b'F'; behind]].concat();
        delivery(b"key", &nest(&kinds), b"")
    };
    assert_eq!(
        whole(&levels(15, b'F', 0)),
        levels(15, b'F', 0),
        "sixteen are read"
    );
    assert_eq!(whole(&levels(16, b'F', 9_000)), levels(16, b'x', 9_000));
}

#[test]
fn what_is_no_frame_is_handed_on_as_it_came() {
    let refusal = b"AMQP\0\0\x09\x01 and whatever else";
    assert_eq!(whole(refusal), refusal);
    let huge = [&[1, 0, 1], &u32::MAX.to_be_bytes()[..], b"\xff\xff"].concat();
    assert_eq!(whole(&huge), huge);
}

proptest! {
    #[test]
    fn pieces_do_not_matter(
        text in vec(any::<u8>(), 0..40),
        body in vec(any::<u8>(), 0..300),
        pieces in vec(1_usize..90, 1..8),
        count in 1_usize..4,
    ) {
        let bytes = delivery(&text, &every_kind(&text), &body).repeat(count);
        let out = mended(&bytes, &pieces);
        prop_assert_eq!(&out, &whole(&bytes));
        let said = String::from_utf8_lossy(&text);
        if said.as_bytes() == text {
            prop_assert_eq!(out, bytes);
        }
    }

    #[test]
    fn nothing_grows_or_shrinks_and_nothing_panics(
        kind in 0_u8..10,
        payload in vec(any::<u8>(), 0..400),
        head in prop_oneof![Just(vec![]), Just(vec![0, 60, 0, 60]), Just(vec![0, 60, 0, 0])],
        behind in vec(any::<u8>(), 0..100),
        pieces in vec(1_usize..90, 1..8),
    ) {
        let bytes = [frame(kind, &[head, payload].concat()), behind].concat();
        prop_assert_eq!(mended(&bytes, &pieces).len(), bytes.len());
    }
}
