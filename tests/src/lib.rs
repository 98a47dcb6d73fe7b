//! actum-tests
