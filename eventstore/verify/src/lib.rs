//! actum-verify
