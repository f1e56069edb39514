//! A task may outlive its caller, even where its result is awaited.

fn main() {
    let local = vec![1, 2, 3];
    let task = taskel::submit(|| local.len());
    println!("{}", task.join());
}
