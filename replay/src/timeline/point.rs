//! How people write a point of a case: `ORD-42@120`.

use std::fmt;
use std::str::FromStr;

use crate::{At, CaseRef};

/// A case at a point; without one, as of its newest event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Which case.
    pub case: CaseRef,
    /// When.
    pub at: Option<At>,
}

/// The text is no point of a case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "write a case and where in it: `1@120` (position in the log), `1@v3` (version of the case), `1@2026-01-05T09:30:00Z`, or `1` (its end)"
)]
pub struct NotACasePoint;

impl FromStr for Point {
    type Err = NotACasePoint;

    /// The point begins at the last `@`; a key may have others. A key that ends as a point does is not one of its own: write `KEY@SEQ`.
    fn from_str(text: &str) -> Result<Self, NotACasePoint> {
        let case = |text: &str| text.parse::<CaseRef>().unwrap_or_else(|never| match never {});
        let Some((front, back)) = text.rsplit_once('@') else {
            return if text.is_empty() { Err(NotACasePoint) } else { Ok(Point { case: case(text), at: None }) };
        };
        let version = back.strip_prefix('v').is_some_and(|number| number.parse::<u64>().is_ok());
        let at = if version { format!("@{back}").parse() } else { back.parse::<At>() };
        match at {
            Ok(at) if !front.is_empty() => Ok(Point { case: case(front), at: Some(at) }),
            // An address is a fine key; a number is none.
            Err(_) if !front.is_empty() && !back.is_empty() && front.parse::<u64>().is_err() => {
                Ok(Point { case: case(text), at: None })
            }
            _ => Err(NotACasePoint),
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let case = match &self.case {
            CaseRef::Number(case) => case.to_string(),
            CaseRef::Key(key) => key.clone(),
        };
        match self.at {
            None => f.write_str(&case),
            Some(At::Version(version)) => write!(f, "{case}@v{version}"),
            Some(at) => write!(f, "{case}@{at}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use actum_model::{CaseId, Seq};

    use super::*;

    #[test]
    fn points_are_read_as_they_are_written() {
        let number = CaseRef::Number(CaseId(1));
        let key = |key: &str| CaseRef::Key(key.into());
        let cases = [
            ("1@120", number.clone(), Some(At::Seq(Seq(120)))),
            ("1@v3", number.clone(), Some(At::Version(3))),
            ("1", number, None),
            ("ORD-1@v3", key("ORD-1"), Some(At::Version(3))),
            ("ana@example.org", key("ana@example.org"), None),
            ("ana@example.org@7", key("ana@example.org"), Some(At::Seq(Seq(7)))),
        ];
        for (text, case, at) in cases {
            let point: Point = text.parse().unwrap();
            assert_eq!((&point.case, point.at), (&case, at), "{text}");
            assert_eq!(point.to_string(), text);
        }
        let timed: Point = "1@2026-01-05T09:30:00Z".parse().unwrap();
        assert!(matches!(timed.at, Some(At::Time(_))));
        for bad in ["", "@7", "1@", "1@x", "1@v0", "7@-1"] {
            assert_eq!(bad.parse::<Point>(), Err(NotACasePoint), "{bad}");
        }
    }
}
