//! `shm-lock repair`.

use crate::arguments::Repair;
use crate::failure::{Failure, answer, tell};
use crate::lock::{Record, Taken, take};

pub(crate) fn repair(arguments: &Repair) -> Result<u8, Failure> {
    let lock = arguments.name.open()?;
    match take(&lock, arguments.patience.deadline())? {
        None => {
            tell!("failed to get lock");
            return Ok(arguments.patience.conflict_exit_code);
        }
        Some(Taken::Whole(_)) => answer!("nothing to repair"),
        Some(Taken::Torn(guard, cause)) => {
            if let Some(record) = Record::of(&lock) {
                record.clear();
            }
            drop(guard.mark_consistent());
            answer!("repaired: {}", cause.told());
        }
    }
    Ok(0)
}
