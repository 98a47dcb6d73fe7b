//! actum-benches
