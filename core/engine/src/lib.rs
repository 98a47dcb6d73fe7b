//! actum
