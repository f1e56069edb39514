// Compiled twice, behind one `use` line each: see `programs/mod.rs`.

/// One step of the symplectic Euler method: all velocities from all positions, then all positions.
pub(crate) fn advance(bodies: &mut [Body], dt: f64) {
    let accelerations: Vec<Vector> = bodies.par_iter().map(|body| body.acceleration(bodies)).collect();
    bodies
        .par_iter_mut()
        .zip(accelerations.par_iter())
        .for_each(|(body, acceleration)| body.kick_and_drift(acceleration, dt));
}

/// The kinetic energy, and the potential energy of each pair.
pub(crate) fn energy(bodies: &[Body]) -> f64 {
    bodies.par_iter().enumerate().map(|(i, body)| body.energy(&bodies[i + 1..])).sum()
}
