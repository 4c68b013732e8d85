//! The two written forms: Prometheus' plain text, and OpenMetrics for whoever asks for it.

use std::fmt;

use m365_actors::presence_sync::HopTime;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::Scrape;

/// What every name begins with.
const PREFIX: &str = "m365_connector";

/// A written form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposition {
    /// Prometheus' plain text, version 0.0.4.
    Plain,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Exposition {
    /// The form that an `Accept` header asks for.
    pub fn asked_for(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::Plain
        }
    }

    /// The content type of the form.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// Where metrics are written down.
pub(super) struct Sheet<'a>(DescriptorEncoder<'a>);

impl Sheet<'_> {
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        metric.encode_gauge(&value)
    }

    pub(super) fn gauges<Labels: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels, f64)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in values {
            metric.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    pub(super) fn counter(&mut self, name: &str, help: &str, count: u64) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        metric.encode_counter::<NoLabelSet, _, u64>(&count, None)
    }

    pub(super) fn counters<Labels: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        counts: impl IntoIterator<Item = (Labels, u64)>,
    ) -> fmt::Result {
        let mut metric = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, count) in counts {
            metric
                .encode_family(&labels)?
                .encode_counter::<NoLabelSet, _, u64>(&count, None)?;
        }
        Ok(())
    }

    /// Of each: the sum, and how many fall below each bound and above the one before it.
    pub(super) fn histograms<'a, Labels: EncodeLabelSet>(
        &mut self,
        name: &str,
        help: &str,
        bounds: &[f64],
        values: impl IntoIterator<Item = (Labels, &'a HopTime)>,
    ) -> fmt::Result {
        let mut metric = self
            .0
            .encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (labels, value) in values {
            let beyond = value.count - value.buckets.iter().sum::<u64>();
            let buckets: Vec<(f64, u64)> = bounds
                .iter()
                .copied()
                .zip(value.buckets)
                .chain([(f64::INFINITY, beyond)])
                .collect();
            metric.encode_family(&labels)?.encode_histogram::<NoLabelSet>(
                value.seconds,
                value.count,
                &buckets,
                None,
            )?;
        }
        Ok(())
    }
}

impl Collector for Scrape {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.fill(&mut Sheet(encoder))
    }
}

pub(super) fn write(scrape: Scrape, format: Exposition) -> String {
    let mut registry = Registry::with_prefix(PREFIX);
    registry.register_collector(Box::new(scrape));
    let mut written = String::new();
    // writing to a text in memory does not fail
    let _infallible = text::encode(&mut written, &registry);
    match format {
        Exposition::OpenMetrics => written,
        Exposition::Plain => as_plain_text(&written),
    }
}

/// OpenMetrics names a counter's family without the `_total` of its samples, and ends with a mark; plain text does
/// neither.
fn as_plain_text(open_metrics: &str) -> String {
    let mut counters = Vec::new();
    for line in open_metrics.lines() {
        if let Some(name) = line
            .strip_prefix("# TYPE ")
            .and_then(|rest| rest.strip_suffix(" counter"))
        {
            counters.push(name);
        }
    }
    let mut plain = String::with_capacity(open_metrics.len());
    for line in open_metrics.lines().filter(|line| *line != "# EOF") {
        match family(line).filter(|(_, name, _)| counters.contains(name)) {
            Some((keyword, name, rest)) => {
                plain.extend(["# ", keyword, " ", name, "_total ", rest, "\n"]);
            }
            None => plain.extend([line, "\n"]),
        }
    }
    plain
}

/// The parts of a line about a whole family: keyword, name and the rest.
fn family(line: &str) -> Option<(&str, &str, &str)> {
    let (keyword, rest) = line.strip_prefix("# ")?.split_once(' ')?;
    let (name, rest) = rest.split_once(' ')?;
    ["HELP", "TYPE"]
        .contains(&keyword)
        .then_some((keyword, name, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_keeps_one_name_in_plain_text() {
        let open_metrics = "# HELP x_writes Writes.\n# TYPE x_writes counter\nx_writes_total{side=\"pbx\"} 3\n# HELP x_up Up.\n# TYPE x_up gauge\nx_up 1.0\n# EOF\n";
        let plain = "# HELP x_writes_total Writes.\n# TYPE x_writes_total counter\nx_writes_total{side=\"pbx\"} 3\n# HELP x_up Up.\n# TYPE x_up gauge\nx_up 1.0\n";
        assert_eq!(as_plain_text(open_metrics), plain);
    }
}
