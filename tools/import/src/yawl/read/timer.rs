//! Reads timers.

use super::super::fields::Fields;
use super::super::spec::{Timer, TimerEnd};
use super::task::number;
use crate::finding::{Code, Findings};
use crate::xml::Element;

pub(super) fn timer(element: &Element, findings: &mut Findings<'_>) -> Option<Timer> {
    let mut fields = Fields::of(element);
    if fields.text("workdays", findings).is_some_and(|text| matches!(text.text.as_str(), "true" | "1")) {
        let message = "`workdays`: a timer that stops at weekends";
        findings.error(Code::NotSupported, element.span, message, None);
    }
    if let Some(variable) = fields.one("netparam", findings) {
        let message = "`netparam`: a timer whose kind and end are in a variable";
        let hint = Some("say `trigger` and `duration` in the task");
        findings.error(Code::NotSupported, variable.span, message, hint);
        fields.finish(findings);
        return None;
    }
    let trigger = fields.required_text("trigger", findings);
    let expiry = fields.one("expiry", findings);
    let duration = fields.text("duration", findings);
    let parameters = fields.one("durationparams", findings);
    fields.finish(findings);
    let trigger = trigger?;
    let on_enabled = match trigger.text.as_str() {
        "OnEnabled" => true,
        "OnExecuting" => false,
        other => {
            let message = format!("there is no trigger `{other}`");
            findings.error(Code::BadValue, trigger.span, message, Some("it is `OnEnabled` or `OnExecuting`"));
            return None;
        }
    };
    let end = match (expiry, duration, parameters) {
        (Some(expiry), None, None) => TimerEnd::At(number(expiry, findings)?),
        (None, Some(duration), None) => {
            if let Err(why) = check_duration(&duration.text) {
                let message = format!("`{}` is not a duration that can be used: {why}", duration.text);
                findings.error(Code::BadValue, duration.span, message, Some("for example `PT5M` or `P1DT12H`"));
                return None;
            }
            TimerEnd::After(duration.text)
        }
        (None, None, Some(parameters)) => TimerEnd::After(ticks(parameters, findings)?),
        _ => {
            let message = "a timer has one of `expiry`, `duration` and `durationparams`";
            findings.error(Code::Missing, element.span, message, None);
            return None;
        }
    };
    Some(Timer { span: element.span, on_enabled, end })
}

fn ticks(element: &Element, findings: &mut Findings<'_>) -> Option<String> {
    let mut fields = Fields::of(element);
    let ticks = fields.required("ticks", findings).and_then(|element| number(element, findings));
    let interval = fields.required_text("interval", findings);
    fields.finish(findings);
    let (ticks, interval) = (ticks?, interval?);
    if ticks < 0 {
        findings.error(Code::BadValue, element.span, "a duration is not negative", None);
        return None;
    }
    match interval.text.as_str() {
        "MSEC" => Some(format!("PT{}.{:03}S", ticks / 1_000, ticks % 1_000)),
        "SEC" => Some(format!("PT{ticks}S")),
        "MIN" => Some(format!("PT{ticks}M")),
        "HOUR" => Some(format!("PT{ticks}H")),
        "DAY" => Some(format!("P{ticks}D")),
        "WEEK" => ticks.checked_mul(7).map(|days| format!("P{days}D")),
        other => {
            let message = format!("`{other}` has no fixed length");
            findings.error(Code::NotSupported, interval.span, message, Some("use days or less"));
            None
        }
    }
}

/// An XML Schema duration of fixed length: no years, no months, not negative.
fn check_duration(text: &str) -> Result<(), &'static str> {
    let Some(rest) = text.strip_prefix('P') else {
        return Err(if text.starts_with('-') { "it is negative" } else { "it does not begin with `P`" });
    };
    let (date, time) = match rest.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (rest, None),
    };
    if date.contains(['Y', 'M']) {
        return Err("years and months have no fixed length");
    }
    let some = parts(date, &['D'])?
        + time.map_or(Ok(0), |time| match parts(time, &['H', 'M', 'S'])? {
            0 => Err("nothing follows `T`"),
            some => Ok(some),
        })?;
    if some == 0 { Err("it is empty") } else { Ok(()) }
}

/// How many parts of these units, in this order, there are.
fn parts(text: &str, units: &[char]) -> Result<usize, &'static str> {
    let (mut rest, mut next, mut count) = (text, 0, 0);
    while !rest.is_empty() {
        let end = rest.find(|c: char| c.is_ascii_alphabetic()).ok_or("a number has no unit")?;
        let unit = rest[end..].chars().next().unwrap_or_default();
        let place = units[next..].iter().position(|known| *known == unit).ok_or("its units are not in order")?;
        next += place + 1;
        let number = &rest[..end];
        let whole = !number.is_empty() && number.len() <= 12 && number.bytes().all(|byte| byte.is_ascii_digit());
        let fraction = unit == 'S'
            && number.len() <= 12
            && number.parse::<f64>().is_ok_and(f64::is_finite)
            && !number.starts_with(['+', '-'])
            && !number.contains(['e', 'E']);
        if !whole && !fraction {
            return Err("a number is not one");
        }
        count += 1;
        rest = &rest[end + 1..];
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::check_duration;

    #[test]
    fn durations_of_fixed_length_are_taken() {
        for good in ["PT5S", "P1D", "P1DT12H30M0.5S", "PT0S", "PT90M"] {
            assert_eq!(check_duration(good), Ok(()), "{good}");
        }
        for bad in [
            "", "P", "PT", "5", "P1Y", "P1M", "-PT5S", "PT5", "PTS", "PT5M3H", "PT1.5M", "P1DT", "PT+5S", "PTNaNS",
            "PT1e3S",
        ] {
            assert!(check_duration(bad).is_err(), "{bad}");
        }
    }
}
