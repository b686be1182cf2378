//! The known word that somebody probably meant by an unknown one, for messages about what people write by hand.

/// Most letters that may be wrong in a word that is still taken for a misspelling, however long it is.
const MAX_WRONG_LETTERS: usize = 3;

/// Longer words are not looked up: no known one is as long, and comparing takes memory in proportion to both.
const MAX_LETTERS: usize = 64;

/// One letter in this many may be wrong: `langage` is near `language`, `name` is not near `team`, nor `a` near `b`.
const LETTERS_PER_WRONG_ONE: usize = 3;

/// The known word nearest to this one, if one is near. Case, `-` and spaces do not count as wrong.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |word: &str| word.to_lowercase().replace(['-', ' '], "_");
    if word.chars().nth(MAX_LETTERS).is_some() {
        return None;
    }
    let wrote = plain(word);
    let allowed = (wrote.chars().count() / LETTERS_PER_WRONG_ONE).min(MAX_WRONG_LETTERS);
    let distances = known
        .into_iter()
        .map(|known| (strsim::osa_distance(&wrote, &plain(known)), known));
    let near = distances.filter(|(distance, _)| *distance <= allowed);
    near.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// The end of a sentence about an unknown word: the question whether the nearest one was meant, or nothing.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    match nearest(word, known) {
        Some(known) => format!("; did you mean `{known}`?"),
        None => String::new(),
    }
}
