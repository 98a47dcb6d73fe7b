//! actum-net
