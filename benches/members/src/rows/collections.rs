//! What items are gathered in.

use super::super::items::{Items, LEN};
use super::super::row::{Row, row};
use super::library::{iter::Either, prelude::*};
use super::{asleep, awake, ignore};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};
use std::ffi::{OsStr, OsString};
use std::rc::Rc;
use std::sync::Arc;

fn pair(item: usize) -> (usize, usize) {
    (item, item)
}

fn either(item: usize) -> Either<usize, usize> {
    if item < LEN / 2 { Either::Left(item) } else { Either::Right(item) }
}

fn letter(_: usize) -> char {
    'x'
}

/// Has all items run, each of which yields a reference to the same.
fn same<'a, T: Sync>(items: &Items, value: &'a T) -> impl IndexedParallelIterator<Item = &'a T> {
    asleep().map(move |item| {
        items.run(item);
        value
    })
}

macro_rules! into {
    ($C:ty) => {
        |items, _| ignore(awake(items).collect::<$C>())
    };
    ($C:ty, $map:expr) => {
        |items, _| ignore(awake(items).map($map).collect::<$C>())
    };
}

macro_rules! extending {
    ($C:ty) => {
        |items, _| <$C>::default().par_extend(awake(items))
    };
    ($C:ty, $map:expr) => {
        |items, _| <$C>::default().par_extend(awake(items).map($map))
    };
    ($C:ty, by reference $value:expr) => {
        |items, _| <$C>::default().par_extend(same(items, $value))
    };
    ($C:ty, by references) => {
        |items, _| <$C>::default().par_extend(same(items, &7).zip(0..LEN).map(|(value, _)| (value, value)))
    };
}

