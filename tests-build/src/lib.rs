//! Programs that must not compile: see `tests/`. A package of its own, because trybuild builds all that its package depends on once more.
