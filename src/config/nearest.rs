//! Which known word a mistyped one is nearest to.

/// Returns the candidate with the fewest edits from the word; the first of equals.
pub(super) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates.min_by_key(|candidate| distance(word, candidate))
}

/// Counts the edits between two words: a letter inserted, removed, replaced, or swapped with its neighbour.
pub(super) fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    let mut previous = None;
    for (row, letter) in left.chars().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let cell = |cells: &[usize], at: usize| cells.get(at).copied().unwrap_or(usize::MAX - 1);
            let replaced = cell(&above, column) + usize::from(letter != *other);
            let removed = cell(&above, column + 1) + 1;
            let inserted = cell(&current, column) + 1;
            let neighbour = column.checked_sub(1);
            let swapped = neighbour.filter(|at| right.get(*at) == Some(&letter) && previous == Some(*other));
            let swapped = swapped.map_or(usize::MAX, |at| cell(&before, at) + 1);
            current.push(replaced.min(removed).min(inserted).min(swapped));
        }
        before = above;
        above = current;
        previous = Some(letter);
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (left, right, edits) in [
            ("", "", 0),
            ("tenant", "tenant", 0),
            ("", "url", 3),
            ("tenat", "tenant", 1),
            ("tneant", "tenant", 1),
            ("direction", "read", 7),
            ("master_pbx", "master", 4),
        ] {
            assert_eq!(distance(left, right), edits, "{left} {right}");
            assert_eq!(distance(right, left), edits, "{right} {left}");
        }
    }

    #[test]
    fn the_nearest_word_is_named() {
        let words = ["tenant", "client_id", "client_secret"];
        assert_eq!(nearest("client-id", words.into_iter()), Some("client_id"));
        assert_eq!(nearest("x", std::iter::empty()), None);
    }
}