pub(super) const ROWS: &[Row] = &[
    row("FromParallelIterator::from_par_iter", |items, _| ignore(Vec::from_par_iter(awake(items)))),
    row("FromParallelIterator<T> for Vec<T>", into!(Vec<_>)),
    row("FromParallelIterator<T> for Vec<T> / as many as pass a filter", |items, _| {
        ignore(asleep().filter(|item| items.ran(*item) % 2 == 0).collect::<Vec<_>>());
    }),
    row("FromParallelIterator<T> for VecDeque<T>", into!(VecDeque<_>)),
    row("FromParallelIterator<T> for BinaryHeap<T>", into!(BinaryHeap<_>)),
    row("FromParallelIterator<T> for Box<[T]>", into!(Box<[_]>)),
    row("FromParallelIterator<T> for Rc<[T]>", into!(Rc<[_]>)),
    row("FromParallelIterator<T> for Arc<[T]>", into!(Arc<[_]>)),
    row("FromParallelIterator<T> for Cow<C>", into!(Cow<'_, [_]>)),
    row("FromParallelIterator<T> for Cow<C> / str", into!(Cow<'_, str>, letter)),
    row("FromParallelIterator<T> for Box<str>", into!(Box<str>, letter)),
    row("FromParallelIterator<&OsStr> for OsString", into!(OsString, |_| OsStr::new("text"))),
    row("FromParallelIterator<OsString> for OsString", into!(OsString, |_| OsString::from("text"))),
    row(
        "FromParallelIterator<Cow<OsStr>> for OsString",
        into!(OsString, |_| Cow::Borrowed(OsStr::new("text"))),
    ),
    row("FromParallelIterator<T> for LinkedList<T>", into!(LinkedList<_>)),
    row("FromParallelIterator<T> for BTreeSet<T>", into!(BTreeSet<_>)),
    row("FromParallelIterator<T> for HashSet<T, S>", into!(HashSet<_>)),
    row("FromParallelIterator<(K, V)> for BTreeMap<K, V>", into!(BTreeMap<_, _>, pair)),
    row("FromParallelIterator<(K, V)> for HashMap<K, V, S>", into!(HashMap<_, _>, pair)),
    row("FromParallelIterator<char> for String", into!(String, letter)),
    row("FromParallelIterator<&char> for String", |items, _| ignore(same(items, &'x').collect::<String>())),
    row("FromParallelIterator<&str> for String", into!(String, |_| "text")),
    row("FromParallelIterator<String> for String", into!(String, |_| "text".to_owned())),
    row("FromParallelIterator<Box<str>> for String", into!(String, |_| Box::<str>::from("text"))),
    row("FromParallelIterator<Cow<str>> for String", into!(String, |_| Cow::Borrowed("text"))),
    row("FromParallelIterator<()> for ()", into!((), drop)),
    row("FromParallelIterator<(A, B)> for (FromA, FromB)", into!((Vec<_>, Vec<_>), pair)),
    row("FromParallelIterator<Either<L, R>> for (FromL, FromR)", into!((Vec<_>, Vec<_>), either)),
    row("FromParallelIterator<Option<T>> for Option<C>", into!(Option<Vec<_>>, Some)),
    row("FromParallelIterator<Result<T, E>> for Result<C, E>", into!(Result<Vec<_>, ()>, Ok)),
    row("ParallelExtend::par_extend", |items, _| vec![0].par_extend(awake(items))),
    row("ParallelExtend<T> for Vec<T>", extending!(Vec<_>)),
    row("ParallelExtend<T> for VecDeque<T>", extending!(VecDeque<_>)),
    row("ParallelExtend<T> for BinaryHeap<T>", extending!(BinaryHeap<_>)),
    row("ParallelExtend<T> for LinkedList<T>", extending!(LinkedList<_>)),
    row("ParallelExtend<T> for BTreeSet<T>", extending!(BTreeSet<_>)),
    row("ParallelExtend<T> for HashSet<T, S>", extending!(HashSet<usize>)),
    row("ParallelExtend<(K, V)> for BTreeMap<K, V>", extending!(BTreeMap<_, _>, pair)),
    row("ParallelExtend<(K, V)> for HashMap<K, V, S>", extending!(HashMap<usize, usize>, pair)),
    row("ParallelExtend<&T> for Vec<T>", extending!(Vec<usize>, by reference &7)),
    row("ParallelExtend<&T> for VecDeque<T>", extending!(VecDeque<usize>, by reference &7)),
    row("ParallelExtend<&T> for BinaryHeap<T>", extending!(BinaryHeap<usize>, by reference &7)),
    row("ParallelExtend<&T> for LinkedList<T>", extending!(LinkedList<usize>, by reference &7)),
    row("ParallelExtend<&T> for BTreeSet<T>", extending!(BTreeSet<usize>, by reference &7)),
    row("ParallelExtend<&T> for HashSet<T, S>", extending!(HashSet<usize>, by reference &7)),
    row("ParallelExtend<(&K, &V)> for BTreeMap<K, V>", extending!(BTreeMap<usize, usize>, by references)),
    row("ParallelExtend<(&K, &V)> for HashMap<K, V, S>", extending!(HashMap<usize, usize>, by references)),
    row("ParallelExtend<char> for String", extending!(String, letter)),
    row("ParallelExtend<&char> for String", extending!(String, by reference &'x')),
    row("ParallelExtend<&str> for String", extending!(String, |_| "text")),
    row("ParallelExtend<String> for String", extending!(String, |_| "text".to_owned())),
    row("ParallelExtend<Box<str>> for String", extending!(String, |_| Box::<str>::from("text"))),
    row("ParallelExtend<Cow<str>> for String", extending!(String, |_| Cow::Borrowed("text"))),
    row("ParallelExtend<()> for ()", extending!((), drop)),
    row("ParallelExtend<(A, B)> for (FromA, FromB)", extending!((Vec<_>, Vec<_>), pair)),
    row("ParallelExtend<Either<L, R>> for (FromL, FromR)", extending!((Vec<_>, Vec<_>), either)),
    row("ParallelExtend<&OsStr> for OsString", extending!(OsString, |_| OsStr::new("text"))),
    row("ParallelExtend<OsString> for OsString", extending!(OsString, |_| OsString::from("text"))),
    row(
        "ParallelExtend<Cow<OsStr>> for OsString",
        extending!(OsString, |_| Cow::Borrowed(OsStr::new("text"))),
    ),
    row("ParallelExtend<T> for Either<L, R>", |items, _| {
        Either::<Vec<usize>, BTreeSet<usize>>::Left(Vec::new()).par_extend(awake(items));
    }),
];
