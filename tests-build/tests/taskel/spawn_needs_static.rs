//! A spawned task may outlive its caller.

fn main() {
    let local = vec![1, 2, 3];
    taskel::spawn(|| println!("{}", local.len()));
}
