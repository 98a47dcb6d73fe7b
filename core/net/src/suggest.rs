//! "Did you mean": the nearest known name.

/// Longest name that is compared, so that the work stays small.
const NAME_BYTES_MAX: usize = 64;

/// Most names that are compared, for the same reason.
const NAMES_MAX: usize = 2_000;

/// A hint that names the nearest of the known names, if one is near.
pub fn suggestion<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(name, known).map(did_you_mean)
}

pub(crate) fn did_you_mean(name: &str) -> String {
    format!("did you mean `{name}`?")
}

/// The nearest of the known names, if one is near.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    let tolerance = (name.chars().count() / 3).max(1);
    known
        .into_iter()
        .take(NAMES_MAX)
        .filter(|known| known.len() <= NAME_BYTES_MAX && *known != name)
        .map(|known| (distance(&normal(name), &normal(known)), known))
        .filter(|(distance, _)| *distance <= tolerance)
        .min()
        .map(|(_, known)| known)
}

/// Case and the kind of dash are the most common slips.
fn normal(name: &str) -> Vec<char> {
    name.chars().map(|letter| if letter == '_' { '-' } else { letter.to_ascii_lowercase() }).collect()
}

/// Optimal string alignment distance: insertions, deletions, substitutions, and swaps of neighbours.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, r) in right.iter().enumerate() {
            let mut best = (above[j] + usize::from(l != r)).min(above[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *l == right[j - 1] && left[i - 1] == *r {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = above;
        above = row;
    }
    above.last().copied().unwrap_or(left.len())
}

#[cfg(test)]
mod tests {
    use super::suggestion;

    #[test]
    fn the_nearest_name_is_suggested() {
        let known = ["check-stock", "ship", "end"];
        assert_eq!(suggestion("check_stok", known).as_deref(), Some("did you mean `check-stock`?"));
        assert_eq!(suggestion("shpi", known).as_deref(), Some("did you mean `ship`?"));
        assert_eq!(suggestion("invoice", known), None);
    }
}
