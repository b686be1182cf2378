//! Waiting for something to become true, with a bound.

use std::time::Duration;

/// Longest wait for what should take milliseconds: reached only by a failing test.
pub const BOUND: Duration = Duration::from_secs(40);
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(5);

/// Looks until there is something to see.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    match tokio::time::timeout(BOUND, looking).await {
        Ok(seen) => seen,
        Err(_) => panic!("{what}: not within {BOUND:?}"),
    }
}

/// The result of something that must not hang.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(BOUND, future).await {
        Ok(result) => result,
        Err(_) => panic!("{what}: not within {BOUND:?}"),
    }
}
