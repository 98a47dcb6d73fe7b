//! actum-fjall
