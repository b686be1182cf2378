//! What has to be done when a test ends, also when it failed.

use std::fmt::Debug;

/// Runs to the end before it returns, on a thread of its own: a destructor cannot wait for a future, and it also runs while
/// a failed test unwinds.
pub fn finally<E: Debug>(what: &str, work: impl Future<Output = Result<(), E>> + Send) {
    let done = std::thread::scope(|scope| {
        let working = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime");
            runtime.block_on(work).map_err(|error| format!("{error:?}"))
        });
        working.join()
    });
    match done {
        Ok(Ok(())) => {}
        Ok(Err(error)) => eprintln!("{what}: {error}"),
        Err(_) => eprintln!("{what}: panicked"),
    }
}
