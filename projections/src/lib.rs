//! actum-projections
