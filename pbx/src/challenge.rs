//! The challenge that a login must answer.

use std::fmt;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};

/// A challenge: 16 hexadecimal digits, as real PBXs send and accept (pbx.md 1.3). It serves one connection only.
#[derive(Clone, PartialEq, Eq)]
pub struct Challenge(String);

/// The system's source of randomness failed, so no login can be offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system's source of randomness does not answer")]
pub struct NoRandomness;

impl Challenge {
    /// Makes the challenge from 8 random bytes.
    pub fn new(bytes: [u8; 8]) -> Self {
        Self(format!("{:016x}", u64::from_be_bytes(bytes)))
    }

    /// Draws a challenge from the system's source of randomness; fails only when that source does.
    pub fn draw() -> Result<Self, NoRandomness> {
        let mut bytes = [0; 8];
        SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandomness)?;
        Ok(Self::new(bytes))
    }

    /// Returns the digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Challenge")
    }
}
