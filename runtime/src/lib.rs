//! taskel.
