//! Condition variables: waiting for a change of a value that a mutex protects.

use std::time::{Duration, Instant};

use crate::error::Unsupported;
use crate::guard::ShmMutexGuard;
use crate::layout::{Locks, ShmLayout};
use crate::lock_error::{LockError, LockFailure};
use crate::pod::ShmPod;
use crate::protocol::condvar::Condvar;
use crate::protocol::mutex::Slept;
use crate::thread::Ticker;

/// A condition variable between processes. It is in the [`ShmRegion`](crate::ShmRegion) of its
/// mutex, or in another region.
///
/// As with every condition variable, a wait may end without a notification. Check the condition in
/// a loop, or let [`wait_while`](Self::wait_while) do so. Each wait ends at least four times a
/// second. So if a woken waiter dies, and its notification with it, the other waiters still see the
/// change.
///
/// Taking the lock again may return [`OwnerDied`](LockError::OwnerDied), like `lock`.
///
/// ```
/// use shm_lock::{RegionMutex, ShmCondvar, ShmRegion};
///
/// shm_lock::region! {
///     struct Gate {
///         open: RegionMutex<u8>,
///         changed: ShmCondvar,
///     }
/// }
///
/// let gate = ShmRegion::memfd("gate", Gate { open: RegionMutex::new(0), changed: ShmCondvar::new() })?;
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         *gate.open.lock().unwrap() = 1;
///         gate.changed.notify_all();
///     });
///     let guard = gate.open.lock().unwrap();
///     let guard = gate.changed.wait_while(guard, |open| *open == 0).unwrap();
///     assert_eq!(*guard, 1);
/// });
/// # Ok::<(), shm_lock::OpenError>(())
/// ```
#[derive(Debug)]
#[repr(transparent)]
pub struct ShmCondvar(Condvar);

/// The result of a wait with a time limit: the lock, and whether the time was up.
pub type TimedWait<'a, T> = Result<(ShmMutexGuard<'a, T>, bool), LockError<'a, T>>;

// SAFETY: one atomic word; it holds no lock.
unsafe impl ShmLayout for ShmCondvar {
    fn describe(text: &mut String) {
        text.push_str("ShmCondvar");
    }

    fn visit_locks(&self, _: &mut Locks<'_>) {}
}

impl Default for ShmCondvar {
    fn default() -> Self {
        ShmCondvar::new()
    }
}

impl ShmCondvar {
    /// Creates a condition variable without waiters.
    pub fn new() -> Self {
        ShmCondvar(Condvar::new())
    }

    /// Releases the lock, waits for a notification, and takes the lock again.
    ///
    /// # Errors
    /// The errors of [`lock`](crate::RegionMutex::lock).
    pub fn wait<'a, T: ShmPod>(
        &self,
        guard: ShmMutexGuard<'a, T>,
    ) -> Result<ShmMutexGuard<'a, T>, LockError<'a, T>> {
        self.wait_with(guard, Ticker::forever()).map(|(guard, _)| guard)
    }

    /// Waits until `condition` returns false for the value.
    ///
    /// # Errors
    /// The errors of [`lock`](crate::RegionMutex::lock).
    pub fn wait_while<'a, T: ShmPod>(
        &self,
        mut guard: ShmMutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> Result<ShmMutexGuard<'a, T>, LockError<'a, T>> {
        while condition(&mut guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// Waits like [`wait_while`](Self::wait_while). If the last owner died, or released a value
    /// that may be torn, calls `repair` to make the value consistent, and goes on.
    ///
    /// ```
    /// use shm_lock::{ShmCondvar, ShmMutex, ShmRegion};
    ///
    /// let (stock, changed) = (ShmMutex::memfd("a", [0_u32; 2])?, ShmRegion::memfd("b", ShmCondvar::new())?);
    /// std::thread::scope(|scope| -> Result<(), Box<dyn std::error::Error>> {
    ///     let guard = stock.lock()?;
    ///     scope.spawn(|| {
    ///         // It dies with the lock held, as in a killed process.
    ///         let mut stock = stock.lock().unwrap();
    ///         stock[0] = 2;
    ///         std::mem::forget(stock);
    ///         changed.notify_one();
    ///     });
    ///     let repair = |stock: &mut [u32; 2]| stock[1] = stock[0];
    ///     let guard = changed.wait_while_or_recover(guard, |stock| stock[0] == 0, repair)?;
    ///     assert_eq!(*guard, [2, 2]);
    ///     Ok(())
    /// })
    /// # ?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`LockFailure::NotRecoverable`] and [`LockFailure::Unsupported`].
    ///
    /// # Panics
    /// Panics if `condition` or `repair` does. The value is then [`Poisoned`](LockError::Poisoned).
    pub fn wait_while_or_recover<'a, T: ShmPod>(
        &self,
        mut guard: ShmMutexGuard<'a, T>,
        mut condition: impl FnMut(&mut T) -> bool,
        mut repair: impl FnMut(&mut T),
    ) -> Result<ShmMutexGuard<'a, T>, LockFailure> {
        while condition(&mut guard) {
            guard = self.wait(guard).or_else(|error| error.recover(&mut repair))?;
        }
        Ok(guard)
    }

