//! Both closures may run at the same time.

fn main() {
    let mut sum = 0;
    taskel::join(|| sum += 1, || sum += 2);
}
