//! Model of the panic slot: one of several payloads arrives, and none vanishes.

use std::sync::Arc;

use super::model::explore;
use super::panic_slot::PanicSlot;

/// Catches a payload that is overwritten or dropped, and a panic that does not stop the loop.
#[test]
fn model_first_payload_arrives() {
    explore(|| {
        let slot = Arc::new(PanicSlot::new());
        let other = Arc::clone(&slot);
        let racer = loom::thread::spawn(move || other.panicked(1));
        let mine = slot.panicked(2);
        let theirs = racer.join().unwrap();
        assert!(slot.stopped() && slot.is_over());
        let arrived = slot.take().expect("a payload arrives");
        let back = [mine, theirs].into_iter().flatten().collect::<Vec<_>>();
        assert_eq!(back.len(), 1, "the other one comes back");
        assert_eq!(arrived + back[0], 3, "and they are different ones");
        assert_eq!(slot.take(), None);
    });
}
