//! Where the next item may be, if each stands for many indices: what lines know of their bytes,
//! every adapter passes on.

use taskel::iter::Producer;
use taskel::prelude::*;

const TEXT: &str = "a line of twenty-two.\nb line of twenty-two.\n";

/// Makes a chunk of the first three indices and asks about the fourth and about the second line's
/// first.
fn asked<I: ParallelIterator>(iterator: I) -> (usize, usize) {
    let producer = iterator.into_producer();
    let mut local = producer.local();
    // SAFETY: no other call gets these.
    let items = unsafe { Producer::chunk(&producer, &mut local, 0..3) };
    items.for_each(drop);
    (producer.next_item(&local, 3), producer.next_item(&local, 22))
}

#[test]
fn a_chunk_in_a_line_tells_where_the_line_ends() {
    assert_eq!(asked(TEXT.par_lines()), (22, 22));
}

#[test]
fn where_items_have_an_index_each_it_is_the_next() {
    assert_eq!(asked((0..100_usize).into_par_iter()), (3, 22));
    assert_eq!(asked(TEXT.par_bytes().map(|byte| byte + 1)), (3, 22));
}

#[test]
fn adapters_ask_their_bases() {
    assert_eq!(asked(TEXT.par_lines().map(str::len).filter(|len| len % 2 == 1)), (22, 22));
    assert_eq!(asked(TEXT.par_lines().deterministic()), (22, 22));
    assert_eq!(asked(TEXT.par_lines().chunk(taskel::Chunk::Auto)), (22, 22));
    assert_eq!(asked(TEXT.par_lines().fold(|| 0, |sum, line| sum + line.len())), (22, 22));
    assert_eq!(asked(TEXT.par_lines().try_fold(|| 0, |sum, line| Some(sum + line.len()))), (22, 22));
}

#[test]
fn a_chain_asks_the_one_whose_index_it_is() {
    assert_eq!(asked(TEXT.par_lines().chain(TEXT.par_lines())), (22, 22));
    let letters = TEXT.par_chars().map(|_| "");
    let chain = letters.chain(TEXT.par_lines()).into_producer();
    let mut local = chain.local();
    let first = TEXT.len();
    // SAFETY: no other call gets these.
    unsafe { Producer::chunk(&chain, &mut local, first..first + 3) }.for_each(drop);
    assert_eq!(chain.next_item(&local, first + 3), first + 22);
    assert_eq!(chain.next_item(&local, 3), 3);
}

/// Answers whatever it is told to.
struct Claims(usize);

impl Producer for Claims {
    type Item = usize;
    type Local = ();
    type Iter<'a> = std::ops::Range<usize>;

    fn len(&self) -> usize {
        1000
    }

    fn local(&self) {}

    unsafe fn chunk<'a>(&'a self, _: &'a mut (), indices: std::ops::Range<usize>) -> Self::Iter<'a> {
        indices
    }

    fn next_item(&self, _: &(), _: usize) -> usize {
        self.0
    }
}

impl ParallelIterator for Claims {
    type Item = usize;
    type Producer = Self;

    fn into_producer(self) -> Self {
        self
    }
}

#[test]
fn a_wrong_answer_changes_no_result() {
    let pool = taskel::ThreadPool::builder().num_threads(2).build().unwrap();
    for claim in [0, 7, 500, 1000, 1001, usize::MAX] {
        let sum = pool.install(|| Claims(claim).chain(Claims(claim)).map(|n| n + 1).sum::<usize>());
        assert_eq!(sum, 2 * 500_500, "{claim}");
    }
}
