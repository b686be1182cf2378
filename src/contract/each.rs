//! Lists of things of which one may be bad.

use super::dead::Dead;
use super::json::{Item, List};
use super::reading::Reading;

/// Does something with every item of a list; a fault in one leaves the others alone. Ends when the body is refused whole.
pub(super) fn each<'a>(
    reading: &mut Reading,
    list: Result<List<'a, '_>, Dead>,
    mut read: impl FnMut(&mut Reading, Item<'a, '_>) -> Result<(), Dead>,
) {
    match list {
        Err(dead) => reading.refuse(dead),
        Ok(list) => {
            for item in list.iter() {
                if let Err(dead) = read(reading, item) {
                    reading.refuse(dead);
                }
                if reading.is_over() {
                    return;
                }
            }
        }
    }
}
