//! A task may run on after the closure that spawned it.

fn main() {
    taskel::scope(|scope| {
        let local = String::from("gone when the closure returns");
        scope.spawn(|_| println!("{local}"));
    });
}
