//! Reads the results from a call's records, once all items are done.

use std::thread;
use std::time::{Duration, Instant};

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::calls::CallWords;
use crate::error::{Lost, TeamError};
use crate::memory::Memory;
use crate::protocol::claims::Entry;
use crate::sync::Ordering;
use crate::work::record;

/// How long to wait for the exit status of a dead process.
const PATIENCE: Duration = Duration::from_secs(1);

/// A record that results are appended to.
struct Appended<'a>(&'a mut Vec<u8>);

impl Flavor for Appended<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

/// Appends a result to a record.
pub(crate) fn append<T: Serialize>(record: &mut Vec<u8>, result: &T) -> Result<(), TeamError> {
    Ok(postcard::serialize_with_flavor(result, Appended(record))?)
}

/// The results of a call that is over.
pub(crate) struct Results<'a> {
    pub(crate) memory: &'a Memory,
    pub(crate) call: CallWords<'a>,
    pub(crate) start: usize,
}

impl Results<'_> {
    /// Returns the items without a result.
    pub(crate) fn lost(&self) -> Vec<Lost> {
        let mut lost = Vec::new();
        self.each(|item, entry| {
            if let Entry::Lost { incarnation } = entry {
                lost.push(self.lost_item(item, incarnation));
            }
            Ok(())
        })
        .expect("nothing is read");
        lost
    }

    pub(crate) fn items(&self) -> usize {
        self.call.claims.len() as usize
    }

    /// Passes on each item's result, in order.
    pub(crate) fn of_items<T: DeserializeOwned>(
        &self,
        mut see: impl FnMut(Result<T, Lost>),
    ) -> Result<(), TeamError> {
        self.each(|item, entry| {
            match entry {
                Entry::Done { len, record: place } => {
                    let mut rest = record(self.memory, place);
                    for _ in 0..len {
                        let (result, behind) = postcard::take_from_bytes(rest)?;
                        see(Ok(result));
                        rest = behind;
                    }
                }
                Entry::Lost { incarnation } => see(Err(self.lost_item(item, incarnation))),
                Entry::Open { .. } => (),
            }
            Ok(())
        })
    }

    /// Returns the result of each claim, in the order of the items.
    pub(crate) fn of_claims<T: DeserializeOwned>(&self) -> Result<Vec<T>, TeamError> {
        let mut results = Vec::new();
        self.each(|_, entry| {
            if let Entry::Done { record: place, .. } = entry {
                results.push(postcard::from_bytes(record(self.memory, place))?);
            }
            Ok(())
        })?;
        Ok(results)
    }

    fn each(&self, mut see: impl FnMut(u64, Entry) -> Result<(), TeamError>) -> Result<(), TeamError> {
        let claims = self.call.claims;
        let mut item = 0;
        while item < claims.len() {
            let entry = claims.entry(item);
            see(item, entry)?;
            item += entry.len().max(1);
        }
        Ok(())
    }

    fn lost_item(&self, item: u64, incarnation: u64) -> Lost {
        let began = Instant::now();
        let status = loop {
            let told = self.memory.end_of(incarnation).load(Ordering::Relaxed);
            if told != 0 || began.elapsed() > PATIENCE {
                break told.checked_sub(1).map(|status| status as i32);
            }
            thread::sleep(Duration::from_millis(1));
        };
        let signal = status.filter(|&status| libc::WIFSIGNALED(status)).map(|status| libc::WTERMSIG(status));
        Lost { index: self.start + item as usize, signal }
    }
}
