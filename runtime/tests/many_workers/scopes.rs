//! Tasks and streams.

use std::ops::Range;

use taskel::prelude::*;
use taskel::{Scope, scope};

use crate::load::Items;
use crate::within::{ALL, assert_all_busy, sites};

#[test]
fn no_worker_waits_beside_the_tasks_of_a_scope() {
    fn tasks<const SITE: usize>(items: &Items) {
        scope(|scope| {
            for item in 0..items.len() {
                scope.spawn(move |_| items.run(item));
            }
        });
    }
    assert_all_busy(&sites!(tasks), ALL);
}

#[test]
fn no_worker_waits_beside_tasks_that_spawn_tasks() {
    fn tree<'scope>(items: &'scope Items, range: Range<usize>, scope: &Scope<'scope>) {
        if range.len() == 1 {
            return items.run(range.start);
        }
        let middle = range.start.midpoint(range.end);
        scope.spawn(move |scope| tree(items, middle..range.end, scope));
        tree(items, range.start..middle, scope);
    }
    fn tasks<const SITE: usize>(items: &Items) {
        scope(|scope| tree(items, 0..items.len(), scope));
    }
    assert_all_busy(&sites!(tasks), ALL);
}

#[test]
fn no_worker_waits_beside_a_stream() {
    fn stream<const SITE: usize>(items: &Items) {
        let mut next = 0;
        let stream = (0..items.len()).par_stream().max_in_flight(2 * items.len());
        let stream = stream.map(|item| {
            items.run(item);
            item
        });
        stream.for_each_ordered(|item| {
            assert_eq!(item, next);
            next += 1;
        });
    }
    assert_all_busy(&sites!(stream), ALL);
}
