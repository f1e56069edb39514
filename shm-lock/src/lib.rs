//! Locks in shared memory between processes.
