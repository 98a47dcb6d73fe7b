//! Numbers for people.

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 case`, `2,000 cases`.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// A rate, without pretending to know it exactly.
pub(crate) fn rate(count: u64, seconds: f64) -> u64 {
    if seconds > 0.0 { (count as f64 / seconds) as u64 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_three() {
        let grouped_all: Vec<String> = [0, 12, 123, 1234, 123456, 1234567].map(grouped).into();
        assert_eq!(grouped_all, ["0", "12", "123", "1,234", "123,456", "1,234,567"]);
        assert_eq!((counted(1, "case"), counted(0, "case")), ("1 case".to_owned(), "0 cases".to_owned()));
    }
}