    /// Waits for a notification, but no longer than `patience`. Returns the lock, and true if the
    /// time was up.
    ///
    /// Taking the lock again may take longer.
    ///
    /// ```
    /// use shm_lock::{ShmCondvar, ShmMutex, ShmRegion};
    /// use std::time::Duration;
    ///
    /// let (mutex, never) = (ShmMutex::memfd("a", 0)?, ShmRegion::memfd("b", ShmCondvar::new())?);
    /// let guard = mutex.lock().unwrap();
    /// let (guard, timed_out) = never.wait_timeout(guard, Duration::from_millis(1)).unwrap();
    /// assert!(timed_out);
    /// # drop(guard);
    /// # Ok::<(), shm_lock::OpenError>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`lock`](crate::RegionMutex::lock).
    pub fn wait_timeout<'a, T: ShmPod>(
        &self,
        guard: ShmMutexGuard<'a, T>,
        patience: Duration,
    ) -> TimedWait<'a, T> {
        self.wait_with(guard, Ticker::within(patience))
    }

    /// Waits until `condition` returns false for the value, but no longer than `patience`. Returns
    /// the lock, and true if the condition was still true.
    ///
    /// # Errors
    /// The errors of [`lock`](crate::RegionMutex::lock).
    pub fn wait_timeout_while<'a, T: ShmPod>(
        &self,
        mut guard: ShmMutexGuard<'a, T>,
        patience: Duration,
        mut condition: impl FnMut(&mut T) -> bool,
    ) -> TimedWait<'a, T> {
        // A deadline that cannot be represented means no deadline.
        let deadline = Instant::now().checked_add(patience);
        loop {
            if !condition(&mut guard) {
                return Ok((guard, false));
            }
            let ticker = deadline.map_or_else(Ticker::forever, Ticker::until);
            let (again, timed_out) = self.wait_with(guard, ticker)?;
            guard = again;
            if timed_out {
                let unchanged = condition(&mut guard);
                return Ok((guard, unchanged));
            }
        }
    }

    fn wait_with<'a, T: ShmPod>(&self, guard: ShmMutexGuard<'a, T>, ticker: Ticker) -> TimedWait<'a, T> {
        let mutex = ShmMutexGuard::mutex(&guard);
        let awaited = self.0.look();
        drop(guard);
        match self.0.wait(awaited, &mut ticker.with_long_ticks()) {
            Slept::Failed(errno) => {
                Err(LockError::Unsupported(Unsupported::SystemCall { call: "futex", errno }))
            }
            slept => Ok((mutex.lock()?, slept == Slept::TimedOut)),
        }
    }

    /// Wakes one waiter, if there is one. If there is none, it makes no system call.
    ///
    /// Call it after the change, with or without the lock.
    pub fn notify_one(&self) {
        self.0.notify(1);
    }

    /// Wakes all waiters. If there are none, it makes no system call.
    ///
    /// Call it after the change, with or without the lock.
    pub fn notify_all(&self) {
        self.0.notify(u32::MAX);
    }
}
