//! What was measured, beside what is expected.

use std::fmt;

/// One figure.
struct Row {
    world: String,
    figure: String,
    measured: String,
    expected: String,
}

/// All figures, in the order in which they were measured.
pub struct Table {
    rows: Vec<Row>,
}

impl Table {
    pub fn new() -> Self {
        Self { rows: Vec::new() }
    }

    /// Adds a figure with what is expected of it, as it is to be read: `1`, or `< 20 s`; empty where nothing is.
    pub fn row(&mut self, world: &str, figure: &str, measured: String, expected: &str) {
        println!("{world}: {figure}: {measured}");
        self.rows.push(Row {
            world: world.to_owned(),
            figure: figure.to_owned(),
            measured,
            expected: expected.to_owned(),
        });
    }

    /// Adds a figure of which nothing is expected.
    pub fn note(&mut self, world: &str, figure: &str, measured: String) {
        self.row(world, figure, measured, "");
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "| world | figure | measured | expected |")?;
        writeln!(formatter, "|---|---|---:|---:|")?;
        for row in &self.rows {
            let Row {
                world,
                figure,
                measured,
                expected,
            } = row;
            writeln!(formatter, "| {world} | {figure} | {measured} | {expected} |")?;
        }
        Ok(())
    }
}
