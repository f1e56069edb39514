//! Members that have no row, and why.

/// A `*` stands for the rest of a name.
pub(crate) const WITHOUT_ITEMS: &[(&str, &[&str])] = &[
    (
        "one item at most",
        &[
            "IntoParallelIterator for Option<T>",
            "IntoParallelIterator for &Option<T>",
            "IntoParallelIterator for &mut Option<T>",
            "IntoParallelIterator for Result<T, E>",
            "IntoParallelIterator for &Result<T, E>",
            "IntoParallelIterator for &mut Result<T, E>",
            "empty",
            "once",
        ],
    ),
    (
        "what iterators and adapters are made of: run by the members that have a row",
        &[
            "Adapt::*",
            "AdaptIndexed::*",
            "Around::*",
            "Cut::*",
            "Flat::*",
            "IndexedProducer::*",
            "Look::*",
            "Open::*",
            "Options::*",
            "ParallelIterator::into_producer",
            "Producer::*",
            "Receiver::*",
            "Step::*",
            "Try::*",
        ],
    ),
    (
        "asks, or sets something",
        &[
            "CancelToken::cancel",
            "CancelToken::cancel_after",
            "CancelToken::check",
            "CancelToken::child_token",
            "CancelToken::is_cancelled",
            "CancelToken::new",
            "BroadcastContext::*",
            "ChunksExact::remainder",
            "FnContext::migrated",
            "IndexedParallelIterator::len",
            "ParallelSlice::as_parallel_slice",
            "ParallelSliceMut::as_parallel_slice_mut",
            "ParallelString::as_parallel_string",
            "MemoryBudget::*",
            "MemoryGuard::*",
            "PoolMetrics::*",
            "Profile::*",
            "RChunksExact::remainder",
            "Task::is_finished",
            "ThreadBuilder::*",
            "ThreadPool::builder",
            "ThreadPool::current_*",
            "ThreadPool::global",
            "ThreadPool::keep_hot",
            "ThreadPool::metrics",
            "ThreadPool::new",
            "ThreadPool::profile",
            "ThreadPool::shutdown",
            "ThreadPool::shutdown_background",
            "ThreadPoolBuildError::kind",
            "ThreadPoolBuilder::*",
            "ThreadSpawn::handler",
            "WorkerProfile::*",
            "current_num_threads",
            "current_thread_has_pending_tasks",
            "current_thread_index",
            "max_num_threads",
        ],
    ),
    (
        "the calling thread alone does something",
        &[
            "ParallelExtend::par_extend_vec",
            "ThreadPool::yield_local",
            "ThreadPool::yield_now",
            "WorkerLocal::*",
            "yield_local",
            "yield_now",
        ],
    ),
];

/// Whether one of these names, or names that end with `*`, is the member's.
pub(crate) fn is_among(names: &[&str], member: &str) -> bool {
    names.iter().any(|name| match name.strip_suffix('*') {
        Some(start) => member.starts_with(start),
        None => *name == member,
    })
}
