//! Nothing takes more memory than a bound that grows with the input.

use allocation_counter::measure;

use super::Target;

/// What may be taken for each byte of an input, and for none, in bytes. Lists of fields and of facts are the largest: a
/// field of five bytes (`"":0,`) takes forty, and the text it was read from a second time where a test looks twice.
const PER_BYTE: usize = 400;
const FOR_NONE: usize = 1 << 20;

/// Runs one input and holds it to the bound. Returns the most that was taken at once, in bytes.
///
/// # Panics
///
/// If it takes more, or if the target fails.
pub fn within_bounds(target: &Target, input: &[u8]) -> u64 {
    let taken = measure(|| (target.run)(input)).bytes_max;
    let bound = (FOR_NONE + PER_BYTE * input.len()) as u64;
    assert!(
        taken <= bound,
        "{} bytes took {taken}, more than {bound}",
        input.len()
    );
    taken
}
