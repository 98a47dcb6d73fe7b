//! actum-replay
