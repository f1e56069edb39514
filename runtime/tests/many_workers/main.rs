//! As many items run at once as there are workers, whatever the items, and whatever they are inside
//! of.
//!
//! Items that sleep keep any number of workers busy on few cores, so that the schedules of 4 to 32
//! workers can be seen on any machine. How long each item slept is measured, and a call must not
//! take longer than any order of those very items would that leaves nobody idle: an item too many
//! for some worker shows, and a machine that wakes its sleepers late does not.

#[path = "../support/bystanders.rs"]
mod bystanders;
mod granules;
mod load;
mod loops;
mod nested;
#[path = "../support/registered.rs"]
mod registered;
mod scopes;
mod tiny;
#[path = "../support/watchdog.rs"]
mod watchdog;
mod within;
