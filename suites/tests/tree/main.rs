//! Whole trees, made for the purpose: what is listed, how it is run, and what is said when something is wrong.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail the test")]

mod cases;
mod classic;
mod newer;
mod problems;
mod recent;
mod selection;
mod shards;
mod trees;
mod versions;
