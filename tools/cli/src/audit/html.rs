//! Text for a page: nothing of a log or of a rule ever becomes markup.

/// Text that stands for itself, in elements and in quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            '\'' => out += "&#39;",
            '\n' | '\t' => out.push(letter),
            // Not allowed in a page, or turning what follows around.
            _ if letter.is_control() || is_turning(letter) => out.push('\u{fffd}'),
            _ => out.push(letter),
        }
    }
    out
}

/// Text whose direction does not reach what stands beside it.
pub(super) fn apart(text: &str) -> String {
    format!("<bdi>{}</bdi>", escape(text))
}

/// Explicit directional controls: they can make a name read as another.
fn is_turning(letter: char) -> bool {
    matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        for hostile in ["<script>alert(1)</script>", "\" onload=\"x", "' x='", "</pre><img src=x onerror=y>", "&lt;"] {
            let escaped = escape(hostile);
            assert!(!escaped.contains(['<', '>', '"', '\'']), "{escaped}");
        }
        assert_eq!(escape("a & <b>\n\u{0}\u{202e}é"), "a &amp; &lt;b&gt;\n\u{fffd}\u{fffd}é");
    }
}
