//! Frames from the broker, mended in place before anything else reads them.

use switchboard::broker::legible::Mender;

/// A stream of frames: the first byte says in which pieces it comes.
pub fn legible(input: &[u8]) {
    let Some((&piece, stream)) = input.split_first() else {
        return;
    };
    let whole = mended(stream, stream.len().max(1));
    assert_eq!(whole.len(), stream.len(), "something grew or shrank");
    assert_eq!(mended(stream, usize::from(piece).max(1)), whole, "pieces matter");
    assert_eq!(
        mended(&whole, whole.len().max(1)),
        whole,
        "mended twice it is something else"
    );
}

fn mended(bytes: &[u8], piece: usize) -> Vec<u8> {
    let mut mender = Mender::default();
    let (mut held, mut out) = (Vec::new(), Vec::with_capacity(bytes.len()));
    for piece in bytes.chunks(piece) {
        held.extend_from_slice(piece);
        let done = mender.mend(&mut held);
        assert!(done <= held.len(), "more is handed on than came");
        out.extend(held.drain(..done));
    }
    out.extend(held);
    out
}
