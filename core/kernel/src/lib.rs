//! actum-kernel
