//! A `Cell` for each thread; in a user's model, where loom runs all threads on one of the system's,
//! for each of loom's.

#[cfg(not(all(loom, feature = "loom")))]
pub(crate) type PerThread<T> = std::thread::LocalKey<std::cell::Cell<T>>;

/// Declares statics, as `thread_local!` does; they have `get` and `set`.
#[cfg(not(all(loom, feature = "loom")))]
macro_rules! per_thread {
    ($($(#[$attribute:meta])* static $name:ident: $type:ty = $init:expr;)*) => {
        std::thread_local! {
            $($(#[$attribute])* static $name: std::cell::Cell<$type> = const { std::cell::Cell::new($init) };)*
        }
    };
}

#[cfg(all(loom, feature = "loom"))]
pub(crate) struct PerThread<T: 'static> {
    pub(crate) in_model: &'static loom::thread::LocalKey<std::cell::Cell<T>>,
    pub(crate) outside: &'static std::thread::LocalKey<std::cell::Cell<T>>,
}

#[cfg(all(loom, feature = "loom"))]
impl<T: Copy + 'static> PerThread<T> {
    pub(crate) fn get(&'static self) -> T {
        match crate::sync::is_modelled() {
            true => self.in_model.with(std::cell::Cell::get),
            false => self.outside.get(),
        }
    }

    pub(crate) fn set(&'static self, value: T) {
        match crate::sync::is_modelled() {
            true => self.in_model.with(|cell| cell.set(value)),
            false => self.outside.set(value),
        }
    }
}

#[cfg(all(loom, feature = "loom"))]
impl<T> std::fmt::Debug for PerThread<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PerThread").finish_non_exhaustive()
    }
}

#[cfg(all(loom, feature = "loom"))]
macro_rules! per_thread {
    ($($(#[$attribute:meta])* static $name:ident: $type:ty = $init:expr;)*) => {
        $($(#[$attribute])*
        static $name: $crate::sync::PerThread<$type> = {
            loom::thread_local! {
                static BY_LOOM: std::cell::Cell<$type> = std::cell::Cell::new($init);
            }
            std::thread_local! {
                static BY_SYSTEM: std::cell::Cell<$type> = const { std::cell::Cell::new($init) };
            }
            $crate::sync::PerThread { in_model: &BY_LOOM, outside: &BY_SYSTEM }
        };)*
    };
}

pub(crate) use per_thread;
