//! Both outside worlds as real servers, for the demo, the tests and the benchmarks.

pub mod journal;
pub mod line;
pub mod microsoft;
pub mod pbx;
pub mod town;
