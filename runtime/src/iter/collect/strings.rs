//! Strings.

use std::borrow::Cow;
use std::marker::PhantomData;

use super::{FromParallelIterator, ParallelExtend};
use crate::engine::drive;
use crate::iter::consumer::ExtendSegments;
use crate::iter::{IntoParallelIterator, ParallelIterator};

macro_rules! texts {
    ($([$($generics:tt)*] $Item:ty;)*) => {$(
        impl<$($generics)*> FromParallelIterator<$Item> for String {
            fn from_par_iter<I: IntoParallelIterator<Item = $Item>>(items: I) -> Self {
                let mut text = String::new();
                text.par_extend(items);
                text
            }
        }

        impl<$($generics)*> ParallelExtend<$Item> for String {
            /// Each lane puts together what it processes, and the pieces are put together at the end.
            fn par_extend<I: IntoParallelIterator<Item = $Item>>(&mut self, items: I) {
                let producer = items.into_par_iter().into_producer();
                let pieces: Vec<String> = drive(&producer, ExtendSegments(PhantomData));
                self.reserve(pieces.iter().map(String::len).sum());
                pieces.iter().for_each(|piece| self.push_str(piece));
            }
        }
    )*};
}

texts! {
    [] char;
    ['a] &'a char;
    ['a] &'a str;
    [] String;
    [] Box<str>;
    ['a] Cow<'a, str>;
}

impl<'a, T> FromParallelIterator<T> for Cow<'a, str>
where
    T: Send,
    String: FromParallelIterator<T>,
{
    fn from_par_iter<I: IntoParallelIterator<Item = T>>(items: I) -> Self {
        Cow::Owned(String::from_par_iter(items))
    }
}
