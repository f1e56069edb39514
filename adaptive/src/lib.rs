//! Chunk policy.
