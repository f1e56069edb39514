//! Collects strings, of text and of the operating system.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::marker::PhantomData;

use super::{FromParallelIterator, ParallelExtend};
use crate::engine::drive;
use crate::iter::consumer::ExtendPartials;
use crate::iter::{IntoParallelIterator, ParallelIterator};

macro_rules! texts {
    ($([$($generics:tt)*] $Text:ty, $Item:ty;)*) => {$(
        impl<$($generics)*> FromParallelIterator<$Item> for $Text {
            #[track_caller]
            fn from_par_iter<I: IntoParallelIterator<Item = $Item>>(items: I) -> Self {
                let mut text = <$Text>::new();
                text.par_extend(items);
                text
            }
        }

        impl<$($generics)*> ParallelExtend<$Item> for $Text {
            /// Each lane puts together what it processes, and the pieces are put together at the
            /// end.
            #[track_caller]
            fn par_extend<I: IntoParallelIterator<Item = $Item>>(&mut self, items: I) {
                let producer = items.into_par_iter().into_producer();
                let pieces: Vec<$Text> = drive(&producer, ExtendPartials(PhantomData));
                self.reserve(pieces.iter().map(|piece| piece.len()).sum());
                self.extend(pieces);
            }
        }
    )*};
}

texts! {
    [] String, char;
    ['a] String, &'a char;
    ['a] String, &'a str;
    [] String, String;
    [] String, Box<str>;
    ['a] String, Cow<'a, str>;
    ['a] OsString, &'a OsStr;
    [] OsString, OsString;
    ['a] OsString, Cow<'a, OsStr>;
}

impl<T: Send> FromParallelIterator<T> for Box<str>
where
    String: FromParallelIterator<T>,
{
    #[track_caller]
    fn from_par_iter<I: IntoParallelIterator<Item = T>>(items: I) -> Self {
        String::from_par_iter(items).into_boxed_str()
    }
}
