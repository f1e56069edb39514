//! A list that grows and never moves: what each lane of a pool has, however many lanes there come
//! to be.
//!
//! The first entries are made at once and found as in a slice. Further ones come in blocks, each
//! twice as long as the one before, made when somebody first needs one of them.

use std::ops::Index;

use crate::sync::OnceLock;

/// With blocks that double, enough for more lanes than there can be threads.
const BLOCKS: usize = 26;

#[derive(Debug)]
pub(crate) struct Table<T> {
    first: Box<[T]>,
    /// How many entries the first block has.
    unit: usize,
    blocks: [OnceLock<Box<[T]>>; BLOCKS],
}

impl<T> Table<T> {
    pub(crate) fn new(first: impl Iterator<Item = T>, unit: usize) -> Self {
        Table { first: first.collect(), unit, blocks: std::array::from_fn(|_| OnceLock::new()) }
    }

    /// A table that has no entry yet.
    pub(crate) fn empty() -> Self {
        Table::new(std::iter::empty(), 1)
    }

    /// How many entries there are, if blocks were made in order.
    pub(crate) fn len(&self) -> usize {
        self.first.len() + self.made().map(<[T]>::len).sum::<usize>()
    }

    /// Entry `index`, if it was made, as far as this thread knows.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        match self.first.get(index) {
            None => self.get_later(index),
            first => first,
        }
    }

    #[cold]
    #[inline(never)]
    fn get_later(&self, index: usize) -> Option<&T> {
        let (block, at) = self.place(index);
        Some(&self.blocks[block].get()?[at])
    }

    /// Entry `index`; if it is not there, `make` makes all those of its block.
    #[inline]
    pub(crate) fn get_or_make(&self, index: usize, make: impl FnMut(usize) -> T) -> &T {
        match self.first.get(index) {
            Some(entry) => entry,
            None => self.make_later(index, make),
        }
    }

    #[cold]
    #[inline(never)]
    fn make_later(&self, index: usize, make: impl FnMut(usize) -> T) -> &T {
        let (block, at) = self.place(index);
        let made = self.blocks[block].get_or_init(|| {
            let start = index - at;
            (start..start + (self.unit << block)).map(make).collect()
        });
        &made[at]
    }

    /// The block that an index behind the first entries falls into, and the place there.
    fn place(&self, index: usize) -> (usize, usize) {
        let later = index - self.first.len();
        let block = (later / self.unit + 1).ilog2() as usize;
        (block, later - self.unit * ((1 << block) - 1))
    }

    fn made(&self) -> impl Iterator<Item = &[T]> {
        self.blocks.iter().map_while(OnceLock::get).map(|block| &**block)
    }

    /// All entries, if blocks were made in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(self.made().flatten())
    }

    /// All entries that were made.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let blocks = self.blocks.iter_mut().filter_map(OnceLock::get_mut);
        self.first.iter_mut().chain(blocks.flatten())
    }
}

impl<T> Index<usize> for Table<T> {
    type Output = T;

    /// Entry `index`, which was made.
    #[inline]
    fn index(&self, index: usize) -> &T {
        self.get(index).expect("it was made before anybody was told of it")
    }
}

impl<T> IntoIterator for Table<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    /// All entries that were made.
    fn into_iter(self) -> Self::IntoIter {
        let blocks = self.blocks.into_iter().filter_map(OnceLock::into_inner);
        let mut entries = self.first.into_vec();
        entries.extend(blocks.flatten());
        entries.into_iter()
    }
}
