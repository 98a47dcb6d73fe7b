//! Nets that together have everything that the engine has to schedule. Roles are those that everybody has.

macro_rules! nets {
    ($($name:literal),*) => { &[$(include_str!(concat!("nets/", $name, ".yaml"))),*] };
}

/// Each has handlers called `sim`, `flaky` and `batch`, and built-in ones.
pub(crate) const NETS: &[&str] = nets![
    "chain", "people", "region", "several", "signals", "inner", "policies", "breaker", "leases", "letters", "orders",
    "trip", "hours"
];

/// Who works, and when.
pub(crate) const ORGANISATION: &str = include_str!("organisation.yaml");

/// Signals that some net waits for.
pub(crate) const SIGNALS_SENT: [&str; 2] = ["now", "kept"];

/// External exceptions that some net has a rule for.
pub(crate) const EXCEPTIONS: [&str; 4] = ["stop", "off", "hold", "lost"];

/// Units of the engine's pool `common`.
pub(crate) const COMMON_UNITS: u32 = 4;
