//! The limits of a file, and the memory that all files share which are decoded at the same time.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::error::PictureError;

/// The limits within which a file is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeLimits {
    /// The most pixels of a picture, width × height. Checked before memory is taken for them.
    pub max_pixels: u64,
    /// The largest file, in bytes.
    pub max_bytes: u64,
    /// The most memory that decoding one picture may take, in bytes: the pixels, and what the decoder keeps beside
    /// them.
    pub max_memory: u64,
    /// The memory in bytes of all pictures that are decoded at the same time. A picture that needs more by itself
    /// is decoded alone.
    pub memory: u64,
}

impl Default for DecodeLimits {
    /// 200 megapixels, 256 MiB a file, 768 MiB a picture, 384 MiB at the same time.
    fn default() -> Self {
        Self { max_pixels: 200_000_000, max_bytes: 256 << 20, max_memory: 768 << 20, memory: 384 << 20 }
    }
}

impl DecodeLimits {
    /// Refuses a picture without pixels, or with too many.
    pub(crate) fn check(&self, width: impl Into<u64>, height: impl Into<u64>) -> Result<(), PictureError> {
        let (width, height) = (width.into(), height.into());
        if width == 0 || height == 0 {
            return Err(PictureError::Damaged("it has no pixels".into()));
        }
        if width.saturating_mul(height) > self.max_pixels {
            return Err(PictureError::TooLarge { width, height, limit: self.max_pixels });
        }
        Ok(())
    }
}

/// The limits of a reader, and the memory that its decoders share. Clones share it too.
#[derive(Clone, Debug)]
pub(super) struct DecodeBudget {
    pub(super) limits: DecodeLimits,
    memory: Arc<Memory>,
}

impl DecodeBudget {
    pub(super) fn new(limits: DecodeLimits) -> Self {
        Self { limits, memory: Memory::new(limits.memory) }
    }

    /// Waits for memory, unless a picture needs more than any may have.
    pub(super) fn take(&self, bytes: u64) -> Result<Share, PictureError> {
        let limit = self.limits.max_memory;
        if bytes > limit { Err(PictureError::NeedsMemory { bytes, limit }) } else { Ok(self.memory.take(bytes)) }
    }
}

/// An amount that is shared out, and waited for while it is taken: a semaphore for threads that block.
#[derive(Debug)]
pub(crate) struct Memory {
    total: u64,
    free: Mutex<u64>,
    freed: Condvar,
}

/// A part of the amount, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    memory: Arc<Memory>,
    bytes: u64,
}

impl Memory {
    pub(crate) fn new(total: u64) -> Arc<Self> {
        Arc::new(Self { total, free: Mutex::new(total), freed: Condvar::new() })
    }

    /// Like [`Memory::take`], and gives up after `patience`.
    pub(crate) fn take_within(self: &Arc<Self>, bytes: u64, patience: Duration) -> Option<Share> {
        let bytes = bytes.min(self.total);
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = self.freed.wait_timeout_while(free, patience, |free| *free < bytes);
        let (mut free, _) = wait.unwrap_or_else(PoisonError::into_inner);
        *free = free.checked_sub(bytes)?;
        Some(Share { memory: Arc::clone(self), bytes })
    }

    /// Waits until so much is free; for all of it, if more is asked for than there is. A thread must not hold a share
    /// already, or it could wait for itself.
    pub(crate) fn take(self: &Arc<Self>, bytes: u64) -> Share {
        let bytes = bytes.min(self.total);
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.freed.wait_while(free, |free| *free < bytes).unwrap_or_else(PoisonError::into_inner);
        *free -= bytes;
        Share { memory: Arc::clone(self), bytes }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        *self.memory.free.lock().unwrap_or_else(PoisonError::into_inner) += self.bytes;
        self.memory.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn a_picture_is_measured_before_memory_is_taken() {
        let limits = DecodeLimits { max_pixels: 100, ..DecodeLimits::default() };
        assert_eq!(limits.check(10_u32, 10_u32), Ok(()));
        assert_eq!(limits.check(10_u32, 11_u32), Err(PictureError::TooLarge { width: 10, height: 11, limit: 100 }));
        assert!(matches!(limits.check(u64::MAX, 3_u32), Err(PictureError::TooLarge { .. })), "the product overflows");
        assert!(matches!(limits.check(0_u32, 3_u32), Err(PictureError::Damaged(_))));
    }

    #[test]
    fn no_more_is_held_than_there_is() {
        let memory = Memory::new(100);
        let (held, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8_u64 {
                let (memory, held, most) = (&memory, &held, &most);
                scope.spawn(move || {
                    for round in 0..200_u64 {
                        let bytes = (thread * 37 + round * 11) % 130;
                        let share = memory.take(bytes);
                        let now = held.fetch_add(share.bytes, Ordering::SeqCst) + share.bytes;
                        most.fetch_max(now, Ordering::SeqCst);
                        held.fetch_sub(share.bytes, Ordering::SeqCst);
                        drop(share);
                    }
                });
            }
        });
        assert!(most.load(Ordering::SeqCst) <= 100);
        assert_eq!(*memory.free.lock().unwrap(), 100);
    }

    #[test]
    fn whoever_waits_in_vain_takes_nothing() {
        let memory = Memory::new(1);
        let share = memory.take_within(1, Duration::ZERO);
        assert!(share.is_some());
        assert!(memory.take_within(1, Duration::ZERO).is_none());
        drop(share);
        assert!(memory.take_within(1, Duration::ZERO).is_some());
    }
}
